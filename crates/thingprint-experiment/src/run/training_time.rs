//! Accuracy and error against the days of training (Fig. 12a).
use std::collections::BTreeMap;

use thingprint_figure::{Axis, LinePoint, LineSeries, Lines, Scale};
use thingprint_flow::DeviceId;
use thingprint_instance::Labeled;
use thingprint_model::{Scenario, TrainOptions};
use thingprint_table::{Cell, Column, Table};

use super::trial::{Bench, Parts};
use crate::definition::TrainingTime;
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

pub(super) fn run(analysis: &TrainingTime, bench: &mut Bench<'_>) -> Result<Outcome, ExperimentError> {
    let rows = bench.own_rows()?;
    let ranks = ranks(rows);
    let days = days_that_differ(&analysis.days, &ranks);
    let mut points: BTreeMap<u32, Point> = BTreeMap::new();
    for &seed in &bench.definition.seeds {
        let parts = Parts::required(rows, analysis.split, seed)?;
        for &days in days {
            bench.step(&format!("{days} days of training, seed {seed}"));
            let first = Parts { train: first_days(&parts.train, &ranks, days), test: parts.test.clone() };
            let options = TrainOptions { scenario: analysis.scenario, seed, ..TrainOptions::default() };
            let trial = bench.trial(&[first], &options, THRESHOLD)?;
            let point = points.entry(days).or_default();
            point.trained_on.push(trial.trained_on);
            point.accuracy.push(trial.evaluation.measures.accuracy);
            point.rrse.push(trial.evaluation.measures.rrse);
        }
    }
    let mut outcome = Outcome::default();
    for (days, point) in &points {
        let key = format!("{days}-days");
        outcome.metrics.insert(&key, "trained_on", &point.trained_on);
        outcome.metrics.insert(&key, "accuracy", &point.accuracy);
        outcome.metrics.insert(&key, "rrse", &point.rrse);
    }
    outcome.remarks.push(
        "A day is 24 instances of a device. The test part is the same for every number of days.".to_owned(),
    );
    if let Some(last) = days.last().filter(|_| days.len() < analysis.days.len()) {
        outcome.remarks.push(format!(
            "No device was seen for more than {last} days of 24 instances: more make no difference."
        ));
    }
    outcome.sections = vec![accuracy(&points, analysis.scenario), error(&points)];
    Ok(outcome)
}

/// What tells rows apart: a device, its class, the start of the window, and the capture.
type Key<'r> = (&'r str, DeviceId, thingprint_flow::Timestamp, Option<&'r str>);

/// The place of each labelled row among those of its device and class, in the order of time.
fn ranks(rows: &[Labeled]) -> BTreeMap<Key<'_>, usize> {
    let mut keys: Vec<Key<'_>> = rows.iter().filter_map(key).collect();
    keys.sort_unstable();
    let mut ranks = BTreeMap::new();
    for unit in keys.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        ranks.extend(unit.iter().enumerate().map(|(rank, key)| (*key, rank)));
    }
    ranks
}

/// The numbers of days up to the first that takes in every instance.
fn days_that_differ<'d>(days: &'d [u32], ranks: &BTreeMap<Key<'_>, usize>) -> &'d [u32] {
    let longest = ranks.values().max().map_or(0, |rank| rank + 1);
    let takes_all = |days: &u32| INSTANCES_A_DAY.saturating_mul(*days as usize) >= longest;
    let last = days.iter().position(takes_all).map_or(days.len(), |at| at + 1);
    days.get(..last).unwrap_or(days)
}

fn key(row: &Labeled) -> Option<Key<'_>> {
    let class = row.label.as_ref()?.class.as_str();
    Some((class, row.instance.device, row.instance.window_start, row.instance.capture.as_deref()))
}

/// The rows that are among the first days of their device.
fn first_days<'r>(train: &[&'r Labeled], ranks: &BTreeMap<Key<'_>, usize>, days: u32) -> Vec<&'r Labeled> {
    let most = INSTANCES_A_DAY.saturating_mul(days as usize);
    let is_early =
        |row: &&&Labeled| key(row).and_then(|key| ranks.get(&key)).is_some_and(|rank| *rank < most);
    train.iter().filter(is_early).copied().collect()
}

fn accuracy(points: &BTreeMap<u32, Point>, scenario: Scenario) -> Section {
    let mut table = Table::new([
        Column::count("days"),
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
        heading: "Days of training".to_owned(),
        prose: format!(
            "Scenario {scenario}; means over the seeds, with their standard deviation (divisor n - 1)."
        ),
        table,
        chart: Some(
            lines("Accuracy by days of training", Axis::percent("accuracy"), points, |point| &point.accuracy)
                .into(),
        ),
    }
}

fn error(points: &BTreeMap<u32, Point>) -> Section {
    let mut table =
        Table::new([Column::count("days"), Column::decimals("RRSE %", 2), Column::decimals("RRSE sd", 2)]);
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
        heading: "Error by days of training".to_owned(),
        prose: "The root relative squared error of the same models.".to_owned(),
        table,
        chart: Some(
            lines("RRSE by days of training", Axis::new("RRSE", "%"), points, |point| &point.rrse).into(),
        ),
    }
}

fn lines(title: &str, y: Axis, points: &BTreeMap<u32, Point>, of: impl Fn(&Point) -> &[f64]) -> Lines {
    let point = |(days, point): (&u32, &Point)| {
        let summary = Summary::of(of(point))?;
        Some(LinePoint { x: f64::from(*days), y: summary.into() })
    };
    Lines {
        title: title.to_owned(),
        description: "Means over the seeds against the days of training, which double".to_owned(),
        x: Axis::new("days of training", "").scale(Scale::Log2),
        y,
        series: vec![LineSeries {
            name: "mean".to_owned(),
            points: points.iter().filter_map(point).collect(),
        }],
        guides: Vec::new(),
    }
}
