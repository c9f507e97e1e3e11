use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use thingprint_instance::{BagName, Instance};

use super::{DecisiveWord, WordEvidence};
use crate::joint::{JointParts, Window, WindowBag};
use crate::model::Model;
use crate::stage0::bag_of;

/// What the joint model says for a class against the runner-up, in nats: means over the windows explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JointEvidence {
    /// The runner-up: of the other classes, the one most likely over the windows.
    pub rival: Arc<str>,
    /// All that is said: above 0 speaks for the class. The joint model finds the class e^nats times as likely as the
    /// rival.
    pub nats: f64,
    /// What each bag says, in the order of bags. A bag that all windows lack is left out.
    pub bags: Vec<BagNats>,
    /// What would have to be seen to decide between the two. The most telling first.
    pub decisive: Vec<DecisiveWord>,
}

/// What the words of a bag say together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BagNats {
    /// The bag.
    pub bag: BagName,
    /// Sum of its words.
    pub nats: f64,
    /// The words that training saw, with their contributions in nats. The strongest first.
    pub words: Vec<WordEvidence>,
    /// The words that training never saw, which say nothing.
    pub unseen: Vec<String>,
}

impl Model {
    /// What the joint model says in these windows, for a class against a rival.
    pub(super) fn joint_evidence(
        &self,
        windows: &[&Instance],
        pair: (usize, usize),
    ) -> Option<JointEvidence> {
        let parts = self.joint.as_ref()?;
        let known: Vec<Window> = windows.iter().map(|window| parts.lexicon.window(window)).collect();
        let bags = self.evidence().bags().enumerate();
        let bags = bags.filter_map(|(place, bag)| {
            let known: Vec<_> = known.iter().filter_map(|window| window.get(place)?.as_ref()).collect();
            let words = parts.words(place, &known, pair, windows.len());
            let nats = words.iter().map(|word| word.contribution).sum();
            let words = counted(words, bag, windows);
            let unseen = unseen(&words, bag, windows);
            (!known.is_empty()).then_some(BagNats { bag, nats, words, unseen })
        });
        let bags: Vec<BagNats> = bags.collect();
        let nats = bags.iter().map(|bag| bag.nats).sum();
        let decisive = self.decisive_words(parts, &known, pair);
        Some(JointEvidence { rival: self.classes.name(pair.1), nats, bags, decisive })
    }
}

impl JointParts {
    /// What the words of the bag at a place say, as means over so many windows; not counted yet.
    fn words(
        &self,
        place: usize,
        bags: &[&WindowBag],
        pair: (usize, usize),
        windows: usize,
    ) -> Vec<WordEvidence> {
        let mut nats: BTreeMap<u32, f64> = BTreeMap::new();
        for bag in bags {
            for &token in &bag.tokens {
                *nats.entry(token.0).or_default() +=
                    self.joint.nats(place, bag, token, pair) / windows as f64;
            }
        }
        let evidence = |(word, contribution)| {
            let word = self.lexicon.word(place, word)?.to_owned();
            Some(WordEvidence { word, count: 0.0, contribution })
        };
        let mut words: Vec<_> = nats.into_iter().filter_map(evidence).collect();
        words.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        words
    }
}

/// The words with their mean counts.
fn counted(mut words: Vec<WordEvidence>, bag: BagName, windows: &[&Instance]) -> Vec<WordEvidence> {
    for word in &mut words {
        let count = |window: &&Instance| bag_of(window, bag).get(&word.word).copied().unwrap_or(0) as f64;
        word.count = windows.iter().map(count).sum::<f64>() / windows.len() as f64;
    }
    words
}

/// The words of a bag in these windows that are not among the known ones, in byte order.
fn unseen(known: &[WordEvidence], bag: BagName, windows: &[&Instance]) -> Vec<String> {
    let mut words: BTreeSet<&str> =
        windows.iter().flat_map(|window| bag_of(window, bag).keys()).map(String::as_str).collect();
    for word in known {
        words.remove(&*word.word);
    }
    words.into_iter().map(str::to_owned).collect()
}
