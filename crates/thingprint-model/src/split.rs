use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{Label, Labeled};

use crate::error::ModelError;
use crate::random::{Generator, Purpose};

/// Share of the training part where none is given ([C §5.2]).
pub const DEFAULT_TRAIN_SHARE: f64 = 0.7;

/// Blocks of time where no number is given.
pub const DEFAULT_BLOCKS: u32 = 5;

/// Fewest and most blocks of time.
const BLOCKS: RangeInclusive<u32> = 2..=20;

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
    /// Cross-validation over so many contiguous blocks of each device's windows, in the order of time: each fold tests one
    /// block and trains on the others.
    CrossValidation(u32),
    /// The same blocks, each tested by a model of those before it; the first one only trains.
    Forward(u32),
}

/// What a split gives: one fold, or several that are tested one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folds {
    /// The folds in order.
    pub partitions: Vec<Partition>,
    /// Devices of a class with fewer windows than there are blocks; some folds do not test them.
    pub short_devices: u64,
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
    /// Parts these rows; rows without a label are in neither part. Fails when a part of a fold is left empty.
    pub fn apply(&self, rows: &[Labeled], seed: u64) -> Result<Folds, ModelError> {
        let labelled: Vec<_> =
            rows.iter().enumerate().filter_map(|(at, row)| Some((at, row, row.label.as_ref()?))).collect();
        let mut folds = match *self {
            Self::Random(share) => Folds::from(random(&labelled, share, seed)),
            Self::Time(share) => Folds::from(by_time(&labelled, share)),
            Self::Unit(share) => Folds::from(by_unit(&labelled, share, seed)),
            Self::CrossValidation(blocks) => by_block(&labelled, blocks, (1..=blocks, PartialEq::ne)),
            Self::Forward(blocks) => by_block(&labelled, blocks, (2..=blocks, PartialOrd::lt)),
        };
        for partition in &mut folds.partitions {
            partition.train.sort_unstable();
            partition.test.sort_unstable();
            for (part, rows) in [("train", &partition.train), ("test", &partition.test)] {
                if rows.is_empty() {
                    return Err(ModelError::EmptyPart { split: self.to_string(), part });
                }
            }
        }
        Ok(folds)
    }

    /// Whether the split gives several folds.
    pub fn has_folds(&self) -> bool {
        matches!(self, Self::CrossValidation(_) | Self::Forward(_))
    }
}

impl Folds {
    /// The only fold of a split without folds, else the first one.
    pub fn into_first(self) -> Partition {
        self.partitions.into_iter().next().unwrap_or_default()
    }
}

impl From<Partition> for Folds {
    fn from(partition: Partition) -> Self {
        Self { partitions: vec![partition], short_devices: 0 }
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

/// The rows of each device of a class in the order of time.
fn units(labelled: &[Row<'_>]) -> Vec<Vec<usize>> {
    let mut units: BTreeMap<Unit<'_>, Vec<Window<'_>>> = BTreeMap::new();
    for &(at, row, label) in labelled {
        let window = (row.instance.window_start, row.instance.capture.as_deref(), at);
        units.entry((&label.class, row.instance.device)).or_default().push(window);
    }
    let in_order = |mut windows: Vec<Window<'_>>| {
        windows.sort_unstable();
        windows.into_iter().map(|(.., at)| at).collect()
    };
    units.into_values().map(in_order).collect()
}

/// The numbers of the blocks that are tested, from 1, and whether a block trains for the fold that tests another.
type Scheme = (RangeInclusive<u32>, fn(&u32, &u32) -> bool);

fn by_block(labelled: &[Row<'_>], blocks: u32, (tested, trains): Scheme) -> Folds {
    let units = units(labelled);
    let mut block_of: Vec<(usize, u32)> = Vec::new();
    for windows in &units {
        let block =
            |at: usize| (1..=blocks).rev().find(|block| starts_at(*block, blocks, windows.len()) <= at);
        block_of.extend(windows.iter().enumerate().filter_map(|(at, row)| Some((*row, block(at)?))));
    }
    let rows = |wanted: &dyn Fn(&u32) -> bool| -> Vec<usize> {
        block_of.iter().filter(|(_, block)| wanted(block)).map(|(row, _)| *row).collect()
    };
    let fold = |test: u32| Partition {
        train: rows(&|block| trains(block, &test)),
        test: rows(&|block| *block == test),
    };
    let is_short = |windows: &&Vec<usize>| windows.len() < blocks as usize;
    Folds {
        partitions: tested.map(fold).collect(),
        short_devices: units.iter().filter(is_short).count() as u64,
    }
}

/// The place of the first of so many windows that is in a block; blocks differ by one window at most.
fn starts_at(block: u32, blocks: u32, windows: usize) -> usize {
    (windows * (block as usize - 1)).div_ceil(blocks as usize)
}

fn by_time(labelled: &[Row<'_>], share: f64) -> Partition {
    let mut partition = Partition::default();
    for mut windows in units(labelled) {
        let later = windows.split_off(rounded(share, windows.len()));
        partition.train.extend(windows);
        partition.test.extend(later);
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
            Self::CrossValidation(blocks) => write!(f, "cv={blocks}"),
            Self::Forward(blocks) => write!(f, "forward={blocks}"),
        }
    }
}

impl FromStr for Split {
    type Err = ModelError;

    /// Reads `random=0.7`, `time=0.7`, `unit=0.7`, `cv=5` or `forward=5`; the number may be left out.
    fn from_str(text: &str) -> Result<Self, ModelError> {
        let refuse = || ModelError::Option {
            option: "split",
            value: text.to_owned(),
            expected: "expected random, time or unit, with a share between 0 and 1 like random=0.7, or cv or forward, \
                       with 2 to 20 blocks like cv=5",
        };
        let (name, number) = text.split_once('=').map_or((text, None), |(name, number)| (name, Some(number)));
        let share = || {
            let share =
                number.map_or(Ok(DEFAULT_TRAIN_SHARE), |number| number.parse().map_err(|_| refuse()))?;
            if share > 0.0 && share < 1.0 { Ok(share) } else { Err(refuse()) }
        };
        let blocks = || {
            let blocks = number.map_or(Ok(DEFAULT_BLOCKS), |number| number.parse().map_err(|_| refuse()))?;
            if BLOCKS.contains(&blocks) { Ok(blocks) } else { Err(refuse()) }
        };
        match name {
            "random" => share().map(Self::Random),
            "time" => share().map(Self::Time),
            "unit" => share().map(Self::Unit),
            "cv" => blocks().map(Self::CrossValidation),
            "forward" => blocks().map(Self::Forward),
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
            let partition = Split::Random(share).apply(&rows, 1).unwrap().into_first();
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
        let partition = Split::Time(0.7).apply(&rows, 1).unwrap().into_first();
        assert_eq!(partition, Partition { train: vec![1, 2, 3, 5], test: vec![0, 4] });
    }

    #[test]
    fn blocks_of_time_are_tested_in_turn() {
        // Device 1 has seven hours, in blocks of 3, 2 and 2; device 2 has two, in the first block and the second.
        let hours = [(1, 6), (2, 9), (1, 0), (1, 3), (1, 1), (1, 2), (1, 5), (2, 4), (1, 4)];
        let rows: Vec<_> = hours.iter().map(|&(device, hour)| row(Some("a"), device, hour)).collect();
        let tested = |folds: &Folds| -> Vec<Vec<i64>> {
            let hour = |at: &usize| hours[*at].1;
            let hours = |fold: &Partition| fold.test.iter().map(hour).collect::<Vec<_>>();
            folds
                .partitions
                .iter()
                .map(hours)
                .map(|mut hours| {
                    hours.sort_unstable();
                    hours
                })
                .collect()
        };
        let folds = Split::CrossValidation(3).apply(&rows, 1).unwrap();
        assert_eq!(tested(&folds), [vec![0, 1, 2, 4], vec![3, 4, 9], vec![5, 6]]);
        assert_eq!(folds.short_devices, 1);
        assert_eq!(folds.partitions[1].train, [0, 2, 4, 5, 6, 7]);
        let folds = Split::Forward(3).apply(&rows, 1).unwrap();
        assert_eq!(tested(&folds), [vec![3, 4, 9], vec![5, 6]]);
        assert_eq!(folds.partitions[0].train, [2, 4, 5, 7]);
        assert_eq!(folds.partitions[1].train, [1, 2, 3, 4, 5, 7, 8]);
    }

    #[test]
    fn set_ups_of_captures_are_cut_in_their_order() {
        let mut rows: Vec<_> = (0..4).map(|at| row(Some("a"), 1, at / 2)).collect();
        for (row, capture) in rows.iter_mut().zip(["d", "c", "b", "a"]) {
            row.instance.capture = Some(capture.to_owned());
        }
        // In order: c and d of hour 0, then a and b of hour 1.
        let folds = Split::CrossValidation(4).apply(&rows, 1).unwrap();
        let tested: Vec<usize> = folds.partitions.iter().flat_map(|fold| fold.test.clone()).collect();
        assert_eq!(tested, [1, 0, 3, 2]);
    }

    #[test]
    fn whole_devices_are_held_out() {
        let mut rows: Vec<_> =
            (0..12_i64).map(|hour| row(Some("a"), u8::try_from(hour % 3).unwrap(), hour)).collect();
        rows.push(row(Some("lonely"), 9, 0));
        let partition = Split::Unit(0.7).apply(&rows, 1).unwrap().into_first();
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
        assert_eq!(Split::Unit(0.99).apply(&rows, 1).unwrap().into_first().test.len(), 4);
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
            "the split 'unit=0.7' leaves no instance to test: choose another split, or label more instances",
        );
        check(
            Split::Random(0.1),
            &lonely,
            "the split 'random=0.1' leaves no instance to train: choose another split, or label more instances",
        );
        check(
            Split::CrossValidation(3),
            &[row(Some("a"), 1, 0), row(Some("a"), 1, 1)],
            "the split 'cv=3' leaves no instance to test: choose another split, or label more instances",
        );
        check(
            Split::Time(0.7),
            &[row(None, 1, 0)],
            "the split 'time=0.7' leaves no instance to train: choose another split, or label more instances",
        );
    }

    #[test]
    fn splits_are_read() {
        let check = |text: &str, expected| assert_eq!(text.parse::<Split>().ok(), expected, "{text}");
        check("random", Some(Split::Random(0.7)));
        check("random=0.66", Some(Split::Random(0.66)));
        check("time=0.5", Some(Split::Time(0.5)));
        check("unit", Some(Split::Unit(0.7)));
        check("cv", Some(Split::CrossValidation(5)));
        check("cv=20", Some(Split::CrossValidation(20)));
        check("forward=3", Some(Split::Forward(3)));
        for text in ["cv=1", "cv=21", "cv=0.5", "forward=", "forward=-2"] {
            check(text, None);
        }
        for text in ["", "random=", "random=1", "random=0", "random=NaN", "half", "time=-1", "unit=0.7=1"] {
            check(text, None);
        }
        assert_eq!(Split::Time(0.5).to_string(), "time=0.5");
        assert_eq!(Split::Forward(5).to_string(), "forward=5");
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
                let Ok(folds) = split.apply(&rows, seed) else { continue };
                let Partition { mut train, test } = folds.into_first();
                train.extend(test);
                train.sort_unstable();
                prop_assert_eq!(&train, &labelled);
            }
        }

        #[test]
        fn folds_test_every_row_once_and_never_train_on_it(
            seen in proptest::collection::vec((0..4_u8, 0..6_u8, 0..9_i64), 1..80),
            blocks in 2..=20_u32,
        ) {
            let class = |class: u8| ["a", "b", "c"].get(usize::from(class)).copied();
            let rows: Vec<_> = seen.into_iter().map(|(kind, device, hour)| row(class(kind), device, hour)).collect();
            let labelled: Vec<usize> = (0..rows.len()).filter(|&at| rows[at].label.is_some()).collect();
            if let Ok(folds) = Split::CrossValidation(blocks).apply(&rows, 1) {
                let mut tested: Vec<usize> = folds.partitions.iter().flat_map(|fold| fold.test.clone()).collect();
                tested.sort_unstable();
                prop_assert_eq!(&tested, &labelled);
                for Partition { mut train, test } in folds.partitions {
                    train.extend(test);
                    train.sort_unstable();
                    prop_assert_eq!(&train, &labelled);
                }
            }
            if let Ok(folds) = Split::Forward(blocks).apply(&rows, 1) {
                prop_assert_eq!(folds.partitions.len(), blocks as usize - 1);
                let unit = |at: &usize| (&rows[*at].label, rows[*at].instance.device);
                let time = |at: &usize| rows[*at].instance.window_start;
                for Partition { train, test } in folds.partitions {
                    let is_before = |train: &usize, test: &usize| unit(train) != unit(test) || time(train) <= time(test);
                    let follows = |test: &usize| train.iter().all(|train| train != test && is_before(train, test));
                    prop_assert!(test.iter().all(follows));
                }
            }
        }
    }
}
