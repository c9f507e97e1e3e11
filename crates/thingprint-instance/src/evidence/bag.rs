use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DevicePacket, NonIp};
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
    /// From packets that the device sent or received, and frames without an IP packet that it sent.
    Traffic {
        packet: fn(&DevicePacket<'_, '_>, &InstanceOptions, &mut TrafficWords<'_>),
        frame: Option<fn(&NonIp<'_>, bool, &mut TrafficWords<'_>)>,
        spell: fn(u64, &InstanceOptions) -> String,
    },
}

/// Takes the words of packets.
pub(crate) struct TrafficWords<'a> {
    numbers: &'a mut BTreeMap<u64, u64>,
    texts: &'a mut Bag,
    max_words: usize,
    /// Words for which there was no room.
    dropped: u64,
}

impl TrafficWords<'_> {
    /// Counts a word as a number, which is spelled when the instance is formed.
    #[inline]
    pub(crate) fn number(&mut self, word: u64) {
        if let Some(count) = self.numbers.get_mut(&word) {
            *count += 1;
        } else if self.numbers.len() < self.max_words {
            self.numbers.insert(word, 1);
        } else {
            self.dropped += 1;
        }
    }

    /// Counts a word.
    pub(crate) fn text(&mut self, word: &str) {
        self.dropped += count(self.texts, word, self.max_words);
    }
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
    /// Words of packets, as numbers or spelled.
    Mixed(BTreeMap<u64, u64>, Bag),
}

impl BagDefinition {
    /// A tally without words.
    pub(crate) const fn tally(&self) -> BagTally {
        match self.source {
            BagSource::Flows { .. } => BagTally::Numbered(BTreeMap::new()),
            BagSource::Messages { .. } => BagTally::Spelled(Bag::new()),
            BagSource::Traffic { .. } => BagTally::Mixed(BTreeMap::new(), Bag::new()),
        }
    }

    /// The messages that it is counted from.
    pub(crate) const fn interest(&self) -> Interest {
        match self.source {
            BagSource::Flows { .. } | BagSource::Traffic { .. } => Interest::NONE,
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

    /// Counts the words of a packet; gives the number of words for which there was no room.
    #[inline]
    pub(crate) fn packet(
        &mut self,
        definition: &BagDefinition,
        packet: &DevicePacket<'_, '_>,
        options: &InstanceOptions,
    ) -> u64 {
        let (Self::Mixed(numbers, texts), BagSource::Traffic { packet: words, .. }) =
            (self, definition.source)
        else {
            return 0;
        };
        let mut taken = TrafficWords { numbers, texts, max_words: options.max_words, dropped: 0 };
        words(packet, options, &mut taken);
        taken.dropped
    }

    /// Counts the words of a frame without an IP packet, which went to a group or to one host; gives the number of words
    /// for which there was no room.
    pub(crate) fn frame(
        &mut self,
        definition: &BagDefinition,
        (frame, is_to_group): (&NonIp<'_>, bool),
        options: &InstanceOptions,
    ) -> u64 {
        let (Self::Mixed(numbers, texts), BagSource::Traffic { frame: Some(words), .. }) =
            (self, definition.source)
        else {
            return 0;
        };
        let mut taken = TrafficWords { numbers, texts, max_words: options.max_words, dropped: 0 };
        words(frame, is_to_group, &mut taken);
        taken.dropped
    }

    /// Adds what another part of the trace saw of the same window.
    pub(crate) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Numbered(mine), Self::Numbered(theirs)) => add_numbers(mine, theirs),
            (Self::Spelled(mine), Self::Spelled(theirs)) => add_texts(mine, theirs),
            (Self::Mixed(numbers, texts), Self::Mixed(their_numbers, their_texts)) => {
                add_numbers(numbers, their_numbers);
                add_texts(texts, their_texts);
            }
            // Parts of one recipe have tallies of one form.
            _ => {}
        }
    }

    /// The bag, with its words spelled.
    pub(crate) fn bag(&self, definition: &BagDefinition, options: &InstanceOptions) -> Bag {
        match (self, definition.source) {
            (Self::Numbered(counts), BagSource::Flows { spell, .. }) => {
                spelled(Bag::new(), counts, |word| spell(word, options))
            }
            (Self::Mixed(counts, texts), BagSource::Traffic { spell, .. }) => {
                spelled(texts.clone(), counts, |word| spell(word, options))
            }
            (Self::Spelled(bag), _) => bag.clone(),
            (Self::Numbered(_) | Self::Mixed(..), _) => Bag::new(),
        }
    }
}

/// A bag with further words, which are spelled.
fn spelled(mut bag: Bag, counts: &BTreeMap<u64, u64>, spell: impl Fn(u64) -> String) -> Bag {
    for (word, count) in counts {
        *bag.entry(spell(*word)).or_default() += count;
    }
    bag
}

fn add_numbers(mine: &mut BTreeMap<u64, u64>, theirs: &BTreeMap<u64, u64>) {
    for (word, count) in theirs {
        *mine.entry(*word).or_default() += count;
    }
}

fn add_texts(mine: &mut Bag, theirs: &Bag) {
    for (word, count) in theirs {
        *mine.entry(word.clone()).or_default() += count;
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
