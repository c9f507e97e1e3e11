//! How well models do: measures, tables by class, and calibration, over all folds of a split and all seeds.
mod answer;
mod measures;
mod tally;
mod voice;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Serialize, Serializer};

pub use answer::{Answer, TestedFold};
pub use measures::Measures;
pub use voice::Voice;

use crate::error::ModelError;
use crate::measure::{CalibrationBin, calibration_bins};
use tally::{Tally, Weighted, weighted, whole};

/// Probability that the smallest set of classes has, by which sets are evaluated.
pub const SET_MASS: f64 = 0.95;

/// How well a model does on labelled instances (the cells of Table 2 of the classification paper, and more).
///
/// Answers of all folds are pooled. With several seeds the measures are means over the seeds, and in everything else a
/// window counts once, its answers in equal shares: more seeds do not make more instances.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Windows tested, each once however many seeds tested it.
    pub instances: u64,
    /// The measures: means over the seeds.
    #[serde(flatten)]
    pub measures: Measures,
    /// Their standard deviations over the seeds (divisor n - 1); `None` for a single seed.
    pub sd: Option<Measures>,
    /// Confidence from which an answer is accepted.
    pub threshold: f64,
    /// Each seed.
    pub by_seed: Vec<PartEvaluation>,
    /// Each fold of each seed.
    pub folds: Vec<PartEvaluation>,
    /// Each class.
    pub per_class: Vec<ClassEvaluation>,
    /// Bins of confidence, ascending.
    pub calibration: Vec<CalibrationBin>,
    /// Names of the classes in the order of the confusion matrix: byte order, with classes that occur only in the test.
    pub classes: Vec<Arc<str>>,
    /// Number of instances by true class (rows) and answer (columns).
    #[serde(serialize_with = "counts")]
    pub confusion: Vec<Vec<f64>>,
}

/// How well a model does on a part of what was tested.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartEvaluation {
    /// The seed.
    pub seed: u64,
    /// The fold, from 1; `None` for all folds of the seed.
    pub fold: Option<u32>,
    /// Instances that trained; the mean over the folds of a seed.
    pub trained_on: f64,
    /// Instances tested.
    pub instances: u64,
    /// The measures.
    #[serde(flatten)]
    pub measures: Measures,
}

/// How well a model does on one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassEvaluation {
    /// The class.
    pub class: Arc<str>,
    /// Instances tested (support).
    pub instances: u64,
    /// Share classified correctly, 0 to 1; `None` without instances.
    pub correct: Option<f64>,
    /// Mean confidence of the correct answers; `None` when there are none.
    pub confidence: Option<f64>,
    /// Share of the answers "this class" that are correct; `None` when there are none.
    pub precision: Option<f64>,
    /// The same as `correct`, by its usual name.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall, 0 when nothing is correct; `None` for a class that is neither label nor answer.
    pub f1: Option<f64>,
    /// Classes it was mistaken for, the most frequent first.
    pub mistaken_for: Vec<Mistake>,
}

/// A class that another was mistaken for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mistake {
    /// The wrong answer.
    pub class: Arc<str>,
    /// Share of the true class's instances, 0 to 1.
    pub share: f64,
    /// Mean confidence of the wrong answer.
    pub confidence: f64,
}

impl Evaluation {
    /// Compares the answers of models with the true classes; `threshold` is the confidence that they were accepted by.
    ///
    /// A true class that a model does not know counts as wrong, and enters the RRSE as a class with no training
    /// instance. The RRSE compares each answer with the priors of its own fold. Fails when there is nothing to compare.
    pub fn of(folds: &[TestedFold], threshold: f64) -> Result<Self, ModelError> {
        let answers = weighted(folds);
        if answers.is_empty() {
            return Err(ModelError::NothingToEvaluate);
        }
        let names = all_names(folds);
        let tally = Tally::of(&names, &answers);
        let seeds: BTreeSet<u64> = folds.iter().map(|fold| fold.seed).collect();
        let by_seed: Vec<_> = seeds.into_iter().filter_map(|seed| of_seed(folds, seed)).collect();
        let measures: Vec<Measures> = by_seed.iter().map(|part| part.measures).collect();
        let scored: Vec<_> = answers.iter().map(Weighted::scored).collect();
        Ok(Self {
            instances: whole(answers.iter().map(|answer| answer.weight).sum()),
            measures: Measures::mean(&measures),
            sd: Measures::deviation(&measures),
            threshold,
            by_seed,
            folds: folds.iter().filter_map(|fold| part(&[fold], Some(fold.fold))).collect(),
            per_class: tally.per_class(&names),
            calibration: calibration_bins(&scored),
            classes: names,
            confusion: tally.counts,
        })
    }
}

/// All folds of a seed.
fn of_seed(folds: &[TestedFold], seed: u64) -> Option<PartEvaluation> {
    let folds: Vec<&TestedFold> = folds.iter().filter(|fold| fold.seed == seed).collect();
    part(&folds, None)
}

/// The evaluation of folds of one seed; `None` without answers.
fn part(folds: &[&TestedFold], fold: Option<u32>) -> Option<PartEvaluation> {
    let pairs = folds.iter().flat_map(|fold| fold.answers.iter().map(move |answer| (fold, answer)));
    let answers: Vec<_> = pairs.map(|(fold, answer)| Weighted { fold, answer, weight: 1.0 }).collect();
    let names = all_names(folds.iter().copied());
    let per_class = Tally::of(&names, &answers).per_class(&names);
    let macro_f1 = mean(per_class.iter().filter_map(|class| class.f1)).unwrap_or(0.0);
    let trained_on = folds.iter().map(|fold| fold.classes.instances() as f64);
    (!answers.is_empty()).then(|| PartEvaluation {
        seed: folds.first().map_or(0, |fold| fold.seed),
        fold,
        trained_on: mean(trained_on).unwrap_or(0.0),
        instances: answers.len() as u64,
        measures: Measures::of(&answers, macro_f1),
    })
}

/// Names of the models' classes and of the true ones, in byte order.
fn all_names<'a>(folds: impl IntoIterator<Item = &'a TestedFold>) -> Vec<Arc<str>> {
    let names = |fold: &'a TestedFold| {
        let known = fold.classes.iter().map(|class| &class.name);
        known.chain(fold.answers.iter().map(|answer| &answer.truth))
    };
    folds.into_iter().flat_map(names).collect::<BTreeSet<_>>().into_iter().map(Arc::clone).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// Writes counts as whole numbers, but for windows that seeds answered in several ways.
fn counts<S: Serializer>(rows: &[Vec<f64>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(|row| row.iter().copied().map(Count::of).collect::<Vec<_>>()))
}

/// A number of windows, or of shares of windows.
#[derive(Serialize)]
#[serde(untagged)]
enum Count {
    Whole(u64),
    Shares(f64),
}

impl Count {
    fn of(count: f64) -> Self {
        /// What the sum of shares misses a whole number by.
        const ROUNDING: f64 = 1e-9;
        if (count - count.round()).abs() < ROUNDING { Self::Whole(whole(count)) } else { Self::Shares(count) }
    }
}

#[cfg(test)]
mod tests;
