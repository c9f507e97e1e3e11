//! What a profile may say about the hours in which a device is seen, and about what it does in them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod one_device;

use std::collections::BTreeSet;

use one_device::{DATASET, FILE, read};
use thingprint_sim::{Home, Simulation, SimulationOptions};

const SCALE: &str = r#"
label = "scale"
kind = "iot"
description = "a scale"

[[unit]]
name = "scale"
mac = "a8:40:7c:21:00:17"
host = 31

[stack]
mss = 1460
offload_bytes = 2920

[phase.talks]
share = 0.5

[presence.hours]
seen = 12
rhythm = "morning"
keeps_address = true

[[connection]]
name = "weight"
when = { hourly = 2 }
speaks = "udp"
names = { "weights.example" = 1 }
port = 7000
other_ports = { count = 9, low = 7001, high = 7100, chance = 0.5 }
talk = [{ up_bytes = 100, down_bytes = 50 }]

[[connection]]
name = "somebody asks"
when = { hourly = 1, during = "talks" }
speaks = "tcp"
address = "10.1.2.1"
incoming = true
port = 80
talk = [{ up_bytes = 100, down_bytes = 900 }]
"#;

/// Every frame of the trace: its hour, counted from the beginning, and its bytes.
fn play(home: &Home, (start_hour, hours): (u32, u32)) -> Vec<(i64, Vec<u8>)> {
    let start_s = home.trace.unwrap().start_s;
    let options = SimulationOptions {
        start_s: start_s + i64::from(start_hour) * 3600,
        duration_s: u64::from(hours) * 3600,
        ..SimulationOptions::default()
    };
    let mut simulation = Simulation::new(home, options).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = simulation.next_frame() {
        frames.push(((frame.time_ns / 1_000_000_000 - start_s) / 3600, frame.bytes.to_vec()));
    }
    frames
}

fn hours_of(frames: &[(i64, Vec<u8>)]) -> BTreeSet<i64> {
    frames.iter().map(|(hour, _)| *hour).collect()
}

#[test]
fn a_device_is_heard_in_its_hours_and_never_else() {
    let home = read(DATASET, SCALE).unwrap();
    let hours = hours_of(&play(&home, (0, 240)));
    assert_eq!(hours.len(), 12);
    // The trace begins at midnight, local time.
    assert!(hours.iter().all(|hour| (6..9).contains(&(hour % 24))), "{hours:?}");
    let spells = SCALE.replace("rhythm = \"morning\"", "spells = 3");
    let hours = hours_of(&play(&read(DATASET, &spells).unwrap(), (0, 240)));
    assert_eq!(hours.len(), 12);
    assert_eq!(hours.iter().filter(|hour| !hours.contains(&(**hour - 1))).count(), 3, "{hours:?}");
}

#[test]
fn the_hours_are_the_same_whenever_the_simulation_begins() {
    let home = read(DATASET, SCALE).unwrap();
    let whole = hours_of(&play(&home, (0, 240)));
    let part = hours_of(&play(&home, (100, 90)));
    let expected: BTreeSet<i64> = whole.into_iter().filter(|hour| (100..190).contains(hour)).collect();
    assert!(!expected.is_empty());
    assert_eq!(part, expected);
}

/// The UDP destination ports and TCP destination ports that the device, and whoever else, sends to.
fn ports(frames: &[(i64, Vec<u8>)], protocol: u8, from_device: bool) -> BTreeSet<u16> {
    let device = [0xa8, 0x40, 0x7c, 0x21, 0, 0x17];
    let wanted = |frame: &&(i64, Vec<u8>)| {
        frame.1[12..14] == [8, 0] && frame.1[23] == protocol && (frame.1[6..12] == device) == from_device
    };
    frames.iter().filter(wanted).map(|(_, bytes)| u16::from_be_bytes([bytes[36], bytes[37]])).collect()
}

#[test]
fn ports_come_from_the_crowd_and_others_open_what_comes_in() {
    let home = read(DATASET, &SCALE.replace("seen = 12", "seen = 20")).unwrap();
    let frames = play(&home, (0, 240));
    let sent = ports(&frames, 17, true);
    assert!(sent.is_superset(&BTreeSet::from([53, 7000])));
    let crowd = sent.range(7001..=7100).count();
    assert!((3..=9).contains(&crowd) && sent.len() == crowd + 2, "{sent:?}");
    assert_eq!(ports(&frames, 6, false), BTreeSet::from([80]));
    let asked = hours_of(&frames.into_iter().filter(|(_, bytes)| bytes[23] == 6).collect::<Vec<_>>());
    assert!((3..=17).contains(&asked.len()), "half of 20 hours: {}", asked.len());
}

#[test]
fn unsupported_hours_phases_and_ports_are_refused() {
    let cases = [
        ("seen = 12", "seen = 241", "presence.hours.seen"),
        ("seen = 12", "seen = 0", "presence.hours.seen"),
        ("rhythm = \"morning\"", "rhythm = \"night\"", "presence.hours.rhythm"),
        ("rhythm = \"morning\"", "rhythm = \"morning\"\nspells = 2", "presence.hours.spells"),
        ("rhythm = \"morning\"", "spells = 13", "presence.hours.spells"),
        ("share = 0.5", "share = 1.5", "phase.talks.share"),
        ("during = \"talks\"", "during = \"sleeps\"", "connection[1].when.during"),
        ("hourly = 2", "hourly = 0", "connection[0].when.hourly"),
        ("hourly = 2", "hourly = 2, daily = 1", "connection[0].when"),
        ("low = 7001", "low = 7101", "connection[0].other_ports.low"),
        ("address = \"10.1.2.1\"", "names = { \"a.example\" = 1 }", "connection[1].incoming"),
        ("offload_bytes = 2920", "offload_bytes = 1000", "stack.offload_bytes"),
        ("offload_bytes = 2920", "offload_bytes = 20000", "stack.offload_bytes"),
    ];
    for (from, to, field) in cases {
        assert!(SCALE.contains(from), "{from}");
        let error = read(DATASET, &SCALE.replace(from, to)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{FILE}: field '{field}'")), "{error}");
    }
    let timeless = DATASET.replace("[trace]\nstart_s = 1475244000\nhours = 240\n", "");
    let error = read(&timeless, SCALE).unwrap_err().to_string();
    assert!(error.contains("'presence.hours'") && error.contains("trace"), "{error}");
    for (from, to) in [("hours = 240", "hours = 0"), ("start_s = 1475244000", "start_s = 1475244001")] {
        let error = read(&DATASET.replace(from, to), SCALE).unwrap_err().to_string();
        assert!(error.starts_with("dataset.toml: field 'trace."), "{error}");
    }
}

#[test]
fn the_public_days_have_a_class_for_each_address() {
    let dataset: toml::Table =
        toml::from_str(include_str!("../../../datasets/unsw2016/dataset.toml")).unwrap();
    assert_eq!(dataset["licence"].as_str().unwrap().split(',').next(), Some("MIT-0"));
    assert_eq!(dataset["labels"].as_str(), Some("devices.csv"));
    let rows: Vec<Vec<&str>> = include_str!("../../../datasets/unsw2016/devices.csv")
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(rows[0], ["mac", "label", "kind"]);
    let addresses: BTreeSet<&str> = rows[1..].iter().map(|row| row[0]).collect();
    assert_eq!((rows.len() - 1, addresses.len()), (29, 29));
    assert!(!addresses.contains("14:cc:20:51:33:ea"), "the gateway");
    let known: BTreeSet<String> =
        thingprint_sim::unsw28().unwrap().labels().into_iter().map(|device| device.label).collect();
    let strangers: BTreeSet<&str> =
        rows[1..].iter().map(|row| row[1]).filter(|label| !known.contains(*label)).collect();
    assert_eq!(strangers, BTreeSet::from(["Insteon Camera"]));
}
