use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::Serialize;
use thingprint_instance::BagName;

use crate::joint::{JointParts, Window, scale_of};
use crate::model::Model;

/// Most words for each side.
const MOST_WORDS: usize = 5;

/// Least share of the windows of a class that have a word for it to be expected.
const LEAST_SHARE: f64 = 0.2;

/// A word that the windows explained lack, and what it would say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisiveWord {
    /// The bag.
    pub bag: BagName,
    /// The word.
    pub word: String,
    /// What seeing it once in a window would add, in nats: above 0 speaks for the class, below for the rival.
    pub nats: f64,
    /// Share of the training windows of the side that it speaks for that have it, 0 to 1.
    pub share: f64,
}

impl Model {
    /// What would have to be seen to decide between a class and a rival: words that many windows of one of them have, and
    /// these windows lack. The most telling first, up to five for each side.
    pub(super) fn decisive_words(
        &self,
        parts: &JointParts,
        windows: &[Window],
        (class, rival): (usize, usize),
    ) -> Vec<DecisiveWord> {
        let Some(likeness) = &parts.likeness else { return Vec::new() };
        let bags: Vec<BagName> = self.evidence().bags().collect();
        let seen: BTreeSet<(usize, u32)> = windows.iter().flat_map(tokens).collect();
        let side = |own: usize| {
            let absent = likeness.presence(own).into_iter().filter(|(word, _)| !seen.contains(word));
            let absent = absent.filter(|(_, share)| *share >= LEAST_SHARE);
            let mut words: Vec<DecisiveWord> = absent
                .filter_map(|((place, word), share)| {
                    let evidence = |class| parts.joint.evidence(place, word, class);
                    let nats = once(windows, place) * (evidence(class) - evidence(rival));
                    let text = parts.lexicon.word(place, word)?.to_owned();
                    Some(DecisiveWord { bag: *bags.get(place)?, word: text, nats, share })
                })
                .filter(|word| if own == class { word.nats > 0.0 } else { word.nats < 0.0 })
                .collect();
            words.sort_by(|a, b| (b.nats.abs() * b.share).total_cmp(&(a.nats.abs() * a.share)));
            words.truncate(MOST_WORDS);
            words
        };
        let mut words = [side(class), side(rival)].concat();
        words.sort_by_key(|word| Reverse(order(word.nats.abs() * word.share)));
        words
    }
}

/// A measure that is never below 0, in an order.
fn order(measure: f64) -> u64 {
    measure.to_bits()
}

fn tokens(window: &Window) -> impl Iterator<Item = (usize, u32)> + '_ {
    let bags = window.iter().enumerate().filter_map(|(place, bag)| Some((place, bag.as_ref()?)));
    bags.flat_map(|(place, bag)| bag.tokens.iter().map(move |&(word, _)| (place, word)))
}

/// What the evidence of one more word in a bag is multiplied by, with the mean weight of the bag in these windows.
fn once(windows: &[Window], place: usize) -> f64 {
    let weights = windows.iter().filter_map(|window| Some(window.get(place)?.as_ref()?.known_weight));
    let (sum, bags) = weights.fold((0.0, 0_u32), |(sum, bags), weight| (sum + weight, bags + 1));
    let mean = if bags == 0 { 0.0 } else { sum / f64::from(bags) };
    scale_of(mean + 1.0)
}
