//! What a home may say, and how it is told that it may not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod one_device;

use one_device::{DATASET, FILE, read};
use thingprint_sim::{Home, Kind, SimError, Simulation, SimulationOptions, Source, home, unsafe_home};

const LAMP: &str = r#"
label = "lamp"
kind = "iot"
description = "a lamp"

[[unit]]
name = "lamp"
mac = "a8:40:7c:21:00:17"
host = 31

[hello.main]
version = "1.2"
ciphers = "c02f-009c"
extensions = [0]

[[connection]]
name = "cloud"
when = { every_s = 60 }
speaks = "tls"
names = { "api.lumenhaus.example" = 1 }
port = 443
hello = "main"
lasts_s = 20
talk = [{ up_bytes = 100, down_bytes = [50, 90] }]

[[ntp]]
when = { daily = 4, rhythm = "evening" }
names = { "time.example" = 1 }
"#;

#[test]
fn the_default_home_has_eight_kinds_of_devices_and_a_laptop() {
    let home = home().unwrap();
    let labels = home.labels();
    assert_eq!(labels.iter().filter(|device| device.kind == Kind::Iot).count(), 8);
    let laptops: Vec<_> = labels.iter().filter(|device| device.kind == Kind::NonIot).collect();
    assert_eq!(laptops.len(), 1);
    assert_eq!((laptops[0].label.as_str(), laptops[0].mac.as_str()), ("laptop", "4e:83:d2:5f:a1:06"));
    assert_eq!(laptops[0].kind.to_string(), "non-iot");
    assert!(home.origin.contains("simulated"));
    assert!(!home.licence.is_empty());
}

#[test]
fn the_unsafe_home_has_a_device_for_each_rule_and_one_that_keeps_all() {
    let labels = unsafe_home().unwrap().labels();
    assert_eq!(labels.len(), 32);
    assert!(labels.iter().all(|device| device.kind == Kind::Iot && device.name == device.label));
}

#[test]
fn only_the_laptop_has_an_address_of_its_own_making() {
    for device in home().unwrap().labels() {
        let first = u8::from_str_radix(&device.mac[..2], 16).unwrap();
        assert_eq!(first & 2 == 2, device.kind == Kind::NonIot, "{}", device.name);
        assert_eq!(first & 1, 0, "{}", device.name);
    }
}

#[test]
fn a_small_home_is_read_and_played() {
    let home = read(DATASET, LAMP).unwrap();
    let options = SimulationOptions { duration_s: 600, ..SimulationOptions::default() };
    let mut simulation = Simulation::new(&home, options).unwrap();
    let mut frames = 0;
    while simulation.next_frame().is_some() {
        frames += 1;
    }
    // Ten connections of about twenty frames each.
    assert!((150..350).contains(&frames), "{frames}");
}

/// Checks that a home in which `from` reads `to` is refused by file, place and reason.
fn check_refused((from, to): (&str, &str), file: &str, parts: &[&str]) {
    assert!(DATASET.contains(from) || LAMP.contains(from), "{from}");
    let error = read(&DATASET.replace(from, to), &LAMP.replace(from, to)).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with(&format!("{file}: ")), "{message}");
    for part in parts {
        assert!(message.contains(part), "{message} lacks {part}");
    }
}

#[test]
fn fields_that_are_unknown_missing_or_of_the_wrong_kind_are_refused_by_file_and_line() {
    let lamp = FILE;
    check_refused(("host = 31", "host = 31\ncolour = 1"), lamp, &["line 10", "unknown field `colour`"]);
    check_refused(("port = 443", "prot = 443"), lamp, &["unknown field `prot`"]);
    check_refused(("every_s = 60", "evry_s = 60"), lamp, &["unknown field `evry_s`"]);
    check_refused(("[50, 90]", "[90, 50]"), lamp, &["the first of two numbers is the smaller"]);
    check_refused(("[50, 90]", "{ median = 5, spred = 1 }"), lamp, &["unknown field `spred`"]);
    check_refused(("\"c02f-009c\"", "\"c02f-9c\""), lamp, &["invalid cipher suite '9c'"]);
    check_refused(("\"iot\"", "\"toaster\""), lamp, &["unknown variant `toaster`"]);
    check_refused(("label = \"lamp\"\n", ""), lamp, &["missing field `label`"]);
    check_refused(("lease_s = 3600", "lease = 3600"), "dataset.toml", &["unknown field `lease`"]);
    check_refused(("a8:40:7c:21:00:17", "a9:40:7c:21:00:17"), lamp, &["invalid MAC address"]);
}

#[test]
fn unsupported_values_are_refused_by_file_and_field() {
    let lamp = FILE;
    check_refused(
        ("hello = \"main\"", "hello = \"other\""),
        lamp,
        &["'connection[0].hello'", "unknown hello"],
    );
    check_refused(("hello = \"main\"\n", ""), lamp, &["'connection[0].hello'"]);
    let answer = ("extensions = [0]", "extensions = [0]\nanswer_version = \"1.3\"");
    check_refused(answer, lamp, &["'hello.main.answer_version'", "newer"]);
    let answer = ("extensions = [0]", "extensions = [0]\nanswer_cipher = \"c030\"");
    check_refused(answer, lamp, &["'hello.main.answer_cipher'", "one of the suites"]);
    let lists = ("extensions = [0]", "extensions = [0]\nlists = 3");
    check_refused(lists, lamp, &["'hello.main.lists'", "number of suites"]);
    let mode = ("\"time.example\" = 1 }", "\"time.example\" = 1 }\nmode = 6");
    check_refused(mode, lamp, &["'ntp[0].mode'"]);
    check_refused(("rhythm = \"evening\"", "rhythm = \"night\""), lamp, &["'ntp[0].when.rhythm'"]);
    check_refused(("every_s = 60", "every_s = 60, daily = 2"), lamp, &["'connection[0].when'"]);
    check_refused(("every_s = 60", "every_s = 0"), lamp, &["'connection[0].when.every_s'"]);
    check_refused(("every_s = 60", "daily = -1"), lamp, &["'connection[0].when.daily'"]);
    let peer = ("names = { \"api.lumenhaus.example\" = 1 }", "peer = \"nobody\"");
    check_refused(peer, lamp, &["'connection[0].peer'"]);
    let both = ("port = 443", "address = \"192.0.2.1\"\nport = 443");
    check_refused(both, lamp, &["'connection[0]'", "exactly one"]);
    check_refused(("\"time.example\" = 1", "\"time.example\" = 0"), lamp, &["'ntp[0].names.time.example'"]);
    let talk = ("lasts_s = 20\ntalk = [{ ", "talk = [{ when = { every_s = 5 }, ");
    check_refused(talk, lamp, &["'connection[0].talk[0].when'", "lasts_s"]);
    check_refused(("host = 31", "host = 1"), lamp, &["'unit[0].host'"]);
    check_refused(("a8:40:7c:21:00:17", "a8:40:7c:00:10:01"), lamp, &["'unit[0].mac'", "gateway"]);
    check_refused(("10.1.2.0", "8.1.2.0"), "dataset.toml", &["'network.prefix'"]);
    check_refused(("loss = 0", "loss = 1"), "dataset.toml", &["'network.loss'"]);
    check_refused((" 1, 2, 2, 1,", " 0, 0, 0, 0,"), "dataset.toml", &["'rhythm.evening.hours'"]);
}

#[test]
fn two_devices_do_not_share_a_name_an_address_or_a_place() {
    for (from, to, field) in [
        ("name = \"lamp\"", "name = \"lamp\"", "unit[0].name"),
        ("name = \"lamp\"", "name = \"other\"", "unit[0].mac"),
    ] {
        let dataset = Source { file: "dataset.toml", text: DATASET };
        let second = LAMP.replace(from, to);
        let devices = [Source { file: "a.toml", text: LAMP }, Source { file: "b.toml", text: &second }];
        let message = Home::from_toml(&dataset, &devices).unwrap_err().to_string();
        assert!(message.starts_with(&format!("b.toml: field '{field}'")), "{message}");
    }
}

#[test]
fn a_home_changed_into_nonsense_is_refused_before_it_is_played() {
    let mut home = read(DATASET, LAMP).unwrap();
    home.profiles[0].stack.mss = 0;
    let error = Simulation::new(&home, SimulationOptions::default()).err().unwrap();
    assert!(error.to_string().contains(&format!("{FILE}: field 'stack.mss'")), "{error}");
}

#[test]
fn a_span_outside_a_capture_s_clock_is_refused() {
    let home = read(DATASET, LAMP).unwrap();
    for (start_s, duration_s) in [(-1, 60), (0, u64::MAX), (i64::MAX, 60), (1 << 32, 1)] {
        let options = SimulationOptions { start_s, duration_s, ..SimulationOptions::default() };
        let error = Simulation::new(&home, options).err().unwrap();
        assert!(matches!(error, SimError::Span { .. }), "{error}");
    }
}
