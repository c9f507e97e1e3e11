use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::Instance;

use super::text;

/// One device in one window: final, or so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowRecord {
    /// The device.
    #[serde(with = "text::device")]
    pub device: DeviceId,
    /// Start of the window.
    #[serde(with = "text::time")]
    pub window_start: Timestamp,
    /// Length of the window in seconds.
    pub window_s: f64,
    /// 0; or the number of pieces of the window that were stored before this one, where the reading was stopped and
    /// begun again within it.
    pub part: u32,
    /// Whether the reading began or ended within the window, so that packets of it are missing.
    pub is_cut: bool,
    /// Seconds from the device's first packet in the window to the time of which this tells; `None` where the window is
    /// final.
    pub provisional_after_s: Option<f64>,
    /// IP packets that the device sent.
    pub packets_up: u64,
    /// IP packets that it received.
    pub packets_down: u64,
    /// Bytes that it sent.
    pub bytes_up: u64,
    /// Bytes that it received.
    pub bytes_down: u64,
    /// Its flows.
    pub flows: u64,
    /// Mean gap without an active flow, in seconds.
    pub sleep_time_s: Option<f64>,
    /// What the model says; `None` without a model.
    pub answer: Option<WindowAnswer>,
    /// The evidence; `None` in lists, and where the window is under way.
    #[serde(skip)]
    pub instance: Option<Box<Instance>>,
}

impl WindowRecord {
    /// The same without its instance.
    #[must_use]
    pub fn without_instance(&self) -> Self {
        let Self { device, window_start, window_s, part, is_cut, provisional_after_s, .. } = *self;
        let Self { packets_up, packets_down, bytes_up, bytes_down, flows, sleep_time_s, .. } = *self;
        let answer = self.answer.clone();
        Self {
            device,
            window_start,
            window_s,
            part,
            is_cut,
            provisional_after_s,
            packets_up,
            packets_down,
            bytes_up,
            bytes_down,
            flows,
            sleep_time_s,
            answer,
            instance: None,
        }
    }
}

/// What a model says of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowAnswer {
    /// The class; `None` where it is unknown.
    pub class: Option<String>,
    /// The class of highest probability, accepted or not.
    pub best_guess: String,
    /// Its probability, 0 to 1.
    pub confidence: f64,
    /// How like its class the window is; `None` where the model does not say.
    pub likeness: Option<f64>,
    /// Why it is unknown.
    pub reason: Option<String>,
    /// Probability of each class of the model, in its order; empty in lists.
    #[serde(default, skip_serializing)]
    pub distribution: Vec<f64>,
}
