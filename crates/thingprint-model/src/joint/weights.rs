use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Known, WindowBag};
use crate::classes::MAX_CLASSES;
use crate::error::FileFault;
use crate::sequence;
use crate::vocabulary::MAX_WORDS;

/// Share of a ratio of frequencies that is believed; the rest says that anything may occur.
const BELIEVED: f64 = 0.8;

/// What is left where a class never has a word: `ln` of it is the most that speaks against a class.
const LEAST_RATIO: f64 = 1.0 - BELIEVED;

/// More than any ratio comes to: a word that one of 4,096 classes has alone gives ln(0.8 · 4096 + 0.2) = 8.1.
const MOST_EVIDENCE: f64 = 16.0;

/// Parts of a weight that training adds up: in whole numbers, so that the order of windows does not matter.
const PARTS: f64 = 4_294_967_296.0;

/// What the words of a bag say for each class: `r_c(w)`, for the words and classes that occur together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BagWeights {
    /// Whether a class has the bag: to one that never had a word in it, words say nothing.
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_CLASSES>")]
    has_bag: Vec<bool>,
    /// The cells of the word w are `cells[starts[w]..starts[w + 1]]`; a word without cells says nothing.
    #[serde(deserialize_with = "sequence::at_most::<_, _, { MAX_WORDS + 1 }>")]
    starts: Vec<u32>,
    /// Class and `r_c(w)`, classes ascending.
    #[serde(deserialize_with = "sequence::at_most::<_, _, { MAX_WORDS * 2 }>")]
    cells: Vec<(u16, f64)>,
}

impl BagWeights {
    /// Learns from one bag, given by place and number of words, of the windows that are wanted.
    pub(super) fn fit(
        known: Known<'_>,
        (bag, words): (usize, usize),
        wanted: &impl Fn(usize) -> bool,
    ) -> Self {
        let mut sums: Vec<Vec<(u16, u64)>> = vec![Vec::new(); words];
        let mut totals = vec![0_u64; known.classes];
        let rows = known.windows.iter().zip(known.row_classes).enumerate();
        for (_, (window, &class)) in rows.filter(|(at, _)| wanted(*at)) {
            let Some(bag) = window.get(bag).and_then(Option::as_ref) else { continue };
            for &(word, weight) in &bag.tokens {
                let (weight, sums) = (parts(weight), &mut sums[word as usize]);
                totals[usize::from(class)] = totals[usize::from(class)].saturating_add(weight);
                match sums.binary_search_by_key(&class, |&(class, _)| class) {
                    Ok(at) => sums[at].1 = sums[at].1.saturating_add(weight),
                    Err(at) => sums.insert(at, (class, weight)),
                }
            }
        }
        Self::of(&sums, &totals)
    }

    /// The weights for these sums of each word and these sums of each class.
    fn of(sums: &[Vec<(u16, u64)>], totals: &[u64]) -> Self {
        let has_bag: Vec<bool> = totals.iter().map(|&total| total > 0).collect();
        let with_bag = has_bag.iter().filter(|&&has_bag| has_bag).count() as f64;
        let mut weights = Self { has_bag, starts: vec![0], cells: Vec::new() };
        let frequency = |&(class, sum): &(u16, u64)| sum as f64 / totals[usize::from(class)] as f64;
        for sums in sums {
            let mean = sums.iter().map(frequency).sum::<f64>() / with_bag;
            let evidence = |cell| (BELIEVED * frequency(cell) / mean + LEAST_RATIO).ln();
            weights.cells.extend(sums.iter().map(|cell| (cell.0, evidence(cell))));
            weights.starts.push(u32::try_from(weights.cells.len()).unwrap_or(u32::MAX));
        }
        weights
    }

    /// Adds `scale · Σ tf · r_c(w)` to the score of each class c.
    pub(super) fn add_to(&self, bag: &WindowBag, scale: f64, scores: &mut [f64]) {
        let mut against = 0.0;
        for &(word, weight) in &bag.tokens {
            let cells = self.cells(word);
            if cells.is_empty() {
                continue;
            }
            let least = scale * weight * LEAST_RATIO.ln();
            against += least;
            for &(class, evidence) in cells {
                if let Some(score) = scores.get_mut(usize::from(class)) {
                    *score += scale * weight * evidence - least;
                }
            }
        }
        for (score, has_bag) in scores.iter_mut().zip(&self.has_bag) {
            *score += if *has_bag { against } else { 0.0 };
        }
    }

    /// `r_c(w)`.
    pub(super) fn evidence(&self, word: u32, class: usize) -> f64 {
        let cells = self.cells(word);
        if cells.is_empty() || !self.has_bag.get(class).copied().unwrap_or(false) {
            return 0.0;
        }
        let cell = cells.iter().find(|cell| usize::from(cell.0) == class);
        cell.map_or_else(|| LEAST_RATIO.ln(), |cell| cell.1)
    }

    /// How many classes of each group have the bag.
    pub(super) fn group_sizes(&self, group_of: &[usize]) -> Vec<u32> {
        let mut sizes = vec![0; group_of.iter().max().map_or(0, |last| last + 1)];
        for (group, has_bag) in group_of.iter().zip(&self.has_bag) {
            sizes[*group] += u32::from(*has_bag);
        }
        sizes
    }

    /// The group that a word points to, and by how many nats it is ahead of the next. As for classes, what a word says for
    /// a group is `ln(0.8 · f(w) / q(w) + 0.2)`: `f` is the mean of the shares of its classes that have the bag, and `q` the
    /// mean of `f` over the groups that have it. `None` for a word that no group has.
    pub(super) fn pointing(&self, word: u32, group_of: &[usize], sizes: &[u32]) -> Option<(usize, f64)> {
        let mut ratios: BTreeMap<usize, f64> = BTreeMap::new();
        for &(class, evidence) in self.cells(word) {
            let group = *group_of.get(usize::from(class))?;
            let size = f64::from(*sizes.get(group)?);
            *ratios.entry(group).or_default() += (evidence.exp() - LEAST_RATIO) / BELIEVED / size;
        }
        let with_bag = sizes.iter().filter(|size| **size > 0).count();
        let mean = ratios.values().sum::<f64>() / with_bag as f64;
        let nats = |ratio: f64| (BELIEVED * ratio / mean + LEAST_RATIO).ln();
        let mut evidence: Vec<(f64, usize)> =
            ratios.iter().map(|(group, ratio)| (nats(*ratio), *group)).collect();
        evidence.sort_by(|a, b| b.0.total_cmp(&a.0));
        let next = evidence.get(1).map_or_else(|| LEAST_RATIO.ln(), |next| next.0);
        let &(best, group) = evidence.first()?;
        (mean > 0.0 && with_bag > 1).then_some((group, best - next))
    }

    fn cells(&self, word: u32) -> &[(u16, f64)] {
        let bound = |at: usize| self.starts.get(at).map_or(0, |&start| start as usize);
        let word = word as usize;
        self.cells.get(bound(word)..bound(word.saturating_add(1))).unwrap_or_default()
    }

    pub(super) fn check_loaded(&self, words: usize, classes: usize) -> Result<(), FileFault> {
        let is_cell = |&(class, evidence): &(u16, f64)| {
            self.has_bag.get(usize::from(class)) == Some(&true)
                && (LEAST_RATIO.ln()..=MOST_EVIDENCE).contains(&evidence)
        };
        let fits = self.has_bag.len() == classes
            && self.starts.len() == words + 1
            && self.starts.is_sorted()
            && self.starts.first() == Some(&0)
            && self.starts.last().is_some_and(|&end| end as usize == self.cells.len())
            && self.cells.iter().all(is_cell);
        if fits { Ok(()) } else { Err(FileFault::Inconsistent("its joint model does not fit its words")) }
    }
}

/// A weight, which is at most 64, in whole parts.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 64 times 2^32")]
fn parts(weight: f64) -> u64 {
    (weight * PARTS).round() as u64
}
