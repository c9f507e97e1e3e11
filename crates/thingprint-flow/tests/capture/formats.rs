use std::io::Cursor;

use thingprint_flow::{Capture, ContentHash, LinkType, Timestamp, Trace, TraceOptions, is_capture};

use crate::frames::{Captured, Order, Pcap, Section, bzip2, gzip, lz4, tcp_frame, udp_frame, xz, zstd};
use crate::reading::{Reading, Trickle, capture, read, read_all};

/// Three frames, a microsecond and a second apart.
fn frames() -> Vec<Captured> {
    vec![
        Captured::at(1_600_000_000_000_000_000, udp_frame(b"one")),
        Captured::at(1_600_000_000_000_001_000, tcp_frame(b"two")),
        Captured::at(1_600_000_001_000_000_000, udp_frame(&[3; 1400])),
    ]
}

/// Asserts that a capture reads as these frames and no more.
fn check(bytes: &[u8], expected: &[Captured]) -> Reading {
    let reading = read(bytes);
    assert_eq!(reading.problems, []);
    let seen: Vec<_> = reading.packets.iter().map(|packet| (packet.time, packet.wire_bytes)).collect();
    let wanted: Vec<_> = expected.iter().map(|frame| (frame.time(), frame.wire_bytes)).collect();
    assert_eq!(seen, wanted);
    reading
}

#[test]
fn every_pcap_variant_reads_the_same_however_compressed() {
    for magic in [Pcap::MICROS, Pcap::NANOS] {
        for order in [Order::Little, Order::Big] {
            let file = Pcap { order, magic, ..Pcap::plain() }.write(&frames());
            for bytes in [file.clone(), gzip(&file), zstd(&file), bzip2(&file), xz(&file), lz4(&file)] {
                let reading = check(&bytes, &frames());
                assert_eq!(reading.counts.ip_packets, 3);
                assert_eq!(reading.packets[1].ip.as_ref().unwrap().payload, b"two");
            }
        }
    }
}

#[test]
fn nanoseconds_are_kept() {
    let frame = Captured::at(1_600_000_000_123_456_789, udp_frame(b"x"));
    check(&Pcap::plain().write(std::slice::from_ref(&frame)), &[frame]);
}

#[test]
fn kuznetzovs_variant_has_longer_record_headers() {
    check(&Pcap { magic: Pcap::MODIFIED, ..Pcap::plain() }.write(&frames()), &frames());
}

#[test]
fn a_pcap_without_packets_is_a_capture() {
    let reading = check(&Pcap::plain().write(&[]), &[]);
    assert_eq!(reading.counts.frames, 0);
}

#[test]
fn snap_lengths_in_the_header_are_not_believed() {
    for snap_length in [0, 1, 64, u32::MAX] {
        check(&Pcap { snap_length, ..Pcap::plain() }.write(&frames()), &frames());
    }
}

#[test]
fn check_sequence_bits_are_no_part_of_the_link_type() {
    let reading = check(&Pcap::with_link(0x2400_0001).write(&frames()), &frames());
    assert_eq!(reading.counts.ip_packets, 3);
}

#[test]
fn compressed_captures_may_have_several_members() {
    let file = Pcap::plain().write(&frames());
    let (head, tail) = file.split_at(100);
    check(&[gzip(head), gzip(tail)].concat(), &frames());
    check(&[zstd(head), zstd(tail)].concat(), &frames());
    check(&[bzip2(head), bzip2(tail)].concat(), &frames());
    check(&[xz(head), xz(tail)].concat(), &frames());
    check(&[lz4(head), lz4(tail)].concat(), &frames());
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0][..], b"note", &zstd(&file)].concat();
    check(&skippable, &frames());
}

#[test]
fn bytes_may_come_one_by_one() {
    let file = Pcap::plain().write(&frames());
    for bytes in [file.clone(), gzip(&file), zstd(&file), bzip2(&file), xz(&file), lz4(&file)] {
        let stream = Box::new(Trickle(Cursor::new(bytes.clone())));
        let reading = read_all(vec![Capture::once("-", stream)], TraceOptions::default());
        assert_eq!(reading.problems, []);
        assert_eq!(reading.packets, read(&bytes).packets);
    }
}

#[test]
fn packets_longer_than_the_buffer_are_read() {
    let long = Captured::at(5, vec![0; 700_000]);
    let frames = [Captured::at(4, udp_frame(b"before")), long, Captured::at(6, udp_frame(b"after"))];
    check(&Pcap::plain().write(&frames), &frames);
    let mut section = Section::new(Order::Little);
    section.interface(1, 0, &[(9, &[9])]);
    for frame in &frames {
        section.packet(0, frame.nanos.unsigned_abs(), &frame.bytes);
    }
    check(&section.bytes, &frames);
}

#[test]
fn many_packets_cross_the_edges_of_the_buffer() {
    let frames: Vec<_> = (0..3000_usize).map(|n| Captured::at(7, vec![0xee; 14 + (n * 37) % 1500])).collect();
    check(&Pcap::plain().write(&frames), &frames);
}

#[test]
fn pcapng_reads_in_both_byte_orders() {
    for order in [Order::Little, Order::Big] {
        let mut section = Section::new(order);
        section.ethernet();
        for frame in frames() {
            section.packet(0, frame.nanos.unsigned_abs() / 1000, &frame.bytes);
        }
        for bytes in [section.bytes.clone(), gzip(&section.bytes), zstd(&section.bytes)] {
            check(&bytes, &frames());
        }
    }
}

#[test]
fn each_section_has_its_own_order_and_interfaces() {
    let mut first = Section::new(Order::Big);
    first.ethernet().packet(0, 7, &udp_frame(b"big"));
    let mut second = Section::new(Order::Little);
    second.interface(101, 0, &[(9, &[3])]).packet(0, 7, &udp_frame(b"little")[14..]);
    let reading = read(&[first.bytes, second.bytes].concat());
    assert_eq!(reading.problems, []);
    let times: Vec<_> = reading.packets.iter().map(|packet| packet.time.as_nanos()).collect();
    assert_eq!(times, [7_000, 7_000_000]);
    assert!(reading.packets[0].src_mac.is_some());
    assert_eq!(reading.packets[1].src_mac, None);
    assert_eq!(reading.counts.ip_packets, 2);
}

#[test]
fn each_interface_has_its_own_clock() {
    // Resolution, offset in seconds, count, and the nanoseconds that they make.
    let cases: [(Option<u8>, i64, u64, i64); 9] = [
        (None, 0, 1_500_000, 1_500_000_000),
        (Some(6), 0, 1, 1_000),
        (Some(0), 0, 3, 3_000_000_000),
        (Some(9), 0, 123, 123),
        (Some(12), 0, 1_999, 1),
        (Some(0x80), 0, 2, 2_000_000_000),
        (Some(0x8a), 0, 512, 500_000_000),
        (Some(0xbf), 0, 1 << 62, 500_000_000),
        (Some(3), -1, 1, -999_000_000),
    ];
    for order in [Order::Little, Order::Big] {
        let mut section = Section::new(order);
        for (resolution, offset, ..) in cases {
            let (resolution, offset) = (resolution.map(|octet| [octet]), order.i64(offset));
            let mut options: Vec<(u16, &[u8])> = vec![(14, &offset)];
            options.extend(resolution.as_ref().map(|octet| (9, &octet[..])));
            section.interface(1, 0, &options);
        }
        for (interface, (.., count, _)) in (0..).zip(cases) {
            section.packet(interface, count, &udp_frame(b"x"));
        }
        let nanos: Vec<_> =
            read(&section.bytes).packets.iter().map(|packet| packet.time.as_nanos()).collect();
        assert_eq!(nanos, cases.map(|(.., nanos)| nanos));
    }
}

#[test]
fn a_simple_packet_block_carries_the_last_time_and_obeys_the_snap_length() {
    let frame = udp_frame(&[7; 100]);
    let mut section = Section::new(Order::Little);
    section.interface(1, 50, &[]).packet(0, 9, &frame);
    // 142 bytes on the wire, 50 of them captured, padded to 52.
    section.block(3, &[&142_u32.to_le_bytes(), &frame[..50]].concat());
    let reading = read(&section.bytes);
    assert_eq!(reading.problems, []);
    let [first, second] = &reading.packets[..] else { panic!("two packets, not {reading:?}") };
    assert_eq!((first.time, first.wire_bytes), (second.time, second.wire_bytes));
    assert_eq!(second.ip.as_ref().unwrap().payload, [7; 8]);
    assert_eq!(second.ip.as_ref().unwrap().payload_bytes, 100);
}

#[test]
fn the_obsolete_packet_block_is_read() {
    for order in [Order::Little, Order::Big] {
        let frame = udp_frame(b"old");
        let length = u32::try_from(frame.len()).unwrap();
        let mut section = Section::new(order);
        section.interface(228, 0, &[]).ethernet();
        let fields = [0, 5_000, length, length].map(|field| order.u32(field));
        section.block(2, &[&order.u16(1)[..], &order.u16(3), fields.as_flattened(), &frame].concat());
        let reading = check(&section.bytes, &[Captured::at(5_000_000, frame)]);
        assert_eq!(reading.counts.ip_packets, 1);
    }
}

#[test]
fn unknown_blocks_and_options_are_skipped() {
    let frame = udp_frame(b"x");
    let mut section = Section::new(Order::Big);
    section
        .block(5, &[0; 12])
        .block(0x0bad, &[1; 33])
        .ethernet()
        .block(10, &[])
        .block(0xffff_ffff, &vec![2; 300_000]);
    section.packet(0, 1, &frame).block(4, &[0; 4]);
    check(&section.bytes, &[Captured::at(1000, frame)]);
}

#[test]
fn progress_counts_bytes_as_they_lie_in_the_file() {
    let file = Pcap::plain().write(&frames());
    for bytes in [file.clone(), gzip(&file), zstd(&file), bzip2(&file), xz(&file), lz4(&file)] {
        assert_eq!(read(&bytes).bytes_read, bytes.len() as u64);
    }
}

#[test]
fn the_content_hash_does_not_depend_on_name_compression_or_company() {
    let file = Pcap::plain().write(&frames());
    let other = Pcap::plain().write(&frames()[..2]);
    let captures = vec![
        capture("b", gzip(&file)),
        capture("a", file.clone()),
        Capture::once("-", Box::new(Trickle(Cursor::new(zstd(&file))))),
        capture("other", other.clone()),
    ];
    let mut trace = Trace::new(captures, TraceOptions { hash: true, ..TraceOptions::default() });
    assert_eq!(trace.content_hash(0), None);
    while trace.next_packet().is_some() {}
    let expected = ContentHash::new(*blake3::hash(&file).as_bytes());
    assert_eq!([0, 1, 2].map(|capture| trace.content_hash(capture)), [Some(expected); 3]);
    assert_eq!(trace.content_hash(3), Some(ContentHash::new(*blake3::hash(&other).as_bytes())));
    assert_eq!(trace.content_hash(4), None);
    assert_eq!(expected.to_string(), blake3::hash(&file).to_hex().to_string());
}

#[test]
fn the_content_hash_is_computed_only_when_asked_for() {
    let mut trace = Trace::new(vec![capture("a", Pcap::plain().write(&frames()))], TraceOptions::default());
    while trace.next_packet().is_some() {}
    assert_eq!(trace.content_hash(0), None);
}

#[test]
fn captures_are_told_from_other_files() {
    let pcap = Pcap::plain().write(&[]);
    let pcapng = Section::new(Order::Big).bytes;
    for (bytes, expected) in [
        (gzip(&pcap), true),
        (zstd(&pcapng), true),
        (pcap, true),
        (pcapng, true),
        (gzip(b"mac,label"), false),
        (b"mac,label".to_vec(), false),
        (vec![0x1f, 0x8b, 8], false),
        (vec![], false),
    ] {
        assert_eq!(is_capture(Box::new(Cursor::new(bytes.clone()))), expected, "{bytes:02x?}");
    }
}

#[test]
fn a_trace_can_move_to_another_thread() {
    let trace = Trace::new(vec![capture("a", Pcap::plain().write(&frames()))], TraceOptions::default());
    let packets = std::thread::spawn(move || {
        let mut trace = trace;
        std::iter::from_fn(|| trace.next_packet().map(|packet| packet.time)).collect::<Vec<Timestamp>>()
    });
    assert_eq!(packets.join().unwrap().len(), 3);
}

#[test]
fn link_types_have_names() {
    for (number, name) in
        [(1, "Ethernet"), (276, "Linux cooked v2"), (105, "IEEE 802.11 (105)"), (9999, "number 9999")]
    {
        assert_eq!(LinkType::from_number(number).to_string(), name);
    }
}
