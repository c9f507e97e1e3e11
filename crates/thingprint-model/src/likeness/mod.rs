//! How much a window is like those of a class, whatever the other classes are: for strangers, of which a blend that
//! has to choose a class may be sure.
//!
//! A class keeps up to 64 windows, evenly spaced in time. The affinity of a window to the class is the mean of the
//! three best affinities to those, and its likeness z = (affinity - median) / σ, with median and σ of the class's own
//! training windows, each compared with windows of the other two of three blocks of time.
mod affinity;
mod familiarity;
mod fit;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use affinity::Shares;
pub(crate) use familiarity::Familiarity;
use fit::LEAST_SIGMA;
pub(crate) use fit::{Days, Sample};

use crate::classes::MAX_CLASSES;
use crate::error::FileFault;
use crate::joint::Lexicon;
use crate::sequence;

/// Most windows that a class keeps.
const MAX_REFERENCES: usize = 64;

/// Affinities of which the mean is taken: the highest.
const BEST: usize = 3;

/// More than any affinity comes to, which is 1 but for rounding.
const MOST_AFFINITY: f64 = 1.1;

/// What a training knows of the likeness to its classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Likeness {
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_CLASSES>")]
    classes: Vec<ClassLikeness>,
    pub(crate) thresholds: LikenessThresholds,
}

/// Likeness below which a window or day is not one of its class, from the training's own windows out of fold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LikenessThresholds {
    /// 5 % of the training's own windows are below.
    pub five_percent: f64,
    /// 1 % of them are below.
    pub one_percent: f64,
    /// For the median of a device's windows in a day: half a unit below what 1 % of training days are below.
    pub day: f64,
}

/// The windows of a class, and how like them its own windows are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ClassLikeness {
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_REFERENCES>")]
    references: Vec<Shares>,
    norm: Norm,
}

/// Which affinity is usual.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Norm {
    median: f64,
    sigma: f64,
}

impl Likeness {
    /// How like a class a window is; `None` where no bag can be compared.
    pub(crate) fn of(&self, shares: &Shares, class: usize) -> Option<f64> {
        let class = self.classes.get(class)?;
        Some(class.norm.likeness(affinity_to(shares, &class.references)?))
    }

    /// The words of a class, by place of their bag, each with the share of the windows kept that have it.
    pub(crate) fn presence(&self, class: usize) -> BTreeMap<(usize, u32), f64> {
        let references = self.classes.get(class).map_or(&[][..], |class| &class.references);
        let mut presence = BTreeMap::new();
        for word in references.iter().flat_map(Shares::words) {
            *presence.entry(word).or_default() += 1.0 / references.len() as f64;
        }
        presence
    }

    /// Refuses a loaded likeness whose parts do not fit together or whose numbers are none.
    pub(crate) fn check_loaded(&self, lexicon: &Lexicon, classes: usize) -> Result<(), FileFault> {
        let words = lexicon.words();
        let LikenessThresholds { five_percent, one_percent, day } = self.thresholds;
        let is_sound = self.classes.iter().all(|class| class.norm.is_sound())
            && [five_percent, one_percent, day].iter().all(|threshold| threshold.is_finite());
        if self.classes.len() != classes || !is_sound {
            return Err(FileFault::Inconsistent("its likeness does not fit its classes"));
        }
        let mut references = self.classes.iter().flat_map(|class| &class.references);
        references.try_for_each(|shares| shares.check_loaded(&words))
    }
}

impl Norm {
    /// Whether its numbers are such.
    fn is_sound(&self) -> bool {
        (0.0..=MOST_AFFINITY).contains(&self.median) && self.sigma >= LEAST_SIGMA && self.sigma.is_finite()
    }

    fn likeness(self, affinity: f64) -> f64 {
        (affinity - self.median) / self.sigma
    }
}

/// The mean of the best affinities; `None` where nothing can be compared.
fn affinity_to<'a>(shares: &Shares, references: impl IntoIterator<Item = &'a Shares>) -> Option<f64> {
    let spread = shares.spread();
    let mut affinities: Vec<f64> =
        references.into_iter().filter_map(|reference| spread.affinity(reference)).collect();
    affinities.sort_unstable_by(|a, b| b.total_cmp(a));
    affinities.truncate(BEST);
    (!affinities.is_empty()).then(|| affinities.iter().sum::<f64>() / affinities.len() as f64)
}

#[cfg(test)]
mod tests;
