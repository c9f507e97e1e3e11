use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};

use crate::evidence::{Attribute, BagName, EvidenceSet};

/// A bag of words: each word with the number of times it was seen (at least 1).
pub type Bag = BTreeMap<String, u64>;

/// What one device did in one window ([C §4, §5]): the evidence that was extracted, and the counts behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// The device.
    pub device: DeviceId,
    /// Start of the window.
    pub window_start: Timestamp,
    /// Length of the window in seconds; for window `capture`, from the first frame to the last.
    pub window_s: f64,
    /// File that the window belongs to, when windows are whole captures.
    pub capture: Option<String>,
    /// The numeric attributes.
    pub attributes: Attributes,
    /// The bags of words.
    pub bags: Bags,
    /// Packets, bytes and flows.
    pub counts: Counts,
    /// How the values behind each attribute are spread.
    pub spread: Spreads,
}

impl Instance {
    /// The evidence that it has: the bags that were extracted, and the numbers that have a value.
    pub fn evidence(&self) -> EvidenceSet {
        self.attributes.evidence().with(self.bags.evidence())
    }
}

/// The numbers of an instance that have a value; absent where it cannot be formed or was not extracted, never 0 for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attributes(BTreeMap<Attribute, f64>);

impl Attributes {
    /// The value of one attribute.
    pub fn get(&self, attribute: Attribute) -> Option<f64> {
        self.0.get(&attribute).copied()
    }

    /// Sets the value of one attribute, or takes it out.
    pub fn set(&mut self, attribute: Attribute, value: Option<f64>) {
        match value {
            Some(value) => _ = self.0.insert(attribute, value),
            None => _ = self.0.remove(&attribute),
        }
    }

    /// Which attributes have a value.
    pub fn evidence(&self) -> EvidenceSet {
        self.0.keys().fold(EvidenceSet::NONE, |set, name| set.with((*name).into()))
    }
}

impl FromIterator<(Attribute, Option<f64>)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (Attribute, Option<f64>)>>(values: I) -> Self {
        Self(values.into_iter().filter_map(|(attribute, value)| Some((attribute, value?))).collect())
    }
}

/// How the values behind each attribute are spread; absent where there are none.
pub type Spreads = BTreeMap<Attribute, Spread>;

/// The bags of an instance. One that was extracted and has no word is there and empty; one that was not extracted is
/// not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bags(BTreeMap<BagName, Bag>);

impl Bags {
    /// A bag; `None` where it was not extracted.
    pub fn get(&self, name: BagName) -> Option<&Bag> {
        self.0.get(&name)
    }

    /// Takes a bag out, which then is not there.
    pub fn take(&mut self, name: BagName) -> Option<Bag> {
        self.0.remove(&name)
    }

    /// Puts a bag in, in the place of one that is there.
    pub fn insert(&mut self, name: BagName, bag: Bag) {
        self.0.insert(name, bag);
    }

    /// Which bags there are.
    pub fn evidence(&self) -> EvidenceSet {
        self.0.keys().fold(EvidenceSet::NONE, |set, name| set.with((*name).into()))
    }
}

impl FromIterator<(BagName, Bag)> for Bags {
    fn from_iter<I: IntoIterator<Item = (BagName, Bag)>>(bags: I) -> Self {
        Self(bags.into_iter().collect())
    }
}

impl<const N: usize> From<[(BagName, Bag); N]> for Bags {
    fn from(bags: [(BagName, Bag); N]) -> Self {
        Self(bags.into())
    }
}

/// Packets, bytes and flows of an instance; up is what the device sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Flows of the window.
    pub flows: u64,
    /// IP packets that the device sent.
    pub packets_up: u64,
    /// IP packets that the device received.
    pub packets_down: u64,
    /// Bytes that the device sent.
    pub bytes_up: u64,
    /// Bytes that the device received.
    pub bytes_down: u64,
}

/// Spread of the values behind an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Number of values.
    pub count: u64,
    /// Sum of the values.
    pub sum: f64,
    /// Standard deviation with divisor n.
    pub sd: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

/// Whether a labelled device is a specific-purpose one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A specific-purpose device: camera, plug, sensor.
    Iot,
    /// A general-purpose device: laptop, telephone, tablet.
    NonIot,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Iot => "iot",
            Self::NonIot => "non-iot",
        })
    }
}

/// A text that is no [`Kind`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no kind of device: expected iot or non-iot")]
pub struct ParseKindError(String);

impl FromStr for Kind {
    type Err = ParseKindError;

    fn from_str(text: &str) -> Result<Self, ParseKindError> {
        match text {
            "iot" => Ok(Self::Iot),
            "non-iot" => Ok(Self::NonIot),
            other => Err(ParseKindError(other.to_owned())),
        }
    }
}

/// What a device is known to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label {
    /// The class.
    pub class: String,
    /// IoT or not.
    pub kind: Kind,
    /// The family that the class belongs to, such as its vendor; `None` where none is given.
    pub family: Option<String>,
}

impl Label {
    /// What stands in front of a class that somebody proposed and nobody confirmed.
    pub const PROPOSED: &str = "? ";

    /// Whether the class is a proposal that nobody confirmed.
    pub fn is_proposed(&self) -> bool {
        self.class.starts_with(Self::PROPOSED)
    }

    /// The same with a class that counts as confirmed.
    #[must_use]
    pub fn confirmed(self) -> Self {
        let class = self.class.strip_prefix(Self::PROPOSED).map(str::trim_start);
        Self { class: class.unwrap_or(&self.class).to_owned(), ..self }
    }

    /// A class without a family.
    pub fn new(class: impl Into<String>, kind: Kind) -> Self {
        Self { class: class.into(), kind, family: None }
    }
}

/// An instance with what is known of its device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Labeled {
    /// The instance.
    pub instance: Instance,
    /// Its label; `None` for devices that nobody labelled.
    pub label: Option<Label>,
}
