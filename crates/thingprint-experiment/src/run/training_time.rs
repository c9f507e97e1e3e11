//! Accuracy and error against the days of training (Fig. 12a), or against the labelled windows of each device.
use std::collections::BTreeMap;

use thingprint_figure::{Axis, LinePoint, LineSeries, Lines, Scale};
use thingprint_flow::DeviceId;
use thingprint_instance::Labeled;
use thingprint_model::{Scenario, TrainOptions};
use thingprint_table::{Cell, Column, Table};

use super::trial::{Bench, Parts};
use crate::definition::{Checked, Method, TrainingTime, check_single, check_training, ensure};
use crate::error::ExperimentError;
use crate::outcome::{Outcome, Section, Summary};

/// Instances of a device that make a day: one for each hour.
const INSTANCES_A_DAY: usize = 24;

/// Threshold of the evaluation, which this analysis shows nothing of.
const THRESHOLD: f64 = 0.8;

/// What some days of training gave, seed by seed.
#[derive(Default)]
struct Point {
    trained_on: Vec<f64>,
    accuracy: Vec<f64>,
    rrse: Vec<f64>,
}

/// What training is measured in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Instances from the first on, 24 of a device to the day.
    Days,
    /// Instances of a device that the seed draws.
    Windows,
}

impl Method for TrainingTime {
    fn check(&self) -> Checked {
        let (unit, amounts) = self.amounts();
        let is_fine = |amounts: &[u32]| {
            !amounts.is_empty() && amounts.is_sorted_by(|a, b| a < b) && !amounts.contains(&0)
        };
        let is_one = self.days.is_empty() || self.windows.is_empty();
        ensure(is_one, "windows", "expected either days or windows")?;
        ensure(is_fine(amounts), unit.name(), "expected numbers from 1, ascending")?;
        check_single(self.split)?;
        check_training(&self.training)
    }

    fn scenarios(&self) -> Vec<String> {
        let (unit, amounts) = self.amounts();
        amounts.iter().map(|amount| unit.key(*amount)).collect()
    }

    fn has_metric(&self, _: &str, metric: &str) -> bool {
        ["trained_on", "accuracy", "rrse"].contains(&metric)
    }

    fn run(&self, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
        run(self, bench)
    }
}

impl TrainingTime {
    /// The amounts of training, and what they count.
    fn amounts(&self) -> (Unit, &[u32]) {
        if self.windows.is_empty() { (Unit::Days, &self.days) } else { (Unit::Windows, &self.windows) }
    }
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::Windows => "windows",
        }
    }

    /// How `metrics.json` calls an amount.
    fn key(self, amount: u32) -> String {
        format!("{amount}-{}", self.name())
    }

    /// Instances of a device that an amount has at most.
    const fn instances(self, amount: u32) -> usize {
        match self {
            Self::Days => INSTANCES_A_DAY.saturating_mul(amount as usize),
            Self::Windows => amount as usize,
        }
    }

    /// The heading of the table.
    const fn heading(self) -> &'static str {
        match self {
            Self::Days => "Days of training",
            Self::Windows => "Labelled windows of each device",
        }
    }

    /// What the horizontal axis shows.
    const fn axis(self) -> &'static str {
        match self {
            Self::Days => "days of training",
            Self::Windows => "labelled windows of each device",
        }
    }
}

fn run(analysis: &TrainingTime, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
    let rows = bench.own_rows()?;
    let (unit, amounts) = analysis.amounts();
    let all: Vec<&Labeled> = rows.iter().collect();
    let by_time = ranks(&all);
    let seeds = &bench.definition.seeds;
    let parts = seeds.iter().map(|seed| Parts::required(rows, analysis.split, *seed));
    let parts: Vec<Parts<'_>> = parts.collect::<Result<_, _>>()?;
    let longest = match unit {
        Unit::Days => longest(&by_time),
        Unit::Windows => parts.iter().map(|parts| longest(&ranks(&parts.train))).max().unwrap_or(0),
    };
    let amounts = amounts_that_differ(unit, amounts, longest);
    let mut points: BTreeMap<u32, Point> = BTreeMap::new();
    for (&seed, parts) in seeds.iter().zip(&parts) {
        let drawn = drawn(ranks(&parts.train), seed);
        let ranks = if unit == Unit::Days { &by_time } else { &drawn };
        for &amount in amounts {
            bench.step(&format!("{amount} {} of training, seed {seed}", unit.name()));
            let train = first(&parts.train, ranks, unit.instances(amount));
            let cut = Parts { train, test: parts.test.clone() };
            let options = TrainOptions { scenario: analysis.scenario, seed, ..analysis.training };
            let trial = bench.trial(&[cut], &options, THRESHOLD)?;
            let point = points.entry(amount).or_default();
            point.trained_on.push(trial.trained_on);
            point.accuracy.push(trial.evaluation.measures.accuracy);
            point.rrse.push(trial.evaluation.measures.rrse);
        }
    }
    let mut outcome = Outcome::default();
    for (amount, point) in &points {
        let key = unit.key(*amount);
        outcome.metrics.insert(&key, "trained_on", &point.trained_on);
        outcome.metrics.insert(&key, "accuracy", &point.accuracy);
        outcome.metrics.insert(&key, "rrse", &point.rrse);
    }
    outcome.remarks = remarks(analysis, amounts);
    outcome.sections = vec![accuracy(unit, &points, analysis.scenario), error(unit, &points)];
    Ok(outcome)
}

fn remarks(analysis: &TrainingTime, amounts: &[u32]) -> Vec<String> {
    let (unit, asked) = analysis.amounts();
    let last = amounts.last().filter(|_| amounts.len() < asked.len());
    match unit {
        Unit::Days => {
            let first =
                "A day is 24 instances of a device. The test part is the same for every number of days.";
            let more = last.map(|last| {
                format!(
                    "No device was seen for more than {last} days of 24 instances: more make no difference."
                )
            });
            [first.to_owned()].into_iter().chain(more).collect()
        }
        Unit::Windows => {
            let first = "Each seed draws other windows of the training part. The test part is the same for every number.";
            let more = last.map(|last| {
                format!("No device has more than {last} windows to train on: more make no difference.")
            });
            [first.to_owned()].into_iter().chain(more).collect()
        }
    }
}

/// The identity of a row: a device, its class, the start of the window, and the capture.
type Key<'r> = (&'r str, DeviceId, thingprint_flow::Timestamp, Option<&'r str>);

/// The place of each labelled row among those of its device and class, in the order of time.
fn ranks<'r>(rows: &[&'r Labeled]) -> BTreeMap<Key<'r>, usize> {
    let mut keys: Vec<Key<'_>> = rows.iter().copied().filter_map(key).collect();
    keys.sort_unstable();
    let mut ranks = BTreeMap::new();
    for unit in keys.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        ranks.extend(unit.iter().enumerate().map(|(rank, key)| (*key, rank)));
    }
    ranks
}

/// The same in an order that the seed draws, another one for each device and class.
fn drawn<'r>(ranks: BTreeMap<Key<'r>, usize>, seed: u64) -> BTreeMap<Key<'r>, usize> {
    let draw = |(key, rank): (Key<'r>, usize)| (mixed(unit_seed(&key, seed) ^ mixed(rank as u64)), key);
    let mut keys: Vec<(u64, Key<'r>)> = ranks.into_iter().map(draw).collect();
    keys.sort_unstable_by(|(a, x), (b, y)| (x.0, x.1, a).cmp(&(y.0, y.1, b)));
    let mut drawn = BTreeMap::new();
    for unit in keys.chunk_by(|(_, a), (_, b)| (a.0, a.1) == (b.0, b.1)) {
        drawn.extend(unit.iter().enumerate().map(|(place, (_, key))| (*key, place)));
    }
    drawn
}

/// The seed of the draw of a device and class.
fn unit_seed((class, device, ..): &Key<'_>, seed: u64) -> u64 {
    format!("{device} {class}").bytes().fold(mixed(seed), |seed, byte| mixed(seed ^ u64::from(byte)))
}

/// A number that looks random (the finaliser of `SplitMix64`: Steele and others, OOPSLA 2014).
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Instances of the device and class that has most.
fn longest(ranks: &BTreeMap<Key<'_>, usize>) -> usize {
    ranks.values().max().map_or(0, |rank| rank + 1)
}

/// The amounts up to the first that takes in every instance of each device and class, of which the longest has so many.
fn amounts_that_differ(unit: Unit, amounts: &[u32], longest: usize) -> &[u32] {
    let takes_all = |amount: &u32| unit.instances(*amount) >= longest;
    let last = amounts.iter().position(takes_all).map_or(amounts.len(), |at| at + 1);
    amounts.get(..last).unwrap_or(amounts)
}

fn key(row: &Labeled) -> Option<Key<'_>> {
    let class = row.label.as_ref()?.class.as_str();
    Some((class, row.instance.device, row.instance.window_start, row.instance.capture.as_deref()))
}

/// The rows that are among the first so many of their device.
fn first<'r>(train: &[&'r Labeled], ranks: &BTreeMap<Key<'_>, usize>, most: usize) -> Vec<&'r Labeled> {
    let is_early =
        |row: &&&Labeled| key(row).and_then(|key| ranks.get(&key)).is_some_and(|rank| *rank < most);
    train.iter().filter(is_early).copied().collect()
}

fn accuracy(unit: Unit, points: &BTreeMap<u32, Point>, scenario: Scenario) -> Section {
    let mut table = Table::new([
        Column::count(unit.name()),
        Column::decimals("trained on", 0),
        Column::percent("accuracy", 2),
        Column::percent("accuracy sd", 2),
        Column::decimals("RRSE %", 2),
        Column::decimals("RRSE sd", 2),
    ]);
    for (days, point) in points {
        let mean = |values: &[f64]| Summary::of(values).map(|summary| summary.mean);
        let sd = |values: &[f64]| Summary::of(values).and_then(|summary| summary.sd);
        table.add([
            Cell::from(u64::from(*days)),
            Cell::from(mean(&point.trained_on)),
            Cell::from(mean(&point.accuracy)),
            Cell::from(sd(&point.accuracy)),
            Cell::from(mean(&point.rrse)),
            Cell::from(sd(&point.rrse)),
        ]);
    }
    Section {
        name: "training-time".to_owned(),
        heading: unit.heading().to_owned(),
        prose: format!(
            "Scenario {scenario}; means over the seeds, with their standard deviation (divisor n - 1)."
        ),
        table,
        chart: Some(
            lines((unit, "Accuracy"), Axis::percent("accuracy"), points, |point| &point.accuracy).into(),
        ),
    }
}

fn error(unit: Unit, points: &BTreeMap<u32, Point>) -> Section {
    let mut table = Table::new([
        Column::count(unit.name()),
        Column::decimals("RRSE %", 2),
        Column::decimals("RRSE sd", 2),
    ]);
    for (days, point) in points {
        let summary = Summary::of(&point.rrse);
        table.add([
            Cell::from(u64::from(*days)),
            Cell::from(summary.map(|summary| summary.mean)),
            Cell::from(summary.and_then(|summary| summary.sd)),
        ]);
    }
    Section {
        name: "training-time-error".to_owned(),
        heading: format!("Error by {}", unit.axis()),
        prose: "The root relative squared error of the same models.".to_owned(),
        table,
        chart: Some(lines((unit, "RRSE"), Axis::new("RRSE", "%"), points, |point| &point.rrse).into()),
    }
}

fn lines(
    (unit, what): (Unit, &str),
    y: Axis,
    points: &BTreeMap<u32, Point>,
    of: impl Fn(&Point) -> &[f64],
) -> Lines {
    let point = |(days, point): (&u32, &Point)| {
        let summary = Summary::of(of(point))?;
        Some(LinePoint { x: f64::from(*days), y: summary.into() })
    };
    Lines {
        title: format!("{what} by {}", unit.axis()),
        description: format!("Means over the seeds against the {}, which double", unit.axis()),
        x: Axis::new(unit.axis(), "").scale(Scale::Log2),
        y,
        series: vec![LineSeries {
            name: "mean".to_owned(),
            points: points.iter().filter_map(point).collect(),
        }],
        guides: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::Timestamp;

    use super::*;

    /// The places of twenty windows of two devices of two classes each, in the order that a seed draws.
    fn places(seed: u64) -> BTreeMap<(&'static str, DeviceId), Vec<usize>> {
        let devices = ["02:00:00:00:00:01", "02:00:00:00:00:02"].map(|mac| mac.parse().unwrap());
        let units = ["camera", "plug"].into_iter().flat_map(|class| devices.map(|device| (class, device)));
        let windows = |(class, device)| {
            let key = move |hour: i64| (class, device, Timestamp::from_seconds(hour * 3600), None);
            (0..20).map(key).zip(0..)
        };
        let drawn = drawn(units.flat_map(windows).collect(), seed);
        let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for ((class, device, ..), place) in drawn {
            places.entry((class, device)).or_default().push(place);
        }
        places
    }

    #[test]
    fn a_seed_draws_another_order_for_each_device_and_class() {
        let orders = places(1);
        let distinct: std::collections::BTreeSet<&Vec<usize>> = orders.values().collect();
        assert_eq!(distinct.len(), 4, "{orders:?}");
        for order in orders.values() {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.iter().copied().eq(0..20), "each window has a place: {order:?}");
            assert_ne!(&sorted, order);
        }
        assert_eq!(places(1), orders);
        let others = places(2);
        assert!(orders.iter().all(|(unit, order)| others[unit] != *order));
    }
}
