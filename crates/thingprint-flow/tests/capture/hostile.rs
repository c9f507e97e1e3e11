//! Whatever the bytes, reading ends, and every frame is counted once.
use etherparse::EtherType;
use proptest::prelude::*;
use thingprint_flow::{DecodeCounts, Decoder, Frame, LinkType, Timestamp, TraceOptions};

use crate::frames::{Captured, Order, Pcap, Section, ethernet, gzip, ipv6, tcp_frame, udp, udp_frame, zstd};
use crate::reading::{capture, read, read_all};

/// A small capture of either format, with IPv6 and a second interface.
fn captures() -> Vec<Vec<u8>> {
    let frames = [
        udp_frame(b"first"),
        tcp_frame(&[1; 60]),
        [&udp_frame(b"")[..12], &[0x86, 0xdd], &ipv6(17, &udp(b"x"))].concat(),
    ];
    let captured: Vec<_> = (0..).zip(frames.clone()).map(|(n, frame)| Captured::at(n, frame)).collect();
    let mut section = Section::new(Order::Big);
    section.interface(1, 96, &[(9, &[9]), (14, &[0; 8])]).interface(276, 0, &[]);
    for (n, frame) in (0..).zip(&frames) {
        section.packet(n % 2, u64::from(n), frame);
    }
    section.block(3, &[&[0, 0, 0, 60][..], &frames[0]].concat());
    [
        Pcap { order: Order::Big, ..Pcap::plain() }.write(&captured),
        Pcap::plain().write(&captured),
        section.bytes,
    ]
    .to_vec()
}

fn assert_each_frame_counted_once(counts: &DecodeCounts) {
    let DecodeCounts {
        ip_packets, arp, other_ethertype, unsupported_link, unreadable, fragments_held, ..
    } = *counts;
    let sum = ip_packets + arp + other_ethertype + unsupported_link + unreadable + fragments_held;
    assert_eq!(sum, counts.frames, "{counts:?}");
}

fn any_link() -> impl Strategy<Value = LinkType> {
    prop_oneof![
        Just(LinkType::Ethernet),
        Just(LinkType::CookedV1),
        Just(LinkType::CookedV2),
        Just(LinkType::RawIp),
        Just(LinkType::RawIpv4),
        Just(LinkType::RawIpv6),
        Just(LinkType::Null),
        Just(LinkType::Unsupported(7)),
    ]
}

/// Bytes that look like IP as far as its first octets.
fn ip_like() -> impl Strategy<Value = Vec<u8>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..120);
    let protocol =
        prop_oneof![Just(6_u8), Just(17), Just(0), Just(43), Just(44), Just(51), Just(60), any::<u8>()];
    (any::<bool>(), protocol, 0..160_u8, bytes).prop_map(|(six, protocol, length, mut bytes)| {
        let head = if six {
            vec![0x60, 0, 0, 0, 0, length, protocol, 64]
        } else {
            vec![0x45, 0, 0, length, 0, 1, length & 0x3f, 0, 64, protocol]
        };
        let replaced = bytes.len().min(head.len());
        bytes[..replaced].copy_from_slice(&head[..replaced]);
        bytes
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_an_end(
        start in proptest::sample::select(vec![
            vec![],
            vec![0xa1, 0xb2, 0xc3, 0xd4],
            vec![0x4d, 0x3c, 0xb2, 0xa1],
            vec![0x34, 0xcd, 0xb2, 0xa1],
            vec![0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d],
            vec![0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0],
            vec![0x1f, 0x8b, 8, 0],
            vec![0x28, 0xb5, 0x2f, 0xfd],
        ]),
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = [start, bytes].concat();
        let reading = read(&bytes);
        prop_assert_eq!(reading.packets.len() as u64, reading.counts.frames);
        assert_each_frame_counted_once(&reading.counts);
        let again = read_all(vec![capture("a", gzip(&bytes)), capture("b", zstd(&bytes))], TraceOptions { sort: true, hash: true, ..TraceOptions::default() });
        prop_assert!(again.packets.is_sorted_by_key(|packet| packet.time));
    }

    #[test]
    fn a_damaged_capture_is_read_to_an_end(
        which in 0..3_usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = captures().swap_remove(which);
        for (index, value) in damage {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        let reading = read(&bytes);
        assert_each_frame_counted_once(&reading.counts);
        let offsets: Vec<_> = reading.problems.iter().map(|problem| problem.offset).collect();
        prop_assert!(offsets.iter().all(|offset| *offset <= bytes.len() as u64), "{:?}", offsets);
    }

    #[test]
    fn a_damaged_compressed_capture_is_read_to_an_end(
        which in 0..3_usize,
        with_zstd in any::<bool>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let whole = captures().swap_remove(which);
        let mut bytes = if with_zstd { zstd(&whole) } else { gzip(&whole) };
        for (index, value) in damage {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        assert_each_frame_counted_once(&read(&bytes).counts);
    }

    #[test]
    fn any_frame_is_decoded_without_reading_past_it(
        frames in proptest::collection::vec((any_link(), any::<i64>(), any::<u32>(), prop_oneof![
            ip_like(),
            ip_like().prop_map(|ip| [&[0; 12][..], &[8, 0], &ip].concat()),
            ip_like().prop_map(|ip| [&[0; 12][..], &[0x81, 0, 0, 7, 0x86, 0xdd], &ip].concat()),
            proptest::collection::vec(any::<u8>(), 0..100),
        ]), 1..40),
    ) {
        let mut decoder = Decoder::default();
        for (link, nanos, wire_bytes, bytes) in &frames {
            let time = Timestamp::from_nanos(*nanos);
            let packet = decoder.decode(Frame { time, link: *link, wire_bytes: *wire_bytes, bytes, ..Frame::default() });
            if let Some(ip) = packet.ip {
                prop_assert!(ip.payload.len() <= ip.payload_bytes as usize);
                prop_assert!(ip.payload_bytes <= ip.total_bytes);
            }
        }
        decoder.finish();
        assert_each_frame_counted_once(decoder.counts());
        prop_assert_eq!(decoder.counts().frames, frames.len() as u64);
    }

    /// Frames without a tag are nearly all read in one step, those with one layer by layer.
    #[test]
    fn a_tag_changes_nothing_of_a_packet(
        which in 0..4_usize,
        damage in proptest::collection::vec((14..80_usize, any::<u8>()), 0..3),
        (keep, missing) in (14..90_usize, 0..3_usize),
    ) {
        let of_ipv6 = |protocol, body: &[u8]| ethernet(EtherType::IPV6, &ipv6(protocol, body));
        let tcp = tcp_frame(b"hello");
        let frames = [tcp.clone(), udp_frame(b"hello"), of_ipv6(6, &tcp[34..]), of_ipv6(17, &udp(b"hello"))];
        let mut plain = frames[which].clone();
        for (at, value) in damage {
            plain.get_mut(at).into_iter().for_each(|byte| *byte = value);
        }
        plain.truncate(keep);
        let tagged = [&plain[..12], &[0x81, 0, 0, 7], &plain[12..]].concat();
        let read = |bytes: &[u8]| {
            let mut decoder = Decoder::default();
            let wire_bytes = u32::try_from(bytes.len() + missing).unwrap();
            let mut packet = decoder.decode(Frame { wire_bytes, bytes, ..Frame::default() });
            packet.wire_bytes = 0;
            (format!("{packet:?}"), decoder.counts().clone())
        };
        prop_assert_eq!(read(&plain), read(&tagged));
    }
}
