//! A [`Baseline`] knows what a device did in earlier windows; a [`Detector`] holds those of a network and reports each
//! [`Change`].
//!
//! A window alarms where one of its [`Measure`]s exceeds a limit that the device's own past sets: the mass of words that
//! its earlier windows do not have, by bag, or the number of packets. Alarms of many devices in one hour are an event of
//! the network, and new words that stay for a day are a change like that of firmware.
//!
//! ```
//! use thingprint_change::{Change, ChangeOptions, Detector};
//! # let (earlier, later): (Vec<thingprint_instance::Instance>, Vec<thingprint_instance::Instance>) = Default::default();
//!
//! let mut detector = Detector::new(ChangeOptions::default());
//! earlier.iter().for_each(|instance| detector.learn(instance));
//! let mut changes: Vec<Change> = later.iter().flat_map(|instance| detector.push(instance)).collect();
//! changes.extend(detector.close());
//! assert!(changes.is_empty());
//! ```
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod alarm;
mod baseline;
mod change;
mod comparison;
mod day;
mod detector;
mod heading;
mod hour;
mod learner;
mod measure;
mod options;
mod status;
mod watched;
mod word_index;

pub use alarm::{Alarm, Excess, NewWord};
pub use baseline::{Baseline, TooFewWindows};
pub use change::{Change, DayChange, DayWord, NetworkEvent};
pub use comparison::{
    Aspect, Comparison, DeviceDifferences, Difference, Differences, MovedNumber, Passing, Presence, Side,
    Turn, TurnedWord,
};
pub use detector::{Detector, Losses};
pub use measure::Measure;
pub use options::ChangeOptions;
pub use status::{DeviceState, DeviceStatus};
