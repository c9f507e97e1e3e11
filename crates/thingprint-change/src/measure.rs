use std::fmt;

use serde::{Deserialize, Serialize};
use thingprint_instance::{BagName, EvidenceSet, Instance};

use crate::heading::within_sentence;

/// Something of a window that is compared with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// Counts of the words of a bag that the baseline does not have, in what the bag counts: flows of `ports` and
    /// `served_ports`, packets of `sizes`, `stack` and `network`, names of `organisations`.
    NewWords(BagName),
    /// Different words of `sizes` that the baseline does not have: a scan of ports has many, each a few times.
    NewSizes,
    /// IP packets that the device sent and received.
    Packets,
    /// Bytes that the device sent: data that leave a device of few words are large packets to a port that it knows.
    BytesUp,
}

/// The bags whose new words are measured. Words of other bags come and go with what people do, or vary too much.
const BAGS: [BagName; 6] = [
    BagName::PORTS,
    BagName::SIZES,
    BagName::SERVED_PORTS,
    BagName::STACK,
    BagName::NETWORK,
    BagName::ORGANISATIONS,
];

impl Measure {
    /// All of them, in the order of reports.
    pub fn all() -> impl Iterator<Item = Self> {
        BAGS.into_iter().map(Self::NewWords).chain([Self::NewSizes, Self::Packets, Self::BytesUp])
    }

    /// The evidence that they are taken from.
    pub fn evidence() -> EvidenceSet {
        BAGS.into_iter().fold(EvidenceSet::NONE, |set, bag| set.with(bag.into()))
    }

    /// The name: that of the bag, `new_sizes`, `packets` or `bytes_up`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewWords(bag) => bag.name(),
            Self::NewSizes => "new_sizes",
            Self::Packets => "packets",
            Self::BytesUp => "bytes_up",
        }
    }

    /// What it is, in words.
    pub fn title(self) -> String {
        match self {
            Self::NewWords(bag) => within_sentence(bag.title()),
            Self::NewSizes => "different new packet sizes".to_owned(),
            Self::Packets => "packets".to_owned(),
            Self::BytesUp => "bytes sent".to_owned(),
        }
    }

    /// The bag whose new words it measures.
    pub(crate) const fn bag(self) -> Option<BagName> {
        match self {
            Self::NewWords(bag) => Some(bag),
            Self::NewSizes => Some(BagName::SIZES),
            Self::Packets | Self::BytesUp => None,
        }
    }

    /// Its value by the counts of the new words of its bag.
    pub(crate) fn of_new_words(self, counts: impl Iterator<Item = u64>) -> f64 {
        match self {
            Self::NewSizes => counts.count() as f64,
            _ => counts.map(|count| count as f64).sum(),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The traffic of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Traffic {
    packets: u64,
    bytes_up: u64,
}

impl Traffic {
    pub(crate) const fn of(instance: &Instance) -> Self {
        let counts = &instance.counts;
        Self { packets: counts.packets_up.saturating_add(counts.packets_down), bytes_up: counts.bytes_up }
    }

    /// The value of a measure without a bag.
    pub(crate) const fn value(self, measure: Measure) -> f64 {
        match measure {
            Measure::BytesUp => self.bytes_up as f64,
            _ => self.packets as f64,
        }
    }
}
