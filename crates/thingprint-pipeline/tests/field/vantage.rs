//! What the place of a capture shows.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use thingprint_flow::{FlowOptions, WindowLength};
use thingprint_pipeline::{Pipeline, VantageStage};
use thingprint_profile::{Vantage, VantageTopic};

use crate::wire::{Host, Timed, capture, source, tcp, tcp_with, udp, udp_with};

const CAMERA: Host = ([2, 0, 0, 0, 0, 5], [192, 168, 7, 5]);
const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];
const DNS: (Host, u16) = ((ROUTER, [192, 168, 7, 1]), 53);
const ALL: (Host, u16) = (([0xff; 6], [255, 255, 255, 255]), 9999);
/// An address of documentation, and one of a public resolver.
const SERVER: Host = (ROUTER, [198, 51, 100, 20]);
const RESOLVER: Host = (ROUTER, [8, 8, 4, 4]);

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_be_bytes()
}

/// A TLS record with a hello for a server, with an extension of another type (RFC 8446 §4.1.2).
fn hello(server: &str, other: u16) -> Vec<u8> {
    let name = [&[0][..], &length(server.as_bytes()), server.as_bytes()].concat();
    let names = [&length(&name)[..], &name].concat();
    let mut extensions = [&[0, 0][..], &length(&names), &names].concat();
    extensions.extend(other.to_be_bytes());
    extensions.extend([0, 2, 1, 2]);
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(length(&extensions));
    body.extend(extensions);
    let message = [&[1, 0][..], &length(&body), &body].concat();
    [&[0x16, 3, 1][..], &length(&message), &message].concat()
}

/// A DNS query for `a.example`, and an answer with an address.
fn dns(answer: Option<[u8; 4]>) -> Vec<u8> {
    let (flags, answers) = if answer.is_some() { (0x81, 1) } else { (1, 0) };
    let mut bytes =
        [&[0, 7, flags, 0, 0, 1, 0, answers, 0, 0, 0, 0][..], b"\x01a\x07example\0\0\x01\0\x01"].concat();
    if let Some(address) = answer {
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        bytes.extend(address);
    }
    bytes
}

/// A connection of the camera, answered or not, with what it says first.
fn connection((at, port): (i64, u16), to: (Host, u16), says: &[u8], is_answered: bool) -> Vec<Timed> {
    let from = (CAMERA, port);
    let mut frames = vec![(at, tcp(from, to, (1, 0), 0x02))];
    if is_answered {
        frames.push((at + 1, tcp(to, from, (9, 2), 0x12)));
    }
    frames.push((at + 2, tcp_with(from, to, ((2, 10), 0x18), says)));
    frames
}

fn vantage(frames: &[Timed], threads: usize) -> Vantage {
    let pipeline = Pipeline {
        flow: FlowOptions {
            window: WindowLength::Capture,
            is_identity_given: true,
            ..FlowOptions::default()
        },
        gateways: thingprint_flow::GatewayPolicy {
            given: [thingprint_flow::MacAddr::new(ROUTER)].into(),
            ..thingprint_flow::GatewayPolicy::default()
        },
        threads: NonZeroUsize::new(threads).unwrap(),
        ..Pipeline::default()
    };
    let run = pipeline.run(&source(vec![capture(frames)], true), &VantageStage, |_| Ok::<_, Infallible>(()));
    let Ok(run) = run;
    let devices = run.rests.into_iter().flatten().map(|(_, shows)| shows);
    Vantage::of(devices, run.summary.read.place)
}

fn severe(vantage: &Vantage) -> Vec<VantageTopic> {
    vantage.notes().iter().filter(|note| note.is_severe).map(|note| note.topic).collect()
}

#[test]
fn hidden_look_ups_are_counted_by_kind() {
    let mut frames = vec![
        (0, udp_with((CAMERA, 5000), DNS, &dns(None))),
        (1, udp_with(DNS, (CAMERA, 5000), &dns(Some(SERVER.1)))),
    ];
    frames.extend(connection((10, 40_000), (SERVER, 443), &hello("a.example", 0x002b), true));
    frames.extend(connection((20, 40_001), (SERVER, 443), &hello("public.example", 0xfe0d), true));
    frames.extend(connection((30, 40_002), (RESOLVER, 443), &hello("page.example", 0x002b), true));
    frames.extend(connection((40, 40_003), (SERVER, 8443), &hello("x.cloudflare-dns.com", 0x002b), true));
    frames.extend(connection((50, 40_004), (RESOLVER, 853), &hello("dns.google", 0x002b), true));
    for threads in [1, 2] {
        let Vantage { sums, both_ways, devices, .. } = vantage(&frames, threads);
        assert_eq!((devices, both_ways), (1, 1));
        assert_eq!((sums.lookups, sums.dot_flows, sums.doh_flows), (1, 1, 2));
        assert_eq!((sums.hellos, sums.ech_hellos), (5, 1));
        assert_eq!((sums.server_names, sums.unresolved_names), (5, 4), "a.example was looked up");
        assert_eq!((sums.addresses, sums.unresolved_addresses), (2, 1), "DNS gave the server's alone");
    }
    let notes = vantage(&frames, 1).notes();
    let text = notes.iter().find(|note| note.topic == VantageTopic::EncryptedDns).unwrap().to_string();
    assert!(text.contains("1 flow to port 853") && text.contains("2 flows over TLS or QUIC"), "{text}");
    let text = notes.iter().find(|note| note.topic == VantageTopic::EncryptedHello).unwrap().to_string();
    assert!(text.starts_with("1 of 5") && text.contains("GREASE"), "{text}");
}

#[test]
fn a_switch_port_shows_broadcasts_and_little_else() {
    let frames: Vec<Timed> = (0..30).map(|at| (at, udp((CAMERA, 5000), ALL))).collect();
    let shown = vantage(&frames, 1);
    assert_eq!((shown.devices, shown.groups_only, shown.packets.to_groups), (1, 1, 30));
    assert_eq!(severe(&shown), [VantageTopic::Directions, VantageTopic::Groups]);
    assert_eq!(shown.packets.severe_notes().len(), 1);
    assert!(vantage(&frames[..19], 1).packets.severe_notes().is_empty(), "too few packets to judge");
}

#[test]
fn one_direction_is_recognised_by_devices_flows_and_packets() {
    let connections = |is_answered: bool| -> Vec<Timed> {
        (0..10_u16)
            .flat_map(|number| {
                let at = (i64::from(number) * 10, 40_000 + number);
                connection(at, (SERVER, 443), &hello("a.example", 0x002b), is_answered)
            })
            .collect()
    };
    let shown = vantage(&connections(false), 1);
    assert_eq!((shown.sends_only, shown.sums.one_sided_flows, shown.sums.tcp_flows), (1, 10, 10));
    assert_eq!((shown.packets.outbound, shown.packets.inbound), (20, 0));
    let topics = [VantageTopic::Directions, VantageTopic::Flows, VantageTopic::NameResolution];
    assert_eq!(severe(&shown), topics);
    assert_eq!(shown.packets.severe_notes().first().map(|note| note.topic), Some(VantageTopic::Directions));
    let whole = vantage(&connections(true), 1);
    assert_eq!((whole.both_ways, whole.sums.one_sided_flows), (1, 0));
    assert!(whole.packets.severe_notes().is_empty());
}

/// Hosts that are off, and peers that fell silent, are no fault of the capture.
#[test]
fn connections_that_nobody_answers_speak_for_no_missing_direction() {
    let to = (SERVER, 443);
    let flow = |port: u16, segments: &[((u32, u32), u8)]| -> Vec<Timed> {
        let at = |number: usize| i64::from(port) + i64::try_from(number).unwrap();
        let frame = |(number, (numbers, flags)): (usize, &((u32, u32), u8))| {
            (at(number), tcp((CAMERA, port), to, *numbers, *flags))
        };
        segments.iter().enumerate().map(frame).collect()
    };
    let frames = [
        // Three SYNs; a keep-alive that is sent again and again; a reset of something that was before.
        flow(10, &[((1, 0), 0x02), ((1, 0), 0x02), ((1, 0), 0x02)]),
        flow(20, &[((7, 9), 0x10), ((7, 9), 0x10), ((7, 9), 0x11)]),
        flow(30, &[((7, 9), 0x14), ((7, 0), 0x04)]),
        // An acknowledgement that grows; one behind a SYN.
        flow(40, &[((7, 9), 0x10), ((7, 99), 0x10)]),
        flow(50, &[((1, 0), 0x02), ((2, 9), 0x10)]),
    ];
    let sums = |frames: &[Timed]| vantage(frames, 1).sums;
    let of = |at: usize| (sums(&frames[at]).one_sided_flows, sums(&frames[at]).unanswered_flows);
    assert_eq!([0, 1, 2, 3, 4].map(of), [(0, 1), (0, 1), (0, 1), (1, 0), (1, 0)]);
    let silent: Vec<Timed> = frames[..3].concat();
    assert!(!severe(&vantage(&silent, 1)).contains(&VantageTopic::Flows));
    let note = |frames: &[Timed]| {
        let notes = vantage(frames, 1).notes();
        notes.into_iter().find(|note| note.topic == VantageTopic::Flows).unwrap().text
    };
    assert_eq!(
        note(&silent),
        "0 of 0 TCP flows with answers lack the answers that they acknowledge; 3 further TCP flows were not answered"
    );
    let all: Vec<Timed> = frames.concat();
    assert!(severe(&vantage(&all, 1)).contains(&VantageTopic::Flows), "2 of 2 that were answered");
}

#[test]
fn the_snap_length_is_that_of_the_longest_cut_frame() {
    let mut frames = connection((0, 40_000), (SERVER, 443), &hello("a.example", 0x002b), true);
    let whole = frames.last().unwrap().1.len();
    frames.last_mut().unwrap().1.truncate(64);
    assert!(whole > 64);
    let shown = vantage(&frames, 1);
    assert_eq!((shown.packets.cut, shown.packets.snap_bytes, shown.packets.packets), (1, 64, 3));
    assert!(severe(&shown).contains(&VantageTopic::SnapLength));
}
