use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::BagName;

use crate::classes::{Classes, TIE, most_likely};

/// What a stage-0 classifier found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The class of highest posterior.
    pub class: Arc<str>,
    /// That posterior, 0 to 1.
    pub confidence: f64,
}

/// What a model says of one instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The device.
    pub device: DeviceId,
    /// Start of the window.
    pub window_start: Timestamp,
    /// Verdicts of stage-0 on the bags that the model looks at.
    pub stage0: BTreeMap<BagName, Verdict>,
    /// Probability of each class of the model, in its order; they sum to 1.
    pub distribution: Vec<f64>,
    /// The most likely class: the best guess, whatever its confidence.
    pub class: Arc<str>,
    /// Its probability.
    pub confidence: f64,
}

impl Prediction {
    /// The class, when its confidence reaches the threshold ([C §6.3] uses 0.8); else the answer is unknown.
    pub fn accept(&self, threshold: f64) -> Option<&str> {
        reaches(self.confidence, threshold).then_some(&*self.class)
    }
}

/// What a model says of a device over all its windows.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceVerdict {
    /// The device.
    pub device: DeviceId,
    /// Windows behind the verdict.
    pub windows: u64,
    /// Mean of their distributions, in the model's order of classes.
    pub distribution: Vec<f64>,
    /// The class most likely by that mean.
    pub class: Arc<str>,
    /// Its mean probability.
    pub confidence: f64,
}

impl DeviceVerdict {
    /// The class, when its confidence reaches the threshold; else the answer is unknown.
    pub fn accept(&self, threshold: f64) -> Option<&str> {
        reaches(self.confidence, threshold).then_some(&*self.class)
    }
}

/// One verdict for each device, ordered by device: the mean distribution over its windows.
pub fn device_verdicts<'a>(
    classes: &Classes,
    predictions: impl IntoIterator<Item = &'a Prediction>,
) -> Vec<DeviceVerdict> {
    let mut by_device: Vec<&Prediction> = predictions.into_iter().collect();
    by_device.sort_by_key(|prediction| prediction.device);
    by_device.chunk_by(|a, b| a.device == b.device).filter_map(|windows| verdict(classes, windows)).collect()
}

fn verdict(classes: &Classes, windows: &[&Prediction]) -> Option<DeviceVerdict> {
    let device = windows.first()?.device;
    let mut distribution = vec![0.0; classes.len()];
    for window in windows {
        for (sum, probability) in distribution.iter_mut().zip(&window.distribution) {
            *sum += probability;
        }
    }
    for sum in &mut distribution {
        *sum /= windows.len() as f64;
    }
    let number = most_likely(&distribution);
    let confidence = distribution.get(number).copied().unwrap_or(0.0);
    Some(DeviceVerdict {
        device,
        windows: windows.len() as u64,
        distribution,
        class: classes.name(number),
        confidence,
    })
}

/// Whether a confidence reaches a threshold; a mean of tree answers that misses it by rounding alone does.
pub(crate) fn reaches(confidence: f64, threshold: f64) -> bool {
    confidence >= threshold - TIE
}
