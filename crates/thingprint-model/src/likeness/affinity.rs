use serde::{Deserialize, Serialize};

use crate::error::FileFault;
use crate::joint::{Window, WindowBag};
use crate::model::MAX_BAGS;
use crate::sequence;
use crate::vocabulary::MAX_WORDS;

/// Words up to which a bag is spread.
const SPREAD_WORDS: usize = 1 << 16;
/// Affinity of bags that are both empty.
const BOTH_EMPTY: f64 = 1.0;

/// Shares of the words of a window, to compare it with others; `None` for a bag that is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Shares(
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_BAGS>")] Vec<Option<BagShares>>,
);

/// Shares of a window with the roots of each bag by word, so that nothing is searched for in a comparison.
#[derive(Debug)]
pub(super) struct SpreadShares<'a> {
    shares: &'a Shares,
    /// None of a bag whose words are spread over too many places.
    roots: Vec<Vec<f32>>,
}

/// Words that more than some share of reference windows have, in ascending order, by place of their bag; `None` for a bag
/// that all of them lack.
#[derive(Debug)]
pub(super) struct FamiliarWords(Vec<Option<Vec<u32>>>);

impl FamiliarWords {
    /// The words that more than this share of the references have.
    pub(super) fn of(references: &[&Shares], least_presence: f64) -> Self {
        let bags = references.iter().map(|shares| shares.0.len()).max().unwrap_or(0);
        let least = least_presence * references.len() as f64;
        let familiar = |place: usize| {
            let bags = references.iter().filter_map(|shares| shares.0.get(place)?.as_ref());
            let mut bags = bags.peekable();
            bags.peek()?;
            let mut words: Vec<u32> = bags.flat_map(|bag| bag.roots.iter().map(|root| root.0)).collect();
            words.sort_unstable();
            let familiar = words.chunk_by(u32::eq).filter(|same| same.len() as f64 > least);
            Some(familiar.filter_map(|same| same.first().copied()).collect())
        };
        Self((0..bags).map(familiar).collect())
    }
}

/// Roots of the shares of words in a bag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct BagShares {
    /// Words of the lexicon in ascending order, each with the root of its share.
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_WORDS>")]
    roots: Vec<(u32, f32)>,
    is_empty: bool,
}

impl Shares {
    pub(crate) fn of(window: &Window) -> Self {
        Self(window.iter().map(|bag| bag.as_ref().map(BagShares::of)).collect())
    }

    /// The same, to be compared with many others.
    pub(super) fn spread(&self) -> SpreadShares<'_> {
        let spread = |bag: &Option<BagShares>| bag.as_ref().map(BagShares::spread).unwrap_or_default();
        SpreadShares { shares: self, roots: self.0.iter().map(spread).collect() }
    }

    /// Of each bag with words, the share of their weight that is of familiar words; bags that all references lack are left
    /// out.
    pub(super) fn familiar<'a>(&'a self, words: &'a FamiliarWords) -> impl Iterator<Item = f64> + 'a {
        let bags = self.0.iter().zip(&words.0);
        let bags = bags.filter_map(|(bag, words)| Some((bag.as_ref()?, words.as_ref()?)));
        bags.filter(|(bag, _)| !bag.is_empty).map(|(bag, words)| bag.familiar(words))
    }

    /// The words, by place of their bag.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let bags = self.0.iter().enumerate().filter_map(|(place, bag)| Some((place, bag.as_ref()?)));
        bags.flat_map(|(place, bag)| bag.roots.iter().map(move |&(word, _)| (place, word)))
    }

    pub(super) fn check_loaded(&self, lexicon: &[usize]) -> Result<(), FileFault> {
        let fits =
            |(bag, &words): (&Option<BagShares>, &usize)| bag.as_ref().is_none_or(|bag| bag.fits(words));
        if self.0.len() == lexicon.len() && self.0.iter().zip(lexicon).all(fits) {
            Ok(())
        } else {
            Err(FileFault::Inconsistent("its windows do not fit its words"))
        }
    }
}

impl SpreadShares<'_> {
    /// The mean over bags of Σ √(share · share), 0 to 1 (Bhattacharyya 1943); `None` where no bag is in both.
    pub(super) fn affinity(&self, other: &Shares) -> Option<f64> {
        let own = self.shares.0.iter().zip(&self.roots);
        let both = own
            .zip(&other.0)
            .filter_map(|((own, roots), other)| Some((own.as_ref()?, roots, other.as_ref()?)));
        let (sum, bags) = both.fold((0.0, 0_u32), |(sum, bags), (own, roots, other)| {
            (sum + own.affinity(roots, other), bags + 1)
        });
        (bags > 0).then(|| sum / f64::from(bags))
    }
}

impl BagShares {
    fn of(bag: &WindowBag) -> Self {
        let root = |&(word, weight): &(u32, f64)| (word, narrow((weight / bag.weight).sqrt()));
        Self { roots: bag.tokens.iter().map(root).collect(), is_empty: bag.words == 0 }
    }

    /// The roots by word; none where they would take too much room.
    fn spread(&self) -> Vec<f32> {
        let words = self.roots.last().map_or(0, |(word, _)| *word as usize + 1);
        if words > SPREAD_WORDS {
            return Vec::new();
        }
        let mut roots = vec![0.0; words];
        for &(word, root) in &self.roots {
            if let Some(place) = roots.get_mut(word as usize) {
                *place = root;
            }
        }
        roots
    }

    /// The affinity to another bag; `roots` are those of this one, spread.
    fn affinity(&self, roots: &[f32], other: &Self) -> f64 {
        if self.is_empty && other.is_empty {
            return BOTH_EMPTY;
        }
        if roots.is_empty() {
            return self.merged_affinity(other);
        }
        // Words that this one lacks add 0.
        let own = |word: u32| f64::from(roots.get(word as usize).copied().unwrap_or(0.0));
        other.roots.iter().fold(0.0, |sum, &(word, root)| sum + own(word) * f64::from(root))
    }

    fn merged_affinity(&self, other: &Self) -> f64 {
        let (mut at, mut other_at, mut sum) = (0, 0, 0.0);
        while let (Some(&(word, root)), Some(&(other_word, other_root))) =
            (self.roots.get(at), other.roots.get(other_at))
        {
            if word == other_word {
                sum += f64::from(root) * f64::from(other_root);
            }
            at += usize::from(word <= other_word);
            other_at += usize::from(word >= other_word);
        }
        sum
    }

    /// The share of words that are familiar.
    fn familiar(&self, words: &[u32]) -> f64 {
        let familiar = self.roots.iter().filter(|(word, _)| words.binary_search(word).is_ok());
        familiar.map(|(_, root)| f64::from(*root).powi(2)).sum()
    }

    fn fits(&self, words: usize) -> bool {
        let is_root = |&(word, root): &(u32, f32)| (word as usize) < words && (0.0..=1.0).contains(&root);
        self.roots.iter().all(is_root) && self.roots.is_sorted_by(|a, b| a.0 < b.0)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a root of a share, whose last digits do not matter")]
fn narrow(root: f64) -> f32 {
    root as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BagShares, SPREAD_WORDS};

    /// A bag with these roots by word, some of them far from the others.
    fn bags() -> impl Strategy<Value = BagShares> {
        let far = u32::try_from(SPREAD_WORDS).unwrap_or(u32::MAX);
        let words = prop_oneof![9 => 0..40_u32, 1 => far - 2..far + 2];
        prop::collection::btree_map(words, 0.0..1.0_f32, 0..30)
            .prop_map(|roots| BagShares { is_empty: roots.is_empty(), roots: roots.into_iter().collect() })
    }

    proptest! {
        #[test]
        fn a_spread_bag_is_compared_as_one_that_is_not(own in bags(), other in bags()) {
            prop_assume!(!(own.is_empty && other.is_empty));
            prop_assert_eq!(own.affinity(&own.spread(), &other).to_bits(), own.merged_affinity(&other).to_bits());
        }
    }
}
