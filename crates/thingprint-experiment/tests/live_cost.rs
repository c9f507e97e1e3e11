//! The experiment about windows under way, on made instances: two classes whose ports show at once and names later.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use thingprint_experiment::{
    DataSource, Definition, ExtractionCost, KeptState, Lap, Machine, Material, Need, Outcome, Report, Watch,
    run,
};
use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{
    Attribute, Attributes, Bag, BagName, Bags, Counts, EvidenceSet, Instance, Kind, Label, Labeled, Spreads,
};

const DEFINITION: &str = "name = 'made'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\n\
    data = ['made']\nseeds = [1, 2]\n[analysis.live-cost]\nseconds = [10, 60]\nsplit = 'time=0.5'\nruns = 2\n\
    [[analysis.live-cost.group]]\nname = 'low'\nscenario = 'low'\n[[analysis.live-cost.group]]\nname = 'paper'\n";
const HOURS: i64 = 40;

struct Still;

impl Watch for Still {
    fn lap(&mut self) -> Lap {
        Lap::default()
    }

    fn step(&mut self, _: &str) {}

    fn chatter(&mut self, _: bool) {}
}

/// An hour of a class, whose numbers are those of the class and whose names show or not.
fn row(class: &str, hour: i64, has_names: bool) -> Labeled {
    let number = u8::from(class == "plug");
    let mut attributes = Attributes::default();
    for attribute in EvidenceSet::paper().numbers() {
        let level = 100.0 + (hour % 7) as f64;
        attributes.set(attribute, Some(level));
    }
    // What is cheap to collect separates the classes in whole hours alone.
    let level = if has_names { 500.0 * f64::from(number) } else { 0.0 };
    attributes.set(Attribute::FLOW_VOLUME_BYTES, Some(level + (hour % 5) as f64));
    let word = |word: String| Bag::from([(word, 1)]);
    let names = if has_names { word(format!("{class}.example")) } else { Bag::new() };
    let bags = Bags::from([
        (BagName::PORTS, word(format!("{}", 1_000 + u32::from(number)))),
        (BagName::DOMAINS, names),
        (BagName::CIPHER_SUITES, Bag::new()),
    ]);
    let instance = Instance {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, number])),
        window_start: Timestamp::from_seconds(3_600 * hour),
        window_s: 3_600.0,
        capture: None,
        attributes,
        bags,
        counts: Counts::default(),
        spread: Spreads::new(),
    };
    Labeled { instance, label: Some(Label::new(class, Kind::Iot)) }
}

/// The windows of a need: after 10 s every other one has nothing yet, and names come between 10 s and 60 s.
fn windows(need: &Need) -> Vec<Labeled> {
    let is_there = |hour: &i64| need.so_far_s != Some(10) || hour % 2 == 0;
    let hours = || (0..HOURS).filter(is_there);
    let has_names = need.so_far_s != Some(10);
    ["camera", "plug"].iter().flat_map(|class| hours().map(move |hour| row(class, hour, has_names))).collect()
}

fn costs() -> Vec<ExtractionCost> {
    let cost = |name: &str, times: f64| ExtractionCost {
        name: name.to_owned(),
        frames: 2_000_000,
        seconds: vec![2.0 * times, 4.0 * times],
        reading_seconds: vec![1.0, 1.0],
        is_processor_time: true,
        peak_bytes: Some(3_000_000),
        kept: BTreeMap::from([(
            10,
            KeptState {
                looks: 4,
                open_flows: 1.5,
                flow_bytes: 300.0,
                window_bytes: 700.0,
                most_bytes: 2_000,
            },
        )]),
        row_bytes: Some(250.0 * times),
    };
    vec![cost("low", 1.0), cost("paper", 1.5)]
}

fn outcome(definition: &Definition) -> Outcome {
    let needs = definition.needs("made", "").unwrap();
    let instances: Vec<(Need, Vec<Labeled>)> =
        needs.into_iter().map(|need| (need.clone(), windows(&need))).collect();
    let material = Material {
        dataset: "made",
        overrides: "",
        instances: &instances,
        flows: &[],
        extraction_costs: &costs(),
    };
    run(definition, &material, NonZeroUsize::MIN, &mut Still).unwrap()
}

fn number(outcome: &Outcome, scenario: &str, metric: &str) -> f64 {
    outcome.metrics.get(scenario, metric).unwrap_or_else(|| unreachable!("{scenario} {metric}")).mean
}

#[track_caller]
fn check(outcome: &Outcome, scenario: &str, metric: &str, expected: f64) {
    let found = number(outcome, scenario, metric);
    assert!((found - expected).abs() < 1e-9, "{scenario} {metric}: {found} is not {expected}");
}

#[test]
fn each_time_is_a_table_that_is_asked_for_and_each_group_is_measured() {
    let definition = Definition::from_toml("made.toml", DEFINITION).unwrap();
    let needs = definition.needs("made", "").unwrap();
    let seconds: Vec<Option<u32>> = needs.iter().map(|need| need.so_far_s).collect();
    assert_eq!(seconds, [None, Some(10), Some(60)]);
    let measurement = definition.measurement("made", "").unwrap().unwrap();
    assert_eq!((measurement.runs, measurement.after_s), (2, vec![10, 60]));
    let evidence: Vec<EvidenceSet> =
        measurement.extractions.iter().map(|(_, recipe)| recipe.evidence()).collect();
    let cheap = "flow_volume_bytes,flow_duration_s,flow_rate_bps".parse().unwrap();
    assert_eq!(evidence, [cheap, EvidenceSet::paper()]);
}

#[test]
fn the_same_windows_are_asked_about_at_each_time() {
    let definition = Definition::from_toml("made.toml", DEFINITION).unwrap();
    let outcome = outcome(&definition);
    for time in ["10s", "60s", "whole"] {
        // Half of 40 hours of two devices.
        check(&outcome, &format!("low/{time}"), "asked", 40.0);
    }
    check(&outcome, "low/10s", "answered", 0.5);
    check(&outcome, "low/60s", "answered", 1.0);
    // Without a volume of its own, a plug looks like a camera by what is cheap; ports show what it is.
    check(&outcome, "low/10s", "accuracy", 0.5);
    check(&outcome, "low/60s", "accuracy", 1.0);
    check(&outcome, "paper/whole", "accuracy", 1.0);
    assert!(number(&outcome, "paper/10s", "accepted") <= 0.5, "what is not answered is not accepted");
    assert!(outcome.metrics.get("appeared/low/10s", "asked").is_none(), "no device appears");
    assert!(outcome.remarks.iter().any(|remark| remark.contains("too few")), "{:?}", outcome.remarks);
}

#[test]
fn costs_are_shown_with_their_spread_and_what_is_kept() {
    let definition = Definition::from_toml("made.toml", DEFINITION).unwrap();
    let outcome = outcome(&definition);
    check(&outcome, "low/10s", "flow_bytes", 300.0);
    check(&outcome, "paper/whole", "row_bytes", 375.0);
    let source = DataSource { dataset: "made".to_owned(), is_simulated: true, description: "d".to_owned() };
    let report = Report {
        definition: &definition,
        source: &source,
        read: "40 hours",
        outcome: &outcome,
        environment: "here\n",
        machine: &Machine::default(),
    };
    let files = report.files().unwrap();
    let text = |name: &str| files.iter().find(|file| file.name == name).unwrap().text.clone();
    // 2 s and 4 s for two million frames: 1 and 2 for a million, mean 1.5, and half of that more for the other group.
    let costs = text("extraction-costs.csv");
    assert!(costs.contains("low,2000000,2,1.5,") && costs.contains("paper,2000000,2,2.25,"), "{costs}");
    assert!(costs.lines().last().unwrap().contains(",1.5,"), "{costs}");
    assert!(text("report.md").contains("Time and memory of extraction"));
    assert!(text("seconds.svg").starts_with("<svg") && text("accepted.svg").starts_with("<svg"));
    assert!(!text("metrics.json").contains("2.25"), "what a clock said is not in the metrics");
}

#[test]
fn a_device_appears_after_a_day_of_silence() {
    let definition = Definition::from_toml("made.toml", DEFINITION).unwrap();
    let needs = definition.needs("made", "").unwrap();
    let shifted = |need: &Need| -> Vec<Labeled> {
        let mut rows = windows(need);
        for row in
            rows.iter_mut().filter(|row| row.instance.window_start >= Timestamp::from_seconds(30 * 3_600))
        {
            row.instance.window_start = row.instance.window_start.plus_nanos(24 * 3_600 * 1_000_000_000);
        }
        rows
    };
    let instances: Vec<(Need, Vec<Labeled>)> =
        needs.into_iter().map(|need| (need.clone(), shifted(&need))).collect();
    let material =
        Material { dataset: "made", overrides: "", instances: &instances, flows: &[], extraction_costs: &[] };
    let outcome = run(&definition, &material, NonZeroUsize::MIN, &mut Still).unwrap();
    check(&outcome, "appeared/low/60s", "asked", 2.0);
    check(&outcome, "low/60s", "asked", 40.0);
    assert!(outcome.clocked.is_empty(), "nobody measured");
}

/// A hub has ports and names of its own, so that nobody who does not know it accepts it.
#[test]
fn classes_that_were_left_out_are_strangers() {
    let text = DEFINITION
        .replace("name = 'paper'", "name = 'best'\ntraining = { recipe = 'best' }\nstrangers = true");
    let definition = Definition::from_toml("made.toml", &text).unwrap();
    let needs = definition.needs("made", "").unwrap();
    let with_hub = |need: &Need| -> Vec<Labeled> {
        let mut rows = windows(need);
        let hubs: Vec<Labeled> =
            rows.iter().filter(|row| row.label.as_ref().unwrap().class == "plug").map(hub).collect();
        rows.extend(hubs);
        rows
    };
    let instances: Vec<(Need, Vec<Labeled>)> =
        needs.into_iter().map(|need| (need.clone(), with_hub(&need))).collect();
    let material =
        Material { dataset: "made", overrides: "", instances: &instances, flows: &[], extraction_costs: &[] };
    let outcome = run(&definition, &material, NonZeroUsize::MIN, &mut Still).unwrap();
    // Twenty windows of each of three classes, of which half have nothing after 10 s.
    check(&outcome, "best/60s", "strangers_answered", 60.0);
    check(&outcome, "best/10s", "strangers_answered", 30.0);
    for time in ["10s", "60s", "whole"] {
        check(&outcome, &format!("best/{time}"), "strangers_rejected", 1.0);
    }
    assert!(number(&outcome, "best/60s", "accepted") > 0.9);
    assert!(outcome.metrics.get("low/60s", "strangers_rejected").is_none(), "nobody asked");
}

/// Of another data set, hubs are strangers, and cameras and plugs are known.
#[test]
fn devices_of_other_data_sets_are_strangers() {
    let text = DEFINITION
        .replace("runs = 2", "runs = 2\nothers = ['elsewhere', 'gone']")
        .replace("name = 'paper'", "name = 'best'\ntraining = { recipe = 'best' }");
    let definition = Definition::from_toml("made.toml", &text).unwrap();
    assert_eq!(definition.others("made"), ["elsewhere", "gone"]);
    let own = definition.needs("made", "").unwrap().into_iter().map(|need| (need.clone(), windows(&need)));
    let foreign = definition.needs("elsewhere", "").unwrap().into_iter().map(|need| {
        let known = windows(&need);
        let rows = known.iter().filter(|row| row.label.as_ref().unwrap().class == "plug").map(hub);
        (need, rows.chain(known.iter().cloned()).collect())
    });
    let instances: Vec<(Need, Vec<Labeled>)> = own.chain(foreign).collect();
    let material =
        Material { dataset: "made", overrides: "", instances: &instances, flows: &[], extraction_costs: &[] };
    let outcome = run(&definition, &material, NonZeroUsize::MIN, &mut Still).unwrap();
    check(&outcome, "best/60s", "others_answered", 40.0);
    check(&outcome, "best/10s", "others_answered", 20.0);
    check(&outcome, "best/60s", "others_rejected", 1.0);
    check(&outcome, "best/whole", "others_rejected", 1.0);
    assert!(
        outcome.remarks.iter().any(|remark| remark.starts_with("gone: left out")),
        "{:?}",
        outcome.remarks
    );
}

/// A window of a hub that is made of a plug's.
fn hub(row: &Labeled) -> Labeled {
    let mut instance = row.instance.clone();
    instance.device = DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 9]));
    instance.bags.insert(BagName::PORTS, Bag::from([("1900".to_owned(), 1)]));
    if instance.bags.get(BagName::DOMAINS).is_some_and(|bag| !bag.is_empty()) {
        instance.bags.insert(BagName::DOMAINS, Bag::from([("hub.example".to_owned(), 1)]));
    }
    Labeled { instance, label: Some(Label::new("hub", Kind::Iot)) }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let refused = |from: &str, to: &str, field: &str| {
        let text = DEFINITION.replace(from, to);
        let error = Definition::from_toml("made.toml", &text).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    };
    refused("[10, 60]", "[60, 10]", "analysis.seconds");
    refused("[10, 60]", "[]", "analysis.seconds");
    refused("runs = 2", "runs = 0", "analysis.runs");
    refused("name = 'paper'", "name = 'low'", "analysis.group");
    refused("name = 'paper'", "name = 'appeared'", "analysis.group");
    refused("time=0.5", "cv=5", "analysis.split");
}
