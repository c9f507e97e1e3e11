//! Who labelled devices of real captures are, against a table of what they are.
#![allow(clippy::print_stdout, reason = "a test that is skipped says so, and this one says what it counted")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::stage::Stage;

/// What the devices are: written down from their labels and from public knowledge, before anything was measured.
const TRUTH: &str = include_str!("truth.csv");

/// A device of the table.
struct Known<'t> {
    source: &'t str,
    label: &'t str,
    fields: [(&'static str, &'t str); 3],
}

/// How often a field was right, empty and wrong.
#[derive(Debug, Default)]
struct Tally {
    right: usize,
    blank: usize,
    wrong: Vec<String>,
}

fn truth() -> Vec<Known<'static>> {
    let rows = TRUTH.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    rows.map(|row| Known {
        source: row[0],
        label: row[1],
        fields: [("vendor", row[2]), ("type", row[3]), ("model", row[4])],
    })
    .collect()
}

/// Rows of a label file, by the column of labels: the address, or folder and address.
fn labelled(path: &Path) -> Vec<(String, String, Option<String>)> {
    let text = std::fs::read_to_string(path).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|column| *column == name);
    let (mac, label, folder) = (at("mac").unwrap(), at("label").unwrap(), at("folder"));
    text.lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .map(|row| (row[label].to_owned(), row[mac].to_owned(), folder.map(|at| row[at].to_owned())))
        .collect()
}

/// The devices that captures have, by the command.
fn devices(stage: &Stage, captures: &[PathBuf]) -> Vec<Value> {
    let captures: Vec<String> = captures.iter().map(|path| path.display().to_string()).collect();
    let run = stage.run(&format!("devices {} --format jsonl -q", captures.join(" ")));
    assert!(matches!(run.status, 0 | 4), "{}", run.stderr);
    run.json_lines()
}

fn of_address<'d>(devices: &'d [Value], mac: &str) -> Option<&'d Value> {
    devices.iter().find(|device| device["device"] == mac)
}

/// What the captures show of the devices of the table, by source and label.
fn seen(stage: &Stage, data: &Path) -> BTreeMap<(String, String), Value> {
    let mut seen = BTreeMap::new();
    let mut add = |source: &str, label: &str, device: Option<&Value>| {
        if let Some(device) = device {
            seen.insert((source.to_owned(), label.to_owned()), device.clone());
        }
    };
    for folder in ["lsif", "locks", "unsw", "hue", "blink-hub"] {
        let found = devices(stage, &[data.join(folder)]);
        for (label, mac, _) in labelled(&data.join("labels/home.csv")) {
            add("home", &label, of_address(&found, &mac));
        }
    }
    let found = devices(stage, &[data.join("protoiot")]);
    for (label, mac, _) in labelled(&data.join("labels/protoiot.csv")) {
        add("protoiot", &label, of_address(&found, &mac));
    }
    for (label, mac, folder) in labelled(&data.join("labels/sentinel.csv")) {
        let found = devices(stage, &[data.join("sentinel").join(folder.unwrap())]);
        add("sentinel", &label, of_address(&found, &mac));
    }
    for known in truth().iter().filter(|known| known.source == "iotls") {
        let capture = data.join("protocols/iotls").join(format!("{}.pcap.gz", known.label));
        let found = devices(stage, &[capture]);
        let only_devices = found.iter().filter(|device| device["class"] == "device");
        // The capture of a device that boots is of its own port of the switch.
        let device = only_devices.max_by_key(|device| device["packets_up"].as_u64());
        add("iotls", known.label, device);
    }
    seen
}

/// Letters and digits alone, in lower case.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_right(field: &str, said: &str, expected: &str) -> bool {
    let (said, expected) = (bare(said), bare(expected));
    match field {
        "model" => said.contains(&expected) || expected.contains(&said),
        _ => said == expected,
    }
}

#[test]
fn labelled_devices_are_named_and_at_most_one_wrongly() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.exists() {
        println!("skipped: no captures of labelled devices");
        return;
    }
    let stage = Stage::new();
    let seen = seen(&stage, &data);
    let mut tallies: BTreeMap<(&str, &str), Tally> = BTreeMap::new();
    for Known { source, label, fields } in truth() {
        let Some(device) = seen.get(&(source.to_owned(), label.to_owned())) else {
            println!("{source} {label}: not seen");
            continue;
        };
        for (field, expected) in fields.into_iter().filter(|(_, expected)| !expected.is_empty()) {
            let tally = tallies.entry((field, source)).or_default();
            match device[field].as_str() {
                None => {
                    tally.blank += 1;
                    println!(
                        "{source} {label}: no {field} ({expected}) {}",
                        device["identity_contradictions"]
                    );
                }
                Some(said) if is_right(field, said, expected) => tally.right += 1,
                Some(said) => {
                    let reasons = &device["identity_reasons"];
                    tally.wrong.push(format!("{source} {label}: {field} {said}, not {expected}: {reasons}"));
                }
            }
        }
    }
    let mut wrong = Vec::new();
    for ((field, source), tally) in &tallies {
        println!(
            "{field} of {source}: {} right, {} blank, {} wrong",
            tally.right,
            tally.blank,
            tally.wrong.len()
        );
        wrong.extend(&tally.wrong);
    }
    assert!(wrong.len() <= 1, "{wrong:#?}");
    let value = |label: &str, field: &str| seen[&("iotls".to_owned(), label.to_owned())][field].clone();
    for (label, vendor) in [
        ("homepod", "Apple"),
        ("smartthings-hub", "SmartThings"),
        ("nest-tstat", "Nest"),
        ("fridge", "Samsung"),
    ] {
        assert_eq!(value(label, "vendor"), vendor, "{label}");
    }
    assert_eq!(
        (value("homepod", "model"), value("homepod", "type")),
        ("HomePod".into(), "smart-speaker".into())
    );
    assert_eq!(value("smartthings-hub", "type"), "hub");
}
