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

    /// `r(w)` of groups of classes, as of classes: the share of a group is the mean of the shares of its classes that have
    /// the bag, and `q(w)` the mean over the groups. 0 for groups without the bag, and for a word without cells.
    pub(super) fn group_evidence(&self, word: u32, groups: &[Vec<usize>]) -> Vec<f64> {
        let ratios: Vec<Option<f64>> = groups.iter().map(|group| self.group_ratio(word, group)).collect();
        let with_bag = ratios.iter().flatten().count() as f64;
        let mean = ratios.iter().flatten().sum::<f64>() / with_bag;
        let evidence = |ratio: Option<f64>| match ratio {
            Some(ratio) if mean > 0.0 => (BELIEVED * ratio / mean + LEAST_RATIO).ln(),
            _ => 0.0,
        };
        ratios.into_iter().map(evidence).collect()
    }

    /// The mean share of a word in the classes of a group that have the bag, over `q(w)`; `None` where none has it.
    fn group_ratio(&self, word: u32, group: &[usize]) -> Option<f64> {
        let with_bag = group.iter().filter(|&&class| self.has_bag.get(class) == Some(&true)).count();
        let own = self.cells(word).iter().filter(|(class, _)| group.contains(&usize::from(*class)));
        let ratios = own.map(|(_, evidence)| (evidence.exp() - LEAST_RATIO) / BELIEVED).sum::<f64>();
        (with_bag > 0).then(|| ratios / with_bag as f64)
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
