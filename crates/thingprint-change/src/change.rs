use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::BagName;

use crate::Alarm;

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// A device, in a window.
    Alarm(Alarm),
    /// Many devices in one window: an outage, a new router, a scan of the network.
    Network(NetworkEvent),
    /// A device, from a day on.
    Day(DayChange),
}

/// Alarms of many devices in one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkEvent {
    /// Start of the window.
    pub window_start: Timestamp,
    /// Devices with a baseline that were seen in the window.
    pub devices_seen: usize,
    /// The alarms, in the order of devices.
    pub alarms: Vec<Alarm>,
}

/// New words in at least half of a device's windows of a day: other firmware, another configuration, another use. Windows
/// that alarm do not count as having a word.
///
/// They are reported once; from then on they belong to the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayChange {
    /// The device.
    pub device: DeviceId,
    /// Start of the day, UTC.
    pub day: Timestamp,
    /// The words, in the order of bags; at least one.
    pub words: Vec<DayWord>,
}

/// A new word of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayWord {
    /// The bag.
    pub bag: BagName,
    /// The word.
    pub word: String,
    /// Windows of the day that have it and did not alarm.
    pub windows: u64,
    /// Windows of the day.
    pub of_windows: u64,
    /// Start of the first window behind the baseline that has it.
    pub first_seen: Timestamp,
}
