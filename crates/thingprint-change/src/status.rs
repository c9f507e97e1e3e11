use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};

/// What is known of a device, whether it changed or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// The device.
    pub device: DeviceId,
    /// Whether it could be compared.
    pub state: DeviceState,
    /// Windows of its baseline, or of its past where they are too few.
    pub baseline_windows: usize,
    /// Windows that were compared, or that there were to compare.
    pub windows: u64,
    /// Windows that alarmed.
    pub alarms: u64,
    /// Start of its last window; `None` where no window has been compared and there is none of the past.
    pub last_seen: Option<Timestamp>,
}

/// Whether a device could be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DeviceState {
    /// It was, window by window.
    Compared,
    /// There are windows of its past, but too few.
    TooFew,
    /// There is no window of its past.
    New,
    /// It was, and then fell silent for longer than its past ever was; or it did not appear at all.
    Silent,
}
