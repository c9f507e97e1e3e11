//! Stage-0: one multinomial naive Bayes for each bag ([C §5.1.1, eq. 1 and 2]).
mod linfa;
mod sparse;

use serde::{Deserialize, Serialize};
use thingprint_instance::{Bag, BagName, Instance, Kind};

use crate::classes::{MAX_CLASSES, most_likely};
use crate::error::{FileFault, ModelError};
use crate::options::{Prior, Stage0Backend, TrainOptions};
use crate::sequence;
use crate::vocabulary::{Tokens, Vocabulary};

/// The bag of an instance; an empty one where it was not extracted.
pub(crate) fn bag_of(instance: &Instance, bag: BagName) -> &Bag {
    static EMPTY: Bag = Bag::new();
    instance.bags.get(bag).unwrap_or(&EMPTY)
}

/// The words of one class number in one training bag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LabeledBag<'a> {
    pub(crate) bag: &'a Bag,
    pub(crate) class: u16,
    pub(crate) kind: Kind,
}

/// A fitted stage-0: the posterior of every class, given the words of a bag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BagModel {
    vocabulary: Vocabulary,
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_CLASSES>")]
    log_prior: Vec<f64>,
    likelihood: Likelihood,
}

/// `Pr(w|c) = (1 + n_cw) / (V + Σ_w n_cw)` of equation 1, by either back end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Likelihood {
    Sparse(sparse::SparseCounts),
    Linfa(linfa::DenseLikelihood),
}

impl BagModel {
    /// Fits a classifier of `classes` classes, some of which may have no row.
    pub(crate) fn fit(
        rows: &[LabeledBag<'_>],
        classes: usize,
        options: &TrainOptions,
    ) -> Result<Self, ModelError> {
        let vocabulary = Vocabulary::of(rows.iter().map(|row| (row.bag, row.kind)), options.unseen);
        let counts = WordCounts::of(rows, &vocabulary);
        let likelihood = match options.stage0 {
            Stage0Backend::Sparse => Likelihood::Sparse(sparse::SparseCounts::fit(&counts, classes)),
            Stage0Backend::Linfa => Likelihood::Linfa(linfa::DenseLikelihood::fit(&counts, classes)?),
        };
        Ok(Self { vocabulary, log_prior: log_prior(rows, classes, options.prior), likelihood })
    }

    /// The posterior of each class: equation 2 with counts as exponents, by log-sum-exp.
    pub(crate) fn posterior(&self, bag: &Bag) -> Vec<f64> {
        let mut scores = self.log_prior.clone();
        self.likelihood.add_to(&self.vocabulary.tokens(bag), &mut scores);
        normalise(&mut scores);
        scores
    }

    /// The class of highest posterior and that posterior.
    pub(crate) fn verdict(&self, bag: &Bag) -> (usize, f64) {
        let posterior = self.posterior(bag);
        let class = most_likely(&posterior);
        (class, posterior.get(class).copied().unwrap_or(0.0))
    }

    /// ln Pr(w|c) - ln Pr(w|rival): how much one occurrence of a word speaks for a class and against another; `None`
    /// for a word that counts for nothing.
    pub(crate) fn log_odds(&self, word: &str, class: usize, rival: usize) -> Option<f64> {
        let column = self.vocabulary.column(word)?;
        Some(
            self.likelihood.log_probability(column, class)?
                - self.likelihood.log_probability(column, rival)?,
        )
    }

    /// ln Pr(c) - ln Pr(rival).
    pub(crate) fn prior_log_odds(&self, class: usize, rival: usize) -> Option<f64> {
        Some(self.log_prior.get(class)? - self.log_prior.get(rival)?)
    }

    /// The vocabulary.
    #[cfg(test)]
    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Refuses a loaded model whose parts do not fit together or whose numbers are none.
    pub(crate) fn check_loaded(&self, classes: usize) -> Result<(), FileFault> {
        self.vocabulary.check_loaded()?;
        if self.log_prior.len() != classes || !self.log_prior.iter().all(|&prior| prior <= 0.0) {
            return Err(FileFault::Inconsistent("its priors do not fit its classes"));
        }
        if !self.log_prior.iter().any(|prior| prior.is_finite()) {
            return Err(FileFault::Inconsistent("its priors exclude every class"));
        }
        match &self.likelihood {
            Likelihood::Sparse(counts) => counts.check_loaded(self.vocabulary.columns(), classes),
            Likelihood::Linfa(dense) => dense.check_loaded(self.vocabulary.columns(), classes),
        }
    }
}

impl Likelihood {
    /// Adds `Σ_w n_w · ln Pr(w|c)` to the score of each class c.
    fn add_to(&self, tokens: &Tokens, scores: &mut [f64]) {
        match self {
            Self::Sparse(counts) => counts.add_to(tokens, scores),
            Self::Linfa(dense) => dense.add_to(tokens, scores),
        }
    }

    /// ln Pr(w|c) of the word with this column.
    fn log_probability(&self, column: usize, class: usize) -> Option<f64> {
        match self {
            Self::Sparse(counts) => counts.log_probability(column, class),
            Self::Linfa(dense) => dense.log_probability(column, class),
        }
    }
}

/// How often each class has each word in the training rows: all that a multinomial naive Bayes learns from.
pub(crate) struct WordCounts {
    /// For each column the classes that have it, with the number of occurrences; classes ascending.
    columns: Vec<Vec<(u16, u64)>>,
}

impl WordCounts {
    fn of(rows: &[LabeledBag<'_>], vocabulary: &Vocabulary) -> Self {
        let mut columns: Vec<Vec<(u16, u64)>> = vec![Vec::new(); vocabulary.columns()];
        for row in rows {
            for (column, count) in vocabulary.tokens(row.bag) {
                let Some(classes) = columns.get_mut(column as usize) else { continue };
                match classes.binary_search_by_key(&row.class, |&(class, _)| class) {
                    Ok(at) => classes[at].1 = classes[at].1.saturating_add(count),
                    Err(at) => classes.insert(at, (row.class, count)),
                }
            }
        }
        Self { columns }
    }
}

/// ln Pr(c) of each class.
fn log_prior(rows: &[LabeledBag<'_>], classes: usize, prior: Prior) -> Vec<f64> {
    let mut instances = vec![0_u64; classes];
    for row in rows {
        if let Some(count) = instances.get_mut(usize::from(row.class)) {
            *count += 1;
        }
    }
    let of_class = |count: u64| match prior {
        Prior::Relative if !rows.is_empty() => count as f64 / rows.len() as f64,
        Prior::Weka | Prior::Relative => (1.0 + count as f64) / (classes as f64 + rows.len() as f64),
    };
    instances.into_iter().map(|count| of_class(count).ln()).collect()
}

/// Turns log scores into probabilities that sum to 1. The highest score is taken off first, so that no exponential
/// overflows and at least one does not vanish.
pub(crate) fn normalise(scores: &mut [f64]) {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - highest).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

#[cfg(test)]
mod tests;
