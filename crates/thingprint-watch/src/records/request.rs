use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};

use super::text;

/// What a person asks for on the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Says what a device is; `None` takes the label back.
    Label {
        /// The device.
        #[serde(with = "text::device")]
        device: DeviceId,
        /// The label, at most 200 characters.
        label: Option<String>,
    },
    /// Acknowledges an event, or what it is about: a new device is not new any more, a finding is not open.
    Acknowledge {
        /// Number of the event.
        event: u64,
    },
    /// Acknowledges events, each as `acknowledge` does: all of them or none.
    AcknowledgeAll {
        /// Numbers of the events.
        events: Vec<u64>,
    },
    /// Acknowledges the open findings of a device by a rule, and the events about them.
    AcknowledgeFinding {
        /// The device.
        #[serde(with = "text::device")]
        device: DeviceId,
        /// Id of the rule.
        rule: String,
    },
    /// Keeps events of a device on the page alone, or not any more.
    Mute {
        /// The device.
        #[serde(with = "text::device")]
        device: DeviceId,
        /// Whether they are kept there.
        is_muted: bool,
    },
    /// Trains a model from the windows of labelled devices, and compares it with the present one.
    Train,
    /// Takes the model that was trained, or drops it.
    Decide(
        /// What is done with it.
        Choice,
    ),
}

/// What is done with a model that was trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// It judges from now on.
    Switch,
    /// It is dropped.
    Discard,
}

/// Why a request was not carried out, in words for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RequestError(pub String);

/// A label that was given on the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenLabel {
    /// The device.
    #[serde(with = "text::device")]
    pub device: DeviceId,
    /// The label.
    pub label: String,
    /// When it was given.
    #[serde(with = "text::time")]
    pub at: Timestamp,
}

/// A model that was trained on request, beside the present one, both on windows that neither learned from: the last
/// quarter of each device's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// When it was trained.
    #[serde(with = "text::time")]
    pub at: Timestamp,
    /// Windows that it learned from.
    pub train_windows: u64,
    /// Windows of the comparison.
    pub test_windows: u64,
    /// Its classes.
    pub classes: Vec<String>,
    /// Share of the test windows that it gets right, 0 to 1.
    pub accuracy: f64,
    /// The share of the present model; `None` without one.
    pub present_accuracy: Option<f64>,
    /// How often a window of the first class was given the second, with the number of windows, where that is not 0.
    pub confusion: Vec<(String, String, u64)>,
    /// What to know before it is taken, such as classes with few windows.
    pub warnings: Vec<String>,
}
