use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_identity::{Disagreement, IdentitySummary};

use super::text;
use super::window::WindowRecord;

/// What was seen of a device so far, as the network shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The device.
    #[serde(with = "text::device")]
    pub device: DeviceId,
    /// Why it is a gateway; `None` for a device.
    pub gateway: Option<String>,
    /// Whether its MAC address is locally administered, as randomised ones are.
    pub is_randomised: bool,
    /// IP addresses that it sent from, in order.
    pub addresses: Vec<IpAddr>,
    /// The host name that it told a DHCP server last.
    pub host_name: Option<String>,
    /// The vendor class that it told a DHCP server last.
    pub vendor_class: Option<String>,
    /// Who it is by what it says; `None` where it said nothing of that.
    pub identity: Option<Box<SaidIdentity>>,
    /// Names that it looked up most, at most 32.
    pub names: Vec<WordCount>,
    /// Server ports of flows that it initiated, as `tcp/443`, at most 32.
    pub server_ports: Vec<WordCount>,
    /// Ports that it served to others, at most 32.
    pub served_ports: Vec<WordCount>,
    /// Application protocols that it spoke, with the number of flows, at most 32.
    pub services: Vec<WordCount>,
    /// Time of its first packet.
    #[serde(with = "text::time")]
    pub first_seen: Timestamp,
    /// Time of its last packet.
    #[serde(with = "text::time")]
    pub last_seen: Timestamp,
    /// IP packets that it sent since the reading began.
    pub packets_up: u64,
    /// IP packets that it received since the reading began.
    pub packets_down: u64,
}

/// Who a device is by what it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidIdentity {
    /// What is known of it.
    #[serde(flatten)]
    pub summary: IdentitySummary,
    /// What of that does not fit the class of the verdict that stands.
    pub contradictions: Vec<Disagreement>,
}

/// A word with how often it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordCount {
    /// The word.
    pub word: String,
    /// How often it was seen.
    pub count: u64,
}

/// The verdict on a device that stands, over its last windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The class; `None` where it is unknown.
    pub class: Option<String>,
    /// The class of highest probability, accepted or not.
    pub best_guess: String,
    /// Its mean probability over the windows, 0 to 1.
    pub confidence: f64,
    /// How like its class the device is; `None` where the model does not say.
    pub likeness: Option<f64>,
    /// Why it is unknown.
    pub reason: Option<String>,
    /// The family, where it is accepted.
    pub family: Option<String>,
    /// Windows behind the verdict.
    pub windows: u64,
    /// Since when the class is this one.
    #[serde(with = "text::time")]
    pub since: Timestamp,
}

/// A verdict that stands took the place of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandingChange {
    /// The device.
    #[serde(with = "text::device")]
    pub device: DeviceId,
    /// When it changed.
    #[serde(with = "text::time")]
    pub at: Timestamp,
    /// The class before; `None` where it was unknown or not judged.
    pub from: Option<String>,
    /// The class since; `None` where it is unknown.
    pub to: Option<String>,
    /// The confidence of the verdict since.
    pub confidence: f64,
}

/// Findings by severity: rules that a device breaks, each as severe as the worst value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Severities {
    /// Errors.
    pub error: u64,
    /// Warnings.
    pub warning: u64,
    /// Notes.
    pub note: u64,
}

/// All that is known of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceRecord {
    /// What was seen of it.
    #[serde(flatten)]
    pub sighting: Sighting,
    /// The label that a person gave it.
    pub label: Option<String>,
    /// The verdict that stands; `None` before the first one, and without a model.
    pub verdict: Option<Standing>,
    /// The window under way as it looks so far; its instance is left out.
    pub provisional: Option<WindowRecord>,
    /// Windows that are kept of it.
    pub windows: u64,
    /// Its findings that nobody acknowledged.
    pub findings: Severities,
    /// Its events that nobody acknowledged.
    pub open_events: u64,
    /// Whether its appearance is an event that nobody acknowledged.
    pub is_new: bool,
    /// Whether its events go to the page alone.
    pub is_muted: bool,
}
