use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};

/// A bag of words: each word with the number of times it was seen (at least 1).
pub type Bag = BTreeMap<String, u64>;

/// What one device did in one window ([C §4, §5]): six numbers and three bags, and the counts behind them.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// The device.
    pub device: DeviceId,
    /// Start of the window.
    pub window_start: Timestamp,
    /// Length of the window in seconds; for window `capture`, from the first frame to the last.
    pub window_s: f64,
    /// File that the window belongs to, when windows are whole captures.
    pub capture: Option<String>,
    /// The six numeric attributes.
    pub attributes: Attributes,
    /// The three bags.
    pub bags: Bags,
    /// Packets, bytes and flows.
    pub counts: Counts,
    /// How the values behind each attribute are spread, in the order of [`Attribute::ALL`].
    pub spread: [Option<Spread>; 6],
}

/// Name of a numeric attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// Mean bytes both ways over the window's flows.
    FlowVolumeBytes,
    /// Mean of last minus first packet time over the window's flows, in seconds.
    FlowDurationS,
    /// Mean bit rate over the flows that have a duration.
    FlowRateBps,
    /// Mean gap without an active flow, in seconds.
    SleepTimeS,
    /// Mean time between starts of successive DNS bursts, in seconds.
    DnsIntervalS,
    /// Mean time between starts of successive NTP bursts, in seconds.
    NtpIntervalS,
}

impl Attribute {
    /// Every attribute, in the order of columns.
    pub const ALL: [Self; 6] = [
        Self::FlowVolumeBytes,
        Self::FlowDurationS,
        Self::FlowRateBps,
        Self::SleepTimeS,
        Self::DnsIntervalS,
        Self::NtpIntervalS,
    ];

    /// The column name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlowVolumeBytes => "flow_volume_bytes",
            Self::FlowDurationS => "flow_duration_s",
            Self::FlowRateBps => "flow_rate_bps",
            Self::SleepTimeS => "sleep_time_s",
            Self::DnsIntervalS => "dns_interval_s",
            Self::NtpIntervalS => "ntp_interval_s",
        }
    }
}

/// The six numeric attributes; absent (`None`) where a value cannot be formed, never 0 for it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Attributes(pub [Option<f64>; 6]);

impl Attributes {
    /// The value of one attribute.
    pub const fn get(&self, attribute: Attribute) -> Option<f64> {
        self.0[attribute as usize]
    }

    /// Sets the value of one attribute.
    pub const fn set(&mut self, attribute: Attribute, value: Option<f64>) {
        self.0[attribute as usize] = value;
    }
}

/// The three bags of words of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bags {
    /// Server ports of the flows that the device initiated.
    pub ports: Bag,
    /// Names in the DNS queries that the device sent.
    pub domains: Bag,
    /// Cipher-suite lists of the ClientHellos that the device sent: codes in hexadecimal, joined by `-`.
    pub cipher_suites: Bag,
}

/// Packets, bytes and flows of an instance; up is what the device sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The class.
    pub class: String,
    /// IoT or not.
    pub kind: Kind,
}

/// An instance with what is known of its device.
#[derive(Clone, Debug, PartialEq)]
pub struct Labeled {
    /// The instance.
    pub instance: Instance,
    /// Its label; `None` for devices that nobody labelled.
    pub label: Option<Label>,
}
