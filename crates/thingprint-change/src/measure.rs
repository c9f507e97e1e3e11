use std::fmt;

use serde::{Deserialize, Serialize};
use thingprint_instance::{BagName, EvidenceSet, Instance};

/// Something of a window that is compared with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// Counts of the words of a bag that the baseline does not have, in what the bag counts: flows of `ports` and
    /// `served_ports`, packets of `sizes`, `stack` and `network`, names of `organisations`.
    NewWords(BagName),
    /// IP packets that the device sent and received.
    Packets,
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
        BAGS.into_iter().map(Self::NewWords).chain([Self::Packets])
    }

    /// The evidence that they are taken from.
    pub fn evidence() -> EvidenceSet {
        BAGS.into_iter().fold(EvidenceSet::NONE, |set, bag| set.with(bag.into()))
    }

    /// The name: that of the bag, or `packets`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewWords(bag) => bag.name(),
            Self::Packets => "packets",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// IP packets of a window, both ways.
pub(crate) fn packets(instance: &Instance) -> u64 {
    instance.counts.packets_up.saturating_add(instance.counts.packets_down)
}
