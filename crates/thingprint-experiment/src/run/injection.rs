//! Whether attacks on devices show as changes, and how often devices that nobody attacks alarm.
use std::collections::{BTreeMap, BTreeSet};

use thingprint_change::{Baseline, Change, ChangeOptions, Detector, Measure};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::Labeled;
use thingprint_model::TrainOptions;
use thingprint_table::{Cell, Column, Table};

use super::trial::{Answer, Bench, class_of, mean, share};
use crate::definition::{CLEAN, Injection, Need, Strike};
use crate::error::ExperimentError;
use crate::outcome::{Outcome, Section};

/// Seconds of an hour.
const HOUR_S: f64 = 3600.0;
/// Hours of a week.
const WEEK_H: f64 = 168.0;

/// An attacked hour, with what is said of it.
struct Struck<'r> {
    strike: Strike,
    class: &'r str,
    /// Whether a measure exceeds its limit that does not in the same hour without the attack.
    is_detected: bool,
    /// Whether the same hour alarms without the attack.
    alarms_without: bool,
    /// What the classifier says; `None` without one.
    answer: Option<Answer>,
}

/// What alarms of a class of devices in hours in which nobody is attacked.
#[derive(Default)]
struct Quiet {
    /// Hours of devices that have a baseline.
    hours: u64,
    /// Alarms that are no part of an event of the network.
    alarms: u64,
    in_events: u64,
    day_changes: u64,
    measures: BTreeSet<Measure>,
}

pub(super) fn run(
    injection: &Injection,
    threshold: f64,
    bench: &mut Bench<'_>,
    outcome: &mut Outcome,
) -> Result<(), ExperimentError> {
    bench.step("attacks on every device");
    let need = bench.need(&injection.extraction)?;
    let normal = bench.material.instances_of(&need)?;
    let attacked = bench.material.instances_of(&Need { is_injected: true, ..need })?;
    let halves = injection.halves(normal);
    let options = ChangeOptions::default();
    let earlier: Vec<&Labeled> = halves.values().flat_map(|halves| halves.earlier.iter().copied()).collect();
    let later: Vec<&Labeled> = halves.values().flat_map(|halves| halves.later.iter().copied()).collect();
    let is_hour = |row: &&Labeled| {
        row.instance.capture.is_none() && row.instance.window_s.to_bits() == HOUR_S.to_bits()
    };
    if !earlier.iter().chain(&later).all(is_hour) || later.is_empty() {
        let problem = "no device has several windows of an hour".to_owned();
        return Err(ExperimentError::Unfit { dataset: bench.material.dataset.to_owned(), problem });
    }
    let mut baselines = BTreeMap::new();
    for (device, halves) in &halves {
        let windows = halves.earlier.iter().map(|row| &row.instance);
        if let Ok(baseline) = Baseline::of(windows, &options) {
            baselines.insert(*device, baseline);
        }
    }
    let seed = bench.definition.seeds.first().copied().unwrap_or_default();
    let attacked_rows: Vec<&Labeled> = attacked.iter().filter(|row| row.label.is_some()).collect();
    let [of_quiet, of_attacked] = answers(bench, (seed, threshold), &earlier, [&later, &attacked_rows])?;
    let keys = attacked_rows.iter().map(|row| key(row));
    let of_attacked = keys.zip(of_attacked).collect();
    let strikes = injection.strikes(normal);
    let struck = struck(&strikes, [&later, &attacked_rows], &baselines, of_attacked);
    let quiet = quiet([&earlier, &later], &baselines, &options);
    measure(injection, (&strikes, &struck), threshold, outcome);
    outcome.remarks.extend(dropped(strikes.len(), struck.len()));
    measure_quiet(&quiet, outcome);
    measure_answers(CLEAN, &of_quiet.iter().collect::<Vec<_>>(), threshold, outcome);
    outcome.sections.push(detection(injection, &struck, threshold, outcome));
    outcome.sections.push(false_alarms(&quiet));
    outcome.sections.push(missed(injection, &struck, &baselines));
    Ok(())
}

/// What the paper's classifier says of hours; nothing where it cannot be trained.
fn answers<const N: usize>(
    bench: &mut Bench<'_>,
    (seed, threshold): (u64, f64),
    earlier: &[&Labeled],
    asked: [&[&Labeled]; N],
) -> Result<[Vec<Answer>; N], ExperimentError> {
    let classes: BTreeSet<&str> = earlier.iter().filter_map(|row| class_of(row)).collect();
    if classes.len() < 2 {
        return Ok(asked.map(|_| Vec::new()));
    }
    let model = bench.fit(earlier, &TrainOptions { seed, ..TrainOptions::default() })?;
    Ok(asked.map(|rows| bench.answers(&model, rows, threshold)))
}

fn key(row: &Labeled) -> (DeviceId, Timestamp) {
    (row.instance.device, row.instance.window_start)
}

fn struck<'r>(
    strikes: &[Strike],
    rows: [&[&'r Labeled]; 2],
    baselines: &BTreeMap<DeviceId, Baseline>,
    mut answers: BTreeMap<(DeviceId, Timestamp), Answer>,
) -> Vec<Struck<'r>> {
    let by_place = |rows: &[&'r Labeled]| -> BTreeMap<(DeviceId, Timestamp), &'r Labeled> {
        rows.iter().map(|row| (key(row), *row)).collect()
    };
    let [clean, attacked] = rows.map(by_place);
    let one = |strike: &Strike| {
        let place = (strike.device, strike.window_start);
        let (row, clean) = (attacked.get(&place)?, clean.get(&place)?);
        let baseline = baselines.get(&strike.device)?;
        let exceeded = |row: &Labeled| -> BTreeSet<Measure> {
            baseline.judge(&row.instance).iter().map(|excess| excess.measure).collect()
        };
        let without = exceeded(clean);
        Some(Struck {
            strike: *strike,
            class: class_of(row)?,
            is_detected: !exceeded(row).is_subset(&without),
            alarms_without: !without.is_empty(),
            answer: answers.remove(&place),
        })
    };
    strikes.iter().filter_map(one).collect()
}

/// What alarms in hours in which nobody is attacked, by class.
fn quiet<'r>(
    [earlier, later]: [&[&'r Labeled]; 2],
    baselines: &BTreeMap<DeviceId, Baseline>,
    options: &ChangeOptions,
) -> BTreeMap<&'r str, Quiet> {
    let mut detector = Detector::new(options.clone());
    let mut classes: BTreeMap<DeviceId, &str> = BTreeMap::new();
    for row in earlier {
        detector.learn(&row.instance);
        classes.extend(class_of(row).map(|class| (row.instance.device, class)));
    }
    let mut later = later.to_vec();
    later.sort_by_key(|row| (row.instance.window_start, row.instance.device));
    let mut changes = Vec::new();
    let mut quiet: BTreeMap<&str, Quiet> = BTreeMap::new();
    for row in later {
        changes.extend(detector.push(&row.instance));
        if baselines.contains_key(&row.instance.device) {
            quiet.entry(class_of(row).unwrap_or_default()).or_default().hours += 1;
        }
    }
    changes.extend(detector.close());
    let of = |device| classes.get(&device).copied().unwrap_or_default();
    for change in changes {
        match change {
            Change::Alarm(alarm) => {
                let quiet = quiet.entry(of(alarm.device)).or_default();
                quiet.alarms += 1;
                quiet.measures.extend(alarm.excesses.iter().map(|excess| excess.measure));
            }
            Change::Network(event) => {
                for alarm in event.alarms {
                    quiet.entry(of(alarm.device)).or_default().in_events += 1;
                }
                quiet.entry(NETWORK).or_default().alarms += 1;
            }
            Change::Day(change) => quiet.entry(of(change.device)).or_default().day_changes += 1,
        }
    }
    quiet
}

/// Stands for the network among classes: an event counts as one alarm.
const NETWORK: &str = "(the network)";

/// Attacks that are planned and have no attacked hour, or no baseline to judge it by.
fn dropped(planned: usize, struck: usize) -> Option<String> {
    let dropped = planned.saturating_sub(struck);
    (dropped > 0).then(|| {
        format!(
            "{dropped} of {planned} planned attacks are left out: there is no attacked hour, or no baseline."
        )
    })
}

fn measure(
    injection: &Injection,
    (strikes, struck): (&[Strike], &[Struck<'_>]),
    threshold: f64,
    outcome: &mut Outcome,
) {
    for (kind, rate_pps) in injection.ways() {
        let way = (kind, rate_pps);
        let planned = strikes.iter().filter(|strike| is_of(strike, way)).count();
        let of_way: Vec<&Struck<'_>> = struck.iter().filter(|one| is_of(&one.strike, way)).collect();
        let answers: Vec<&Answer> = of_way.iter().filter_map(|one| one.answer.as_ref()).collect();
        let key = Strike::key(kind, rate_pps);
        outcome.metrics.insert(&key, "planned", &[planned as f64]);
        outcome.metrics.insert(&key, "hours", &[of_way.len() as f64]);
        outcome.metrics.insert(&key, "detected", share(&of_way, |one| one.is_detected).as_slice());
        outcome.metrics.insert(&key, "alarm_without", share(&of_way, |one| one.alarms_without).as_slice());
        measure_answers(&key, &answers, threshold, outcome);
    }
}

fn measure_answers(key: &str, answers: &[&Answer], threshold: f64, outcome: &mut Outcome) {
    let values = [
        ("correct", share(answers, |answer| answer.is_right())),
        ("confidence", mean(answers.iter().map(|answer| answer.confidence))),
        ("below_half", share(answers, |answer| !answer.reaches(0.5))),
        ("below_threshold", share(answers, |answer| !answer.reaches(threshold))),
    ];
    for (metric, value) in values {
        outcome.metrics.insert(key, metric, value.as_slice());
    }
}

fn is_of(strike: &Strike, (kind, rate_pps): (thingprint_sim::AttackKind, f64)) -> bool {
    strike.kind == kind && strike.rate_pps.to_bits() == rate_pps.to_bits()
}

fn measure_quiet(quiet: &BTreeMap<&str, Quiet>, outcome: &mut Outcome) {
    let sum = |of: fn(&Quiet) -> u64| quiet.values().map(of).sum::<u64>() as f64;
    let (hours, alarms) = (sum(|quiet| quiet.hours), sum(|quiet| quiet.alarms));
    let in_events = sum(|quiet| quiet.in_events);
    let events = quiet.get(NETWORK).map_or(0.0, |quiet| quiet.alarms as f64);
    let weeks = hours / WEEK_H;
    let values = [
        ("hours", hours),
        ("device_weeks", weeks),
        ("alarms", alarms),
        ("network_events", events),
        ("alarms_per_device_week", alarms / weeks),
        ("alarms_per_device_week_unmerged", (alarms - events + in_events) / weeks),
        ("day_changes", sum(|quiet| quiet.day_changes)),
    ];
    for (metric, value) in values {
        outcome.metrics.insert(CLEAN, metric, &[value]);
    }
}

fn detection(injection: &Injection, struck: &[Struck<'_>], threshold: f64, outcome: &Outcome) -> Section {
    let mut table = Table::new([
        Column::texts("attack"),
        Column::decimals("packets/s", 1),
        Column::decimals("planned", 0),
        Column::decimals("hours", 0),
        Column::percent("detected", 1),
        Column::percent("alarm without attack", 1),
        Column::percent("class right", 1),
        Column::decimals("mean confidence", 3),
        Column::percent("below 0.5", 1),
        Column::percent("below the threshold", 1),
    ]);
    let ways = injection
        .ways()
        .into_iter()
        .map(|(kind, rate_pps)| (Strike::key(kind, rate_pps), kind.name(), Some(rate_pps)));
    for (key, name, rate_pps) in [(CLEAN.to_owned(), "none".to_owned(), None)].into_iter().chain(ways) {
        let number = |metric: &str| outcome.metrics.get(&key, metric).map(|summary| summary.mean);
        table.add([
            Cell::from(name),
            Cell::from(rate_pps),
            Cell::from(number("planned")),
            Cell::from(number("hours")),
            Cell::from(number("detected")),
            Cell::from(number("alarm_without")),
            Cell::from(number("correct")),
            Cell::from(number("confidence")),
            Cell::from(number("below_half")),
            Cell::from(number("below_threshold")),
        ]);
    }
    let devices: BTreeSet<DeviceId> = struck.iter().map(|one| one.strike.device).collect();
    Section {
        name: "change".to_owned(),
        heading: "Attacks on every device: change and confidence".to_owned(),
        prose: format!(
            "Attacks of {} minutes in hours of {} devices, of which the first {:.0} % of the hours are the baseline. \
             `detected`: a measure exceeds its limit that does not in the same hour without the attack. The other columns are what the paper's classifier says of the same hours, trained \
             on the same first hours; the threshold is {threshold}.",
            injection.duration_s / 60,
            devices.len(),
            100.0 * injection.train,
        ),
        table,
        chart: None,
    }
}

fn false_alarms(quiet: &BTreeMap<&str, Quiet>) -> Section {
    let mut table = Table::new([
        Column::texts("class"),
        Column::count("hours"),
        Column::count("alarms"),
        Column::decimals("alarms a device-week", 2),
        Column::count("in events"),
        Column::count("changes by day"),
        Column::texts("measures"),
    ]);
    for (class, quiet) in quiet {
        let weeks = quiet.hours as f64 / WEEK_H;
        let measures: Vec<&str> = quiet.measures.iter().map(|measure| measure.name()).collect();
        table.add([
            Cell::from(*class),
            Cell::from(quiet.hours),
            Cell::from(quiet.alarms),
            Cell::from((quiet.hours > 0).then(|| quiet.alarms as f64 / weeks)),
            Cell::from(quiet.in_events),
            Cell::from(quiet.day_changes),
            Cell::from((!measures.is_empty()).then(|| measures.join(", "))),
        ]);
    }
    Section {
        name: "false-alarms".to_owned(),
        heading: "Alarms without an attack".to_owned(),
        prose: "The later hours as they were captured. An event of the network counts once.".to_owned(),
        table,
        chart: None,
    }
}

fn missed(injection: &Injection, struck: &[Struck<'_>], baselines: &BTreeMap<DeviceId, Baseline>) -> Section {
    let mut table = Table::new([
        Column::texts("attack"),
        Column::decimals("packets/s", 1),
        Column::texts("class"),
        Column::count("hours"),
        Column::count("missed"),
        Column::decimals("limit of sizes", 0),
        Column::decimals("limit of packets", 0),
        Column::decimals("limit of bytes sent", 0),
    ]);
    for way in injection.ways() {
        let mut devices: BTreeMap<(&str, DeviceId), (u64, u64)> = BTreeMap::new();
        for one in struck.iter().filter(|one| is_of(&one.strike, way)) {
            let (hours, missed) = devices.entry((one.class, one.strike.device)).or_default();
            *hours += 1;
            *missed += u64::from(!one.is_detected);
        }
        for ((class, device), (hours, missed)) in devices.into_iter().filter(|(_, (_, missed))| *missed > 0) {
            let limit = |measure| baselines.get(&device).and_then(|baseline| baseline.limit(measure));
            table.add([
                Cell::from(way.0.name()),
                Cell::from(way.1),
                Cell::from(class),
                Cell::from(hours),
                Cell::from(missed),
                Cell::from(limit(Measure::NewWords(thingprint_instance::BagName::SIZES))),
                Cell::from(limit(Measure::Packets)),
                Cell::from(limit(Measure::BytesUp)),
            ]);
        }
    }
    Section {
        name: "missed".to_owned(),
        heading: "Attacks without an alarm".to_owned(),
        prose: "Where an attack is missed, with limits of the device: as many packets of new sizes, packets in all, and bytes \
                sent pass unnoticed in an hour."
            .to_owned(),
        table,
        chart: None,
    }
}
