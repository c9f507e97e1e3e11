//! The joint evidence model of the recipe `best`: what the words of all bags say together, in nats.
//!
//! A word that occurs n times in a window has the weight tf = log2(1 + n). For a bag b and a class c, `f_c(w)` is the
//! share of a word in the weight of the class's training windows, and `q(w)` the mean of f over the classes that have
//! the bag. What it says for the class is `r_c(w) = ln(0.8 · f_c(w) / q(w) + 0.2)`, and 0 where the class never had
//! the bag. The evidence of a bag is `s_b(c) = 2 · Σ tf · r_c(w) / √max(1, Σ tf)` over the words that training saw, and
//! the answer the softmax of the sum of `s_b(c)` over bags. There is no prior, and nothing random.
mod blend;
mod curve;
mod lexicon;
mod parts;
mod weights;

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

pub(crate) use blend::blend;
pub use curve::{CurvePoint, LearningCurve};
pub(crate) use lexicon::{Lexicon, Window, WindowBag};
pub(crate) use parts::{JointParts, Rows, day_of, start_of_day};
use weights::BagWeights;

use crate::error::FileFault;
use crate::model::MAX_BAGS;
use crate::parallel;
use crate::sequence;
use crate::stage0::normalise;

/// Factor of the evidence of a bag: results are flat between 1.5 and 4.
const SCALE: f64 = 2.0;

/// Least weight of a bag by which its evidence is divided.
const LEAST_WEIGHT: f64 = 1.0;

/// A fitted joint model: for each bag what its words say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Joint {
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_BAGS>")]
    bags: Vec<BagWeights>,
}

/// Windows with the number of the class of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) windows: &'a [Window],
    pub(crate) row_classes: &'a [u16],
    /// How many classes there are.
    pub(crate) classes: usize,
}

impl Joint {
    /// Learns from the windows that are wanted, by their number. The order of windows does not matter.
    pub(crate) fn fit(
        known: Known<'_>,
        lexicon: &Lexicon,
        wanted: impl Fn(usize) -> bool + Sync,
        jobs: NonZeroUsize,
    ) -> Self {
        let words = lexicon.words();
        let fit = |(): &mut (), bag: usize| BagWeights::fit(known, (bag, words[bag]), &wanted);
        Self { bags: parallel::map(words.len(), jobs, || (), fit) }
    }

    /// The probability of each of so many classes; a bag that the window lacks has no say.
    pub(crate) fn distribution(&self, window: &Window, classes: usize) -> Vec<f64> {
        let mut scores = vec![0.0; classes];
        for (weights, bag) in self.bags.iter().zip(window) {
            let Some(bag) = bag else { continue };
            weights.add_to(bag, scale(bag), &mut scores);
        }
        normalise(&mut scores);
        scores
    }

    /// What a word of a bag says for a class against a rival in this window, in nats; the bag by its place.
    pub(crate) fn nats(
        &self,
        place: usize,
        bag: &WindowBag,
        token: (u32, f64),
        (class, rival): (usize, usize),
    ) -> f64 {
        let Some(weights) = self.bags.get(place) else { return 0.0 };
        let (word, weight) = token;
        scale(bag) * weight * (weights.evidence(word, class) - weights.evidence(word, rival))
    }

    /// What a word of the bag at a place says for a class, in nats before weights.
    pub(crate) fn evidence(&self, place: usize, word: u32, class: usize) -> f64 {
        self.bags.get(place).map_or(0.0, |weights| weights.evidence(word, class))
    }

    /// How many classes of each group have the bag at a place; classes by the number of their group.
    pub(crate) fn group_sizes(&self, place: usize, group_of: &[usize]) -> Vec<u32> {
        self.bags.get(place).map_or_else(Vec::new, |weights| weights.group_sizes(group_of))
    }

    /// The group that a word of the bag at a place points to, and by how many nats it is ahead of the next.
    pub(crate) fn pointing(
        &self,
        place: usize,
        word: u32,
        group_of: &[usize],
        sizes: &[u32],
    ) -> Option<(usize, f64)> {
        self.bags.get(place)?.pointing(word, group_of, sizes)
    }

    /// Refuses a loaded model whose parts do not fit together or whose numbers are none.
    pub(crate) fn check_loaded(&self, lexicon: &Lexicon, classes: usize) -> Result<(), FileFault> {
        let words = lexicon.words();
        if words.len() != self.bags.len() {
            return Err(FileFault::Inconsistent("its joint model does not fit its bags"));
        }
        self.bags.iter().zip(words).try_for_each(|(bag, words)| bag.check_loaded(words, classes))
    }
}

/// What the weighted evidence of a bag is multiplied by.
pub(crate) fn scale(bag: &WindowBag) -> f64 {
    scale_of(bag.known_weight)
}

/// What the weighted evidence of a bag is multiplied by whose known words have this weight.
pub(crate) fn scale_of(weight: f64) -> f64 {
    SCALE / weight.max(LEAST_WEIGHT).sqrt()
}

#[cfg(test)]
mod tests;
