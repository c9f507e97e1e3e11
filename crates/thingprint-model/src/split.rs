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

/// A class and one of its devices.
type Unit<'a> = (&'a str, DeviceId);

/// Start and capture of a row, by which rows are ordered in time, and its place in the table.
type Window<'a> = (Timestamp, Option<&'a str>, usize);

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
    let mut units: BTreeMap<Unit<'_>, Vec<Window<'_>>> = BTreeMap::new();
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use thingprint_flow::MacAddr;
    use thingprint_instance::{Attributes, Bags, Counts, Instance, Kind};

    use super::*;

    fn row(class: Option<&str>, device: u8, hour: i64) -> Labeled {
        let instance = Instance {
            device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, device])),
            window_start: Timestamp::from_seconds(3_600 * hour),
            window_s: 3_600.0,
            capture: None,
            attributes: Attributes::default(),
            bags: Bags::default(),
            counts: Counts::default(),
            spread: thingprint_instance::Spreads::new(),
        };
        Labeled { instance, label: class.map(|class| Label::new(class, Kind::Iot)) }
    }

    #[test]
    fn a_random_share_is_rounded_to_nearest() {
        let rows: Vec<_> = (0..15).map(|hour| row((hour < 13).then_some("a"), 1, hour)).collect();
        // 0.7 of 13 is 9.1, 0.66 is 8.58, and 0.5 is 6.5, which is rounded up.
        for (share, expected) in [(0.7, 9), (0.66, 9), (0.5, 7)] {
            let partition = Split::Random(share).apply(&rows, 1).unwrap();
            assert_eq!([partition.train.len(), partition.test.len()], [expected, 13 - expected]);
        }
    }

    #[test]
    fn random_splits_go_by_the_seed() {
        let rows: Vec<_> = (0..40).map(|hour| row(Some("a"), 1, hour)).collect();
        let split = |seed| Split::Random(0.7).apply(&rows, seed).unwrap();
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
    }

    #[test]
    fn the_first_windows_of_each_device_train() {
        let rows: Vec<_> = [(1, 9), (2, 0), (1, 3), (1, 5), (2, 8), (1, 1)]
            .iter()
            .map(|&(device, hour)| row(Some("a"), device, hour))
            .collect();
        // Device 1 has hours 1, 3, 5 and 9, of which 2.8 train; device 2 has 0 and 8, of which 1.4 train.
        let partition = Split::Time(0.7).apply(&rows, 1).unwrap();
        assert_eq!(partition, Partition { train: vec![1, 2, 3, 5], test: vec![0, 4] });
    }

    #[test]
    fn whole_devices_are_held_out() {
        let mut rows: Vec<_> =
            (0..12_i64).map(|hour| row(Some("a"), u8::try_from(hour % 3).unwrap(), hour)).collect();
        rows.push(row(Some("lonely"), 9, 0));
        let partition = Split::Unit(0.7).apply(&rows, 1).unwrap();
        assert_eq!([partition.train.len(), partition.test.len()], [9, 4]);
        assert!(partition.train.contains(&12));
        let device = |at: &usize| rows[*at].instance.device;
        assert!(
            partition
                .test
                .iter()
                .all(|test| partition.train.iter().all(|train| device(train) != device(test)))
        );
        // However large the share, one device of a class that has several is held out.
        assert_eq!(Split::Unit(0.99).apply(&rows, 1).unwrap().test.len(), 4);
    }

    #[test]
    fn both_parts_have_instances() {
        let check = |split: Split, rows: &[Labeled], expected: &str| {
            assert_eq!(split.apply(rows, 1).unwrap_err().to_string(), expected);
        };
        let lonely = [row(Some("a"), 1, 0), row(Some("b"), 2, 0)];
        check(
            Split::Unit(0.7),
            &lonely,
            "the split 'unit=0.7' leaves no instance to test: choose another share, or label more instances",
        );
        check(
            Split::Random(0.1),
            &lonely,
            "the split 'random=0.1' leaves no instance to train: choose another share, or label more instances",
        );
        check(
            Split::Time(0.7),
            &[row(None, 1, 0)],
            "the split 'time=0.7' leaves no instance to train: choose another share, or label more instances",
        );
    }

    #[test]
    fn splits_are_read() {
        let check = |text: &str, expected| assert_eq!(text.parse::<Split>().ok(), expected, "{text}");
        check("random", Some(Split::Random(0.7)));
        check("random=0.66", Some(Split::Random(0.66)));
        check("time=0.5", Some(Split::Time(0.5)));
        check("unit", Some(Split::Unit(0.7)));
        for text in ["", "random=", "random=1", "random=0", "random=NaN", "half", "time=-1", "unit=0.7=1"] {
            check(text, None);
        }
        assert_eq!(Split::Time(0.5).to_string(), "time=0.5");
    }

    proptest! {
        #[test]
        fn every_labelled_row_is_in_one_part(
            seen in proptest::collection::vec((0..4_u8, 0..6_u8, 0..9_i64), 1..80),
            share in 0.01..0.99,
            seed in any::<u64>(),
        ) {
            let class = |class: u8| ["a", "b", "c"].get(usize::from(class)).copied();
            let rows: Vec<_> = seen.into_iter().map(|(kind, device, hour)| row(class(kind), device, hour)).collect();
            let labelled: Vec<usize> = (0..rows.len()).filter(|&at| rows[at].label.is_some()).collect();
            for split in [Split::Random(share), Split::Time(share), Split::Unit(share)] {
                let Ok(Partition { mut train, test }) = split.apply(&rows, seed) else { continue };
                train.extend(test);
                train.sort_unstable();
                prop_assert_eq!(&train, &labelled);
            }
        }
    }
}
