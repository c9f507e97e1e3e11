//! Two classifiers on the same windows: is one better, and by how much?
mod bootstrap;
mod mcnemar;
mod paired;

use std::num::NonZeroUsize;

use serde::Serialize;

pub use bootstrap::{Contrast, RESAMPLES};
pub use mcnemar::{McNemar, McNemarTest};
pub use paired::{WindowAnswers, WindowKey};

use paired::Pair;

/// What two classifiers said of the same windows, one answer for each window: the mean distribution over the seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Windows that both answered.
    pub pairs: u64,
    /// Windows that the first alone answered, which are left out.
    pub unpaired: u64,
    /// Windows that the second alone answered, which are left out.
    pub unpaired_other: u64,
    /// Windows where both are right.
    pub both_right: u64,
    /// Windows where the first alone is right.
    pub right: u64,
    /// Windows where the second alone is right.
    pub right_other: u64,
    /// Windows where both are wrong.
    pub both_wrong: u64,
    /// Whether the two are right equally often. The test takes windows for independent; those of a day are not.
    pub mcnemar: McNemar,
    /// Days of devices (UTC), which are drawn whole for the intervals.
    pub device_days: u64,
    /// Draws behind the intervals.
    pub resamples: u32,
    /// Share classified correctly, 0 to 1.
    pub accuracy: Contrast,
    /// Root relative squared error in percent, of both by the priors of the first one's folds; `None` where these are not
    /// known.
    pub rrse: Option<Contrast>,
}

impl Comparison {
    /// Compares answers window by window; `None` when there is no window that both answered. The seed draws the
    /// intervals, which do not depend on the number of threads.
    pub fn of(first: &WindowAnswers, second: &WindowAnswers, seed: u64, jobs: NonZeroUsize) -> Option<Self> {
        let pairs = first.paired(second);
        let count =
            |is_right: [bool; 2]| pairs.iter().filter(|pair| pair.is_right == is_right).count() as u64;
        let (right, right_other) = (count([true, false]), count([false, true]));
        let days = Pair::by_day(&pairs);
        let [accuracy, rrse] = bootstrap::differences(&days, seed, jobs)?;
        Some(Self {
            pairs: pairs.len() as u64,
            unpaired: (first.len() - pairs.len()) as u64,
            unpaired_other: (second.len() - pairs.len()) as u64,
            both_right: count([true, true]),
            right,
            right_other,
            both_wrong: count([false, false]),
            mcnemar: McNemar::of(right, right_other),
            device_days: days.len() as u64,
            resamples: RESAMPLES,
            accuracy,
            rrse: Some(rrse).filter(|rrse| rrse.difference.is_finite()),
        })
    }
}

#[cfg(test)]
mod tests;
