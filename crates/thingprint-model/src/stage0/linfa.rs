use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_bayes::{MultinomialNb, NaiveBayes};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::WordCounts;
use crate::error::{FileFault, ModelError};
use crate::vocabulary::Tokens;

/// Columns read out of a fitted linfa model at a time.
const BLOCK: usize = 64;

/// ln Pr(w|c) of every word and class, as `linfa_bayes::MultinomialNb` estimates it.
///
/// What that estimator learns depends on the summed counts of each class alone, so it is given one row for each
/// class, and dense copies of all training rows are spared. Its own priors (of which it offers one kind) are left
/// aside. The fitted numbers are read out once, through its joint log-likelihood of single words, because its
/// `predict_proba` overflows on long vocabularies, because a model file must be checked before use, and because
/// fitting it again at every start would print again: version 0.8.1 writes a `dbg!` line for each class to stderr.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DenseLikelihood {
    classes: u32,
    /// Class by class within column by column.
    values: Vec<f64>,
}

impl DenseLikelihood {
    pub(super) fn fit(counts: &WordCounts, classes: usize) -> Result<Self, ModelError> {
        let dataset = DatasetBase::new(class_rows(counts, classes), Array1::from_iter(0..classes));
        let model =
            MultinomialNb::params().alpha(1.0).fit(&dataset).map_err(|error| backend_error(&error))?;
        let columns = counts.columns.len();
        let mut values = Vec::with_capacity(columns * classes);
        for first in (0..columns).step_by(BLOCK) {
            let words = first..columns.min(first + BLOCK);
            values.extend(read_out(&model, words, columns, classes)?);
        }
        Ok(Self { classes: u32::try_from(classes).unwrap_or(u32::MAX), values })
    }

    pub(super) fn add_to(&self, tokens: &Tokens, scores: &mut [f64]) {
        for &(column, count) in tokens {
            let count = count as f64;
            for (score, log_probability) in scores.iter_mut().zip(self.column(column as usize)) {
                *score += count * log_probability;
            }
        }
    }

    pub(super) fn log_probability(&self, column: usize, class: usize) -> Option<f64> {
        self.column(column).get(class).copied()
    }

    fn column(&self, column: usize) -> &[f64] {
        let classes = self.classes as usize;
        let start = column.saturating_mul(classes);
        self.values.get(start..start.saturating_add(classes)).unwrap_or_default()
    }

    pub(super) fn check_loaded(&self, columns: usize, classes: usize) -> Result<(), FileFault> {
        let fits = self.classes as usize == classes
            && self.values.len() == columns.saturating_mul(classes)
            && self.values.iter().all(|value| value.is_finite() && *value <= 0.0);
        if fits {
            Ok(())
        } else {
            Err(FileFault::Inconsistent("its word probabilities do not fit its vocabulary"))
        }
    }
}

/// The count of each word (columns) in each class (rows).
fn class_rows(counts: &WordCounts, classes: usize) -> Array2<f64> {
    let mut rows = Array2::zeros((classes, counts.columns.len()));
    for (column, cells) in counts.columns.iter().enumerate() {
        for &(class, count) in cells {
            if let Some(cell) = rows.get_mut((usize::from(class), column)) {
                *cell = count as f64;
            }
        }
    }
    rows
}

/// ln Pr(w|c) of a few words, class by class within word by word: the joint log-likelihood of a row with that one
/// word, less the log prior, which is that of one row among as many as there are classes.
fn read_out(
    model: &MultinomialNb<f64, usize>,
    words: std::ops::Range<usize>,
    columns: usize,
    classes: usize,
) -> Result<Vec<f64>, ModelError> {
    let mut rows = Array2::zeros((words.len(), columns));
    for (row, word) in words.clone().enumerate() {
        rows[(row, word)] = 1.0;
    }
    let joint = model.joint_log_likelihood(rows.view());
    let log_prior = (1.0 / classes as f64).ln();
    let mut values = Vec::with_capacity(words.len() * classes);
    for row in 0..words.len() {
        for class in 0..classes {
            let scores = joint.get(&class).ok_or_else(|| backend_error(&"a class is missing"))?;
            values.push((scores[row] - log_prior).min(0.0));
        }
    }
    Ok(values)
}

fn backend_error(reason: &impl ToString) -> ModelError {
    ModelError::Backend { backend: "linfa", reason: reason.to_string() }
}
