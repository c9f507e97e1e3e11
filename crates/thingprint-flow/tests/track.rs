//! The flow table, told as stories of packets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIndex, DevicePacket, FiveTuple, Flow, FlowEnd, FlowOptions, Ip, MacAddr,
    NonIp, Observer, Packet, PacketSize, TcpFlags, TcpSegment, Timestamp, Tracker, Transport, WindowIndex,
    WindowLength,
};

const CAMERA: [u8; 6] = [0x70, 0xee, 0x50, 0, 0, 1];
const PLUG: [u8; 6] = [0x50, 0xc7, 0xbf, 0, 0, 2];
const ROUTER: [u8; 6] = [0x14, 0xcc, 0x20, 0, 0, 3];
const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const FIN: u8 = 0x11;
const RST: u8 = 0x04;

/// A packet of a story: who to whom, when, what.
#[derive(Clone, Debug)]
struct Said {
    at_ms: i64,
    from: ([u8; 6], &'static str, u16),
    to: ([u8; 6], &'static str, u16),
    transport: Transport,
    bytes: u32,
}

fn tcp(at_ms: i64, up: bool, flags: u8) -> Said {
    let camera = (CAMERA, "192.168.1.10", 40_000);
    let server = (ROUTER, "52.1.2.3", 443);
    let (from, to) = if up { (camera, server) } else { (server, camera) };
    let seq = u32::from(flags & SYN == 0);
    let transport = Transport::Tcp(TcpSegment { seq, ack: 1, flags: TcpFlags(flags) });
    Said { at_ms, from, to, transport, bytes: 100 }
}

fn udp(at_ms: i64, src_port: u16, dst_port: u16) -> Said {
    let from = (CAMERA, "192.168.1.10", src_port);
    let to = (ROUTER, "52.1.2.3", dst_port);
    Said { at_ms, from, to, transport: Transport::Udp, bytes: 60 }
}

impl Said {
    fn packet(&self) -> Packet<'static> {
        Packet {
            time: Timestamp::from_nanos(self.at_ms * 1_000_000),
            src_mac: Some(MacAddr::new(self.from.0)),
            dst_mac: Some(MacAddr::new(self.to.0)),
            wire_bytes: self.bytes + 14,
            ip: Some(Ip {
                total_bytes: self.bytes,
                transport: self.transport,
                payload_bytes: self.bytes - 28,
                ..Ip::udp(
                    (self.from.1.parse().unwrap(), self.from.2),
                    (self.to.1.parse().unwrap(), self.to.2),
                    &[],
                )
            }),
            other: None,
        }
    }
}

#[derive(Debug, Default)]
struct Recorder {
    flows: Vec<Flow<u32>>,
    spans: Vec<(i64, i64)>,
    closed: Vec<i64>,
    finals: Vec<i64>,
    devices: Vec<(usize, DeviceId)>,
    forgotten: Vec<usize>,
}

impl Observer for Recorder {
    type State = u32;

    const FORGETS: bool = true;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.devices.push((device.as_usize(), id));
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.forgotten.push(device.as_usize());
    }

    fn window_final(&mut self, window: WindowIndex) {
        self.finals.push(window.0);
    }

    fn packet(&mut self, _: &DevicePacket<'_, '_>, state: &mut u32) {
        *state += 1;
    }

    fn active(&mut self, _: DeviceIndex, _: &FiveTuple, from: Timestamp, to: Timestamp) {
        self.spans.push((from.as_nanos() / 1_000_000, to.as_nanos() / 1_000_000));
    }

    fn flow(&mut self, flow: Flow<u32>) {
        assert_eq!(u64::from(flow.state), flow.up.packets + flow.down.packets);
        self.flows.push(flow);
    }

    fn window_closed(&mut self, window: WindowIndex) {
        self.closed.push(window.0);
    }
}

fn options() -> FlowOptions {
    FlowOptions { gateways: BTreeSet::from([MacAddr::new(ROUTER)]), ..FlowOptions::default() }
}

fn run(options: FlowOptions, story: &[Said]) -> (Vec<Flow<u32>>, Recorder) {
    let mut tracker = Tracker::new(options, Recorder::default());
    for said in story {
        tracker.push(&said.packet());
    }
    let mut recorder = tracker.finish().observer;
    (std::mem::take(&mut recorder.flows), recorder)
}

/// Packets up and down, duration in milliseconds, and why each flow ended.
fn outline(flows: &[Flow<u32>]) -> Vec<(u64, u64, u64, FlowEnd)> {
    flows.iter().map(|f| (f.up.packets, f.down.packets, f.duration_ns() / 1_000_000, f.end)).collect()
}

#[test]
fn a_connection_ends_at_both_fins_and_keeps_its_last_ack() {
    let story = [
        tcp(0, true, SYN),
        tcp(30, false, SYN_ACK),
        tcp(31, true, ACK),
        tcp(50, true, FIN),
        tcp(80, false, FIN),
        tcp(81, true, ACK),
        tcp(90, true, SYN),
    ];
    let (flows, _) = run(options(), &story);
    assert_eq!(outline(&flows), [(4, 2, 81, FlowEnd::Finished), (1, 0, 0, FlowEnd::Edge)]);
    assert_eq!(flows[0].bytes(), 600);
}

#[test]
fn a_reset_ends_a_flow_for_the_next_syn_or_after_idle() {
    let story = [tcp(0, true, SYN), tcp(10, false, RST), tcp(299_000, true, ACK), tcp(301_000, true, ACK)];
    let (flows, _) = run(options(), &story);
    assert_eq!(outline(&flows), [(2, 1, 299_000, FlowEnd::Reset), (1, 0, 0, FlowEnd::Edge)]);
}

#[test]
fn idle_time_is_exceeded_not_reached() {
    let (flows, _) = run(options(), &[tcp(0, true, ACK), tcp(300_000, true, ACK), tcp(600_001, true, ACK)]);
    assert_eq!(outline(&flows), [(2, 0, 300_000, FlowEnd::Idle), (1, 0, 0, FlowEnd::Edge)]);
    let (flows, _) = run(options(), &[udp(0, 5000, 6000), udp(60_000, 5000, 6000), udp(120_001, 5000, 6000)]);
    assert_eq!(outline(&flows), [(2, 0, 60_000, FlowEnd::Idle), (1, 0, 0, FlowEnd::Edge)]);
}

#[test]
fn the_first_syn_anywhere_settles_the_client() {
    // Mid-stream from the server first, which the port rule reads right; then a SYN from port 443 contradicts it.
    let (flows, _) = run(options(), &[tcp(0, false, ACK)]);
    assert!(flows[0].is_client);
    assert_eq!(flows[0].server_port(), 443);
    let (flows, _) = run(options(), &[tcp(0, false, ACK), tcp(1, false, SYN), tcp(2, true, SYN)]);
    assert!(!flows[0].is_client);
    assert_eq!(flows[0].server_port(), 40_000);
}

#[test]
fn clients_without_a_syn_are_told_by_ports_then_by_order() {
    let check = |src_port, dst_port, server_port| {
        let (flows, _) = run(options(), &[udp(0, src_port, dst_port)]);
        assert_eq!(flows[0].server_port(), server_port, "{src_port} -> {dst_port}");
    };
    check(5000, 53, 53);
    check(53, 5000, 53);
    check(443, 50_000, 443);
    check(40_000, 5_000, 5_000);
    check(5_000, 40_000, 5_000);
    check(53, 53, 53);
    check(5_000, 6_000, 6_000);
    check(40_000, 50_000, 50_000);
}

#[test]
fn a_flow_is_cut_at_the_windows_edge_but_stays_active() {
    let hour = 3_600_000;
    let story = [tcp(hour - 1000, true, SYN), tcp(hour, false, SYN_ACK), tcp(hour + 5000, true, ACK)];
    let (flows, recorder) = run(options(), &story);
    assert_eq!(outline(&flows), [(1, 0, 0, FlowEnd::Edge), (1, 1, 5000, FlowEnd::Edge)]);
    assert_eq!((flows[0].window.0, flows[1].window.0), (0, 1));
    assert!(flows[1].is_client, "found afresh, by the SYN with ACK");
    assert!(recorder.spans.contains(&(hour - 1000, hour)), "{:?}", recorder.spans);
    assert_eq!(recorder.closed, [0, 1]);
}

#[test]
fn an_ended_flow_is_not_active_across_the_edge() {
    let hour = 3_600_000;
    let story = [tcp(hour - 1000, true, RST), tcp(hour + 1, true, ACK)];
    let (_, recorder) = run(options(), &story);
    assert_eq!(recorder.spans, [(hour - 1000, hour - 1000), (hour + 1, hour + 1)]);
}

#[test]
fn a_flow_idle_over_short_windows_stays_active() {
    let options = FlowOptions { window: WindowLength::Span(60_000_000_000), ..options() };
    let story = [tcp(0, true, ACK), udp(100_000, 1, 2), tcp(290_000, true, ACK), tcp(600_000, true, ACK)];
    let (flows, recorder) = run(options, &story);
    assert_eq!(flows.len(), 4);
    assert_eq!(recorder.spans, [(0, 0), (100_000, 100_000), (0, 290_000), (600_000, 600_000)]);
}

#[test]
fn a_packet_behind_the_clock_joins_its_window_while_it_is_open() {
    let hour = 3_600_000;
    let story = [udp(hour - 10, 1, 2), udp(hour + 1999, 1, 2), udp(hour - 5, 1, 2), udp(hour + 2000, 1, 2)];
    let (flows, recorder) = run(options(), &story);
    assert_eq!(outline(&flows), [(2, 0, 5, FlowEnd::Edge), (2, 0, 1, FlowEnd::Edge)]);
    assert_eq!(recorder.closed, [0, 1]);
}

#[test]
fn a_packet_for_a_closed_window_joins_the_oldest_open_one_at_its_start() {
    let hour = 3_600_000;
    let mut tracker = Tracker::new(options(), Recorder::default());
    for said in [udp(hour - 10, 1, 2), udp(hour + 2000, 1, 2), udp(hour - 5, 1, 2)] {
        tracker.push(&said.packet());
    }
    let finished = tracker.finish();
    assert_eq!(finished.counts.late_packets, 1);
    let flows = finished.observer.flows;
    assert_eq!(flows[1].first, Timestamp::from_nanos(hour * 1_000_000));
    assert_eq!(outline(&flows), [(1, 0, 0, FlowEnd::Edge), (2, 0, 2000, FlowEnd::Edge)]);
}

#[test]
fn every_frame_moves_the_clock() {
    let hour = 3_600_000;
    let mut arp = udp(hour + 2000, 1, 2).packet();
    arp.ip = None;
    let mut tracker = Tracker::new(options(), Recorder::default());
    tracker.push(&udp(0, 1, 2).packet());
    tracker.push(&arp);
    assert_eq!(tracker.observer().closed, [0]);
}

#[test]
fn joy_cuts_by_age_alone() {
    let options = FlowOptions { gateways: BTreeSet::from([MacAddr::new(ROUTER)]), ..FlowOptions::joy() };
    let story = [
        tcp(0, true, SYN),
        tcp(10, true, RST),
        tcp(30_000, true, FIN),
        tcp(30_001, false, FIN),
        tcp(30_002, true, ACK),
        tcp(2_000_000, true, ACK),
    ];
    let (flows, _) = run(options, &story);
    // The fourth packet arrives at an age of exactly 30 s, which does not exceed it; the fifth finds 30.001 s.
    assert_eq!(outline(&flows), [(3, 1, 30_001, FlowEnd::Aged), (2, 0, 1_969_998, FlowEnd::Edge)]);
    assert_eq!(flows[0].bytes(), 4 * 72, "transport payload");
}

#[test]
fn a_packet_between_two_devices_belongs_to_both() {
    let said = Said {
        at_ms: 0,
        from: (CAMERA, "192.168.1.10", 50_000),
        to: (PLUG, "192.168.1.11", 80),
        transport: Transport::Udp,
        bytes: 60,
    };
    let (flows, _) = run(FlowOptions { size: PacketSize::Wire, ..options() }, &[said]);
    assert_eq!(flows.len(), 2);
    assert_eq!((flows[0].is_client, flows[0].up.bytes, flows[0].local.port), (true, 74, 50_000));
    assert_eq!((flows[1].is_client, flows[1].down.bytes, flows[1].local.port), (false, 74, 80));
}

#[test]
fn groups_are_no_devices_and_links_without_addresses_go_by_private_address() {
    let mut said = udp(0, 5353, 5353);
    said.to.0 = [0x01, 0, 0x5e, 0, 0, 0xfb];
    let mut packet = said.packet();
    let mut tracker = Tracker::new(options(), Recorder::default());
    tracker.push(&packet);
    assert_eq!(tracker.devices().len(), 1);
    (packet.src_mac, packet.dst_mac) = (None, None);
    tracker.push(&packet);
    assert_eq!(tracker.devices()[1].to_string(), "192.168.1.10");
    assert_eq!(tracker.devices().len(), 2, "the public address is no device");
}

#[test]
fn a_full_table_lets_go_of_the_silent_flows_and_says_so() {
    let options = FlowOptions { max_flows: 16, ..options() };
    let story: Vec<_> = (0..100).map(|port| udp(i64::from(port), 1000 + port, 9)).collect();
    let mut tracker = Tracker::new(options, Recorder::default());
    for said in &story {
        tracker.push(&said.packet());
    }
    let finished = tracker.finish();
    assert_eq!(finished.observer.flows.len(), 100, "no flow is lost");
    assert!(finished.counts.flows_evicted > 80, "{:?}", finished.counts);
}

#[test]
fn flows_of_a_whole_capture_are_closed_when_they_were_silent_for_the_idle_time_and_the_lateness() {
    let options = FlowOptions { window: WindowLength::Capture, ..options() };
    let mut tracker = Tracker::new(options.clone(), Recorder::default());
    for said in [udp(0, 1, 2), tcp(0, true, SYN), udp(30_000, 1, 2)] {
        tracker.push(&said.packet());
    }
    let second = |s: i64| Timestamp::from_seconds(s);
    for (now, closed) in [(92, 0), (93, 1), (302, 1), (303, 2)] {
        tracker.tick(second(now));
        assert_eq!(tracker.observer().flows.len(), closed, "{now} s");
    }
    let flows = &tracker.observer().flows;
    assert_eq!(outline(flows), [(2, 0, 30_000, FlowEnd::Idle), (1, 0, 0, FlowEnd::Idle)]);
    assert_eq!([flows[0].closed_at, flows[1].closed_at], [second(93), second(303)]);
    assert_eq!(tracker.deadline(), Timestamp::MAX);
}

#[test]
fn windows_are_final_when_no_flow_can_go_on_and_time_alone_is_enough() {
    let mut tracker = Tracker::new(options(), Recorder::default());
    tracker.push(&udp(0, 1, 2).packet());
    for (now, closed, finals) in [(3601, 0, 0), (3602, 1, 0), (3901, 1, 0), (3902, 1, 1)] {
        tracker.tick(Timestamp::from_seconds(now));
        let Recorder { closed: now_closed, finals: now_final, .. } = tracker.observer();
        assert_eq!((now_closed.len(), now_final.len()), (closed, finals), "{now} s");
    }
}

#[test]
fn silent_devices_are_forgotten_and_come_back_under_the_same_identity() {
    let options = FlowOptions { forget_after_ns: Some(7200 * 1_000_000_000), ..options() };
    let mut tracker = Tracker::new(options, Recorder::default());
    let mut other = udp(10_000_000, 1, 2);
    other.from.0 = PLUG;
    for said in [udp(0, 1, 2), other, udp(16_000_000, 1, 2), udp(20_000_000, 1, 2)] {
        tracker.push(&said.packet());
    }
    let recorder = tracker.finish().observer;
    let camera = DeviceId::Mac(MacAddr::new(CAMERA));
    let plug = DeviceId::Mac(MacAddr::new(PLUG));
    assert_eq!(recorder.devices, [(0, camera), (1, plug), (0, camera)]);
    assert_eq!(recorder.forgotten, [0, 1], "the plug falls silent after that");
}

#[test]
fn frames_without_ip_reach_observers_that_want_them() {
    let mut arp = udp(0, 1, 2).packet();
    arp.ip = None;
    arp.other = Some(NonIp { ether_type: 0x0806, payload: &[0, 1] });
    let mut tracker = Tracker::new(options(), (Recorder::default(), Frames::default()));
    tracker.push(&arp);
    tracker.push(&udp(0, 1, 2).packet());
    let (recorder, frames) = tracker.finish().observer;
    assert_eq!(frames.0, [(0x0806, true)]);
    assert_eq!(recorder.flows.len(), 1, "the other observer sees the same flows");
}

#[derive(Debug, Default)]
struct Frames(Vec<(u16, bool)>);

impl Observer for Frames {
    type State = ();

    const WANTS_FRAMES: bool = true;

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        self.0.extend(frame.packet.other.map(|other| (other.ether_type, frame.is_sent)));
    }
}

proptest! {
    /// It does not matter whether packets or ticks move the clock, nor how often.
    #[test]
    fn ticks_change_nothing(
        times in proptest::collection::vec(0_i64..20_000_000, 1..60),
        seeds in proptest::collection::vec(any::<(bool, u8)>(), 60),
        is_capture in any::<bool>(),
    ) {
        let window = if is_capture { WindowLength::Capture } else { WindowLength::default() };
        let options = FlowOptions { window, ..options() };
        let story: Vec<_> = times.iter().zip(seeds).map(|(at, (up, flags))| {
            if flags & 0x40 == 0 { tcp(*at, up, flags & 0x17) } else { udp(*at, u16::from(flags), 53) }
        }).collect();
        let (mut ticked, mut clock) = (Tracker::new(options.clone(), Recorder::default()), Timestamp::MIN);
        for said in &story {
            let packet = said.packet();
            if clock > Timestamp::MIN {
                for part in 1..=4 {
                    let step = packet.time.nanos_since(clock).max(0) / 4 * part;
                    ticked.tick(clock.plus_nanos(step));
                }
            }
            clock = clock.max(packet.time);
            ticked.push(&packet);
        }
        let (flows, recorder) = run(options, &story);
        let other = ticked.finish().observer;
        let outline = |flow: &Flow<u32>| (flow.tuple, flow.first, flow.last, flow.end, flow.closed_at);
        prop_assert_eq!(
            flows.iter().map(outline).collect::<Vec<_>>(),
            other.flows.iter().map(outline).collect::<Vec<_>>()
        );
        prop_assert_eq!(recorder.spans, other.spans);
    }

    /// Whatever comes in whatever order: every packet is in exactly one flow of each of its devices, windows close
    /// in order, and a flow lies in its window.
    #[test]
    fn no_packet_is_lost(
        times in proptest::collection::vec(0_i64..20_000_000, 1..60),
        seeds in proptest::collection::vec(any::<(bool, u8)>(), 60),
        is_joy in any::<bool>(),
    ) {
        let base = if is_joy { FlowOptions::joy() } else { FlowOptions::default() };
        let options = FlowOptions { gateways: BTreeSet::from([MacAddr::new(ROUTER)]), max_flows: 8, ..base };
        let story: Vec<_> = times.iter().zip(seeds).map(|(at, (up, flags))| {
            if flags & 0x40 == 0 { tcp(*at, up, flags & 0x17) } else { udp(*at, u16::from(flags), 53) }
        }).collect();
        let (flows, recorder) = run(options, &story);
        let packets: u64 = flows.iter().map(|flow| flow.up.packets + flow.down.packets).sum();
        prop_assert_eq!(packets, story.len() as u64);
        prop_assert!(recorder.closed.is_sorted());
        prop_assert_eq!(&recorder.closed, &recorder.finals);
        for flow in &flows {
            prop_assert!(flow.first <= flow.last);
            prop_assert_eq!(WindowLength::default().index_of(flow.first), flow.window);
            prop_assert_eq!(WindowLength::default().index_of(flow.last), flow.window);
        }
    }
}
