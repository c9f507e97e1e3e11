use thingprint_flow::{DevicePacket, NonIp};
use thingprint_protocol::Interest;

use super::cost::CollectionCost;
use super::observation::{ClosedFlow, SentMessage};
use super::room::Room;
use super::word_tally::WordTally;
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
    Messages { interest: Interest, words: MessageWords },
    /// From packets that the device sent or received, and frames without an IP packet that it sent.
    Traffic { packet: PacketWords, frame: Option<FrameWords>, spell: fn(u64, &InstanceOptions) -> String },
}

/// Counts the words of a message.
pub(crate) type MessageWords = fn(&SentMessage<'_>, &InstanceOptions, &mut WordCounter<'_>);
/// Counts the words of a packet.
pub(crate) type PacketWords = fn(&DevicePacket<'_, '_>, &InstanceOptions, &mut WordCounter<'_>);
/// Counts the words of a frame, which went to a group or to one host.
pub(crate) type FrameWords = fn(&NonIp<'_>, bool, &mut WordCounter<'_>);

/// Counts the words of a bag in a window, as far as there is room.
pub(crate) struct WordCounter<'a> {
    tally: &'a mut WordTally,
    room: &'a mut Room,
}

impl<'a> WordCounter<'a> {
    /// A counter of the words in a tally.
    #[inline]
    pub(super) const fn new(tally: &'a mut WordTally, room: &'a mut Room) -> Self {
        Self { tally, room }
    }

    /// Counts a word as a number, which is spelled when the instance is formed.
    #[inline]
    pub(crate) fn number(&mut self, word: u64) {
        self.tally.number(word, 1, self.room);
    }

    /// Counts a word.
    pub(crate) fn text(&mut self, word: &str) {
        self.tally.text(word, 1, self.room);
    }

    /// Counts the word that `spell` makes of what was said under a name, if it makes one. It is asked once in a window for
    /// what is said again and again, so the word must depend on nothing else.
    #[inline]
    pub(crate) fn said(&mut self, name: &'static str, said: &[u8], spell: impl FnOnce() -> Option<String>) {
        self.tally.said((name, said), spell, self.room);
    }
}

impl BagDefinition {
    /// The messages that it is counted from.
    pub(crate) const fn interest(&self) -> Interest {
        match self.source {
            BagSource::Flows { .. } | BagSource::Traffic { .. } => Interest::NONE,
            BagSource::Messages { interest, .. } => interest,
        }
    }

    /// The bag of counted words.
    pub(crate) fn bag(&self, tally: WordTally, options: &InstanceOptions) -> Bag {
        match self.source {
            BagSource::Flows { spell, .. } | BagSource::Traffic { spell, .. } => {
                tally.into_bag(|word| spell(word, options))
            }
            BagSource::Messages { .. } => tally.into_bag(|word| word.to_string()),
        }
    }
}
