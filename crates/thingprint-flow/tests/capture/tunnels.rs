//! Tunnels: counted where they are closed, and opened on request.

use thingprint_flow::{DecodeCounts, Decoder, Frame, LinkType, Timestamp, Tunnel, TunnelSet};

use crate::frames::{tcp_frame, udp_frame};
use crate::reading::Seen;

/// A frame between the ends of a tunnel, with a UDP datagram to a port.
fn over_udp(port: u16, payload: &[&[u8]]) -> Vec<u8> {
    let payload = payload.concat();
    let length = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
    over_ip(17, &[&50_000_u16.to_be_bytes(), &port.to_be_bytes(), &length, &[0, 0], &payload])
}

fn over_ip(protocol: u8, payload: &[&[u8]]) -> Vec<u8> {
    let payload = payload.concat();
    let total = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let ethernet = [2, 0, 0, 0, 0, 8, 2, 0, 0, 0, 0, 9, 8, 0];
    let header = [0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0, 10, 9, 9, 1, 10, 9, 9, 2];
    [&ethernet[..], &header, &payload].concat()
}

/// What a decoder that opens these tunnels makes of a frame.
fn decoded(tunnels: TunnelSet, bytes: &[u8]) -> (Seen, Vec<(Tunnel, u64)>) {
    let mut decoder = Decoder::opening(tunnels);
    let wire_bytes = u32::try_from(bytes.len()).unwrap();
    let frame = Frame { link: LinkType::Ethernet, wire_bytes, bytes, ..Frame::default() };
    let seen = Seen::of(&decoder.decode(frame));
    (seen, decoder.tunnelled().iter().collect())
}

/// Asserts that a frame is a tunnel's, closed by default, and what is inside of it when it is opened.
fn check(tunnel: Tunnel, frame: &[u8], inner: &[u8]) {
    let (closed, counts) = decoded(TunnelSet::NONE, frame);
    assert_eq!(counts, [(tunnel, 1)], "{tunnel}");
    assert!(closed.ip.as_ref().is_none_or(|ip| ip.src.to_string() == "10.9.9.1"), "{tunnel}: {closed:?}");
    let (opened, counts) = decoded(tunnel.name().parse().unwrap(), frame);
    assert_eq!(counts, [], "{tunnel}");
    let expected = decoded(TunnelSet::NONE, inner).0;
    assert_eq!(opened.ip, expected.ip, "{tunnel}");
    let is_framed = opened.src_mac.is_some();
    assert!(!is_framed || (opened.src_mac, opened.dst_mac) == (expected.src_mac, expected.dst_mac));
    let other = if tunnel == Tunnel::Gre { "tzsp" } else { "gre" };
    assert_eq!(decoded(other.parse().unwrap(), frame).0, closed, "{tunnel} stays closed");
}

#[test]
fn tunnels_over_udp_are_opened() {
    let (frame, packet) = (tcp_frame(b"GET /"), &tcp_frame(b"GET /")[14..]);
    let check_udp = |tunnel, port, payload: &[&[u8]]| check(tunnel, &over_udp(port, payload), &frame);
    check_udp(Tunnel::Vxlan, 4789, &[&[8, 0, 0, 0, 0, 0, 7, 0], &frame]);
    check_udp(Tunnel::Vxlan, 8472, &[&[8, 0, 0, 0, 0, 0, 7, 0], &frame]);
    check_udp(Tunnel::Geneve, 6081, &[&[0, 0, 0x65, 0x58, 0, 0, 7, 0], &frame]);
    check_udp(Tunnel::Geneve, 6081, &[&[2, 0, 8, 0, 0, 0, 7, 0], &[0; 8], packet]);
    check_udp(Tunnel::Tzsp, 37008, &[&[1, 0, 0, 1, 1], &frame]);
    check_udp(Tunnel::Tzsp, 37008, &[&[1, 0, 0, 1, 0, 10, 1, 0xff, 1], &frame]);
    check_udp(Tunnel::GtpU, 2152, &[&[0x30, 255, 0, 0, 0, 0, 0, 7], packet]);
    check_udp(Tunnel::GtpU, 2152, &[&[0x34, 255, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0x85], &[1, 0, 0, 0], packet]);
    check_udp(Tunnel::Mpls, 6635, &[&[0, 0, 0x10, 64, 0, 0, 0x21, 64], packet]);
}

#[test]
fn tunnels_over_ip_are_opened() {
    let (frame, packet) = (udp_frame(b"x"), &udp_frame(b"x")[14..]);
    let check_ip = |tunnel, protocol, payload: &[&[u8]]| check(tunnel, &over_ip(protocol, payload), &frame);
    check_ip(Tunnel::Gre, 47, &[&[0, 0, 8, 0], packet]);
    check_ip(Tunnel::Gre, 47, &[&[0xb0, 0, 0x65, 0x58], &[0; 12], &frame]);
    check_ip(Tunnel::Erspan, 47, &[&[0, 0, 0x88, 0xbe], &frame]);
    check_ip(Tunnel::Erspan, 47, &[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1], &[0x10, 0, 0, 0, 0, 0, 0, 0], &frame]);
    let third = |last| [0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    check_ip(Tunnel::Erspan, 47, &[&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &third(0), &frame]);
    check_ip(Tunnel::Erspan, 47, &[&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &third(1), &[0; 8], &frame]);
    check_ip(Tunnel::IpInIp, 4, &[packet]);
    check_ip(Tunnel::Mpls, 137, &[&[0, 0, 0x11, 64], packet]);
    let ipv6 = [&[0x60, 0, 0, 0, 0, 0, 59, 64][..], &[0xfd; 32]].concat();
    let plain = [&frame[..12], &[0x86, 0xdd], &ipv6].concat();
    check(Tunnel::IpInIp, &over_ip(41, &[&ipv6]), &plain);
}

#[test]
fn ethernet_behind_labels_is_opened() {
    let frame = udp_frame(b"x");
    let label = [2, 0, 0, 0, 0, 8, 2, 0, 0, 0, 0, 9, 0x88, 0x47, 0, 0, 0x11, 64];
    check(Tunnel::Mpls, &[&label[..], &[0; 4], &frame].concat(), &frame);
}

#[test]
fn tunnels_inside_one_another_are_opened_up_to_four() {
    let frame = udp_frame(b"x");
    let wrap = |inner: Vec<u8>| over_udp(4789, &[&[8, 0, 0, 0, 0, 0, 7, 0], &inner]);
    let four = wrap(wrap(wrap(wrap(frame.clone()))));
    let inner = decoded(TunnelSet::NONE, &frame).0;
    assert_eq!(decoded(TunnelSet::ALL, &four).0, inner);
    let five = decoded(TunnelSet::ALL, &wrap(four)).0;
    assert_eq!(five.ip.unwrap().src.to_string(), "10.9.9.1");
}

#[test]
fn a_port_without_the_header_is_no_tunnel() {
    for (port, payload) in
        [(4789, &b"\x09\0\0\0\0\0\0\0"[..]), (6081, b"\x40"), (37008, b"\x01\0\0\x12"), (2152, b"2")]
    {
        let frame = over_udp(port, &[payload, &udp_frame(b"x")]);
        assert_eq!(decoded(TunnelSet::ALL, &frame).1, [], "{port}");
    }
    assert_eq!(decoded(TunnelSet::ALL, &over_ip(47, &[&[0x40, 0, 8, 0]])).1, []);
    assert_eq!(decoded(TunnelSet::ALL, &over_ip(47, &[&[0, 1, 0x88, 0x0b]])).1, []);
}

#[test]
fn names_of_tunnels_are_read() {
    let set: TunnelSet = "vxlan, gtp-u".parse().unwrap();
    let names: Vec<_> =
        Tunnel::ALL.into_iter().filter(|tunnel| set.contains(*tunnel)).map(Tunnel::name).collect();
    assert_eq!(names, ["vxlan", "gtp-u"]);
    assert_eq!("all".parse(), Ok(TunnelSet::ALL));
    assert!("vxlan,ipsec".parse::<TunnelSet>().unwrap_err().to_string().contains("'ipsec'"));
}

/// An IPv4 fragment in a GRE tunnel; `place` is in units of 8 bytes.
fn fragment(place: u16, is_last: bool, payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let [high, low] = (place | if is_last { 0 } else { 0x2000 }).to_be_bytes();
    let header = [0x45, 0, total[0], total[1], 0, 7, high, low, 64, 17, 0, 0, 192, 168, 7, 5, 9, 9, 9, 9];
    over_ip(47, &[&[0, 0, 8, 0], &header, payload])
}

/// The counts of frames of which some begin a segment, and the ports of what is inside.
fn counted(frames: &[(Vec<u8>, bool)]) -> (DecodeCounts, Vec<Option<u16>>) {
    let mut decoder = Decoder::opening(TunnelSet::ALL);
    let mut ports = Vec::new();
    for (bytes, begins_segment) in frames {
        let (link, wire_bytes) = (LinkType::Ethernet, u32::try_from(bytes.len()).unwrap());
        let time = Timestamp::from_seconds(1);
        let frame = Frame { time, link, wire_bytes, bytes, begins_segment: *begins_segment };
        ports.push(decoder.decode(frame).ip.map(|ip| ip.dst_port));
    }
    decoder.finish();
    (decoder.counts().clone(), ports)
}

#[test]
fn what_is_in_tunnels_counts_in_the_place_of_what_carries_it() {
    let (first, last) = (fragment(0, false, &[0, 1, 0, 9, 0, 16, 0, 0]), fragment(1, true, &[7; 8]));
    let broken = over_ip(47, &[&[0, 0, 8, 0], &[0x45, 0, 0]]);
    let frames = [first.clone(), last.clone(), first, broken, udp_frame(b"x")].map(|frame| (frame, false));
    let (counts, ports) = counted(&frames);
    assert_eq!(ports[..4], [None, Some(9), None, None]);
    assert_eq!((counts.frames, counts.ip_packets, counts.fragments_held, counts.unreadable), (5, 2, 2, 1));
    assert_eq!((counts.datagrams, counts.fragments_repeated, counts.malformed.len()), (1, 1, 1));
}

#[test]
fn no_fragment_in_a_tunnel_waits_over_a_step_of_the_clock() {
    let (first, last) = (fragment(0, false, &[0, 1, 0, 9, 0, 16, 0, 0]), fragment(1, true, &[7; 8]));
    for plain in [None, Some(udp_frame(b"x"))] {
        // The frame behind the step is one of the tunnel, or another one.
        let begins = plain.is_none();
        let mut frames = vec![(first.clone(), false)];
        frames.extend(plain.map(|frame| (frame, true)));
        frames.push((last.clone(), begins));
        let (counts, ports) = counted(&frames);
        assert_eq!(ports.last(), Some(&None));
        assert_eq!((counts.datagrams, counts.datagrams_expired), (0, 2));
    }
}
