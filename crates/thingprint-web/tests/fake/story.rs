//! What is made up.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde_json::json;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_watch::{
    CaptureHealth, DeviceRecord, Event, EventKind, FindingRecord, GivenLabel, Health, LeftOut, SaidIdentity,
    Severities, Severity, Sighting, SinkHealth, SourceHealth, SourceState, Standing, StandingChange,
    StoreHealth, Trained, WindowAnswer, WindowRecord, WordCount,
};
use thingprint_web::{Why, WhyBag, WhyDecisive, WhyInput, WhyJoint, WhyNats, WhyValue, WhyWord};

use super::{World, id};

const HOUR: i64 = 3_600_000_000_000;
/// Devices of a home: name that it gives, class, family, vendor class.
const KINDS: [(&str, &str, &str, &str); 9] = [
    ("fernhall-speaker", "fernhall-speaker", "fernhall", "fernhall/3.2"),
    ("lumenhaus-hub", "lumenhaus-hub", "lumenhaus", "udhcp 1.31.1"),
    ("lumenhaus-bulb-kitchen", "lumenhaus-bulb", "lumenhaus", "lwip"),
    ("osprel-camera", "osprel-camera", "osprel", "Osprel IPC"),
    ("odalia-frame", "odalia-frame", "odalia", "android-dhcp-9"),
    ("tarnbrook-plug", "tarnbrook-plug", "tarnbrook", "lwip"),
    ("quellwind-weather", "quellwind-weather", "quellwind", "udhcp 1.24"),
    ("laptop-of-jo", "laptop", "computers", "MSFT 5.0"),
    ("tarnbrook-motion", "tarnbrook-motion", "tarnbrook", "lwip"),
];

/// A network of so many devices.
pub(super) fn world(devices: usize, now: Timestamp) -> World {
    let mut world = World { health: health(now, devices), why: Some(why()), ..World::default() };
    for number in 0..devices {
        let device = device(number, now);
        if number < 40 {
            world.windows.insert(device.sighting.device, windows(number, device.sighting.device, now));
        }
        world.devices.insert(device.sighting.device, device);
    }
    world.trained = Some(trained(now));
    world.training_time = Duration::from_millis(1_500);
    for number in 0..devices.min(12) {
        happenings(&mut world, number, now);
    }
    let label =
        |number| GivenLabel { device: id(number), label: KINDS[number].1.to_owned(), at: hours(now, -30) };
    world.labels = (0..devices.min(5)).filter(|number| *number != 3).map(label).collect();
    let ids: Vec<DeviceId> = world.devices.keys().copied().collect();
    for device in ids {
        let (open, findings) = (open_events(&world.events, device), severities(&world.findings, device));
        let record = world.devices.get_mut(&device).unwrap();
        (record.open_events, record.findings) = (open, findings);
    }
    world
}

/// A device whose every text is the same.
pub(super) fn hostile(text: &str, now: Timestamp) -> World {
    let mut world = world(1, now);
    let device = id(0);
    let words = || vec![WordCount { word: text.to_owned(), count: 3 }];
    let record = world.devices.get_mut(&device).unwrap();
    record.label = Some(text.to_owned());
    let sighting = &mut record.sighting;
    (sighting.host_name, sighting.vendor_class) = (Some(text.to_owned()), Some(text.to_owned()));
    (sighting.names, sighting.server_ports) = (words(), words());
    (sighting.served_ports, sighting.services) = (words(), words());
    sighting.gateway = Some(text.to_owned());
    let mut said = identity(text);
    text.clone_into(&mut said.contradictions[0].said);
    sighting.identity = Some(Box::new(said));
    let verdict = record.verdict.as_mut().unwrap();
    (verdict.class, verdict.best_guess) = (Some(text.to_owned()), text.to_owned());
    (verdict.reason, verdict.family) = (Some(text.to_owned()), Some(text.to_owned()));
    for window in world.windows.get_mut(&device).unwrap().iter_mut().chain(&mut record.provisional) {
        let answer = window.answer.as_mut().unwrap();
        (answer.class, answer.best_guess) = (Some(text.to_owned()), text.to_owned());
    }
    world.findings = vec![FindingRecord {
        rule: text.to_owned(),
        seen: text.to_owned(),
        by: text.to_owned(),
        expected: text.to_owned(),
        reference: text.to_owned(),
        remediation: text.to_owned(),
        example: text.to_owned(),
        ..finding(device, Severity::Error, now)
    }];
    world.events.clear();
    for kind in EventKind::ALL {
        let evidence = [(text.to_owned(), json!([text])), ("value".to_owned(), json!({ text: text }))];
        let event = Event {
            device: Some(device),
            subject: text.to_owned(),
            text: text.to_owned(),
            evidence: evidence.into_iter().collect(),
            ..event(&mut world, *kind, Severity::Warning)
        };
        world.events.push(event);
    }
    let change = |to: &str| StandingChange {
        device,
        at: now,
        from: Some(text.to_owned()),
        to: Some(to.to_owned()),
        confidence: 0.9,
    };
    world.changes = vec![change(text)];
    world.labels = vec![GivenLabel { device, label: text.to_owned(), at: now }];
    world.why = Some(hostile_why(text));
    let trained = world.trained.as_mut().unwrap();
    trained.classes = vec![text.to_owned()];
    trained.confusion = vec![(text.to_owned(), format!("{text}2"), 4)];
    trained.warnings = vec![text.to_owned()];
    world.training_time = Duration::ZERO;
    let health = &mut world.health;
    health.model = Some(text.to_owned());
    health.store_problem = Some(text.to_owned());
    text.clone_into(&mut health.sources[0].name);
    (health.sources[0].message, health.sources[0].state) = (Some(text.to_owned()), SourceState::Failed);
    world
}

/// A device that appears now.
pub(super) fn new_device(number: usize, name: &str, now: Timestamp) -> DeviceRecord {
    let mut device = device(number, now);
    device.sighting.host_name = Some(name.to_owned());
    (device.sighting.first_seen, device.sighting.last_seen) = (now, now);
    (device.label, device.verdict, device.provisional) = (None, None, None);
    (device.is_new, device.open_events, device.windows) = (true, 1, 0);
    device
}

/// The next event, about nothing yet.
pub(super) fn event(world: &mut World, kind: EventKind, severity: Severity) -> Event {
    Event {
        id: world.events.last().map_or(1, |last| last.id + 1),
        at: world.health.clock.unwrap(),
        kind,
        severity,
        device: None,
        subject: String::new(),
        text: String::new(),
        evidence: serde_json::Map::new(),
        times: 1,
        acknowledged_at: None,
    }
}

/// Open findings of a device.
pub(super) fn severities(findings: &[FindingRecord], device: DeviceId) -> Severities {
    let open = |severity| {
        let is = |finding: &&FindingRecord| {
            finding.device == device && finding.severity == severity && finding.acknowledged_at.is_none()
        };
        findings.iter().filter(is).count() as u64
    };
    Severities { error: open(Severity::Error), warning: open(Severity::Warning), note: open(Severity::Note) }
}

fn open_events(events: &[Event], device: DeviceId) -> u64 {
    let is_open = |event: &&Event| event.device == Some(device) && event.acknowledged_at.is_none();
    events.iter().filter(is_open).count() as u64
}

/// A device that says it is such a model of a camera, and behaves like a computer.
fn identity(model: &str) -> SaidIdentity {
    serde_json::from_value(json!({
        "vendor": null,
        "model": { "value": model, "certainty": "likely", "sources": ["ssdp"] },
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

fn device(number: usize, now: Timestamp) -> DeviceRecord {
    let (host, class, family, vendor) = KINDS[number % KINDS.len()];
    let device = id(number);
    let octets = u32::try_from(number + 10).unwrap().to_be_bytes();
    let age = i64::try_from(number % 40).unwrap();
    let is_unknown = number % 7 == 3;
    let word = |word: &str, count| WordCount { word: word.to_owned(), count };
    let suffix = if number < KINDS.len() { String::new() } else { format!("-{number}") };
    let sighting = Sighting {
        device,
        gateway: (number == 6).then(|| "forwards for 9 devices".to_owned()),
        is_randomised: number % 9 == 7,
        addresses: vec![IpAddr::V4(Ipv4Addr::new(10, octets[1], octets[2], octets[3]))],
        host_name: (number % 5 != 4).then(|| format!("{host}{suffix}")),
        vendor_class: Some(vendor.to_owned()),
        identity: (number == 1).then(|| Box::new(identity("<b>Eye</b> 2"))),
        names: vec![
            word(&format!("api.{family}.example"), 412),
            word("pool.ntp.example", 31),
            word("cdn.example", 7),
        ],
        server_ports: vec![word("tcp/443", 400), word("udp/53", 50), word("udp/123", 12)],
        served_ports: if number.is_multiple_of(2) { Vec::new() } else { vec![word("tcp/8080", 4)] },
        services: vec![word("tls", 390), word("dns", 50), word("ntp", 12)],
        first_seen: hours(now, -24 * 6 - age),
        last_seen: now.plus_nanos(-age * 40_000_000_000),
        packets_up: 12_345 + number as u64,
        packets_down: 23_456,
    };
    let standing = Standing {
        class: (!is_unknown).then(|| class.to_owned()),
        best_guess: class.to_owned(),
        confidence: if is_unknown { 0.43 } else { 0.999 - 0.017 * (number % 11) as f64 },
        likeness: Some(if is_unknown { -4.2 } else { 0.3 }),
        reason: is_unknown
            .then(|| "it is less like its best guess than 95 % of the training's windows".to_owned()),
        family: (!is_unknown).then(|| family.to_owned()),
        windows: 24,
        since: hours(now, -20),
    };
    DeviceRecord {
        sighting,
        label: (number < 5 && number != 3).then(|| class.to_owned()),
        verdict: (number != 6 && number % 13 != 8).then_some(standing),
        provisional: (number.is_multiple_of(3) || number == 8).then(|| provisional(number, device, now)),
        windows: 140,
        findings: Severities::default(),
        open_events: 0,
        is_new: number % 17 == 8,
        is_muted: number % 19 == 5,
    }
}

fn provisional(number: usize, device: DeviceId, now: Timestamp) -> WindowRecord {
    let mut window = window(number, device, hour_of(now));
    window.provisional_after_s = Some(1_200.0);
    window
}

fn hour_of(now: Timestamp) -> Timestamp {
    Timestamp::from_nanos(now.as_nanos().div_euclid(HOUR) * HOUR)
}

fn windows(number: usize, device: DeviceId, now: Timestamp) -> Vec<WindowRecord> {
    let hour = |back: i64| window(number, device, hours(hour_of(now), -back));
    let is_on = |back: &i64| number % 3 != 1 || (back % 24) > 5;
    (1..160).filter(is_on).map(hour).collect()
}

fn window(number: usize, device: DeviceId, start: Timestamp) -> WindowRecord {
    let (_, class, ..) = KINDS[number % KINDS.len()];
    let hour = start.as_nanos() / HOUR;
    let wave = (hour.rem_euclid(24) as f64 / 24.0 * std::f64::consts::TAU).sin();
    let tide = 12 - (hour.rem_euclid(24) - 12).unsigned_abs();
    let is_unknown = number % 7 == 3 || (hour % 29 == 0);
    let confidence = if is_unknown { 0.4 + 0.1 * wave } else { 0.96 + 0.03 * wave };
    WindowRecord {
        device,
        window_start: start,
        window_s: 3600.0,
        part: 0,
        is_cut: hour % 50 == 0,
        provisional_after_s: None,
        packets_up: 1_000,
        packets_down: 1_400,
        bytes_up: 40_000 + 5_000 * tide,
        bytes_down: 300_000 + 42_000 * tide,
        flows: 40 + hour.unsigned_abs() % 7,
        sleep_time_s: Some(60.0 - 30.0 * wave),
        answer: Some(WindowAnswer {
            class: (!is_unknown).then(|| class.to_owned()),
            best_guess: class.to_owned(),
            confidence,
            likeness: Some(0.1),
            reason: None,
            distribution: Vec::new(),
        }),
        instance: None,
    }
}

fn hours(time: Timestamp, hours: i64) -> Timestamp {
    time.plus_nanos(hours * HOUR)
}

/// What happened to one of the first devices.
fn happenings(world: &mut World, number: usize, now: Timestamp) {
    let device = id(number);
    let (host, class, family, _) = KINDS[number % KINDS.len()];
    let mut tell = |kind, severity, subject: &str, text: String, back: i64| {
        let mut evidence = serde_json::Map::new();
        evidence.insert("window_start".to_owned(), json!("2026-11-29T07:00:00Z"));
        evidence.insert("words".to_owned(), json!([subject]));
        let event = Event {
            at: hours(now, -back),
            device: Some(device),
            subject: subject.to_owned(),
            text,
            evidence,
            ..event(world, kind, severity)
        };
        world.events.push(event);
    };
    if [8].contains(&number) {
        tell(
            EventKind::NewDevice,
            Severity::Note,
            host,
            format!("New device {host}, called so by itself."),
            2,
        );
    }
    if number.is_multiple_of(3) {
        let name = format!("telemetry.{family}.example");
        tell(
            EventKind::NewDomain,
            Severity::Note,
            &name,
            format!("{host} looked up {name} for the first time."),
            5,
        );
    }
    if number % 7 == 3 {
        let text = format!("{host} was {class} for 20 windows and is of no known class now.");
        tell(EventKind::BecameUnknown, Severity::Warning, class, text, 9);
    }
    if number % 4 == 1 {
        tell(
            EventKind::BehaviourChanged,
            Severity::Warning,
            class,
            format!("{host} sends 12 times as much as before."),
            30,
        );
    }
    if [1, 3, 8].contains(&number) {
        let severity = if number == 3 { Severity::Error } else { Severity::Warning };
        let found = finding(device, severity, now);
        tell(EventKind::Finding, severity, &found.rule, format!("{host} offers {}.", found.seen), 4);
        world.findings.push(found);
    }
    if number == 3 {
        world.changes.push(StandingChange {
            device,
            at: hours(now, -9),
            from: Some(class.to_owned()),
            to: None,
            confidence: 0.43,
        });
    }
}

fn finding(device: DeviceId, severity: Severity, now: Timestamp) -> FindingRecord {
    let is_error = severity == Severity::Error;
    FindingRecord {
        device,
        rule: if is_error { "TLS-001" } else { "HTTP-002" }.to_owned(),
        severity,
        by: "device".to_owned(),
        flows: 12,
        seen: if is_error { "TLS 1.0 as its newest version" } else { "HTTP authentication by Basic" }
            .to_owned(),
        expected: if is_error { "TLS 1.2 or later" } else { "any scheme but Basic, sent or asked for" }
            .to_owned(),
        reference: if is_error { "RFC 8996 §4" } else { "RFC 7617 §4" }.to_owned(),
        remediation: "Update the firmware, or take the device off the network.".to_owned(),
        first_seen: hours(now, -40),
        last_seen: hours(now, -1),
        example: "tcp 10.0.0.13:46882 > 198.51.100.18:443".to_owned(),
        acknowledged_at: None,
    }
}

fn health(now: Timestamp, devices: usize) -> Health {
    let source = |name: &str, state, message: Option<&str>| SourceHealth {
        name: name.to_owned(),
        state,
        message: message.map(str::to_owned),
        packets: 1_234_567,
        dropped: Some(0),
        restarts: 0,
        last_packet: Some(now),
        ..SourceHealth::default()
    };
    Health {
        clock: Some(now),
        last_arrival: Some(now),
        started_at: Some(hours(now, -150)),
        capture: CaptureHealth {
            packets: 1_234_567,
            bytes: 912_345_678,
            dropped: 0,
            late: 12,
            malformed: 3,
            left_out: 0,
        },
        losses: LeftOut::default(),
        sources: vec![
            source("eth0", SourceState::Reading, Some("tcpdump, without a filter")),
            source("tcp://sensor-barn:57012", SourceState::Reading, None),
        ],
        devices: devices as u64,
        open_flows: 231,
        memory_bytes: Some(43_000_000),
        last_window: Some(hours(hour_of(now), -1)),
        store_waiting: 0,
        store: StoreHealth::default(),
        store_problem: None,
        model: Some("home.model: 9 classes, 1,240 windows".to_owned()),
        sinks: vec![SinkHealth {
            name: "mqtt://broker:1883/thingprint".to_owned(),
            delivered: 412,
            waiting: 3,
            dropped: 0,
            problem: Some("the broker does not answer".to_owned()),
            last_delivery: Some(now),
        }],
    }
}

fn trained(now: Timestamp) -> Trained {
    Trained {
        at: now,
        train_windows: 420,
        test_windows: 140,
        classes: KINDS.iter().map(|kind| kind.1.to_owned()).collect(),
        accuracy: 0.986,
        present_accuracy: Some(0.951),
        confusion: vec![
            ("lumenhaus-bulb".into(), "lumenhaus-hub".into(), 2),
            ("lumenhaus-hub".into(), "lumenhaus-hub".into(), 35),
        ],
        warnings: vec!["odalia-frame has 11 windows: its share may be chance.".into()],
    }
}

fn why() -> Why {
    let word = |word: &str, contribution| WhyWord { word: word.to_owned(), count: 3.0, contribution };
    let nats = |bag: &str, words: Vec<WhyWord>| WhyNats {
        bag: bag.to_owned(),
        nats: words.iter().map(|word| word.contribution).sum(),
        words,
        unseen: vec!["cdn.example".to_owned()],
    };
    let bags = vec![
        nats("domains", vec![word("api.lumenhaus.example", 6.2), word("pool.ntp.example", -0.7)]),
        nats("ports", vec![word("tcp/443", 0.4), word("udp/5353", 1.9), word("tcp/80", -1.2)]),
        nats("dhcp", vec![word("vendor-class lwip", 3.1)]),
    ];
    let input = |input: &str, value, contribution| WhyInput {
        input: input.to_owned(),
        value: Some(value),
        contribution,
    };
    Why {
        class: "lumenhaus-bulb".to_owned(),
        windows: 24,
        confidence: 0.982,
        base: Some(0.11),
        inputs: vec![
            input("domains_class", WhyValue::Class("lumenhaus-bulb".into()), 0.41),
            input("sleep_time_s", WhyValue::Number(58.2), 0.22),
            input("flow_volume_bytes", WhyValue::Number(41_230.0), -0.06),
        ],
        bags: vec![WhyBag {
            bag: "ports".to_owned(),
            rival: "lumenhaus-hub".to_owned(),
            prior: 0.1,
            words: vec![word("tcp/443", 0.4)],
        }],
        joint: Some(WhyJoint {
            rival: "lumenhaus-hub".to_owned(),
            nats: bags.iter().map(|bag: &WhyNats| bag.nats).sum(),
            bags,
            decisive: vec![WhyDecisive {
                bag: "http".to_owned(),
                word: "user-agent lumenhaus-hub".to_owned(),
                nats: -4.4,
                share: 0.93,
            }],
        }),
    }
}

fn hostile_why(text: &str) -> Why {
    let mut why = why();
    text.clone_into(&mut why.class);
    text.clone_into(&mut why.inputs[0].input);
    why.inputs[0].value = Some(WhyValue::Class(text.to_owned()));
    let joint = why.joint.as_mut().unwrap();
    text.clone_into(&mut joint.rival);
    text.clone_into(&mut joint.bags[0].words[0].word);
    text.clone_into(&mut joint.bags[0].bag);
    (joint.decisive[0].bag, joint.decisive[0].word) = (text.to_owned(), text.to_owned());
    why
}
