use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thingprint_flow::{DeviceId, Timestamp};

use super::{Answer, ClassEvaluation, Mistake, TestedFold};
use crate::measure::Scored;

/// An answer with its fold, and how much it counts.
#[derive(Clone, Copy)]
pub(super) struct Weighted<'a> {
    pub(super) fold: &'a TestedFold,
    pub(super) answer: &'a Answer,
    /// 1 by the number of seeds that tested the window.
    pub(super) weight: f64,
}

impl Weighted<'_> {
    pub(super) fn scored(&self) -> Scored {
        Scored {
            confidence: self.answer.prediction.confidence,
            correct: self.answer.is_right(),
            weight: self.weight,
        }
    }
}

/// What a window is known by.
type Window<'a> = (DeviceId, Timestamp, Option<&'a str>, &'a str);

/// All answers of folds, so weighted that each window counts once, however many seeds tested it.
pub(super) fn weighted(folds: &[TestedFold]) -> Vec<Weighted<'_>> {
    let mut seeds: BTreeMap<Window<'_>, BTreeSet<u64>> = BTreeMap::new();
    let is_one_seed = folds.iter().all(|fold| Some(fold.seed) == folds.first().map(|first| first.seed));
    if !is_one_seed {
        for (fold, answer) in answers(folds) {
            seeds.entry(window(answer)).or_default().insert(fold.seed);
        }
    }
    let weight = |answer: &Answer| seeds.get(&window(answer)).map_or(1.0, |seeds| 1.0 / seeds.len() as f64);
    answers(folds).map(|(fold, answer)| Weighted { fold, answer, weight: weight(answer) }).collect()
}

fn answers(folds: &[TestedFold]) -> impl Iterator<Item = (&TestedFold, &Answer)> {
    folds.iter().flat_map(|fold| fold.answers.iter().map(move |answer| (fold, answer)))
}

fn window(answer: &Answer) -> Window<'_> {
    let Answer { prediction, capture, truth, .. } = answer;
    (prediction.device, prediction.window_start, capture.as_deref(), truth)
}

/// Answers by true class (rows) and answer (columns): how many, and the sum of their confidences.
pub(super) struct Tally {
    pub(super) counts: Vec<Vec<f64>>,
    confidences: Vec<Vec<f64>>,
}

impl Tally {
    pub(super) fn of(names: &[Arc<str>], answers: &[Weighted<'_>]) -> Self {
        let mut tally = Self {
            counts: vec![vec![0.0; names.len()]; names.len()],
            confidences: vec![vec![0.0; names.len()]; names.len()],
        };
        let number = |name: &str| names.binary_search_by(|other| (**other).cmp(name)).ok();
        for Weighted { answer, weight, .. } in answers {
            let Answer { truth, prediction, .. } = answer;
            let (Some(row), Some(column)) = (number(truth), number(&prediction.class)) else { continue };
            tally.counts[row][column] += weight;
            tally.confidences[row][column] += weight * prediction.confidence;
        }
        tally
    }

    pub(super) fn per_class(&self, names: &[Arc<str>]) -> Vec<ClassEvaluation> {
        (0..names.len()).map(|class| self.one_class(class, names)).collect()
    }

    fn one_class(&self, class: usize, names: &[Arc<str>]) -> ClassEvaluation {
        let instances: f64 = self.counts[class].iter().sum();
        let answered: f64 = self.counts.iter().map(|row| row[class]).sum();
        let correct = self.counts[class][class];
        let share = |whole: f64| (whole > 0.0).then(|| correct / whole);
        ClassEvaluation {
            class: Arc::clone(&names[class]),
            instances: whole(instances),
            correct: share(instances),
            confidence: self.mean_confidence(class, class),
            precision: share(answered),
            recall: share(instances),
            f1: (instances + answered > 0.0).then(|| 2.0 * correct / (instances + answered)),
            mistaken_for: self.mistakes(class, instances, names),
        }
    }

    fn mistakes(&self, class: usize, instances: f64, names: &[Arc<str>]) -> Vec<Mistake> {
        let mistake = |answer: usize| {
            Some(Mistake {
                class: Arc::clone(&names[answer]),
                share: self.counts[class][answer] / instances,
                confidence: self.mean_confidence(class, answer)?,
            })
        };
        let mut mistakes: Vec<_> =
            (0..names.len()).filter(|&answer| answer != class).filter_map(mistake).collect();
        mistakes.sort_by(|a, b| b.share.total_cmp(&a.share));
        mistakes
    }

    fn mean_confidence(&self, truth: usize, answer: usize) -> Option<f64> {
        let count = self.counts[truth][answer];
        (count > 0.0).then(|| self.confidences[truth][answer] / count)
    }
}

/// A number of windows out of weights, which miss it by rounding alone.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of windows in memory")]
pub(super) fn whole(weight: f64) -> u64 {
    weight.round() as u64
}
