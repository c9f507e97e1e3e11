//! How familiar to its class is what a window has, whatever it lacks: for windows under way.
//!
//! A window that has just begun lacks most of what its class has, so that its affinity to whole windows says how late it is.
//! What it has so far has to be known of the class all the same. So a word counts as familiar where more than a tenth of
//! the windows that the class keeps have it, and the familiarity of a window is the share of its words' weight that is
//! familiar, as the mean over bags that have words. It does not depend on how much of the window has passed, so that whole
//! windows show what is usual: each is compared with windows of the other two of three blocks of time.
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::affinity::{FamiliarWords, Shares};
use super::fit::{class_of_rows, evenly_spaced, norms};
use super::{Likeness, Norm, Sample};
use crate::blocks::BLOCKS;
use crate::classes::MAX_CLASSES;
use crate::error::FileFault;
use crate::parallel;
use crate::quantile::quantile;
use crate::sequence;

/// A word is familiar where more than this share of the windows that a class keeps have it. A word of a single odd window
/// would make a stranger familiar; results are flat between 0.05 and 0.2.
const LEAST_PRESENCE: f64 = 0.1;

/// Familiarity is rounded to this, which is more than what narrow roots of shares lose: all of a window is familiar, or not.
const STEP: f64 = 1e-6;

/// Which familiarity is usual for each class, and from which on a window under way may be one of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Familiarity {
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_CLASSES>")]
    norms: Vec<Norm>,
    pub(crate) thresholds: FamiliarityThresholds,
}

/// Familiarity below which a window is not one of its class, in units of what is usual for the class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FamiliarityThresholds {
    /// 5 % of the training's own windows are below.
    pub(crate) five_percent: f64,
    /// 1 % of them are below.
    pub(crate) one_percent: f64,
}

impl Familiarity {
    /// Learns from windows; `None` where no window can be compared with others of its class.
    pub(crate) fn fit(sample: Sample<'_>, jobs: NonZeroUsize) -> Option<Self> {
        let shares = out_of_fold(sample, jobs);
        let norms = norms(&shares, sample.blocks)?;
        let class_of = class_of_rows(sample);
        let unit = |(row, share): (usize, &Option<f64>)| Some(norms.get(class_of[row])?.likeness((*share)?));
        let units: Vec<f64> = shares.iter().enumerate().filter_map(unit).collect();
        let thresholds = FamiliarityThresholds {
            five_percent: quantile(units.clone(), 0.05)?,
            one_percent: quantile(units, 0.01)?,
        };
        Some(Self { norms, thresholds })
    }

    /// The least share of familiar words for a class where windows below a threshold are not of it.
    pub(crate) fn least(&self, class: usize, threshold: f64) -> Option<f64> {
        let norm = self.norms.get(class)?;
        Some((norm.median + threshold * norm.sigma).clamp(0.0, 1.0))
    }

    /// Refuses a loaded familiarity that does not fit the likeness, whose windows it is about, or whose numbers are none.
    pub(crate) fn check_loaded(&self, likeness: Option<&Likeness>) -> Result<(), FileFault> {
        let FamiliarityThresholds { five_percent, one_percent } = self.thresholds;
        let is_sound = self.norms.iter().all(Norm::is_sound)
            && [five_percent, one_percent].iter().all(|threshold| threshold.is_finite());
        if is_sound && likeness.is_some_and(|likeness| likeness.classes.len() == self.norms.len()) {
            Ok(())
        } else {
            Err(FileFault::Inconsistent("its familiarity does not fit its likeness"))
        }
    }
}

impl Likeness {
    /// The share of what a window has that is familiar to a class, 0 to 1; `None` where it has no words that can be compared.
    pub(crate) fn familiarity(&self, shares: &Shares, class: usize) -> Option<f64> {
        let references: Vec<&Shares> = self.classes.get(class)?.references.iter().collect();
        familiarity_to(shares, &FamiliarWords::of(&references, LEAST_PRESENCE))
    }
}

/// The familiarity of each window to windows of its class in other blocks of time.
fn out_of_fold(sample: Sample<'_>, jobs: NonZeroUsize) -> Vec<Option<f64>> {
    let blocks = sample.blocks;
    let words: Vec<Vec<FamiliarWords>> = (0..blocks.by_class.len())
        .map(|class| {
            let outside = |block| blocks.outside(class, block);
            let kept =
                |block| evenly_spaced(&outside(block)).map(|row| &sample.shares[row]).collect::<Vec<_>>();
            let words = |block| FamiliarWords::of(&kept(block), LEAST_PRESENCE);
            (0..BLOCKS).map(words).collect()
        })
        .collect();
    let class_of = class_of_rows(sample);
    parallel::map(
        sample.shares.len(),
        jobs,
        || (),
        |(), row| familiarity_to(&sample.shares[row], &words[class_of[row]][blocks.block_of[row]]),
    )
}

/// The mean over bags with words of the share that is familiar; `None` where there is none, or nothing to compare with.
fn familiarity_to(shares: &Shares, words: &FamiliarWords) -> Option<f64> {
    let bags = shares.familiar(words);
    let (sum, count) = bags.fold((0.0, 0_u32), |(sum, count), share| (sum + share, count + 1));
    (count > 0).then(|| (sum / f64::from(count) / STEP).round() * STEP)
}
