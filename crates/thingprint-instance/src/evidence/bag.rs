use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thingprint_protocol::Interest;

use super::cost::CollectionCost;
use super::observation::{ClosedFlow, SentMessage};
use crate::Bag;
use crate::options::InstanceOptions;

/// A bag of words: what it is called, and how its words are counted.
#[derive(Debug)]
pub(crate) struct BagDefinition {
    /// The name of its column, and of its file.
    pub(crate) name: &'static str,
    /// The name as a heading.
    pub(crate) title: &'static str,
    /// What its words are, in the plural.
    pub(crate) words: &'static str,
    /// What it is, in a sentence.
    pub(crate) about: &'static str,
    /// What collecting it costs; `None` where the paper does not say.
    pub(crate) cost: Option<CollectionCost>,
    /// Whether the classification paper uses it.
    pub(crate) is_of_paper: bool,
    /// Whether training uses it where nothing else is asked for.
    pub(crate) is_trained_on: bool,
    pub(crate) source: BagSource,
}

/// Where the words of a bag come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BagSource {
    /// From closed flows: at most one word of each, which is counted as a number and spelled when the instance is
    /// formed.
    Flows {
        word: fn(&ClosedFlow, &InstanceOptions) -> Option<u64>,
        spell: fn(u64, &InstanceOptions) -> String,
    },
    /// From messages that the device sent.
    Messages { interest: Interest, words: Words },
}

/// Gives each word of a message to a function.
type Words = fn(&SentMessage<'_>, &InstanceOptions, &mut dyn FnMut(&str));

/// The words of a bag in a window so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum BagTally {
    /// Words of flows, as numbers.
    Numbered(BTreeMap<u64, u64>),
    /// Words of messages.
    Spelled(Bag),
}

impl BagDefinition {
    /// A tally without words.
    pub(crate) const fn tally(&self) -> BagTally {
        match self.source {
            BagSource::Flows { .. } => BagTally::Numbered(BTreeMap::new()),
            BagSource::Messages { .. } => BagTally::Spelled(Bag::new()),
        }
    }

    /// The messages that it is counted from.
    pub(crate) const fn interest(&self) -> Interest {
        match self.source {
            BagSource::Flows { .. } => Interest::NONE,
            BagSource::Messages { interest, .. } => interest,
        }
    }
}

impl BagTally {
    /// Counts the word of a closed flow; gives the number of words for which there was no room.
    pub(crate) fn flow(
        &mut self,
        definition: &BagDefinition,
        flow: &ClosedFlow,
        options: &InstanceOptions,
    ) -> u64 {
        let (Self::Numbered(counts), BagSource::Flows { word, .. }) = (self, definition.source) else {
            return 0;
        };
        let Some(word) = word(flow, options) else { return 0 };
        let has_room = counts.len() < options.max_words;
        match counts.get_mut(&word) {
            Some(count) => *count += 1,
            None if has_room => _ = counts.insert(word, 1),
            None => return 1,
        }
        0
    }

    /// Counts the words of a message; gives the number of words for which there was no room.
    pub(crate) fn message(
        &mut self,
        definition: &BagDefinition,
        sent: &SentMessage<'_>,
        options: &InstanceOptions,
    ) -> u64 {
        let (Self::Spelled(bag), BagSource::Messages { words, .. }) = (self, definition.source) else {
            return 0;
        };
        let mut dropped = 0;
        words(sent, options, &mut |word| dropped += count(bag, word, options.max_words));
        dropped
    }

    /// Adds what another part of the trace saw of the same window.
    pub(crate) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Numbered(mine), Self::Numbered(theirs)) => {
                for (word, count) in theirs {
                    *mine.entry(*word).or_default() += count;
                }
            }
            (Self::Spelled(mine), Self::Spelled(theirs)) => {
                for (word, count) in theirs {
                    *mine.entry(word.clone()).or_default() += count;
                }
            }
            // Parts of one recipe have tallies of one form.
            _ => {}
        }
    }

    /// The bag, with its words spelled.
    pub(crate) fn bag(&self, definition: &BagDefinition, options: &InstanceOptions) -> Bag {
        match (self, definition.source) {
            (Self::Numbered(counts), BagSource::Flows { spell, .. }) => {
                let mut bag = Bag::new();
                for (word, count) in counts {
                    *bag.entry(spell(*word, options)).or_default() += count;
                }
                bag
            }
            (Self::Spelled(bag), _) => bag.clone(),
            (Self::Numbered(_), BagSource::Messages { .. }) => Bag::new(),
        }
    }
}

/// Counts a word; gives 1 when there was no room for it.
fn count(bag: &mut Bag, word: &str, max_words: usize) -> u64 {
    if let Some(count) = bag.get_mut(word) {
        *count += 1;
    } else if bag.len() < max_words {
        bag.insert(word.to_owned(), 1);
    } else {
        return 1;
    }
    0
}
