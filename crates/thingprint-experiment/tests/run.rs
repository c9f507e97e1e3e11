//! Experiments on made instances: five classes that are easy to tell apart, and one that looks like another.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::num::NonZeroUsize;

use thingprint_experiment::{
    Cast, DataSource, Definition, FlowRecord, Lap, Machine, Material, Outcome, Report, ResultFile, Section,
    Side, Strike, Watch, run,
};
use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{
    Attribute, Attributes, Bag, BagName, Bags, Counts, EvidenceSet, Instance, Kind, Label, Labeled, Spreads,
};

const CLASSES: [&str; 6] = ["bulb", "camera", "hub", "laptop", "plug", "twin"];
const HOURS: i64 = 60;

/// A watch that stands still.
struct Still;

impl Watch for Still {
    fn lap(&mut self) -> Lap {
        Lap::default()
    }

    fn step(&mut self, _: &str) {}

    fn chatter(&mut self, _: bool) {}
}

fn device(number: usize, unit: u8) -> DeviceId {
    DeviceId::Mac(MacAddr::new([2, 0, 0, 0, u8::try_from(number).unwrap(), unit]))
}

/// An hour of a class. The twin does what the plug does.
fn row(number: usize, hour: i64) -> Labeled {
    let class = CLASSES[number];
    let look = if class == "twin" { 4 } else { number };
    let level = 100.0 * (look as f64 + 1.0) + (hour % 7) as f64;
    let mut attributes = Attributes::default();
    for attribute in EvidenceSet::paper().numbers() {
        attributes.set(attribute, Some(level));
    }
    if hour % 5 == 0 {
        attributes.set(Attribute::NTP_INTERVAL_S, None);
    }
    let bag = |word: String| Bag::from([(word, 1 + hour.unsigned_abs() % 3), ("53".to_owned(), 1)]);
    let lists = if hour % 2 == 0 { Bag::from([(format!("c02{look}-c014"), 1)]) } else { Bag::new() };
    let bags = Bags::from([
        (BagName::PORTS, bag(format!("{}", 1_000 + look))),
        (BagName::DOMAINS, bag(format!("{look}.example"))),
        (BagName::CIPHER_SUITES, lists),
    ]);
    let instance = Instance {
        device: device(number, u8::try_from(hour % 2).unwrap()),
        window_start: Timestamp::from_seconds(3_600 * hour),
        window_s: 3_600.0,
        capture: None,
        attributes,
        bags,
        counts: Counts::default(),
        spread: Spreads::new(),
    };
    let kind = if class == "laptop" { Kind::NonIot } else { Kind::Iot };
    Labeled { instance, label: Some(Label::new(class, kind)) }
}

fn rows(classes: usize) -> Vec<Labeled> {
    (0..classes).flat_map(|number| (0..HOURS).map(move |hour| row(number, hour))).collect()
}

fn definition(seeds: &str, rest: &str) -> Definition {
    let head =
        "name = 'made'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\ndata = ['made']\n";
    Definition::from_toml("made.toml", &format!("{head}seeds = {seeds}\n{rest}")).unwrap()
}

fn outcome_of(definition: &Definition, rows: &[Labeled], flows: &[FlowRecord], jobs: usize) -> Outcome {
    let needs = definition.needs("made", "").unwrap();
    let instances: Vec<_> = needs.into_iter().map(|need| (need, rows.to_vec())).collect();
    let material =
        Material { dataset: "made", overrides: "", instances: &instances, flows, extraction_costs: &[] };
    run(definition, &material, NonZeroUsize::new(jobs).unwrap(), &mut Still).unwrap()
}

fn files_of(definition: &Definition, outcome: &Outcome) -> Vec<ResultFile> {
    let source =
        DataSource { dataset: "made".to_owned(), is_simulated: true, description: "Made up.".to_owned() };
    Report {
        definition,
        source: &source,
        read: "12 hours",
        outcome,
        environment: "here\n",
        machine: &Machine::default(),
    }
    .files()
    .unwrap()
}

fn number(outcome: &Outcome, scenario: &str, metric: &str) -> f64 {
    outcome.metrics.get(scenario, metric).unwrap_or_else(|| unreachable!("{scenario} {metric}")).mean
}

/// The cells of a section's table as people read them.
fn texts(section: &Section) -> Vec<Vec<String>> {
    let row =
        |row| (0..section.table.columns().len()).map(|column| section.table.text(column, row)).collect();
    (0..section.table.rows()).map(row).collect()
}

const TABLE_2: &str = "[analysis.scenarios]\nscenarios = ['ports', 'final']\nshow = ['classes', 'confusion', 'confidence', 'cost']\n";

#[test]
fn scenarios_are_trained_evaluated_and_shown() {
    let definition = definition("[1, 2]", TABLE_2);
    let outcome = outcome_of(&definition, &rows(5), &[], 1);
    assert!(number(&outcome, "final", "accuracy") > 0.99);
    assert!(number(&outcome, "final", "rrse") < 20.0);
    assert!(number(&outcome, "final", "correct[plug]") > 0.99);
    let names: Vec<&str> = outcome.sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["summary", "seeds", "classes-ports", "classes-final", "confusion", "confidence"]);
    // 70 % of 300 instances train, the others test, once for each seed.
    let confusion = outcome.sections.iter().find(|section| section.name == "confusion").unwrap();
    let counted: f64 = texts(confusion).iter().flatten().filter_map(|value| value.parse::<f64>().ok()).sum();
    assert!((counted - 180.0).abs() < f64::EPSILON, "{counted}");
    assert_eq!(outcome.costs["final"].len(), 2);
    let files = files_of(&definition, &outcome);
    for name in ["report.md", "report.html", "metrics.json", "confusion.svg", "confidence.svg", "costs.csv"] {
        assert!(files.iter().any(|file| file.name == name && !file.text.is_empty()), "{name}");
    }
}

/// Accuracy and error are in the files, to be worked out again.
#[test]
fn every_measure_follows_from_the_answers() {
    let text = "[analysis.scenarios]\nscenarios = ['ports', 'final']\nshow = ['answers']\n";
    let definition = definition("[1]", text);
    let outcome = outcome_of(&definition, &rows(6), &[], 1);
    let files = files_of(&definition, &outcome);
    let csv = |name: &str| -> Vec<Vec<String>> {
        let file = files.iter().find(|file| file.name == name).unwrap();
        file.text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let (answers, priors) = (csv("answers.csv"), csv("priors.csv"));
    let classes: Vec<&str> = answers[0][3..].iter().map(|name| &name[3..name.len() - 1]).collect();
    assert_eq!(classes, CLASSES);
    let number = |text: &String| text.parse::<f64>().unwrap();
    let (mut right, mut error, mut prior_error) = (0.0, 0.0, 0.0);
    for row in &answers[1..] {
        right += f64::from(u8::from(row[0] == row[1]));
        for (at, class) in classes.iter().enumerate() {
            let hit = f64::from(u8::from(row[0] == *class));
            error += (number(&row[3 + at]) - hit).powi(2);
            prior_error += (number(&priors[1 + at][2]) - hit).powi(2);
        }
    }
    let accuracy = right / (answers.len() - 1) as f64;
    let rrse = 100.0 * (error / prior_error).sqrt();
    let measured = |metric: &str| outcome.metrics.get("final", metric).unwrap().mean;
    assert!((accuracy - measured("accuracy")).abs() < 1e-12 && accuracy < 1.0, "{accuracy}");
    assert!((rrse - measured("rrse")).abs() < 1e-9, "{rrse}");
}

#[test]
fn what_differs_from_the_paper_comes_first() {
    let text = "[analysis.scenarios]\nscenarios = ['final']\n[analysis.scenarios.paper.final]\nbulb = 100\n\
                camera = 60\nhub = 10\nghost = 50\n[analysis.scenarios.mistaken.final]\nhub = 'plug: 90 %'\n";
    let outcome = outcome_of(&definition("[1]", text), &rows(5), &[], 1);
    assert_eq!(outcome.absent, ["ghost"]);
    let section = outcome.sections.iter().find(|section| section.name == "differences").unwrap();
    assert!(section.prose.starts_with("2 of 3 pairs"), "{}", section.prose);
    let texts = texts(section);
    assert_eq!((&*texts[0][1], &*texts[0][5], &*texts[0][7]), ("hub", "90.0 %", "plug: 90 %"));
    assert_eq!((&*texts[1][1], &*texts[1][5], &*texts[1][7]), ("camera", "40.0 %", "-"));
}

#[test]
fn variants_that_differ_in_punctuation_have_files_of_their_own() {
    let text = "[analysis.scenarios]\nscenarios = ['final']\nshow = ['classes']\n\
                [[analysis.scenarios.variant]]\nname = '66 %'\n[[analysis.scenarios.variant]]\nname = '66 !'\n";
    let definition = definition("[1]", text);
    let outcome = outcome_of(&definition, &rows(3), &[], 1);
    let names: Vec<String> = files_of(&definition, &outcome).into_iter().map(|file| file.name).collect();
    let tables: Vec<&String> = names.iter().filter(|name| name.starts_with("classes-")).collect();
    assert_eq!(tables, ["classes-66---final.csv", "classes-66---final-2.csv"]);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let definition = definition("[1]", TABLE_2);
    let rows = rows(6);
    let files = |jobs| files_of(&definition, &outcome_of(&definition, &rows, &[], jobs));
    assert_eq!(files(1), files(3));
}

#[test]
fn two_classes_that_look_alike_are_taken_for_each_other() {
    let outcome = outcome_of(&definition("[1, 2, 3]", TABLE_2), &rows(6), &[], 2);
    assert!(number(&outcome, "final", "correct[bulb]") > 0.99);
    assert!(number(&outcome, "final", "correct[twin]") + number(&outcome, "final", "correct[plug]") < 1.6);
    assert!(number(&outcome, "final", "confidence_wrong") < number(&outcome, "final", "confidence_right"));
}

#[test]
fn a_variant_that_this_data_cannot_test_is_left_out() {
    let text = "[analysis.scenarios]\nscenarios = ['final']\n[[analysis.scenarios.variant]]\nname = 'random'\n\
                [[analysis.scenarios.variant]]\nname = 'unit'\nsplit = 'unit=0.5'\n";
    let definition = definition("[1]", text);
    let single: Vec<Labeled> = rows(5)
        .into_iter()
        .filter(|row| row.instance.window_start.as_nanos() / 3_600_000_000_000 % 2 == 0)
        .collect();
    let outcome = outcome_of(&definition, &single, &[], 1);
    assert!(outcome.metrics.get("random/final", "accuracy").is_some());
    assert!(outcome.metrics.get("unit/final", "accuracy").is_none());
    assert!(
        outcome.remarks.iter().any(|remark| remark.starts_with("unit: left out")),
        "{:?}",
        outcome.remarks
    );
    let with_units = outcome_of(&definition, &rows(5), &[], 1);
    assert!(number(&with_units, "unit/final", "accuracy") > 0.9);
}

#[test]
fn more_days_train_on_more_instances() {
    let outcome =
        outcome_of(&definition("[1]", "[analysis.training-time]\ndays = [1, 2, 128]\n"), &rows(5), &[], 1);
    let trained_on = |days: &str| number(&outcome, days, "trained_on");
    // Two devices a class, each with 30 hours: a day is 24 of them, of which about 70 % train.
    assert!(trained_on("1-days") < trained_on("2-days"));
    assert!((trained_on("2-days") - 210.0).abs() < f64::EPSILON);
    assert!(number(&outcome, "2-days", "accuracy") > 0.99);
    // Two days take in everything.
    assert!(outcome.metrics.get("128-days", "accuracy").is_none());
    assert!(
        outcome.remarks.iter().any(|remark| remark.contains("more than 2 days")),
        "{:?}",
        outcome.remarks
    );
}

#[test]
fn merits_are_ranked() {
    let outcome = outcome_of(&definition("[1]", "[analysis.merits]\n"), &rows(5), &[], 1);
    // Five classes of equal size that an attribute tells apart: log2 5 bits, but for the draw of the split.
    let merit = number(&outcome, "merit", "flow_volume_bytes");
    assert!((merit - 5.0_f64.log2()).abs() < 0.05, "{merit}");
    assert!(number(&outcome, "rank", "ntp_interval_s") > number(&outcome, "rank", "flow_volume_bytes"));
    assert!(outcome.metrics.get("rank", "ports_confidence").is_none());
}

#[test]
fn a_class_like_no_other_is_refused_and_a_twin_is_not() {
    let outcome = outcome_of(&definition("[1]", "[analysis.leave-one-out]\n"), &rows(6), &[], 2);
    assert!(number(&outcome, "final", "rejected[plug]") < 0.1);
    assert!(number(&outcome, "final", "auroc[bulb]") > number(&outcome, "final", "auroc[plug]"));
    let section = &outcome.sections[0];
    let texts = texts(section);
    let plug = texts.iter().find(|row| row[0] == "plug").unwrap();
    assert_eq!(plug[6], "twin: 100 %");
}

/// Attacks on every device at two rates: the lower one is two flows to a new port, the higher one three.
const CHANGE: &str = "[analysis.attacks.change]\nextraction = { options = 'evidence=all' }\ntrain = 0.5\n\
                      kinds = [{ telnet-scan = { port = 23 } }]\nrates_pps = [0.1, 1]\nstart_s = 0\nduration_s = 600\n\
                      rounds = 2\n";

#[test]
#[expect(clippy::float_cmp, reason = "counts, and shares that are 0 or 1")]
fn attacks_on_every_device_are_set_against_hours_without_one() {
    let text =
        format!("{CHANGE}[[expect]]\nscenario = 'change/telnet-scan-0.1'\nmetric = 'detected'\nlow = 0.1\n");
    let definition = definition("[1]", &text);
    let needs = definition.needs("made", "").unwrap();
    let mut normal = rows(5);
    let strikes = definition.analysis.injection().unwrap().strikes(&normal);
    // Two rates in two rounds on each of two units of five classes.
    assert_eq!(strikes.len(), 2 * 2 * 10);
    // A device alarms without an attack in an hour that is attacked at the higher rate: three flows to a new port.
    let high = strikes.iter().find(|strike| strike.rate_pps >= 1.0).unwrap();
    let place = |row: &Labeled| (row.instance.device, row.instance.window_start);
    let own = normal.iter_mut().find(|row| place(row) == (high.device, high.window_start)).unwrap();
    add_flows(own, "9", 3);
    // There is no attacked hour for one of the strikes.
    let lost = strikes.iter().find(|strike| strike.rate_pps < 1.0).unwrap();
    let mut attacked = rows(5);
    attacked.retain_mut(|row| {
        let of_row = |strike: &&Strike| {
            (strike.device, strike.window_start) == (row.instance.device, row.instance.window_start)
        };
        let Some(strike) = strikes.iter().find(of_row).filter(|strike| *strike != lost) else { return false };
        add_flows(row, "23", if strike.rate_pps < 1.0 { 2 } else { 3 });
        true
    });
    let instances: Vec<_> = needs
        .into_iter()
        .map(|need| {
            let rows = if need.is_injected { attacked.clone() } else { normal.clone() };
            (need, rows)
        })
        .collect();
    let material =
        Material { dataset: "made", overrides: "", instances: &instances, flows: &[], extraction_costs: &[] };
    let outcome = run(&definition, &material, NonZeroUsize::MIN, &mut Still).unwrap();
    let found = |rate: &str, metric: &str| number(&outcome, &format!("change/telnet-scan-{rate}"), metric);
    assert_eq!([found("0.1", "planned"), found("1", "planned")], [20.0, 20.0]);
    assert_eq!([found("0.1", "hours"), found("1", "hours")], [19.0, 20.0]);
    assert_eq!(
        [found("0.1", "detected"), found("1", "detected")],
        [0.0, 0.95],
        "an alarm of its own is none"
    );
    assert_eq!([found("0.1", "alarm_without"), found("1", "alarm_without")], [0.0, 0.05]);
    assert!(outcome.remarks.iter().any(|remark| remark.starts_with("1 of 40 planned attacks")));
    assert!(found("1", "correct") > 0.9, "the classifier does not see it");
    let clean = |metric: &str| number(&outcome, "change/clean", metric);
    assert_eq!([clean("hours"), clean("alarms"), clean("network_events")], [150.0, 1.0, 0.0]);
    assert!((clean("alarms_per_device_week") - 168.0 / 150.0).abs() < 1e-9);
    let names: Vec<&str> = outcome.sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["change", "false-alarms", "missed"]);
    assert_eq!(texts(&outcome.sections[2]).len(), 11, "each device is missed at the lower rate");
}

fn add_flows(row: &mut Labeled, port: &str, flows: u64) {
    let mut ports = row.instance.bags.get(BagName::PORTS).cloned().unwrap_or_default();
    ports.insert(port.to_owned(), flows);
    row.instance.bags.insert(BagName::PORTS, ports);
}

#[test]
fn attacked_hours_are_planned_by_an_extraction_of_their_own() {
    let attack = "[[analysis.attacks.attack]]\nkind = 'tcp-syn'\nrate_pps = 1\ntarget = 'camera'\nport = 80\nhours = 2\n";
    let head = "name = 'x'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\ndata = ['a', 'b']\nseeds = [1]\n";
    let read = |text: &str| Definition::from_toml("x.toml", text);
    let both = format!("{head}[analysis.attacks]\ndata = ['a']\n{CHANGE}{attack}");
    let definition = read(&both).unwrap();
    let needs = |dataset: &str| definition.needs(dataset, "").unwrap().len();
    assert_eq!((needs("a"), needs("b")), (4, 3), "the data set without the target has no attack on it");
    for (scenario, metric) in [("change/clean", "detected"), ("change/telnet-scan-1", "alarms")] {
        let expect = format!("[[expect]]\nscenario = '{scenario}'\nmetric = '{metric}'\nlow = 0\n");
        assert!(read(&format!("{both}{expect}")).is_err(), "{scenario} has no {metric}");
    }
    let shared = both.replace("extraction = { options = 'evidence=all' }\n", "");
    let error = read(&shared).unwrap_err().to_string();
    assert!(error.contains("analysis.change.extraction"), "{error}");
}

#[test]
fn an_attack_is_looked_at_beside_normal_traffic() {
    let text = "[analysis.attacks]\n[[analysis.attacks.attack]]\nkind = 'tcp-syn'\nrate_pps = 10\ntarget = 'camera'\n\
                port = 80\nhours = 2\n";
    let definition = definition("[1]", text);
    let normal = rows(5);
    let needs = definition.needs("made", "").unwrap();
    // Under attack the camera looks like the hub in everything but its ports.
    let mut attacked: Vec<Labeled> = (0..10).map(|hour| row(1, hour)).collect();
    for row in &mut attacked {
        for attribute in EvidenceSet::paper().numbers() {
            row.instance.attributes.set(attribute, Some(301.0));
        }
    }
    let instances: Vec<_> = needs
        .into_iter()
        .map(|need| {
            let rows = if need.attack.is_some() { attacked.clone() } else { normal.clone() };
            (need, rows)
        })
        .collect();
    let material =
        Material { dataset: "made", overrides: "", instances: &instances, flows: &[], extraction_costs: &[] };
    let outcome = run(&definition, &material, NonZeroUsize::MIN, &mut Still).unwrap();
    assert!(number(&outcome, "normal", "confidence") > 0.95);
    assert!(number(&outcome, "tcp-syn-10", "confidence") < number(&outcome, "normal", "confidence"));
    assert!((number(&outcome, "tcp-syn-10", "instances") - 10.0).abs() < f64::EPSILON);
}

#[test]
fn worked_numbers_are_counts_of_the_training_part() {
    let text = "[analysis.worked]\nbag = 'ports'\n[analysis.worked.priors]\nplug = 0.2\n\
                [[analysis.worked.word]]\nword = '9999'\nclass = 'plug'\npaper = 0.001\n\
                [[analysis.worked.ask]]\nwords = { '1004' = 3 }\ntruth = 'plug'\npaper = 'plug'\n";
    let outcome = outcome_of(&definition("[1]", text), &rows(5), &[], 1);
    let section = &outcome.sections[0];
    let unseen = section.table.text(4, 0);
    assert!(unseen.starts_with("1 / "), "{unseen}");
    let prior = section.table.text(4, 1);
    assert!(prior.ends_with(" / 215"), "{prior}");
    assert!((number(&outcome, "ports", "as_in_paper[plug]") - 1.0).abs() < f64::EPSILON);
}

fn flows() -> Vec<FlowRecord> {
    let flow = |hour: i64| FlowRecord {
        class: "bulb".into(),
        device: device(0, 0),
        first: Timestamp::from_seconds(3_600 * hour),
        last: Timestamp::from_seconds(3_600 * hour + 60),
        bytes: 135,
        cast: if hour % 4 == 0 { Cast::Multicast } else { Cast::Unicast },
        side: if hour % 4 == 0 { Side::Lan } else { Side::Wan },
        protocol: if hour % 2 == 0 { 17 } else { 6 },
        server_port: 56_700,
        domain: (hour % 2 == 1).then(|| "bulb.example".into()),
    };
    (0..30).map(flow).collect()
}

#[test]
fn devices_are_characterised() {
    let text = "[analysis.characterise]\nmost_classes = 3\nmost_words = 2\n\
                [[analysis.characterise.share]]\nclass = 'bulb'\nattribute = 'flow_volume_bytes'\nlow = 130\nhigh = 140\n\
                paper = 0.26\nplace = 'Fig. 3a'\n";
    let definition = definition("[1]", text);
    let outcome = outcome_of(&definition, &rows(5), &flows(), 1);
    assert!((number(&outcome, "all", "instances") - 300.0).abs() < f64::EPSILON);
    assert!((number(&outcome, "bulb", "distinct_ports") - 2.0).abs() < f64::EPSILON);
    assert!((number(&outcome, "bulb", "empty_cipher_suites") - 0.5).abs() < f64::EPSILON);
    assert!((number(&outcome, "bulb", "share_flow_volume_bytes[130-140]") - 1.0).abs() < f64::EPSILON);
    assert!((number(&outcome, "bulb", "mode_flow_duration_s") - 60.0).abs() < f64::EPSILON);
    assert!((number(&outcome, "bulb", "mode_sleep_time_s") - 3_540.0).abs() < f64::EPSILON);
    let day = outcome.sections.iter().find(|section| section.name == "day-bulb").unwrap();
    let bytes: f64 = texts(day).iter().filter_map(|row| row[5].parse::<f64>().ok()).sum();
    assert!((bytes - 24.0 * 135.0).abs() < f64::EPSILON, "{bytes}");
    let files = files_of(&definition, &outcome);
    for name in ["flow-volume-bytes.svg", "ports.svg", "domains.svg", "cipher-lists.svg", "day-bulb.svg"] {
        assert!(files.iter().any(|file| file.name == name), "{name}");
    }
    let without = outcome_of(&definition, &rows(5), &[], 1);
    assert!(without.remarks.iter().any(|remark| remark.contains("hourly means")), "{:?}", without.remarks);
}

#[test]
fn folds_are_pooled_and_variants_compared() {
    let text = "[analysis.scenarios]\nscenarios = ['final']\nsplit = 'cv=3'\nshow = ['acceptance', 'comparison']\n\
                [[analysis.scenarios.variant]]\nname = 'paper'\n\
                [[analysis.scenarios.variant]]\nname = 'best'\ntraining = { recipe = 'best', evidence = 'paper' }\n\
                [[analysis.scenarios.variant]]\nname = 'joint'\nvoice = 'joint'\n\
                training = { recipe = 'best', evidence = 'paper' }\n\
                [[analysis.scenarios.variant]]\nname = 'volume'\n\
                training = { evidence = 'paper', without = 'ports,domains,cipher_suites' }\n\
                [[expect]]\nscenario = 'joint/final'\nmetric = 'set_size'\nlow = 1\n";
    let definition = definition("[1, 2]", text);
    let outcome = outcome_of(&definition, &rows(6), &[], 1);
    let section = |name: &str| texts(outcome.sections.iter().find(|section| section.name == name).unwrap());
    // Every window is tested, whatever the number of seeds.
    assert!(section("summary").iter().all(|row| row[2] == "360"), "{:?}", section("summary"));
    let compared = section("comparison");
    let names: Vec<(&str, &str)> = compared.iter().map(|row| (&*row[0], &*row[1])).collect();
    let against = "paper/final";
    assert_eq!(names, [("best/final", against), ("joint/final", against), ("volume/final", against)]);
    assert!(compared.iter().all(|row| row[2] == "360"), "{compared:?}");
    assert!(number(&outcome, "volume/final", "rrse_difference").abs() > 0.0);
    assert!((number(&outcome, "joint/final", "rrse") - number(&outcome, "best/final", "rrse")).abs() > 1e-6);
    // Plug and twin look alike, so that a set has both.
    assert!(number(&outcome, "best/final", "set_size") > 1.2);
    assert!(number(&outcome, "paper/final", "set_coverage") > 0.9);
    assert!(
        number(&outcome, "best/final", "coverage") <= number(&outcome, "best/final", "confident_coverage")
    );
    let files = files_of(&definition, &outcome);
    assert!(files.iter().any(|file| file.name == "comparison.csv"));
}

#[test]
fn short_windows_are_tested_where_their_hours_are() {
    let text = "[analysis.scenarios]\nscenarios = ['final']\nsplit = 'time=0.5'\nshow = ['comparison']\n\
                [[analysis.scenarios.variant]]\nname = 'hours'\n\
                [[analysis.scenarios.variant]]\nname = 'minutes'\ntested = { options = 'window=15m' }\n";
    let definition = definition("[1]", text);
    // Two quarters of each hour have a window.
    let quarters = |row: &Labeled| {
        [0, 45].map(|minute| {
            let mut row = row.clone();
            let start = row.instance.window_start.plus_nanos(minute * 60_000_000_000);
            (row.instance.window_start, row.instance.window_s) = (start, 900.0);
            row
        })
    };
    let hours = rows(5);
    let minutes: Vec<Labeled> = hours.iter().flat_map(quarters).collect();
    let tables = definition.needs("made", "").unwrap().into_iter().zip([hours, minutes]);
    let instances: Vec<_> = tables.collect();
    assert_eq!(instances.len(), 2);
    let material =
        Material { dataset: "made", overrides: "", instances: &instances, flows: &[], extraction_costs: &[] };
    let outcome = run(&definition, &material, NonZeroUsize::MIN, &mut Still).unwrap();
    let tested: Vec<String> = texts(&outcome.sections[0]).iter().map(|row| row[2].clone()).collect();
    assert_eq!(tested, ["150", "300"]);
    let is_compared = outcome.sections.iter().any(|section| section.name == "comparison");
    assert!(!is_compared, "an hour and the quarter that it begins with are different windows");
    assert!(
        outcome.remarks.iter().any(|remark| remark.contains("instances of window=15m")),
        "{:?}",
        outcome.remarks
    );
}

#[test]
fn labelled_windows_are_drawn_by_the_seed() {
    let text = "[analysis.training-time]\nwindows = [1, 4, 1000]\nsplit = 'time=0.5'\n";
    let outcome = outcome_of(&definition("[1, 2]", text), &rows(5), &[], 1);
    // Two devices of each of five classes; of each 15 hours train.
    let trained_on = |windows: &str| outcome.metrics.get(windows, "trained_on").map(|summary| summary.mean);
    assert_eq!([trained_on("1-windows"), trained_on("4-windows")], [Some(10.0), Some(40.0)]);
    assert_eq!(trained_on("1000-windows"), Some(150.0));
    // A device has fifteen windows to train on, so that sixteen take in all.
    let text = "[analysis.training-time]\nwindows = [1, 16, 20]\nsplit = 'time=0.5'\n";
    let outcome = outcome_of(&definition("[1]", text), &rows(5), &[], 1);
    let has = |windows: &str| outcome.metrics.get(windows, "trained_on").is_some();
    assert_eq!([has("16-windows"), has("20-windows")], [true, false]);
    let both = "[analysis.training-time]\nwindows = [1]\ndays = [1]\n";
    let head = "name = 'x'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\ndata = ['a']\nseeds = [1]\n";
    let refused = Definition::from_toml("x.toml", &format!("{head}{both}")).unwrap_err().to_string();
    assert!(refused.contains("either days or windows"), "{refused}");
    let folds = "[analysis.merits]\nsplit = 'cv=5'\n";
    let refused = Definition::from_toml("x.toml", &format!("{head}{folds}")).unwrap_err().to_string();
    assert!(refused.contains("analysis.split") && refused.contains("folds"), "{refused}");
}

#[test]
fn devices_of_another_network_are_asked_about() {
    let text = "[analysis.other-network]\nothers = ['made', 'far', 'gone']\nsplit = 'time=0.7'\n\
                training = { recipe = 'best', evidence = 'paper' }\n";
    let definition = definition("[1]", text);
    assert_eq!(definition.others("made"), ["far", "gone"]);
    let head = "name = 'x'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\ndata = ['a']\nseeds = [1]\n";
    for others in ["[]", "['far', 'far']", "['known']"] {
        let refused = format!("{head}{}", text.replace("['made', 'far', 'gone']", others));
        let error = Definition::from_toml("x.toml", &refused).unwrap_err().to_string();
        assert!(error.contains("analysis.others"), "{error}");
    }
    let own: Vec<Labeled> = rows(3);
    // The far network has the hub, too, and a camera that looks like nothing here.
    let far = |row: Labeled| {
        let mut row = row;
        if row.label.as_ref().unwrap().class == "plug" {
            row.instance.bags = Bags::from([(BagName::PORTS, Bag::from([("9".to_owned(), 3)]))]);
        }
        row
    };
    let far: Vec<Labeled> = rows(5)
        .into_iter()
        .filter(|row| ["hub", "plug"].contains(&row.label.as_ref().unwrap().class.as_str()))
        .map(far)
        .collect();
    let need = |dataset: &str| definition.needs(dataset, "").unwrap().remove(0);
    let instances = [(need("made"), own), (need("far"), far)];
    let material =
        Material { dataset: "made", overrides: "", instances: &instances, flows: &[], extraction_costs: &[] };
    let outcome = run(&definition, &material, NonZeroUsize::MIN, &mut Still).unwrap();
    assert!((number(&outcome, "far", "windows") - 60.0).abs() < f64::EPSILON);
    assert!((number(&outcome, "far", "rejected") - 1.0).abs() < f64::EPSILON);
    assert!((number(&outcome, "far", "devices_rejected") - 1.0).abs() < f64::EPSILON);
    assert!(number(&outcome, "known", "rejected") < 0.3);
    let remarks = outcome.remarks.join("\n");
    assert!(remarks.contains("60 windows of classes that are known are left out: hub"), "{remarks}");
    assert!(remarks.contains("gone: left out"), "{remarks}");
}

#[test]
fn likeness_separates_unknown_classes_where_the_recipe_has_it() {
    let text = "[analysis.leave-one-out]\ntraining = { recipe = 'best', evidence = 'paper' }\n\
                [[expect]]\nscenario = 'final'\nmetric = 'auroc_likeness_worst'\nlow = 0\n";
    let outcome = outcome_of(&definition("[1]", text), &rows(6), &[], 2);
    assert!(number(&outcome, "final", "auroc_likeness[bulb]") > 0.95);
    let worst = number(&outcome, "final", "auroc_likeness_worst");
    assert!(worst <= number(&outcome, "final", "auroc_likeness[twin]"));
    let paper = outcome_of(&definition("[1]", "[analysis.leave-one-out]\n"), &rows(5), &[], 1);
    assert!(paper.metrics.get("final", "auroc_likeness").is_none());
    assert!(texts(&outcome.sections[0])[0].len() > texts(&paper.sections[0])[0].len());
}
