//! Rules that look back at the earlier flows of a device.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use thingprint_audit::{Auditor, Policy};
use thingprint_flow::{Capture, DeviceId, Flow, FlowOptions, Timestamp, Trace, TraceOptions, Tracker};
use thingprint_protocol::{
    Detector, Engine, Heard, HeardMessage, Message, ResumedBy, Resumption, Sender, parsers,
};
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, unsafe_home};

/// A flow over this protocol that a device opened to the Internet, without what was said in it, and the devices of its trace.
fn flow(protocol: u8) -> (Flow<Heard>, Vec<DeviceId>) {
    let options = SimulationOptions { duration_s: 60, ..SimulationOptions::default() };
    let open = move || {
        let simulation = Simulation::new(&unsafe_home().unwrap(), options).unwrap();
        Ok(Box::new(CaptureReader::new(simulation)) as _)
    };
    let mut trace = Trace::new(vec![Capture::new("the home", open)], TraceOptions::default());
    let engine = Engine::default();
    let mut flows = Vec::new();
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| flows.push(flow));
    let mut tracker = Tracker::new(FlowOptions::default(), detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    let devices = tracker.finish().devices;
    let is_wanted = |flow: &Flow<Heard>| {
        let is_outside =
            matches!(flow.peer.addr, IpAddr::V4(addr) if !addr.is_private() && !addr.is_multicast());
        flow.is_client && is_outside && flow.tuple.protocol() == protocol && flow.down.packets > 0
    };
    let mut flow = flows.into_iter().find(is_wanted).unwrap();
    flow.state = Heard::default();
    (flow, devices)
}

fn auditor() -> Auditor {
    Auditor::new(Policy::built_in("bcp2026").unwrap())
}

/// What a rule found, with the number of flows.
fn found(auditor: Auditor, devices: &[DeviceId], rule: &str) -> Vec<(String, u64, u64)> {
    let device = auditor.finish(devices, &BTreeMap::new()).devices.remove(0);
    let of_rule = device.findings.iter().filter(|finding| finding.rule == rule);
    of_rule.map(|finding| (finding.seen.clone(), finding.flows, finding.total)).collect()
}

/// What TLS-007 says of hellos that offer one session at these times.
fn resumed(by: ResumedBy, times_s: &[i64]) -> Vec<(String, u64, u64)> {
    let (mut flow, devices) = flow(6);
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend(b"\0\0\x02\xc0\x2f\x01\0");
    let mut hello = parsers::client_hello(&body).unwrap();
    hello.resumes = vec![Resumption { by, mark: 7 }];
    let mut auditor = auditor();
    for time_s in times_s {
        let time = Timestamp::from_seconds(1_700_000_000 + time_s);
        let message = Message::ClientHello(hello.clone());
        let heard = HeardMessage { time, sender: Sender::Device, is_passed_on: false, message };
        // A second hello in a connection repeats the first.
        flow.state.messages = vec![heard.clone(), HeardMessage { time: Timestamp::from_seconds(0), ..heard }];
        auditor.flow(&Engine::default(), &flow);
    }
    found(auditor, &devices, "TLS-007")
}

#[test]
fn sessions_are_judged_by_how_long_they_are_gone_on_with() {
    const HOUR: i64 = 3600;
    let check = |by, times_s: &[i64], expected: &[(&str, u64, u64)]| {
        let expected: Vec<_> =
            expected.iter().map(|(seen, flows, total)| ((*seen).to_owned(), *flows, *total)).collect();
        assert_eq!(resumed(by, times_s), expected, "{times_s:?}");
    };
    for by in [ResumedBy::SessionId, ResumedBy::Ticket] {
        check(by, &[0, 600, HOUR - 1], &[]);
        check(by, &[0, HOUR], &[("one session over an hour", 1, 2)]);
        check(by, &[HOUR, 0], &[("one session over an hour", 1, 2)]);
        check(
            by,
            &[0, HOUR, 24 * HOUR, 25 * HOUR],
            &[("one session over a day", 2, 4), ("one session over an hour", 1, 4)],
        );
    }
    check(ResumedBy::Psk, &[0, 1, 59], &[]);
    check(ResumedBy::Psk, &[0, 60], &[("one pre-shared key in several connections", 1, 2)]);
    check(ResumedBy::Psk, &[0, 7 * 24 * HOUR], &[("one pre-shared key over a week", 1, 2)]);
}

/// What PEER-001 says of flows with this many hosts, at this port of theirs.
fn heard(peers: u32, port: u16, change: impl Fn(&mut Flow<Heard>)) -> Vec<(String, u64, u64)> {
    let (mut flow, devices) = flow(17);
    let mut auditor = auditor();
    for peer in 0..peers {
        flow.peer.addr = Ipv4Addr::from_bits(0xcb00_7101 + peer).into();
        flow.peer.port = port;
        change(&mut flow);
        auditor.flow(&Engine::default(), &flow);
    }
    found(auditor, &devices, "PEER-001")
}

#[test]
fn many_peers_are_hosts_of_the_internet_at_high_ports_that_answer() {
    let many = |flows, total| vec![("more than 16 peers by UDP within a day".to_owned(), flows, total)];
    assert_eq!(heard(16, 32100, |_| {}), []);
    assert_eq!(heard(20, 32100, |_| {}), many(4, 20));
    assert_eq!(heard(20, 443, |_| {}), []);
    assert_eq!(heard(20, 32100, |flow| flow.down.packets = 0), [], "nobody answers");
    assert_eq!(
        heard(20, 32100, |flow| flow.peer.addr = Ipv4Addr::new(203, 0, 113, 9).into()),
        [],
        "one peer"
    );
    let inside = |flow: &mut Flow<Heard>| {
        let IpAddr::V4(peer) = flow.peer.addr else { return };
        flow.peer.addr = Ipv4Addr::new(192, 168, 1, peer.octets()[3]).into();
    };
    assert_eq!(heard(20, 32100, inside), [], "in the local network");
}
