use std::collections::BTreeMap;

use serde::Serialize;

use super::tally::Weighted;
use super::{SET_MASS, TestedFold, mean};
use crate::measure::{expected_calibration_error, rrse};

/// The numbers of an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measures {
    /// Share classified correctly, 0 to 1.
    pub accuracy: f64,
    /// Share whose answer is the true class or another of its family, 0 to 1; `None` where labels gave no families.
    pub family_accuracy: Option<f64>,
    /// Root relative squared error as Weka defines it, in percent.
    pub rrse: f64,
    /// Mean F1 of the classes that occur as a label or as an answer.
    pub macro_f1: f64,
    /// Expected calibration error over 10 bins of confidence, 0 to 1.
    pub calibration_error: f64,
    /// Share of answers that are accepted, 0 to 1: confidence and likeness reach their thresholds. A model without
    /// likeness is judged by its confidence.
    pub coverage: f64,
    /// Share of the accepted answers that are correct; `None` when none is accepted.
    pub accepted_accuracy: Option<f64>,
    /// Share of answers whose confidence reaches its threshold, whatever their likeness.
    pub confident_coverage: f64,
    /// Share of those answers that are correct; `None` when there are none.
    pub confident_accuracy: Option<f64>,
    /// Mean number of classes in the smallest set that has 95 % of the probability.
    pub set_size: f64,
    /// Share of those sets that have the true class, 0 to 1.
    pub set_coverage: f64,
    /// The same share of the class where it is lowest.
    pub set_coverage_worst: f64,
}

impl Measures {
    /// The measures of weighted answers, each with its fold; `macro_f1` is found elsewhere.
    pub(super) fn of(answers: &[Weighted<'_>], macro_f1: f64) -> Self {
        let scored: Vec<_> = answers.iter().map(Weighted::scored).collect();
        let right = |answer: &Weighted<'_>| answer.answer.is_right();
        let accepted: Vec<_> = answers.iter().filter(|answer| answer.answer.is_accepted()).collect();
        let confident: Vec<_> = answers.iter().filter(|answer| answer.answer.is_confident()).collect();
        let sets = Sets::of(answers);
        Self {
            accuracy: share(answers.iter(), right).unwrap_or(0.0),
            family_accuracy: share(
                answers.iter().filter(|answer| answer.answer.is_in_family.is_some()),
                |answer| answer.answer.is_in_family == Some(true),
            ),
            rrse: rrse(answers.iter().map(|answer| (answer.fold, answer.answer, answer.weight))),
            macro_f1,
            calibration_error: expected_calibration_error(&scored),
            coverage: share(answers.iter(), |answer| answer.answer.is_accepted()).unwrap_or(0.0),
            accepted_accuracy: share(accepted.into_iter(), right),
            confident_coverage: share(answers.iter(), |answer| answer.answer.is_confident()).unwrap_or(0.0),
            confident_accuracy: share(confident.into_iter(), right),
            set_size: sets.size,
            set_coverage: sets.coverage,
            set_coverage_worst: sets.worst,
        }
    }

    /// The mean of each measure over seeds.
    pub(super) fn mean(all: &[Self]) -> Self {
        Self::each(all, |values| mean(values.iter().copied()))
    }

    /// The standard deviation of each measure over seeds, with divisor n - 1; `None` for a single seed.
    pub(super) fn deviation(all: &[Self]) -> Option<Self> {
        (all.len() > 1).then(|| Self::each(all, deviation))
    }

    /// Combines the values that each measure has.
    fn each(all: &[Self], combine: impl Fn(&[f64]) -> Option<f64>) -> Self {
        let some = |of: fn(&Self) -> Option<f64>| combine(&all.iter().filter_map(of).collect::<Vec<_>>());
        let every = |of: fn(&Self) -> f64| combine(&all.iter().map(of).collect::<Vec<_>>()).unwrap_or(0.0);
        Self {
            accuracy: every(|measures| measures.accuracy),
            family_accuracy: some(|measures| measures.family_accuracy),
            rrse: every(|measures| measures.rrse),
            macro_f1: every(|measures| measures.macro_f1),
            calibration_error: every(|measures| measures.calibration_error),
            coverage: every(|measures| measures.coverage),
            accepted_accuracy: some(|measures| measures.accepted_accuracy),
            confident_coverage: every(|measures| measures.confident_coverage),
            confident_accuracy: some(|measures| measures.confident_accuracy),
            set_size: every(|measures| measures.set_size),
            set_coverage: every(|measures| measures.set_coverage),
            set_coverage_worst: every(|measures| measures.set_coverage_worst),
        }
    }
}

/// The deviation of a sample; `None` for fewer than two values.
fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values.iter().copied())?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() as f64 - 1.0)).sqrt())
}

/// The weight of the answers for which something holds, of that of all; `None` without answers.
fn share<'a, 'b: 'a>(
    answers: impl Iterator<Item = &'a Weighted<'b>>,
    holds: impl Fn(&Weighted<'b>) -> bool,
) -> Option<f64> {
    let (mut part, mut whole) = (0.0, 0.0);
    for answer in answers {
        whole += answer.weight;
        part += if holds(answer) { answer.weight } else { 0.0 };
    }
    (whole > 0.0).then(|| part / whole)
}

/// How large the sets of classes are, and how often they have the true one.
struct Sets {
    size: f64,
    coverage: f64,
    worst: f64,
}

impl Sets {
    fn of(answers: &[Weighted<'_>]) -> Self {
        let mut by_class: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        let (mut size, mut covered, mut all) = (0.0, 0.0, 0.0);
        for Weighted { answer, weight, fold } in answers {
            let set = answer.prediction.set(SET_MASS);
            let has_truth = is_in(&set, fold, &answer.truth);
            let of_class = by_class.entry(&answer.truth).or_default();
            let hit = if has_truth { *weight } else { 0.0 };
            *of_class = (of_class.0 + hit, of_class.1 + weight);
            size += weight * set.len() as f64;
            covered += hit;
            all += weight;
        }
        let shares = by_class.values().map(|(covered, all)| covered / all);
        Self { size: size / all, coverage: covered / all, worst: shares.fold(1.0, f64::min) }
    }
}

fn is_in(set: &[usize], fold: &TestedFold, truth: &str) -> bool {
    fold.classes.number(truth).is_some_and(|truth| set.contains(&truth))
}
