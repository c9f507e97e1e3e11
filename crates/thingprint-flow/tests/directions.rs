//! Which way the packets of a flow go, who its client is, and which SYN begins another: from frames to flows.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::net::{IpAddr, Ipv4Addr};

use etherparse::{EtherType, Ethernet2Header, IcmpEchoHeader, Icmpv4Type, PacketBuilder, TcpHeader};
use thingprint_flow::{
    Decoder, Flow, FlowEnd, FlowOptions, Frame, LinkType, LocalNets, Observer, Timestamp, Tracker,
    WindowLength,
};

const CAMERA: [u8; 6] = [0x70, 0xee, 0x50, 0, 0, 1];
const SERVER: [u8; 6] = [0x50, 0xc7, 0xbf, 0, 0, 2];
const CAMERA_IP: [u8; 4] = [192, 168, 7, 5];
const SERVER_IP: [u8; 4] = [192, 168, 7, 20];
const SYN: &str = "S";
const SYN_ACK: &str = "SA";
const ACK: &str = "A";
const START: u32 = 1000;
const REPLY: u32 = 5000;

/// The flows of every device, in the order in which they are closed.
#[derive(Debug, Default)]
struct Flows(Vec<Flow<()>>);

impl Observer for Flows {
    type State = ();

    fn flow(&mut self, flow: Flow<()>) {
        self.0.push(flow);
    }
}

/// A frame with its time in milliseconds.
type Timed = (i64, Vec<u8>);

fn flows_of(options: FlowOptions, link: LinkType, frames: &[Timed]) -> Vec<Flow<()>> {
    let (mut decoder, mut tracker) = (Decoder::default(), Tracker::new(options, Flows::default()));
    for (at_ms, bytes) in frames {
        let time = Timestamp::from_nanos(at_ms * 1_000_000);
        let wire_bytes = u32::try_from(bytes.len()).unwrap();
        tracker.push(&decoder.decode(Frame { time, link, wire_bytes, bytes, ..Frame::default() }));
    }
    assert!(decoder.counts().malformed.is_empty(), "{:?}", decoder.counts());
    tracker.finish().observer.0
}

/// The flows of the camera.
fn flows(frames: &[Timed]) -> Vec<Flow<()>> {
    let options = FlowOptions { window: WindowLength::Capture, ..FlowOptions::default() };
    camera_of(&flows_of(options, LinkType::Ethernet, frames))
}

fn camera_of(flows: &[Flow<()>]) -> Vec<Flow<()>> {
    flows.iter().filter(|flow| flow.local.addr == IpAddr::from(CAMERA_IP)).cloned().collect()
}

/// Packets up and down, and why the flow ended.
fn outline(flows: &[Flow<()>]) -> Vec<(u64, u64, FlowEnd)> {
    flows.iter().map(|flow| (flow.up.packets, flow.down.packets, flow.end)).collect()
}

#[derive(Clone, Copy)]
struct Ends {
    camera: ([u8; 6], [u8; 4]),
    server: ([u8; 6], [u8; 4]),
}

const PLAIN: Ends = Ends { camera: (CAMERA, CAMERA_IP), server: (SERVER, SERVER_IP) };

/// A segment between port 49300 of the camera and port 443 of the server.
fn segment(ends: Ends, is_up: bool, flags: &str, (seq, ack): (u32, u32), payload: &[u8]) -> Vec<u8> {
    let (from, to) = if is_up { (ends.camera, ends.server) } else { (ends.server, ends.camera) };
    let (src_port, dst_port) = if is_up { (49_300, 443) } else { (443, 49_300) };
    let mut header = TcpHeader::new(src_port, dst_port, seq, 1024);
    header.syn = flags.contains('S');
    header.ack = flags.contains('A');
    header.fin = flags.contains('F');
    header.acknowledgment_number = ack;
    let builder = PacketBuilder::ethernet2(from.0, to.0).ipv4(from.1, to.1, 64).tcp_header(header);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

/// A connection of 5 packets up and 3 down, beginning at a time.
fn connection(ends: Ends, from_ms: i64, start: u32) -> Vec<Timed> {
    let reply = REPLY;
    let parts: [(bool, &str, u32, u32, &[u8]); 8] = [
        (true, SYN, start, 0, &[]),
        (false, SYN_ACK, reply, start + 1, &[]),
        (true, ACK, start + 1, reply + 1, &[]),
        (true, ACK, start + 1, reply + 1, b"hello"),
        (false, ACK, reply + 1, start + 6, b"hi"),
        (true, "FA", start + 6, reply + 3, &[]),
        (false, "FA", reply + 3, start + 7, &[]),
        (true, ACK, start + 7, reply + 4, &[]),
    ];
    let timed = (from_ms..).step_by(10).zip(parts);
    timed
        .map(|(at, (is_up, flags, seq, ack, payload))| (at, segment(ends, is_up, flags, (seq, ack), payload)))
        .collect()
}

#[test]
fn a_flow_goes_both_ways_between_one_pair_of_link_addresses() {
    let mut frames = connection(PLAIN, 0, START);
    for (_, bytes) in &mut frames {
        bytes[..6].copy_from_slice(&SERVER);
        bytes[6..12].copy_from_slice(&CAMERA);
    }
    let options = FlowOptions { window: WindowLength::Capture, ..FlowOptions::default() };
    let all = flows_of(options, LinkType::Ethernet, &frames);
    assert_eq!(outline(&camera_of(&all)), [(5, 3, FlowEnd::Finished)]);
    assert!(camera_of(&all)[0].is_client);
    assert_eq!(all.len(), 2, "the other device has the same flow from its end");
    assert_eq!((all[1].up.packets, all[1].down.packets, all[1].is_client), (3, 5, false));
}

#[test]
fn a_router_on_one_link_has_each_packet_of_a_flow_once() {
    const ROUTER: [u8; 6] = [2, 0, 0x5e, 0x10, 0, 1];
    let mut frames = Vec::new();
    for (at, bytes) in connection(PLAIN, 0, START) {
        let (mut before, mut after) = (bytes.clone(), bytes);
        before[..6].copy_from_slice(&ROUTER);
        after[6..12].copy_from_slice(&ROUTER);
        frames.extend([(at, before), (at + 1, after)]);
    }
    let options = FlowOptions { window: WindowLength::Capture, ..FlowOptions::default() };
    let all = flows_of(options, LinkType::Ethernet, &frames);
    let counts: Vec<_> =
        all.iter().map(|flow| (flow.up.packets, flow.down.packets, flow.is_client)).collect();
    // The camera, the router as the end that it received the first packet for, and the server.
    assert_eq!(counts, [(5, 3, true), (3, 5, false), (3, 5, false)]);
}

#[test]
fn a_host_that_talks_to_its_own_address_has_two_directions() {
    let own = Ends { camera: (CAMERA, CAMERA_IP), server: (CAMERA, CAMERA_IP) };
    let frames = connection(own, 0, START);
    assert_eq!(outline(&flows(&frames)), [(5, 3, FlowEnd::Finished)]);
    let raw: Vec<Timed> = frames.into_iter().map(|(at, bytes)| (at, bytes[14..].to_vec())).collect();
    let options = FlowOptions { window: WindowLength::Capture, ..FlowOptions::default() };
    let flows = flows_of(options, LinkType::RawIp, &raw);
    assert_eq!(outline(&flows), [(5, 3, FlowEnd::Finished)]);
}

#[test]
fn zeros_are_nobodys_link_address() {
    let nobody = Ends { camera: ([0; 6], CAMERA_IP), server: ([0; 6], SERVER_IP) };
    assert_eq!(flows(&connection(nobody, 0, START)).len(), 0);
    let half = Ends { camera: (CAMERA, CAMERA_IP), server: ([0; 6], SERVER_IP) };
    assert_eq!(outline(&flows(&connection(half, 0, START))), [(5, 3, FlowEnd::Finished)]);
}

#[test]
fn a_syn_with_another_sequence_number_opens_another_flow() {
    // Five boots of a device that always draws the same port, each without an end of the connection before.
    let boots = (0..5_u32).flat_map(|boot| {
        let mut frames = connection(PLAIN, i64::from(boot) * 20_000, START + boot * 100_000);
        frames.truncate(5);
        frames
    });
    let frames: Vec<Timed> = boots.collect();
    let superseded = (3, 2, FlowEnd::Superseded);
    let expected = [superseded, superseded, superseded, superseded, (3, 2, FlowEnd::Edge)];
    assert_eq!(outline(&flows(&frames)), expected);
    let joy = FlowOptions { window: WindowLength::Capture, ..FlowOptions::joy() };
    let together = camera_of(&flows_of(joy, LinkType::Ethernet, &frames[..10]));
    assert_eq!(outline(&together), [(6, 4, FlowEnd::Edge)], "joy keeps them together");
}

/// Segments of the story of one flow, in which no SYN opens another.
fn check_one(story: &[(i64, bool, &str, u32, u32)], expected: usize) {
    let frames: Vec<Timed> = story
        .iter()
        .map(|(at, is_up, flags, seq, ack)| (*at, segment(PLAIN, *is_up, flags, (*seq, *ack), &[])))
        .collect();
    assert_eq!(flows(&frames).len(), expected, "{story:?}");
}

#[test]
fn a_repeated_syn_a_late_one_and_those_of_both_sides_stay_one_flow() {
    check_one(&[(0, true, SYN, START, 0), (1000, true, SYN, START, 0), (3000, true, SYN, START, 0)], 1);
    // The SYN was captured behind the first data.
    check_one(&[(0, true, ACK, START + 1, REPLY), (1, true, SYN, START, 0)], 1);
    // All that is known of the side's stream is what the other side acknowledged.
    check_one(&[(0, false, SYN_ACK, REPLY, START + 1), (1, true, SYN, START, 0)], 1);
    check_one(&[(0, false, ACK, REPLY, START + 50), (1, true, SYN, START, 0)], 2);
    check_one(&[(0, true, SYN, START, 0), (1, false, SYN, REPLY, 0)], 1);
}

#[test]
fn an_equal_number_opens_another_flow_where_data_was_acknowledged_more_than_3_s_before() {
    let story = |syn_at| {
        [
            (0, true, SYN, START, 0),
            (10, false, SYN_ACK, REPLY, START + 1),
            (20, false, ACK, REPLY + 1, START + 6),
            (syn_at, true, SYN, START, 0),
        ]
    };
    check_one(&story(3020), 1);
    check_one(&story(3021), 2);
    // The handshake alone acknowledges no data.
    let handshake =
        [(0, true, SYN, START, 0), (10, false, SYN_ACK, REPLY, START + 1), (9000, true, SYN, START, 0)];
    check_one(&handshake, 1);
}

#[test]
fn a_syn_behind_an_edge_begins_a_flow_that_was_not_active_before() {
    let window = WindowLength::Span(60_000_000_000);
    let spans = |second: u32| {
        let frames = [
            (50_000, segment(PLAIN, true, SYN, (START, 0), &[])),
            (65_000, segment(PLAIN, true, SYN, (second, 0), &[])),
        ];
        let mut tracker = Tracker::new(FlowOptions { window, ..FlowOptions::default() }, Spans::default());
        let mut decoder = Decoder::default();
        for (at_ms, bytes) in &frames {
            let time = Timestamp::from_nanos(at_ms * 1_000_000);
            tracker.push(&decoder.decode(Frame {
                time,
                link: LinkType::Ethernet,
                wire_bytes: 54,
                bytes,
                ..Frame::default()
            }));
        }
        tracker.finish().observer.0
    };
    assert!(spans(START).contains(&(50_000, 65_000)));
    assert!(!spans(START + 9).contains(&(50_000, 65_000)));
}

#[derive(Debug, Default)]
struct Spans(Vec<(i64, i64)>);

impl Observer for Spans {
    type State = ();

    fn active(
        &mut self,
        _: thingprint_flow::DeviceIndex,
        _: &thingprint_flow::FiveTuple,
        from: Timestamp,
        to: Timestamp,
    ) {
        self.0.push((from.as_nanos() / 1_000_000, to.as_nanos() / 1_000_000));
    }
}

/// A datagram of the camera, sent to a link address.
fn datagram(to_mac: [u8; 6], (src_port, dst_port): (u16, u16), to: [u8; 4]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ethernet2(CAMERA, to_mac).ipv4(CAMERA_IP, to, 64).udp(src_port, dst_port);
    builder.write(&mut bytes, b"payload").unwrap();
    bytes
}

#[test]
fn a_group_or_broadcast_address_is_never_the_client() {
    let broadcast = [0xff; 6];
    let check = |mac, ports, to| {
        let flows = flows(&[(0, datagram(mac, ports, to))]);
        assert!(flows[0].is_client, "{ports:?} to {to:?}");
    };
    // A DHCP server that broadcasts, media to a group, and a broadcast of a subnet of any length.
    check(broadcast, (67, 68), [255, 255, 255, 255]);
    check([1, 0, 0x5e, 1, 1, 2], (8000, 51_234), [239, 1, 1, 2]);
    check(broadcast, (53, 5000), [192, 168, 7, 255]);
    check(broadcast, (53, 5000), [10, 1, 3, 255]);
    check(broadcast, (53, 5000), [10, 1, 7, 127]);
    let unicast = flows(&[(0, datagram(SERVER, (53, 5000), [192, 168, 6, 255]))]);
    assert!(!unicast[0].is_client, "an address that ends in 255 is a host's in a longer subnet");
}

#[test]
fn without_link_addresses_the_last_address_of_a_private_24_is_a_broadcast_one() {
    let frame = datagram([0xff; 6], (53, 5000), [192, 168, 7, 255]);
    let flows = flows_of(FlowOptions::default(), LinkType::RawIp, &[(0, frame[14..].to_vec())]);
    assert!(camera_of(&flows)[0].is_client);
}

#[test]
fn local_networks_have_broadcast_addresses_and_devices() {
    let frame = datagram([0xff; 6], (53, 5000), [129, 94, 63, 255]);
    let options = FlowOptions {
        local_nets: LocalNets::new(vec!["129.94.0.0/18".parse().unwrap()]),
        ..FlowOptions::default()
    };
    let raw = [(0, frame[14..].to_vec())];
    let flows = flows_of(options, LinkType::RawIp, &raw);
    assert_eq!(flows.len(), 1, "a broadcast address is no device");
    assert!(camera_of(&flows)[0].is_client);
    let flows = flows_of(FlowOptions::default(), LinkType::RawIp, &raw);
    assert_eq!((flows.len(), flows[0].is_client), (1, false));
}

#[test]
fn an_ipv6_group_is_never_the_client() {
    let group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let camera = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
    let mut bytes = Vec::new();
    let builder =
        PacketBuilder::ethernet2(CAMERA, [0x33, 0x33, 0, 0, 0, 1]).ipv6(camera, group, 64).udp(53, 40_000);
    builder.write(&mut bytes, b"payload").unwrap();
    let flows = flows_of(FlowOptions::default(), LinkType::Ethernet, &[(0, bytes)]);
    assert!(flows[0].is_client);
}

/// An ICMP message of a type; `is_up` says whether the camera sends it.
fn icmp(is_up: bool, kind: Icmpv4Type) -> Vec<u8> {
    let (from, to) = if is_up { (PLAIN.camera, PLAIN.server) } else { (PLAIN.server, PLAIN.camera) };
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2(from.0, to.0)
        .ipv4(from.1, to.1, 64)
        .icmpv4(kind)
        .write(&mut bytes, &[])
        .unwrap();
    bytes
}

#[test]
fn whoever_sends_icmp_queries_is_the_client() {
    let echo = IcmpEchoHeader { id: 7, seq: 1 };
    let unknown = Icmpv4Type::Unknown { type_u8: 3, code_u8: 1, bytes5to8: [0; 4] };
    let query = |type_u8| Icmpv4Type::Unknown { type_u8, code_u8: 0, bytes5to8: [0; 4] };
    let check = |story: &[(bool, Icmpv4Type)], expected| {
        let frames: Vec<Timed> =
            (0_i64..).zip(story).map(|(at, (is_up, kind))| (at, icmp(*is_up, kind.clone()))).collect();
        assert_eq!(flows(&frames)[0].is_client, expected, "{story:?}");
    };
    check(&[(false, Icmpv4Type::EchoReply(echo)), (true, Icmpv4Type::EchoRequest(echo))], true);
    check(&[(true, Icmpv4Type::EchoReply(echo))], false);
    check(&[(false, query(13))], false);
    check(&[(false, query(14))], true);
    check(&[(false, query(18))], true);
    check(&[(true, unknown.clone()), (false, Icmpv4Type::EchoRequest(echo))], false);
    check(&[(true, unknown)], true);
}

#[test]
fn whoever_sends_icmpv6_echo_requests_is_the_client() {
    let address = |last| {
        let mut address = [0; 16];
        (address[0], address[1], address[15]) = (0xfd, 1, last);
        address
    };
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ethernet2(SERVER, CAMERA).ipv6(address(2), address(1), 64);
    builder.icmpv6_echo_reply(7, 1).write(&mut bytes, &[]).unwrap();
    let flows = flows_of(FlowOptions::default(), LinkType::Ethernet, &[(0, bytes)]);
    let camera: Vec<_> = flows.iter().filter(|flow| flow.local.addr == IpAddr::from(address(1))).collect();
    assert!(camera[0].is_client);
}

#[test]
fn link_addresses_say_once_whose_end_it_is() {
    // A frame that a repeater sent on comes with the link address of another.
    let mut frames = connection(PLAIN, 0, START);
    let other = Ethernet2Header { source: SERVER, destination: CAMERA, ether_type: EtherType::IPV4 };
    frames[2].1.splice(..14, other.to_bytes());
    assert_eq!(outline(&flows(&frames)), [(5, 3, FlowEnd::Finished)]);
    assert_eq!(flows(&frames)[0].local.addr, IpAddr::V4(Ipv4Addr::from(CAMERA_IP)));
}
