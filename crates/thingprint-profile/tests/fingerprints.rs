//! Fingerprints as stories, and over real captures where they are at hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod home;

use std::collections::BTreeMap;

use home::{Flows, Story, data, flows_of};
use proptest::prelude::*;
use thingprint_flow::DeviceIndex;
use thingprint_profile::{Answer, Attribute, Candidate, Fingerprints, KnownDevices, Matcher, Traits};

const LAMP: &str = "192.168.1.7";
const LOCK: &str = "192.168.1.8";
const CLOUD: (&str, u16) = ("203.0.113.5", 80);

fn heard(flows: &Flows) -> Fingerprints {
    let mut fingerprints = Fingerprints::default();
    for (flow, _) in &flows.flows {
        fingerprints.hear(flow);
    }
    fingerprints
}

fn request(agent: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: cloud.example\r\nUser-Agent: {agent}\r\n\r\n").into_bytes()
}

/// A lamp that asks twice, and a lock, of the same cloud.
fn home() -> Story {
    home_after(Story::default())
}

fn home_after(story: Story) -> Story {
    story
        .opens(7, (LAMP, 50_000), CLOUD, &request("lamp/1"))
        .opens(7, (LAMP, 50_001), CLOUD, &request("lamp/1"))
        .opens(8, (LOCK, 50_000), CLOUD, &request("lock/2"))
        .learns(8, LOCK, "cloud.example", CLOUD.0)
}

fn learnt(fingerprints: &Fingerprints, names: &[(DeviceIndex, &str)]) -> KnownDevices {
    let mut known = KnownDevices::default();
    for (device, name) in names {
        known.learn(name, &fingerprints.traits(*device).unwrap()).unwrap();
    }
    known
}

#[test]
fn values_are_counted_by_flow_and_told_where_they_are_unique() {
    let flows = home().flows();
    let fingerprints = heard(&flows);
    let lamp = fingerprints.traits(flows.device(7)).unwrap();
    assert_eq!(lamp.values(Attribute::HttpUserAgent).collect::<Vec<_>>(), [("lamp/1", 2)]);
    assert_eq!(lamp.values(Attribute::HttpHost).collect::<Vec<_>>(), [("cloud.example", 2)]);
    let unique = fingerprints.unique();
    assert_eq!(unique[&flows.device(7)], [(Attribute::HttpUserAgent, "lamp/1", 2)]);
    let lock = [(Attribute::HttpUserAgent, "lock/2", 1), (Attribute::DnsName, "cloud.example", 1)];
    assert_eq!(unique[&flows.device(8)], lock);
}

#[test]
fn a_password_in_front_of_a_host_is_in_no_fingerprint_and_no_profile() {
    let request = b"GET / HTTP/1.1\r\nHost: user:hush@cloud.example\r\n\r\n";
    let flows = Story::default().opens(7, (LAMP, 50_000), CLOUD, request).flows();
    let fingerprints = heard(&flows);
    let traits = fingerprints.traits(flows.device(7)).unwrap();
    let hosts: Vec<_> = traits.values(Attribute::HttpHost).collect();
    assert_eq!(hosts, [("***@cloud.example", 1)]);
    let contacts = flows.builder().contacts(flows.device(7));
    let named: Vec<_> = contacts.keys().filter_map(|contact| contact.host.as_ref()).collect();
    assert_eq!(named.iter().map(|host| host.name.as_str()).collect::<Vec<_>>(), ["cloud.example"]);
}

#[test]
fn what_a_device_answers_is_its_own_and_what_it_is_answered_is_not() {
    let response = b"HTTP/1.1 200 OK\r\nServer: lampd\r\n\r\n";
    let story = Story::default().accepts(7, ("192.168.1.9", 50_000), (LAMP, 80), &request("phone")).opens(
        7,
        (LAMP, 50_000),
        CLOUD,
        &request("lamp/1"),
    );
    let values = |story: &Story| {
        let flows = story.flows();
        let fingerprints = heard(&flows);
        let traits = fingerprints.traits(flows.device(7)).unwrap();
        let texts =
            |attribute| traits.values(attribute).map(|(value, _)| value.to_owned()).collect::<Vec<_>>();
        [Attribute::HttpUserAgent, Attribute::HttpOwnServer, Attribute::HttpServer].map(texts)
    };
    let none = Vec::<String>::new();
    assert_eq!(values(&story), [vec!["lamp/1".to_owned()], none.clone(), none.clone()]);
    let answered = story.answers(7, (LAMP, 80), ("192.168.1.9", 50_000), response);
    assert_eq!(values(&answered)[1..], [vec!["lampd".to_owned()], none.clone()]);
    let told = home().hears(7, CLOUD, (LAMP, 50_000), response);
    assert_eq!(values(&told)[1..], [none, vec!["lampd".to_owned()]]);
}

#[test]
fn a_flow_is_told_by_one_value_that_is_unique() {
    let flows = home().flows();
    let fingerprints = heard(&flows);
    let known = learnt(&fingerprints, &[(flows.device(7), "lamp"), (flows.device(8), "lock")]);
    let matcher = Matcher::new(&known);
    let identify = |agent: &str| {
        let story = Story::default().opens(9, ("192.168.1.20", 50_000), CLOUD, &request(agent));
        let flows = story.flows();
        matcher.identify(&Traits::of(&flows.flows[0].0))
    };
    assert_eq!(identify("lamp/1").answer, Answer::Known("lamp".to_owned()));
    assert_eq!(identify("lock/2").answer, Answer::Known("lock".to_owned()));
    let stranger = identify("camera");
    assert_eq!((stranger.answer, stranger.candidates.len()), (Answer::Unknown, 2));
}

#[test]
fn two_of_a_kind_are_not_told_apart() {
    let flows = home().flows();
    let fingerprints = heard(&flows);
    let (lamp, lock) = (flows.device(7), flows.device(8));
    let known = learnt(&fingerprints, &[(lamp, "lamp a"), (lamp, "lamp b"), (lock, "lock")]);
    let likeness = Matcher::new(&known).identify(&fingerprints.traits(lamp).unwrap());
    assert_eq!(likeness.answer, Answer::Tied(vec!["lamp a".to_owned(), "lamp b".to_owned()]));
    let score = |candidate: &Candidate| format!("{} {:.3}", candidate.name, candidate.score);
    let scores: Vec<String> = likeness.candidates.iter().map(score).collect();
    // Method and host are shared by all three, the agent by two: (1/3 + 1/3 + 1/2) / 3.
    assert_eq!(scores, ["lamp a 0.389", "lamp b 0.389", "lock 0.222"]);
}

#[test]
fn values_have_a_cap_and_the_latest_are_kept() {
    let story = (0..16_384_u16)
        .chain([6])
        .chain(16_384..16_390)
        .zip(30_000..)
        .fold(Story::default(), |story, (n, port)| {
            story.opens(7, (LAMP, port), CLOUD, &request(&format!("agent {n}")))
        });
    let flows = story.flows();
    let fingerprints = heard(&flows);
    let traits = fingerprints.traits(flows.device(7)).unwrap();
    // The 16,385th makes an eighth give way.
    assert_eq!(traits.values(Attribute::HttpUserAgent).count(), 16_390 - 2048);
    assert_eq!(fingerprints.dropped(flows.device(7)), 2048);
    let has = |n: u16| traits.has(Attribute::HttpUserAgent, &format!("agent {n}"));
    assert!(!has(5) && has(6) && !has(2048) && has(2049) && has(16_389));
}

#[test]
fn values_of_one_device_take_no_room_of_others() {
    let long = "a".repeat(600);
    let show = |story: Story, n: u16| {
        story.opens(9, ("192.168.1.9", 20_000 + n), CLOUD, &request(&format!("{n}{long}")))
    };
    let flows = (50..100).fold(home_after((0..50).fold(Story::default(), show)), show).flows();
    let mut fingerprints = Fingerprints::new(10_000);
    for (flow, _) in &flows.flows {
        fingerprints.hear(flow);
        fingerprints.establish(flow.device);
    }
    let alone = home_after(Story::default()).flows();
    for number in [7, 8] {
        let shown = |fingerprints: &Fingerprints, device| -> Vec<(Attribute, String, u64)> {
            let traits = fingerprints.traits(device).unwrap();
            traits.iter().map(|(attribute, value, flows)| (attribute, value.to_owned(), flows)).collect()
        };
        let device = flows.device(number);
        assert_eq!(shown(&fingerprints, device), shown(&heard(&alone), alone.device(number)));
        assert_eq!(fingerprints.dropped(device), 0);
    }
    let flooding = flows.device(9);
    let kept = fingerprints.traits(flooding).unwrap().values(Attribute::HttpUserAgent).count() as u64;
    assert!((1..16).contains(&kept) && kept + fingerprints.dropped(flooding) >= 100, "{kept}");
    fingerprints.forget(flooding);
    assert_eq!((fingerprints.traits(flooding), fingerprints.dropped(flooding)), (None, 0));
}

#[test]
fn a_device_alone_shows_nothing_that_is_unique() {
    let flows = Story::default().opens(7, (LAMP, 50_000), CLOUD, &request("lamp/1")).flows();
    let fingerprints = heard(&flows);
    assert!(fingerprints.unique().is_empty());
}

#[test]
fn a_file_that_is_another_or_a_broken_one_is_refused_with_its_place() {
    let check = |text: &str, expected: &str| {
        assert_eq!(KnownDevices::from_json(text).unwrap_err().to_string(), expected);
    };
    let file = |devices: &str| {
        format!(r#"{{"format": "thingprint-fingerprints", "version": 1, "devices": {devices}}}"#)
    };
    check("{}", "the document: 'format' is missing");
    check(
        r#"{"format": "x", "version": 1, "devices": {}}"#,
        "format: expected \"thingprint-fingerprints\": this is another kind of file",
    );
    check(
        r#"{"format": "thingprint-fingerprints", "version": 2, "devices": {}}"#,
        "version: only version 1 is known",
    );
    check(
        r#"{"format": "thingprint-fingerprints", "version": 1, "devices": {}, "more": 1}"#,
        "the document: 'more' is no field that is known here",
    );
    check(&file(r#"{"": {}}"#), "devices.: a name has 1 to 256 bytes");
    check(&file(r#"{"lamp": {"x.y": {}}}"#), "devices.lamp.x.y: no attribute of this name is known");
    check(
        &file(r#"{"lamp": {"http.host": {"a": 0}}}"#),
        "devices.lamp.http.host.a: expected a number of flows, 1 or more",
    );
    check(
        &file(r#"{"lamp": {"http.host": {"a": -1}}}"#),
        "devices.lamp.http.host.a: expected a number of flows, 1 or more, found -1",
    );
}

#[test]
fn lists_of_cipher_suites_come_in_the_order_offered() {
    let Some(capture) = data("protoiot/RingDoorBell.pcap.gz") else { return };
    let flows = flows_of(vec![capture]);
    let fingerprints = heard(&flows);
    let lists: Vec<_> =
        fingerprints.devices().flat_map(|(device, _)| fingerprints.cipher_lists(device)).collect();
    // The paper: a single list of ten codes, 0xc014 first.
    assert_eq!(lists.len(), 1);
    assert_eq!((lists[0].suites.len(), lists[0].suites.first()), (10, Some(&0xc014)));
}

proptest! {
    #[test]
    fn a_file_comes_back_as_it_was(
        agents in prop::collection::vec(("[ -~]{1,20}", "[a-z]{1,3}"), 0..20),
    ) {
        let mut known = KnownDevices::default();
        for (agent, name) in &agents {
            let flows = Story::default().opens(7, (LAMP, 50_000), CLOUD, &request(agent)).flows();
            known.learn(name, &Traits::of(&flows.flows[0].0)).unwrap();
        }
        let text = known.to_json().unwrap();
        let read = KnownDevices::from_json(&text).unwrap();
        prop_assert_eq!(&read, &known);
        prop_assert_eq!(read.to_json().unwrap(), text);
    }

    #[test]
    fn scores_add_up_to_one_at_most(agents in prop::collection::vec((0_u8..4, 0_u8..6), 1..30)) {
        let mut known = KnownDevices::default();
        let mut seen = Traits::default();
        for (name, agent) in &agents {
            let agent = format!("agent {agent}");
            let flows = Story::default().opens(7, (LAMP, 50_000), CLOUD, &request(&agent)).flows();
            known.learn(&name.to_string(), &Traits::of(&flows.flows[0].0)).unwrap();
            seen.join(&Traits::of(&flows.flows[0].0));
        }
        let likeness = Matcher::new(&known).identify(&seen);
        let sum: f64 = likeness.candidates.iter().map(|candidate| candidate.score).sum();
        // Every value seen is known, so that nothing of the draw is lost.
        prop_assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = KnownDevices::from_json(&text);
    }
}

/// Devices of one home with what they show, by label.
fn labelled(folder: &str, day: &str, labels: &BTreeMap<String, String>) -> Option<Vec<(String, Traits)>> {
    let flows = flows_of(vec![data(folder)?.join(day)]);
    let fingerprints = heard(&flows);
    let devices = fingerprints.devices().filter_map(|(device, traits)| {
        let label = labels.get(&flows.devices[device.as_usize()].to_string())?;
        Some((label.clone(), traits.clone()))
    });
    Some(devices.collect())
}

#[test]
fn devices_of_a_home_are_known_again_on_another_day() {
    let Some(labels) = data("labels/home.csv") else { return };
    let text = std::fs::read_to_string(labels).unwrap();
    let row = |line: &str| {
        let mut fields = line.split(',');
        Some((fields.next()?.to_lowercase(), fields.next()?.to_owned()))
    };
    let labels: BTreeMap<String, String> = text.lines().filter_map(row).collect();
    let Some(first) = labelled("lsif", "2019-06-29.pcap.gz", &labels) else { return };
    let mut known = KnownDevices::default();
    for (label, traits) in &first {
        known.learn(label, traits).unwrap();
    }
    let known = KnownDevices::from_json(&known.to_json().unwrap()).unwrap();
    let matcher = Matcher::new(&known);
    let later = labelled("lsif", "2019-07-05.pcap.gz", &labels).unwrap();
    assert_eq!(later.len(), 7);
    for (label, traits) in later {
        // A plug and a bulb of one make ask for the same names, and time servers of a pool: nothing tells them apart.
        let is_alike = label.starts_with("TP-Link");
        let expected = if is_alike { Answer::Unknown } else { Answer::Known(label.clone()) };
        assert_eq!(matcher.identify(&traits).answer, expected);
        let mut others = KnownDevices::default();
        for (other, traits) in first.iter().filter(|(other, _)| *other != label) {
            others.learn(other, traits).unwrap();
        }
        // To those that learnt the others alone, it is a stranger.
        let stranger = Matcher::new(&others).identify(&traits).answer;
        let is_known = matches!(&stranger, Answer::Known(other) if !other.starts_with("TP-Link"));
        assert!(!is_known, "{label}: {stranger:?}");
    }
}
