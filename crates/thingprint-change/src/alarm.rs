use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};

use crate::Measure;

/// Most words that an excess names; the count says how many there are.
pub(crate) const MOST_NAMED: usize = 5;

/// A window in which a device exceeded what its past allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The device.
    pub device: DeviceId,
    /// Start of the window.
    pub window_start: Timestamp,
    /// What exceeded its limit, the largest ratio of value and limit first; at least one.
    pub excesses: Vec<Excess>,
}

/// A measure above its limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Excess {
    /// What was measured.
    pub measure: Measure,
    /// Its value, in the unit of the measure.
    pub value: f64,
    /// The value that it may have.
    pub limit: f64,
    /// New words, those with the highest counts first; a few of them.
    pub words: Vec<NewWord>,
    /// How many new words there are.
    pub new_words: usize,
}

/// A word that the baseline does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWord {
    /// The word.
    pub word: String,
    /// Its count in the window.
    pub count: u64,
    /// Start of the first window behind the baseline that has it.
    pub first_seen: Timestamp,
}

impl Excess {
    /// How often the limit goes into the value; without end where nothing is allowed.
    pub fn ratio(&self) -> f64 {
        if self.limit > 0.0 { self.value / self.limit } else { f64::INFINITY }
    }
}
