use etherparse::{EtherType, IpNumber, Ipv4Header, PacketBuilder};
use thingprint_flow::{DecodeCounts, LinkType, Malformed, TcpFlags, TcpSegment, Transport};

use crate::frames::{CAMERA, CAMERA_IP, ROUTER, SERVER_IP, ethernet, ipv4, ipv6, tcp_frame, udp, udp_frame};
use crate::reading::{SeenIp, decode, decode_cut};

fn raw(packet: &[u8]) -> (SeenIp, DecodeCounts) {
    let (seen, counts) = decode(LinkType::RawIp, packet);
    (seen.ip.unwrap_or_else(|| panic!("no IP packet: {counts:?}")), counts)
}

fn set_u16(packet: &mut [u8], at: usize, value: u16) {
    packet[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

#[test]
fn a_tcp_segment_is_read_in_full() {
    let (seen, counts) = decode(LinkType::Ethernet, &tcp_frame(b"GET /"));
    let ip = seen.ip.unwrap();
    assert_eq!((ip.src.to_string(), ip.dst.to_string()), ("192.168.1.10".to_owned(), "52.1.2.3".to_owned()));
    assert_eq!((ip.ttl, ip.total_bytes, ip.ports), (64, 45, (40_000, 443)));
    assert_eq!(ip.transport, Transport::Tcp(TcpSegment { seq: 7, ack: 1, flags: TcpFlags(0x18) }));
    assert_eq!((&ip.payload[..], ip.payload_bytes), (&b"GET /"[..], 5));
    assert_eq!(counts, DecodeCounts { frames: 1, ip_packets: 1, ..DecodeCounts::default() });
}

#[test]
fn options_of_ip_and_tcp_are_no_payload() {
    let mut header = Ipv4Header::new(26, 64, IpNumber::TCP, CAMERA_IP, SERVER_IP).unwrap();
    header.options = [1, 1, 1, 0].into();
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(CAMERA, ROUTER)
        .ip(etherparse::IpHeaders::Ipv4(header, etherparse::Ipv4Extensions::default()))
        .tcp(1, 2, 3, 4)
        .options_raw(&[1, 1, 1, 0])
        .unwrap()
        .write(&mut frame, b"hi")
        .unwrap();
    let ip = decode(LinkType::Ethernet, &frame).0.ip.unwrap();
    assert_eq!((ip.total_bytes, &ip.payload[..], ip.payload_bytes), (50, &b"hi"[..], 2));
}

#[test]
fn ethernet_padding_is_no_payload() {
    for body in [tcp_frame(b""), udp_frame(b"ab"), ethernet(EtherType::IPV6, &ipv6(17, &udp(b"ab")))] {
        let padded = [&body[..], &[0xee; 14]].concat();
        let (whole, trimmed) = (decode(LinkType::Ethernet, &padded).0, decode(LinkType::Ethernet, &body).0);
        assert_eq!(whole.wire_bytes, trimmed.wire_bytes + 14);
        assert_eq!(whole.ip, trimmed.ip);
    }
}

#[test]
fn a_length_of_0_from_segmentation_offload_is_the_captured_one() {
    let mut four = tcp_frame(&[5; 3000]);
    set_u16(&mut four, 16, 0);
    let ip = decode(LinkType::Ethernet, &four).0.ip.unwrap();
    assert_eq!((ip.total_bytes, ip.payload_bytes, ip.payload.len()), (3040, 3000, 3000));

    let mut six = ethernet(EtherType::IPV6, &ipv6(17, &udp(&[5; 3000])));
    set_u16(&mut six, 18, 0);
    set_u16(&mut six, 58, 0);
    let ip = decode(LinkType::Ethernet, &six).0.ip.unwrap();
    assert_eq!((ip.total_bytes, ip.payload_bytes, ip.payload.len()), (3048, 3000, 3000));
}

#[test]
fn an_empty_ipv6_packet_is_empty_even_when_padded() {
    let (ip, counts) = raw(&[ipv6(59, &[]), vec![0; 6]].concat());
    assert_eq!((ip.total_bytes, ip.payload_bytes, ip.transport), (40, 0, Transport::Other(59)));
    assert!(counts.malformed.is_empty());
}

#[test]
fn a_snap_length_leaves_the_sizes_alone() {
    let frame = tcp_frame(&[9; 1000]);
    for (snap_length, captured) in [(1054, 1000), (100, 46), (54, 0)] {
        let (seen, counts) = decode_cut(LinkType::Ethernet, &frame[..snap_length], frame.len());
        let ip = seen.ip.unwrap();
        assert_eq!((ip.total_bytes, ip.payload_bytes, ip.payload.len()), (1040, 1000, captured));
        assert_eq!((ip.ports, seen.wire_bytes), ((40_000, 443), 1054));
        assert!(counts.malformed.is_empty(), "{counts:?}");
    }
}

#[test]
fn a_tcp_header_that_was_cut_is_read_as_far_as_it_is_there() {
    let frame = tcp_frame(&[9; 1000]);
    let push_ack = TcpFlags(0x18);
    let cases = [
        (53, (40_000, 443), (7, 1), push_ack, 1000),
        (48, (40_000, 443), (7, 1), push_ack, 1000),
        (47, (40_000, 443), (7, 1), TcpFlags(0), 1000),
        (45, (40_000, 443), (7, 0), TcpFlags(0), 1000),
        (42, (40_000, 443), (7, 0), TcpFlags(0), 1000),
        (41, (40_000, 443), (0, 0), TcpFlags(0), 1000),
        (38, (40_000, 443), (0, 0), TcpFlags(0), 1000),
        (37, (0, 0), (0, 0), TcpFlags(0), 1000),
        (34, (0, 0), (0, 0), TcpFlags(0), 1000),
    ];
    for (snap_length, ports, (seq, ack), flags, payload_bytes) in cases {
        let (seen, counts) = decode_cut(LinkType::Ethernet, &frame[..snap_length], frame.len());
        let ip = seen.ip.unwrap();
        assert_eq!(ip.transport, Transport::Tcp(TcpSegment { seq, ack, flags }), "cut to {snap_length}");
        assert_eq!((ip.ports, ip.payload_bytes, ip.payload.len()), (ports, payload_bytes, 0));
        assert!(counts.malformed.is_empty(), "{counts:?}");
    }
}

#[test]
fn a_udp_header_that_was_cut_is_read_as_far_as_it_is_there() {
    let frame = udp_frame(&[9; 100]);
    for (snap_length, ports) in [(41, (40_000, 123)), (38, (40_000, 123)), (37, (0, 0)), (34, (0, 0))] {
        let (seen, counts) = decode_cut(LinkType::Ethernet, &frame[..snap_length], frame.len());
        let ip = seen.ip.unwrap();
        assert_eq!((ip.transport, ip.ports, ip.payload_bytes), (Transport::Udp, ports, 100));
        assert!(counts.malformed.is_empty(), "{counts:?}");
    }
}

#[test]
fn protocols_without_ports_have_ports_0() {
    for protocol in [1, 2, 47, 50, 51, 58, 132, 136, 255] {
        let (ip, counts) = raw(&ipv4(IpNumber(protocol), &[1, 2, 3, 4, 5, 6, 7, 8, 9]));
        assert_eq!((ip.transport, ip.ports, ip.payload_bytes), (Transport::Other(protocol), (0, 0), 9));
        assert_eq!(ip.payload, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(counts.malformed.is_empty());
    }
}

#[test]
fn only_the_outer_packet_of_a_tunnel_counts() {
    let (ip, _) = raw(&ipv4(IpNumber::IPV6, &ipv6(17, &udp(b"inner"))));
    assert_eq!((ip.transport, ip.ports, ip.total_bytes), (Transport::Other(41), (0, 0), 73));
}

#[test]
fn extension_headers_are_stepped_over() {
    let generic = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let long = |next: u8| [&[next, 1][..], &[0; 14]].concat();
    let authentication = |next: u8| [&[next, 4][..], &[0; 22]].concat();
    let whole_fragment = |next: u8| [next, 0, 0, 0, 0, 0, 0, 9];
    let cases: [(u8, Vec<u8>); 8] = [
        (0, generic(17).to_vec()),
        (60, long(17)),
        (43, generic(17).to_vec()),
        (51, authentication(17)),
        (44, whole_fragment(17).to_vec()),
        (135, generic(17).to_vec()),
        (0, [&generic(60)[..], &long(43), &generic(51), &authentication(139), &generic(17)].concat()),
        // Not where they ought to be, but readable.
        (60, [&generic(0)[..], &generic(140), &generic(17)].concat()),
    ];
    for (first, headers) in cases {
        let (ip, counts) = raw(&ipv6(first, &[&headers[..], &udp(b"hello")].concat()));
        assert_eq!((ip.ports, &ip.payload[..]), ((40_000, 123), &b"hello"[..]), "from {first}");
        assert_eq!((ip.transport, ip.payload_bytes), (Transport::Udp, 5));
        assert_eq!(ip.total_bytes as usize, 40 + headers.len() + 13);
        assert!(counts.malformed.is_empty(), "{counts:?}");
    }
}

#[test]
fn an_extension_header_that_was_cut_hides_the_transport() {
    let packet = ipv6(0, &[&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp(b"hello")].concat());
    let (seen, counts) = decode_cut(LinkType::RawIp, &packet[..44], packet.len());
    let ip = seen.ip.unwrap();
    assert_eq!((ip.transport, ip.ports, ip.total_bytes), (Transport::Other(0), (0, 0), 61));
    assert!(counts.malformed.is_empty(), "{counts:?}");
}

#[test]
fn malformed_headers_give_no_packet() {
    let good = ipv4(IpNumber::UDP, &udp(b"x"));
    let with = |at: usize, value: u8| {
        let mut packet = good.clone();
        packet[at] = value;
        ethernet(EtherType::IPV4, &packet)
    };
    let short = |length: usize| ethernet(EtherType::IPV4, &good[..length]);
    let six = ethernet(EtherType::IPV6, &ipv6(17, &udp(b"x")));
    let cases = [
        (with(0, 0x65), Malformed::IpVersion),
        (with(0, 0x44), Malformed::IpHeader),
        (with(0, 0x4f), Malformed::IpHeader),
        (with(3, 19), Malformed::IpLength),
        (short(0), Malformed::IpHeader),
        (short(19), Malformed::IpHeader),
        (six[..53].to_vec(), Malformed::IpHeader),
        (ethernet(EtherType::IPV6, &[0x40; 60]), Malformed::IpVersion),
    ];
    for (frame, kind) in cases {
        let (seen, counts) = decode(LinkType::Ethernet, &frame);
        assert_eq!(seen.ip, None, "{kind}");
        let expected = DecodeCounts {
            frames: 1,
            unreadable: 1,
            malformed: [(kind, 1)].into(),
            ..DecodeCounts::default()
        };
        assert_eq!(counts, expected);
    }
}

#[test]
fn malformed_transport_headers_still_give_a_packet() {
    let tcp = &tcp_frame(b"abc")[34..];
    let with = |at: usize, value: u8| {
        let mut segment = tcp.to_vec();
        segment[at] = value;
        ipv4(IpNumber::TCP, &segment)
    };
    let udp_of_length = |length: u16| {
        let mut datagram = udp(b"abc");
        set_u16(&mut datagram, 4, length);
        ipv4(IpNumber::UDP, &datagram)
    };
    let cases = [
        ("data offset too small", with(12, 0x40), 0),
        ("data offset past the end", with(12, 0xf0), 0),
        ("no room for a TCP header", ipv4(IpNumber::TCP, &tcp[..12]), 0),
        ("UDP length too small", udp_of_length(7), 3),
        ("UDP length past the end", udp_of_length(12), 3),
        ("no room for a UDP header", ipv4(IpNumber::UDP, &udp(b"")[..6]), 0),
    ];
    for (what, packet, payload_bytes) in cases {
        let (ip, counts) = raw(&packet);
        assert_eq!(ip.ports.0, 40_000, "{what}");
        assert_eq!((ip.total_bytes as usize, ip.payload_bytes), (packet.len(), payload_bytes), "{what}");
        assert_eq!(counts.malformed, [(Malformed::TransportHeader, 1)].into(), "{what}");
        assert_eq!((counts.ip_packets, counts.unreadable), (1, 0));
    }
}

#[test]
fn the_udp_length_bounds_the_payload() {
    let mut datagram = udp(b"payload and more");
    set_u16(&mut datagram, 4, 15);
    let (ip, counts) = raw(&ipv4(IpNumber::UDP, &datagram));
    assert_eq!((&ip.payload[..], ip.payload_bytes), (&b"payload"[..], 7));
    assert!(counts.malformed.is_empty());
}

#[test]
fn an_extension_header_longer_than_its_packet_is_malformed() {
    let (ip, counts) = raw(&ipv6(60, &[17, 9, 0, 0, 0, 0, 0, 0]));
    assert_eq!((ip.transport, ip.ports), (Transport::Other(60), (0, 0)));
    assert_eq!(counts.malformed, [(Malformed::ExtensionHeader, 1)].into());
}

#[test]
fn a_packet_longer_than_its_whole_frame_is_noted_and_its_header_believed() {
    let frame = udp_frame(&[9; 100]);
    let (seen, counts) = decode(LinkType::Ethernet, &frame[..90]);
    let ip = seen.ip.unwrap();
    assert_eq!((ip.total_bytes, ip.payload_bytes, ip.payload.len()), (128, 100, 48));
    assert_eq!(counts.malformed, [(Malformed::LongerThanFrame, 1)].into());
}

#[test]
fn counts_of_traces_add_up() {
    let (_, mut one) = decode(LinkType::Ethernet, &udp_frame(b"x"));
    let (_, malformed) = decode(LinkType::Ethernet, &udp_frame(b"x")[..20]);
    one.merge(&malformed);
    one.merge(&malformed);
    assert_eq!((one.frames, one.ip_packets, one.unreadable), (3, 1, 2));
    assert_eq!(one.malformed, [(Malformed::IpHeader, 2)].into());
}
