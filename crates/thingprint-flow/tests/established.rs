//! Which devices count as established, told as stories of packets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;

use thingprint_flow::{
    DeviceIndex, DevicePacket, Flow, FlowOptions, Ip, MacAddr, Observer, Packet, TcpFlags, TcpSegment,
    Timestamp, Tracker, Transport,
};

const ROUTER: u8 = 1;
const CAMERA: u8 = 10;
const PLUG: u8 = 11;
const SYN: u8 = 0x02;
const RST: u8 = 0x14;

/// A packet of a story, to and from port numbers that tell flows apart.
#[derive(Clone, Copy, Debug)]
struct Said {
    at_ms: i64,
    from: (u8, u16),
    to: (u8, u16),
    transport: Transport,
}

fn mac(host: u8) -> MacAddr {
    MacAddr::new([2, 0, 0, 0, 0, host])
}

fn udp(from: (u8, u16), to: (u8, u16)) -> Said {
    Said { at_ms: 0, from, to, transport: Transport::Udp }
}

fn tcp(from: (u8, u16), to: (u8, u16), flags: u8) -> Said {
    let transport = Transport::Tcp(TcpSegment { seq: 1, ack: 1, flags: TcpFlags(flags) });
    Said { transport, ..udp(from, to) }
}

impl Said {
    fn packet(&self) -> Packet<'static> {
        let host = |(host, port): (u8, u16)| ([192, 168, 1, host].into(), port);
        Packet {
            time: Timestamp::from_nanos(self.at_ms * 1_000_000),
            src_mac: Some(mac(self.from.0)),
            dst_mac: Some(mac(self.to.0)),
            wire_bytes: 74,
            ip: Some(Ip { transport: self.transport, ..Ip::udp(host(self.from), host(self.to), &[]) }),
            other: None,
        }
    }
}

#[derive(Debug, Default)]
struct Recorder {
    established: Vec<usize>,
    /// Of each packet: its device, and whether that was established.
    packets: Vec<(usize, bool)>,
    flows: Vec<(usize, bool)>,
}

impl Observer for Recorder {
    type State = ();

    const FORGETS: bool = true;

    fn established(&mut self, device: DeviceIndex) {
        self.established.push(device.as_usize());
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, (): &mut ()) {
        self.packets.push((packet.device.as_usize(), packet.is_established));
    }

    fn flow(&mut self, flow: Flow<()>) {
        self.flows.push((flow.device.as_usize(), flow.is_established));
    }
}

fn run(options: FlowOptions, story: &[Said]) -> Recorder {
    let mut tracker = Tracker::new(options, Recorder::default());
    for said in story {
        tracker.push(&said.packet());
    }
    tracker.finish().observer
}

fn options() -> FlowOptions {
    FlowOptions { gateways: BTreeSet::from([mac(ROUTER)]), ..FlowOptions::default() }
}

#[test]
fn an_answer_from_outside_establishes_a_device() {
    let recorder = run(
        options(),
        &[
            udp((CAMERA, 1000), (ROUTER, 53)),
            udp((ROUTER, 53), (CAMERA, 1000)),
            udp((CAMERA, 1000), (ROUTER, 53)),
        ],
    );
    assert_eq!(recorder.established, [0]);
    assert_eq!(recorder.packets, [(0, false), (0, false), (0, true)]);
    assert_eq!(recorder.flows, [(0, true)]);
}

#[test]
fn what_is_only_sent_or_refused_establishes_nobody() {
    let unanswered = [udp((CAMERA, 1000), (ROUTER, 53)), udp((ROUTER, 54), (CAMERA, 1000))];
    let refused = [tcp((PLUG, 1000), (ROUTER, 80), SYN), tcp((ROUTER, 80), (PLUG, 1000), RST)];
    let recorder = run(options(), &[unanswered, refused].concat());
    assert_eq!(recorder.established, [0; 0]);
    assert!(recorder.flows.iter().all(|(_, is_established)| !is_established), "{:?}", recorder.flows);
}

#[test]
fn a_peer_that_was_heard_once_establishes_nobody_and_one_that_answers_again_does() {
    let asks = |host: u8| [udp((host, 1000), (PLUG, 80)), udp((PLUG, 80), (host, 1000))];
    let once = run(options(), &asks(CAMERA));
    assert_eq!(once.established, [0; 0], "both may be made up");
    let twice = run(options(), &[asks(CAMERA), asks(CAMERA + 10)].concat());
    assert_eq!(twice.established, [2], "the second one that the plug answers");
    let more = run(options(), &[asks(CAMERA); 9].concat());
    assert_eq!(more.established[..2], [0, 1], "one flow with many answers, of both its devices");
    assert_eq!(more.established.len(), 4, "answers are not told one by one");
}

#[test]
fn a_frame_to_oneself_is_no_answer() {
    let recorder = run(options(), &[udp((CAMERA, 1), (CAMERA, 2)), udp((CAMERA, 2), (CAMERA, 1))]);
    assert_eq!(recorder.established, [0; 0]);
}

#[test]
fn a_device_that_was_forgotten_has_to_be_answered_again() {
    let hour_ns = 3_600_000_000_000;
    let options = FlowOptions { forget_after_ns: Some(2 * hour_ns), ..options() };
    let asks = [udp((CAMERA, 1000), (ROUTER, 53)), udp((ROUTER, 53), (CAMERA, 1000))];
    let at = |hour: i64| asks.map(|said| Said { at_ms: hour * 3_600_000, ..said });
    let other = [Said { at_ms: 5 * 3_600_000, ..udp((PLUG, 1000), (ROUTER, 53)) }];
    let recorder = run(options, &[&at(0)[..], &at(1), &other, &at(9)].concat());
    assert_eq!(recorder.established, [0, 0, 0], "in the flows of two hours, and behind the long silence");
    assert_eq!(recorder.packets[5..], [(0, false), (0, false)], "forgotten");
}
