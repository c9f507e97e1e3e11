use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{Label, Labeled};

use crate::error::ModelError;
use crate::random::{Generator, Purpose};

/// Share of the training part where none is given ([C §5.2]).
pub const DEFAULT_TRAIN_SHARE: f64 = 0.7;

/// How labelled instances are parted into training and test; shares are those of the training part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Split {
    /// Any instances, drawn at random and stratified by nothing; the number is rounded to nearest.
    Random(f64),
    /// The first windows of each device train, the number rounded to nearest.
    Time(f64),
    /// Whole devices: of each class with at least two devices the share trains (rounded to nearest, at least one on
    /// each side, drawn at random) and the others test. A class with one device only trains, for nothing could be
    /// said of a class never seen.
    Unit(f64),
}

/// Rows of the two parts, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// Rows to train on.
    pub train: Vec<usize>,
    /// Rows to test on.
    pub test: Vec<usize>,
}

/// Where a row without randomness belongs: class and device.
type Unit<'a> = (&'a str, DeviceId);

impl Split {
    /// Parts these rows; rows without a label are in neither part. Fails when a part is left empty.
    pub fn apply(&self, rows: &[Labeled], seed: u64) -> Result<Partition, ModelError> {
        let labelled: Vec<_> =
            rows.iter().enumerate().filter_map(|(at, row)| Some((at, row, row.label.as_ref()?))).collect();
        let mut partition = match *self {
            Self::Random(share) => random(&labelled, share, seed),
            Self::Time(share) => by_time(&labelled, share),
            Self::Unit(share) => by_unit(&labelled, share, seed),
        };
        partition.train.sort_unstable();
        partition.test.sort_unstable();
        for (part, rows) in [("train", &partition.train), ("test", &partition.test)] {
            if rows.is_empty() {
                return Err(ModelError::EmptyPart { split: self.to_string(), part });
            }
        }
        Ok(partition)
    }
}

/// A labelled row with its place in the table.
type Row<'a> = (usize, &'a Labeled, &'a Label);

fn random(labelled: &[Row<'_>], share: f64, seed: u64) -> Partition {
    let mut order: Vec<usize> = labelled.iter().map(|&(at, ..)| at).collect();
    Generator::new(seed, Purpose::Split).shuffle(&mut order);
    let test = order.split_off(rounded(share, order.len()));
    Partition { train: order, test }
}

fn by_time(labelled: &[Row<'_>], share: f64) -> Partition {
    let mut units: BTreeMap<Unit<'_>, Vec<(Timestamp, Option<&str>, usize)>> = BTreeMap::new();
    for &(at, row, label) in labelled {
        let window = (row.instance.window_start, row.instance.capture.as_deref(), at);
        units.entry((&label.class, row.instance.device)).or_default().push(window);
    }
    let mut partition = Partition::default();
    for mut windows in units.into_values() {
        windows.sort_unstable();
        let later = windows.split_off(rounded(share, windows.len()));
        partition.train.extend(windows.into_iter().map(|(.., at)| at));
        partition.test.extend(later.into_iter().map(|(.., at)| at));
    }
    partition
}

fn by_unit(labelled: &[Row<'_>], share: f64, seed: u64) -> Partition {
    let mut classes: BTreeMap<&str, BTreeMap<DeviceId, Vec<usize>>> = BTreeMap::new();
    for &(at, row, label) in labelled {
        classes.entry(&label.class).or_default().entry(row.instance.device).or_default().push(at);
    }
    let mut generator = Generator::new(seed, Purpose::Split);
    let mut partition = Partition::default();
    for devices in classes.into_values() {
        let mut devices: Vec<Vec<usize>> = devices.into_values().collect();
        generator.shuffle(&mut devices);
        let most = devices.len().saturating_sub(1).max(1);
        let held_out = devices.split_off(rounded(share, devices.len()).clamp(1, most));
        partition.train.extend(devices.into_iter().flatten());
        partition.test.extend(held_out.into_iter().flatten());
    }
    partition
}

/// The share of a number, rounded to nearest, halves up.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number")]
fn rounded(share: f64, number: usize) -> usize {
    ((share * number as f64).round() as usize).min(number)
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random(share) => write!(f, "random={share}"),
            Self::Time(share) => write!(f, "time={share}"),
            Self::Unit(share) => write!(f, "unit={share}"),
        }
    }
}

impl FromStr for Split {
    type Err = ModelError;

    /// Reads `random=0.7`, `time=0.7` or `unit=0.7`; the share may be left out.
    fn from_str(text: &str) -> Result<Self, ModelError> {
        let refuse = || ModelError::Option {
            option: "split",
            value: text.to_owned(),
            expected: "expected random, time or unit, with a share between 0 and 1 like random=0.7",
        };
        let (name, share) = match text.split_once('=') {
            Some((name, share)) => (name, share.parse().map_err(|_| refuse())?),
            None => (text, DEFAULT_TRAIN_SHARE),
        };
        if !(share > 0.0 && share < 1.0) {
            return Err(refuse());
        }
        match name {
            "random" => Ok(Self::Random(share)),
            "time" => Ok(Self::Time(share)),
            "unit" => Ok(Self::Unit(share)),
            _ => Err(refuse()),
        }
    }
}
