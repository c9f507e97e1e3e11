use std::collections::BTreeMap;

use thingprint_instance::ExtractionRecipe;

/// Extractions whose cost is to be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// How often each is measured.
    pub runs: u32,
    /// Seconds after a device's first packet in a window at which its state is looked at.
    pub after_s: Vec<u32>,
    /// The extractions, by name.
    pub extractions: Vec<(String, ExtractionRecipe)>,
}

/// What an extraction costs; measured by the caller, who has a clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExtractionCost {
    /// Name of the extraction.
    pub name: String,
    /// Frames that each reading took.
    pub frames: u64,
    /// Seconds of each reading, on one thread.
    pub seconds: Vec<f64>,
    /// Seconds of reading and decoding alone, each measured just before; without what makes instances.
    pub reading_seconds: Vec<f64>,
    /// Whether the seconds are those of the processor; else they are those of a clock, and what else the machine did is in
    /// them.
    pub is_processor_time: bool,
    /// Most memory that a reading took beyond what the program held before, in bytes; `None` where nobody counts.
    pub peak_bytes: Option<u64>,
    /// What is kept of a device, by seconds after its first packet in a window.
    pub kept: BTreeMap<u32, KeptState>,
    /// Bytes of an instance as it is stored, the mean; `None` where there is none.
    pub row_bytes: Option<f64>,
}

/// What is kept of a device, over all devices and windows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KeptState {
    /// How often a device was looked at.
    pub looks: u64,
    /// Open flows; the mean.
    pub open_flows: f64,
    /// Bytes of open flows; the mean.
    pub flow_bytes: f64,
    /// Bytes of windows that are not final, at most; the mean.
    pub window_bytes: f64,
    /// The most bytes of flows and windows together.
    pub most_bytes: u64,
}
