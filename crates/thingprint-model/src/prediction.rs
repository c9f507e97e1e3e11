use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::BagName;

use crate::classes::{Classes, TIE, most_likely};
use crate::joint::{day_of, start_of_day};
use crate::quantile::median;

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
    /// How like the training windows of that class the window is: 0 where it is as usual, below where it is less;
    /// `None` for the paper's recipe.
    pub likeness: Option<f64>,
}

impl Prediction {
    /// The class, when its confidence reaches the threshold ([C §6.3] uses 0.8); else the answer is unknown.
    pub fn accept(&self, threshold: f64) -> Option<&str> {
        reaches(self.confidence, threshold).then_some(&*self.class)
    }

    /// Numbers of the classes of the smallest set that has this much of the probability, the most likely first.
    pub fn set(&self, mass: f64) -> Vec<usize> {
        smallest_set(&self.distribution, mass)
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
    /// The median of the likenesses of its windows, each to the class that the window was given.
    pub likeness: Option<f64>,
}

/// What a model says of a device over the windows of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct DayVerdict {
    /// Start of the day, in UTC.
    pub day: Timestamp,
    /// What is said of the device.
    pub verdict: DeviceVerdict,
}

impl DayVerdict {
    /// Whether a window that begins at a time is of this day.
    pub fn has(&self, window_start: Timestamp) -> bool {
        start_of_day(day_of(window_start)) == self.day
    }
}

impl DeviceVerdict {
    /// The class, when its confidence reaches the threshold; else the answer is unknown.
    pub fn accept(&self, threshold: f64) -> Option<&str> {
        reaches(self.confidence, threshold).then_some(&*self.class)
    }

    /// Numbers of the classes of the smallest set that has this much of the probability, the most likely first.
    pub fn set(&self, mass: f64) -> Vec<usize> {
        smallest_set(&self.distribution, mass)
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

/// One verdict for each device and day, ordered by device and day.
pub(crate) fn day_verdicts<'a>(
    classes: &Classes,
    predictions: impl IntoIterator<Item = &'a Prediction>,
) -> Vec<DayVerdict> {
    let day_of = |prediction: &Prediction| day_of(prediction.window_start);
    let mut by_day: Vec<&Prediction> = predictions.into_iter().collect();
    by_day.sort_by_key(|prediction| (prediction.device, day_of(prediction)));
    let days = by_day.chunk_by(|a, b| a.device == b.device && day_of(a) == day_of(b));
    let verdict = |windows: &[&Prediction]| {
        Some(DayVerdict { day: start_of_day(day_of(windows.first()?)), verdict: verdict(classes, windows)? })
    };
    days.filter_map(verdict).collect()
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
        likeness: median(windows.iter().filter_map(|window| window.likeness).collect()),
    })
}

/// The fewest classes that together have this much of a distribution, the most likely first; of equals, the first.
pub(crate) fn smallest_set(distribution: &[f64], mass: f64) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..distribution.len()).collect();
    classes.sort_by(|&a, &b| distribution[b].total_cmp(&distribution[a]));
    let mut sum = 0.0;
    let is_needed = |class: &usize| {
        let is_needed = sum < mass - TIE;
        sum += distribution[*class];
        is_needed
    };
    classes.into_iter().take_while(is_needed).collect()
}

/// Whether a confidence reaches a threshold; a mean of tree answers that misses it by rounding alone does.
pub(crate) fn reaches(confidence: f64, threshold: f64) -> bool {
    confidence >= threshold - TIE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(distribution: &[f64], mass: f64, expected: &[usize]) {
        assert_eq!(smallest_set(distribution, mass), expected, "{distribution:?} {mass}");
    }

    #[test]
    fn the_smallest_set_has_the_mass() {
        check(&[0.03, 0.9, 0.07], 0.9, &[1]);
        check(&[0.03, 0.9, 0.07], 0.95, &[1, 2]);
        check(&[0.03, 0.9, 0.07], 0.98, &[1, 2, 0]);
        check(&[0.25; 4], 0.5, &[0, 1]);
        check(&[0.1; 10], 1.0, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        check(&[0.5, 0.5], 0.0, &[]);
    }
}
