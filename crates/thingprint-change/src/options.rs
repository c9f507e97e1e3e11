use serde::{Deserialize, Serialize};
use thingprint_instance::BagName;

use crate::Measure;

/// How changes are detected. The limit of a measure is `margin` times the largest value of the device's own past, and at
/// least the floor of the measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeOptions {
    /// Share of the own maximum that is still usual.
    pub margin: f64,
    /// Fewest windows that are a baseline.
    pub least_windows: usize,
    /// Windows after which a device without a baseline gets one of these windows; `None` for never.
    pub adopt_after: Option<usize>,
    /// Fewest devices that alarm in an hour that is an event of the network.
    pub event_devices: usize,
    /// Fewest windows of a day in which a word of a change by day is new.
    pub day_windows: u64,
}

impl Default for ChangeOptions {
    fn default() -> Self {
        Self { margin: 1.25, least_windows: 3, adopt_after: None, event_devices: 3, day_windows: 3 }
    }
}

impl ChangeOptions {
    /// The smallest limit of a measure, in its unit.
    ///
    /// Counts below are those of a stray packet, a probe that got an answer, or a single failed lookup; docs/change.md
    /// says how they were measured.
    pub const fn floor(measure: Measure) -> f64 {
        match measure {
            Measure::Packets => 100.0,
            Measure::BytesUp => 50_000.0,
            Measure::NewSizes | Measure::NewWords(BagName::SIZES) => 10.0,
            Measure::NewWords(BagName::STACK | BagName::NETWORK) => 5.0,
            Measure::NewWords(_) => 2.0,
        }
    }
}
