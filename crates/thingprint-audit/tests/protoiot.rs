//! The verdicts of the protocol paper on devices whose captures are at hand, by its own references.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use thingprint_audit::{Auditor, DeviceAudit, Finding, Policy};
use thingprint_flow::{Capture, DeviceId, Flow, FlowOptions, Trace, TraceOptions, Tracker, WindowLength};
use thingprint_protocol::{Detector, Engine, Heard, Message, Sender};

/// What the requests of a device say: methods and user agents.
type Requests = BTreeSet<(String, Option<String>)>;

fn data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/protoiot");
    let found = data.is_dir().then_some(data);
    if found.is_none() {
        skip("protoiot");
    }
    found
}

/// Says that a test is skipped, past the harness, which hides what a passing test prints.
fn skip(missing: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped {test}: no {missing} beside the checkout");
}

/// A device judged by `paper2024`, with what it requests.
fn judge(folder: &Path, name: &str, mac: &str) -> (DeviceAudit, Requests) {
    let path = folder.join(format!("{name}.pcap.gz"));
    let open = move || Ok(Box::new(File::open(&path)?) as _);
    let mut trace = Trace::new(vec![Capture::new(name, open)], TraceOptions::default());
    let engine = Engine::default();
    let mut auditor = Auditor::new(Policy::built_in("paper2024").unwrap());
    let mut requests = Requests::new();
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| {
        auditor.flow(&engine, &flow);
        requests.extend(flow.state.messages.iter().filter_map(|heard| match &heard.message {
            Message::HttpRequest(request) => {
                Some((request.method.clone(), request.user_agent.as_deref().map(str::to_owned)))
            }
            _ => None,
        }));
    });
    let options = FlowOptions { window: WindowLength::Capture, ..FlowOptions::default() };
    let mut tracker = Tracker::new(options, detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    let devices = tracker.finish().devices;
    let audit = auditor.finish(&devices, &BTreeMap::new());
    let wanted: DeviceId = mac.parse().unwrap();
    (audit.devices.into_iter().find(|device| device.device == wanted).unwrap(), requests)
}

fn findings<'a>(device: &'a DeviceAudit, rule: &str) -> Vec<&'a Finding> {
    device.findings.iter().filter(|finding| finding.rule == rule).collect()
}

/// What was seen by a rule, in how many of how many flows.
fn seen<'a>(device: &'a DeviceAudit, rule: &str) -> Vec<(&'a str, u64, u64)> {
    let seen = |finding: &'a Finding| (finding.seen.as_str(), finding.flows, finding.total);
    findings(device, rule).into_iter().map(seen).collect()
}

#[test]
fn the_bulb_speaks_tls_1_0_and_offers_two_weak_suites_and_an_insecure_one() {
    let Some(folder) = data() else { return };
    let (bulb, _) = judge(&folder, "LiFXBulb", "d0:73:d5:01:83:08");
    assert_eq!(seen(&bulb, "TLS-001"), [("TLSv10", 131, 131)]);
    assert_eq!(seen(&bulb, "TLS-002"), [("TLSv10", 131, 131)]);
    let offered = [
        ("0x0004 TLS_RSA_WITH_RC4_128_MD5 (insecure)", 131, 131),
        ("0x002f TLS_RSA_WITH_AES_128_CBC_SHA (weak)", 131, 131),
        ("0x0035 TLS_RSA_WITH_AES_256_CBC_SHA (weak)", 131, 131),
    ];
    assert_eq!(seen(&bulb, "TLS-003"), offered);
    assert_eq!(seen(&bulb, "TLS-004"), [("0x002f TLS_RSA_WITH_AES_128_CBC_SHA (weak)", 131, 131)]);
    // The capture was made anew from rows, and has the two ends of these flows the wrong way round.
    let by = |rule| findings(&bulb, rule).first().map(|finding| finding.by);
    assert_eq!((by("TLS-001"), by("TLS-002")), (Some(Sender::Peer), Some(Sender::Device)));
    assert_eq!(bulb.protocols.get("tls").map(|counts| (counts.standard, counts.other)), Some((0, 131)));
}

#[test]
fn the_doorbell_keeps_the_tls_version_and_breaks_what_the_paper_says() {
    let Some(folder) = data() else { return };
    let (doorbell, requests) = judge(&folder, "RingDoorBell", "88:4a:ea:31:66:9d");
    assert_eq!((seen(&doorbell, "TLS-001").len(), seen(&doorbell, "TLS-002").len()), (0, 0));
    assert_eq!(doorbell.judged.get("TLS-002"), Some(&103));
    assert_eq!(seen(&doorbell, "TLS-003").len(), 10, "the whole list is weak or insecure");
    assert_eq!(
        seen(&doorbell, "TLS-004"),
        [("0xc027 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 (weak)", 103, 103)]
    );
    assert_eq!(seen(&doorbell, "HTTP-001"), []);
    assert_eq!(seen(&doorbell, "HTTP-002"), [("Basic", 3, 3)]);
    assert!(requests.iter().all(|(method, _)| method == "POST"));
    assert_eq!(seen(&doorbell, "NTP-001"), [("version 3", 26, 26)]);
    assert_eq!(seen(&doorbell, "NTP-003"), []);
    assert_eq!(seen(&doorbell, "NTP-004"), [("origin zero in a response", 26, 26)]);
}

#[test]
fn the_baby_monitor_posts_with_one_agent_and_breaks_nothing() {
    let Some(folder) = data() else { return };
    let (monitor, requests) = judge(&folder, "WithingsBabyMonitor", "00:24:e4:11:18:a8");
    assert_eq!(requests, Requests::from([("POST".to_owned(), Some("Withings UserAgent".to_owned()))]));
    assert_eq!(monitor.findings, []);
    assert_eq!((monitor.judged.get("HTTP-001"), monitor.judged.get("HTTP-002")), (Some(&5037), Some(&5037)));
}

#[test]
fn the_air_monitor_asks_for_the_time_with_version_3() {
    let Some(folder) = data() else { return };
    let (awair, _) = judge(&folder, "AwairAirQuality", "70:88:6b:10:0f:c6");
    // In half of the flows the capture has client and server the wrong way round.
    let asked: u64 = findings(&awair, "NTP-001").iter().map(|finding| finding.flows).sum();
    assert_eq!((asked, awair.judged.get("NTP-001")), (190, Some(&190)));
    assert!(findings(&awair, "NTP-001").iter().all(|finding| finding.seen == "version 3"));
}
