use std::fmt;

use serde::{Deserialize, Serialize};
use thingprint_instance::{Attribute, BagName, Instance};

use crate::heading::within_sentence;

/// Something of a device that is compared between two times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Aspect {
    /// The words of a bag: names, ports, cipher suite lists, kinds of packets.
    Words(BagName),
    /// The hosts that the device exchanged packets with.
    Peers,
    /// IP packets in both directions.
    Packets,
    /// Bytes that the device sent.
    BytesUp,
    /// Bytes that the device received.
    BytesDown,
    /// Flows.
    Flows,
    /// A numeric attribute.
    Number(Attribute),
}

/// The bags whose words are compared. Packet sizes come and go with what people do, and organisations are the names once
/// more; a [`Detector`](crate::Detector) looks at both, window by window.
const BAGS: [BagName; 8] = [
    BagName::DOMAINS,
    BagName::PORTS,
    BagName::SERVED_PORTS,
    BagName::CIPHER_SUITES,
    BagName::NETWORK,
    BagName::STACK,
    BagName::DHCP,
    BagName::DECLARED,
];

/// The attributes that are compared: the rhythm of a device, in seconds. Volume and rate of its flows follow from the counts.
const ATTRIBUTES: [Attribute; 4] = [
    Attribute::SLEEP_TIME_S,
    Attribute::FLOW_DURATION_S,
    Attribute::DNS_INTERVAL_S,
    Attribute::NTP_INTERVAL_S,
];

impl Aspect {
    /// Those that are sets of words of an instance.
    pub(super) fn of_words() -> impl Iterator<Item = (Self, BagName)> {
        BAGS.into_iter().map(|bag| (Self::Words(bag), bag))
    }

    /// The numbers of a window that has them.
    pub(super) fn numbers_of(window: &Instance) -> impl Iterator<Item = (Self, f64)> {
        let counts = &window.counts;
        let counted = [
            (Self::Packets, counts.packets_up.saturating_add(counts.packets_down)),
            (Self::BytesUp, counts.bytes_up),
            (Self::BytesDown, counts.bytes_down),
            (Self::Flows, counts.flows),
        ];
        let attributes = ATTRIBUTES
            .into_iter()
            .filter_map(|attribute| Some((Self::Number(attribute), window.attributes.get(attribute)?)));
        counted.into_iter().map(|(aspect, count)| (aspect, count as f64)).chain(attributes)
    }

    /// What is hardly more than nothing: a packet, a byte, a flow; a hundredth of a second, in which networks and not devices
    /// differ.
    pub(super) const fn least(self) -> f64 {
        match self {
            Self::Number(_) => 0.01,
            _ => 1.0,
        }
    }

    /// What it is, in words and with its unit.
    pub fn title(self) -> String {
        match self {
            Self::Words(bag) => within_sentence(bag.title()),
            Self::Peers => "local peers".to_owned(),
            Self::Packets => "packets".to_owned(),
            Self::BytesUp => "bytes sent".to_owned(),
            Self::BytesDown => "bytes received".to_owned(),
            Self::Flows => "flows".to_owned(),
            Self::Number(attribute) => {
                format!("{} ({})", within_sentence(attribute.title()), attribute.unit().symbol())
            }
        }
    }

    /// The name: that of the bag or attribute, `peers`, `packets`, `bytes_up`, `bytes_down` or `flows`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words(bag) => bag.name(),
            Self::Peers => "peers",
            Self::Packets => "packets",
            Self::BytesUp => "bytes_up",
            Self::BytesDown => "bytes_down",
            Self::Flows => "flows",
            Self::Number(attribute) => attribute.name(),
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
