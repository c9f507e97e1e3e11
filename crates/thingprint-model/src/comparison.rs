//! Two classifiers on the same windows: is one better, and by how much?
mod bootstrap;
mod mcnemar;
mod paired;

use std::num::NonZeroUsize;

use serde::Serialize;

pub use bootstrap::{Contrast, FEWEST_DAYS, RESAMPLES};
pub use mcnemar::{McNemar, McNemarTest};
pub use paired::{WindowAnswers, WindowKey};

use paired::{Pair, Sign};

/// Two classifiers on the same windows, paired by window and seed.
///
/// A window counts once: measures are means over the seeds that both have for it, and more seeds do not make more windows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Windows that both answered with a seed in common.
    pub pairs: u64,
    /// Windows of the first that do not pair and are left out.
    pub unpaired: u64,
    /// Windows of the second that do not pair and are left out.
    pub unpaired_other: u64,
    /// Answers of the first for a window and a seed that had one, which are left out.
    pub repeated: u64,
    /// Such answers of the second.
    pub repeated_other: u64,
    /// Seeds that pairs have in common, ascending; a single model pairs with every seed of the other.
    pub seeds: Vec<u64>,
    /// Windows that both have right with as many seeds, at least half of them.
    pub both_right: u64,
    /// Windows that the first has right with more seeds than the second.
    pub right: u64,
    /// Windows that the second has right with more seeds than the first.
    pub right_other: u64,
    /// Windows that both have right with as many seeds, fewer than half of them.
    pub both_wrong: u64,
    /// Whether the two are right equally often. The test takes windows for independent; those of a day are not.
    pub mcnemar: McNemar,
    /// Days of devices (UTC), which are drawn whole for the intervals.
    pub device_days: u64,
    /// Draws behind the intervals.
    pub resamples: u32,
    /// Share classified correctly, 0 to 1: the mean over the windows of the share of seeds.
    pub accuracy: Contrast,
    /// Root relative squared error in percent, over all pairs, of both by the priors of the first one's folds; `None` where
    /// these are not known.
    pub rrse: Option<Contrast>,
}

impl Comparison {
    /// Compares answers window by window and seed by seed; `None` when nothing pairs. The seed draws the
    /// intervals, which do not depend on the number of threads.
    pub fn of(first: &WindowAnswers, second: &WindowAnswers, seed: u64, jobs: NonZeroUsize) -> Option<Self> {
        let pairs = first.paired(second);
        let count = |sign: Sign| pairs.iter().filter(|pair| pair.sign() == sign).count() as u64;
        let (right, right_other) = (count(Sign::First), count(Sign::Second));
        let days = Pair::by_day(&pairs);
        let [accuracy, rrse] = bootstrap::differences(&days, seed, jobs)?;
        Some(Self {
            pairs: pairs.len() as u64,
            unpaired: (first.len() - pairs.len()) as u64,
            unpaired_other: (second.len() - pairs.len()) as u64,
            repeated: first.repeated(),
            repeated_other: second.repeated(),
            seeds: Pair::seeds(&pairs).into_iter().collect(),
            both_right: count(Sign::BothRight),
            right,
            right_other,
            both_wrong: count(Sign::BothWrong),
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
