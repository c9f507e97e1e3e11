//! Accounts of a network of invented devices.

use serde_json::json;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{Attributes, Bag, BagName, Bags, Counts, Instance, Spreads};
use thingprint_watch::{
    Account, Event, EventKind, FindingRecord, SaidIdentity, Severity, Sighting, Standing, StandingChange,
    Update, WindowAnswer, WindowRecord, WordCount,
};

pub(crate) use crate::place::Place;

/// 2026-11-01T00:00:00Z.
pub(crate) const BEGIN: i64 = 1_793_491_200;

pub(crate) fn device(number: u16) -> DeviceId {
    let [high, low] = number.to_be_bytes();
    format!("70:ee:50:00:{high:02x}:{low:02x}").parse().unwrap()
}

/// So many hours after the begin.
pub(crate) fn hour(hours: i64) -> Timestamp {
    Timestamp::from_seconds(BEGIN + 3600 * hours)
}

pub(crate) fn sighting(number: u16, last_seen: Timestamp) -> Sighting {
    let words = |word: &str, count| vec![WordCount { word: word.to_owned(), count }];
    Sighting {
        device: device(number),
        gateway: None,
        is_randomised: false,
        addresses: vec![format!("192.168.1.{}", number % 250 + 1).parse().unwrap()],
        host_name: Some(format!("thing-number-{number}")),
        vendor_class: Some("udhcp 1.30".to_owned()),
        identity: Some(Box::new(identity())),
        names: words("api.example.com", 7),
        server_ports: words("tcp/443", 12),
        served_ports: Vec::new(),
        services: words("tls", 3),
        first_seen: hour(0),
        last_seen,
        packets_up: 100,
        packets_down: 200,
    }
}

/// A camera that behaves like a computer.
fn identity() -> SaidIdentity {
    serde_json::from_value(json!({
        "vendor": null,
        "model": { "value": "Eye 2", "certainty": "likely", "sources": ["ssdp"] },
        "type": { "value": "camera", "certainty": "declared", "sources": ["ssdp", "dns_sd"] },
        "name": null,
        "os": null,
        "contradictions": [{
            "field": "type",
            "said": "camera",
            "certainty": "declared",
            "of_class": "computer",
            "sources": ["ssdp", "dns_sd"],
        }],
    }))
    .unwrap()
}

pub(crate) fn window(number: u16, start: Timestamp) -> WindowRecord {
    WindowRecord {
        device: device(number),
        window_start: start,
        window_s: 3600.0,
        part: 0,
        is_cut: false,
        provisional_after_s: None,
        packets_up: 20,
        packets_down: 30,
        bytes_up: 1000,
        bytes_down: 5_000_000_000,
        flows: 2,
        sleep_time_s: Some(60.5),
        answer: Some(WindowAnswer {
            class: Some("Camera".to_owned()),
            best_guess: "Camera".to_owned(),
            confidence: 0.1 + 0.8,
            likeness: Some(0.5),
            reason: None,
            distribution: vec![0.9, 0.1 / 3.0, f64::MIN_POSITIVE],
        }),
        instance: Some(Box::new(instance(number, start))),
    }
}

pub(crate) fn instance(number: u16, start: Timestamp) -> Instance {
    let bag = |word: &str| Bag::from([(word.to_owned(), 3)]);
    Instance {
        device: device(number),
        window_start: start,
        window_s: 3600.0,
        capture: None,
        attributes: Attributes::default(),
        bags: Bags::from([
            (BagName::PORTS, bag("443")),
            (BagName::DOMAINS, bag("api.example.com")),
            (BagName::CIPHER_SUITES, Bag::new()),
        ]),
        counts: Counts {
            flows: 2,
            packets_up: 20,
            packets_down: 30,
            bytes_up: 1000,
            bytes_down: 5_000_000_000,
        },
        spread: Spreads::new(),
    }
}

/// What a list has of a window.
pub(crate) fn listed(mut window: WindowRecord) -> WindowRecord {
    window.instance = None;
    if let Some(answer) = &mut window.answer {
        answer.distribution.clear();
    }
    window
}

pub(crate) fn standing(since: Timestamp) -> Standing {
    Standing {
        class: None,
        best_guess: "Camera".to_owned(),
        confidence: 0.7,
        likeness: None,
        reason: Some("the confidence is below 0.8".to_owned()),
        family: Some("Netatmo".to_owned()),
        windows: 3,
        since,
    }
}

pub(crate) fn change(number: u16, at: Timestamp) -> StandingChange {
    StandingChange { device: device(number), at, from: None, to: Some("Camera".to_owned()), confidence: 0.9 }
}

pub(crate) fn finding(number: u16, seen: &str) -> FindingRecord {
    FindingRecord {
        device: device(number),
        rule: "tls-version".to_owned(),
        severity: Severity::Error,
        by: "device".to_owned(),
        flows: 2,
        seen: seen.to_owned(),
        expected: "TLS 1.2".to_owned(),
        reference: "RFC 8996".to_owned(),
        remediation: "update the firmware".to_owned(),
        first_seen: hour(1),
        last_seen: hour(1),
        example: "tcp 192.168.1.1:51000 > 198.51.100.1:443".to_owned(),
        acknowledged_at: None,
    }
}

pub(crate) fn event(id: u64, kind: EventKind, number: u16, subject: &str) -> Event {
    Event {
        id,
        at: hour(1),
        kind,
        severity: Severity::Warning,
        device: Some(device(number)),
        subject: subject.to_owned(),
        text: format!("{} did {kind}", device(number)),
        evidence: serde_json::Map::from_iter([("rule".to_owned(), "tls-version".into())]),
        times: 1,
        acknowledged_at: None,
    }
}

pub(crate) fn account(updates: Vec<Update>) -> Account {
    Account { updates, final_until: None }
}

/// The windows of so many devices in an hour, which is final.
pub(crate) fn windows(devices: u16, hours: i64) -> Account {
    let updates = (0..devices).map(|number| Update::Window(window(number, hour(hours)))).collect();
    Account { updates, final_until: Some(hour(hours + 1)) }
}
