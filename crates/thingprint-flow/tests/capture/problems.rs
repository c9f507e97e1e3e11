use std::io::{self, Cursor, Read};

use thingprint_flow::{ByteStream, Capture, CaptureError, ProblemKind, TraceOptions, foreign_file};

use crate::frames::{Captured, Order, Pcap, Section, bzip2, gzip, lz4, udp_frame, xz, zstd};
use crate::reading::{Reading, capture, read, read_all};

fn frames() -> Vec<Captured> {
    (1..=50).map(|n| Captured::at(n * 1_000_000, udp_frame(&[7; 100]))).collect()
}

/// Asserts that a capture gives so many packets and then one problem.
fn check(bytes: &[u8], packets: usize, kind: ProblemKind) -> CaptureError {
    let Reading { packets: seen, problems, .. } = read(bytes);
    let [problem] = &problems[..] else { panic!("one problem, not {problems:?}") };
    assert_eq!((seen.len(), problem.kind), (packets, kind), "{problem}");
    assert_eq!(problem.packets, packets as u64);
    assert_eq!(problem.capture, "home.pcap");
    problem.clone()
}

#[test]
fn a_capture_cut_in_its_last_packet_gives_all_whole_ones() {
    let file = Pcap::plain().write(&frames());
    for missing in [1, 60, 150, 157] {
        let problem = check(&file[..file.len() - missing], 49, ProblemKind::Cut);
        assert_eq!(problem.offset, 24 + 49 * 158);
    }
    let problem = check(&file[..file.len() - 42], 49, ProblemKind::Cut);
    assert_eq!(
        problem.to_string(),
        "home.pcap: the capture is cut off: 116 of 158 bytes are there (byte 7766, after 49 packets)"
    );
}

#[test]
fn a_capture_cut_in_its_header_is_cut() {
    let file = Pcap::plain().write(&[]);
    assert_eq!(check(&file[..10], 0, ProblemKind::Cut).offset, 0);
    let section = Section::new(Order::Little);
    check(&section.bytes[..5], 0, ProblemKind::Cut);
    check(&section.bytes[..20], 0, ProblemKind::Cut);
}

#[test]
fn a_pcapng_cut_in_its_last_block_gives_all_whole_packets() {
    let mut section = Section::new(Order::Big);
    section.ethernet();
    for frame in frames() {
        section.packet(0, 1, &frame.bytes);
    }
    for missing in [1, 8, 30, 170] {
        check(&section.bytes[..section.bytes.len() - missing], 49, ProblemKind::Cut);
    }
}

#[test]
fn a_cut_compressed_stream_gives_what_is_there() {
    let file = Pcap::plain().write(&frames());
    for compressed in [gzip(&file), zstd(&file), bzip2(&file), xz(&file), lz4(&file)] {
        // The last four bytes of an LZ4 frame only mark its end.
        let reading = read(&compressed[..compressed.len() - 8]);
        let [problem] = &reading.problems[..] else { panic!("one problem, not {:?}", reading.problems) };
        assert_eq!(problem.kind, ProblemKind::Cut);
        assert_eq!(problem.packets, reading.packets.len() as u64);
    }
    let whole_but_for_its_check = gzip(&file);
    let reading = read(&whole_but_for_its_check[..whole_but_for_its_check.len() - 4]);
    assert_eq!(reading.packets.len(), 50);
}

#[test]
fn a_damaged_compressed_stream_is_broken() {
    let mut wrong_checksum = gzip(&Pcap::plain().write(&frames()));
    let at = wrong_checksum.len() - 8;
    wrong_checksum[at] ^= 1;
    let problem = check(&wrong_checksum, 50, ProblemKind::Broken);
    assert!(problem.reason.contains("compressed stream"), "{problem}");
    // A block of the reserved type, in either format.
    let gzip_header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let zstd_header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    check(&[&gzip_header[..], &[0xff; 200]].concat(), 0, ProblemKind::Broken);
    check(&[&zstd_header[..], &[0xff; 200]].concat(), 0, ProblemKind::Broken);
}

#[test]
fn a_compressed_stream_that_takes_too_much_memory_is_refused() {
    let mut file = xz(&Pcap::plain().write(&frames()));
    // The block header: its size, flags, the filter LZMA2, one byte of properties, the dictionary; then a CRC-32 of these.
    let header = 12..12 + usize::from(file[12]) * 4;
    assert_eq!(file[14..16], [0x21, 1]);
    // A dictionary of 192 MiB, which one byte claims.
    file[16] = 31;
    let checksum = file[header.clone()].iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    file[header.end..header.end + 4].copy_from_slice(&(!checksum).to_le_bytes());
    let problem = check(&file, 0, ProblemKind::Unreadable);
    assert!(problem.reason.contains("128 MiB") && problem.reason.contains("'xz -dc'"), "{problem}");
    // A frame with a window of 256 MiB, in its header.
    let problem = check(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90, 1, 0, 0], 0, ProblemKind::Unreadable);
    assert!(problem.reason.contains("'zstd -dc --long=31'"), "{problem}");
}

#[test]
fn other_files_are_no_captures() {
    let problem = check(b"room,colour\n", 0, ProblemKind::NotACapture);
    assert!(problem.to_string().contains("it starts with 72 6f 6f 6d"), "{problem}");
    assert_eq!(check(b"", 0, ProblemKind::NotACapture).reason, "the file is empty");
    check(&[0xa1], 0, ProblemKind::NotACapture);
    check(&gzip(b"text"), 0, ProblemKind::NotACapture);
    check(&gzip(b""), 0, ProblemKind::NotACapture);
}

#[test]
fn files_that_are_often_given_for_captures_are_named() {
    let tar = [&b"a.pcap"[..], &[0; 251], b"ustar\x0000", &[0; 300]].concat();
    let wireshark =
        b"[\n  {\n    \"_index\": \"packets-2020-01-01\",\n    \"_source\": {\"layers\": {}}\n  }\n]\n";
    let files: [(&[u8], &str); 17] = [
        (b"PK\x03\x04\x14\0\0\0", "a ZIP archive"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive"),
        (&tar, "a tar archive"),
        (b"#separator \\x09\n#path\tconn\n", "a Zeek log"),
        (b"{\"ts\":1.5,\"uid\":\"C1\",\"id.orig_h\":\"192.0.2.1\"}\n", "a Zeek log in JSON"),
        (b"{\"timestamp\":\"2024-01-01T00:00:00\",\"event_type\":\"dns\"}\n", "an EVE log of Suricata"),
        (wireshark, "a JSON export of Wireshark"),
        (b"snoop\0\0\0\0\0\0\x02", "a snoop capture"),
        (b"\x89TPM\x03", "a model"),
        (b"TPRTPART\x01", "a part of captures"),
        (b"SQLite format 3\0\x10", "a database of SQLite"),
        (b"PAR1\x15", "a table as Parquet"),
        (b"mac,label,kind\n", "a label file"),
        (b"device,window_start\n", "a table as CSV"),
        (b"{\"device\":\"02:00:00:00:00:07\"}\n", "a table as JSON"),
        (b"{\n  \"ietf-mud:mud\": {", "a MUD profile"),
        (b"<!doctype html>", "a page of HTML"),
    ];
    for (file, name) in files {
        for bytes in [file.to_vec(), gzip(file), xz(file)] {
            let problem = check(&bytes, 0, ProblemKind::NotACapture);
            assert!(problem.reason.starts_with(&format!("this is {name}, not a capture: ")), "{problem}");
        }
        let found = foreign_file(Box::new(Cursor::new(file.to_vec()))).unwrap();
        assert_eq!((found.name, found.is_archive), (name, name.ends_with("archive")));
    }
    assert_eq!(foreign_file(Box::new(Cursor::new(b"some notes\n"))), None);
}

#[test]
fn an_absurd_packet_length_is_broken_and_not_allocated() {
    let whole = Pcap::plain().write(&frames()[..3]);
    for claim in [64 * 1024 * 1024 + 1, u32::MAX] {
        let header = [[0; 4], [0; 4], claim.to_le_bytes(), claim.to_le_bytes()].concat();
        let problem = check(&[&whole[..], &header, &[0; 100]].concat(), 3, ProblemKind::Broken);
        assert_eq!(problem.offset, whole.len() as u64);
    }
    let header = [[0; 4], [0; 4], 60_000_000_u32.to_le_bytes(), [0; 4]].concat();
    check(&[&whole[..], &header, &[0; 100]].concat(), 3, ProblemKind::Cut);
}

#[test]
fn blocks_that_contradict_themselves_are_broken() {
    let frame = udp_frame(b"x");
    let mut begun = Section::new(Order::Little);
    begun.ethernet().packet(0, 1, &frame);
    let with = |tail: &[u8]| [&begun.bytes, tail].concat();
    let block = |kind: u32, body: &[u8]| {
        let mut section = begun.clone();
        section.block(kind, body);
        section.bytes
    };
    let claim = 1000_u32.to_le_bytes();
    let cases = [
        ("shorter than its frame", with(&[6, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0])),
        ("length 0", with(&[0; 12])),
        ("longer than is believed", with(&[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])),
        (
            "packet of an interface that is not there",
            block(6, &[&1_u32.to_le_bytes()[..], &[0; 16]].concat()),
        ),
        ("packet longer than its block", block(6, &[&[0; 12], &claim[..], &claim].concat())),
        ("too short for a packet", block(6, &[0; 8])),
        ("old packet longer than its block", block(2, &[&[0; 12], &claim[..], &claim].concat())),
        ("too short for an old packet", block(2, &[0; 8])),
        ("too short for an interface", block(1, &[0; 4])),
        ("too short for a simple packet", block(3, &[])),
        (
            "section of version 2",
            block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ),
        ("section without byte order", block(0x0a0d_0d0a, &[1; 16])),
    ];
    for (what, bytes) in cases {
        let Reading { packets, problems, .. } = read(&bytes);
        let kinds: Vec<_> = problems.iter().map(|problem| problem.kind).collect();
        assert_eq!((packets.len(), &kinds[..]), (1, &[ProblemKind::Broken][..]), "{what}: {problems:?}");
        assert_eq!(problems[0].offset, begun.bytes.len() as u64, "{what}");
    }
}

#[test]
fn a_block_whose_two_lengths_differ_is_broken() {
    let mut section = Section::new(Order::Little);
    section.ethernet().packet(0, 1, &udp_frame(b"x"));
    *section.bytes.last_mut().unwrap() ^= 1;
    check(&section.bytes, 0, ProblemKind::Broken);
}

#[test]
fn an_unsupported_link_type_is_refused_by_name() {
    let problem = check(&Pcap::with_link(127).write(&frames()), 0, ProblemKind::UnsupportedLink);
    assert_eq!(problem.reason, "link type IEEE 802.11 with radiotap header (127) is not supported");
}

#[test]
fn a_pcapng_is_refused_when_no_interface_is_supported() {
    let mut section = Section::new(Order::Little);
    section.interface(105, 0, &[]).interface(9, 0, &[]).packet(0, 1, b"beacon").packet(1, 2, b"ppp");
    let Reading { problems, counts, .. } = read(&section.bytes);
    assert_eq!(
        problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(),
        [ProblemKind::UnsupportedLink]
    );
    assert!(problems[0].reason.contains("IEEE 802.11 (105)"), "{problems:?}");
    assert_eq!((counts.frames, counts.unsupported_link), (2, 2));
}

#[test]
fn one_supported_interface_is_enough() {
    let mut section = Section::new(Order::Little);
    section.interface(105, 0, &[]).ethernet().packet(0, 1, b"beacon").packet(1, 2, &udp_frame(b"x"));
    let Reading { problems, packets, counts, .. } = read(&section.bytes);
    assert_eq!(problems, []);
    assert_eq!((packets.len(), counts.unsupported_link, counts.ip_packets), (2, 1, 1));
}

#[test]
fn packets_of_unsupported_interfaces_are_counted_by_link_type() {
    let mut section = Section::new(Order::Big);
    section.interface(127, 0, &[]).interface(9, 0, &[]).ethernet();
    for (interface, bytes) in [(0, &b"beacon"[..]), (2, &udp_frame(b"x")), (0, b"beacon"), (1, b"ppp")] {
        section.packet(interface, 1, bytes);
    }
    let links = read(&section.bytes).counts.unsupported_links;
    let links: Vec<_> = links.iter().map(|(link, packets)| (link.number(), *packets)).collect();
    assert_eq!(links, [(9, 1), (127, 2)]);
}

#[test]
fn a_capture_that_cannot_be_opened_is_unreadable() {
    let missing = Capture::new("gone.pcap", || Err(io::Error::new(io::ErrorKind::NotFound, "no such file")));
    let reading = read_all(vec![missing], TraceOptions::default());
    assert_eq!(reading.problems[0].kind, ProblemKind::Unreadable);
    assert_eq!(reading.problems[0].to_string(), "gone.pcap: no such file (byte 0, after 0 packets)");
}

#[test]
fn a_disk_that_fails_is_told_from_a_damaged_stream() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "input/output error"))
        }
    }
    let file = Pcap::plain().write(&frames());
    for bytes in [file[..1000].to_vec(), gzip(&file)[..100].to_vec()] {
        let stream: ByteStream = Box::new(Cursor::new(bytes).chain(Failing));
        let reading = read_all(vec![Capture::once("-", stream)], TraceOptions::default());
        let kinds: Vec<_> = reading.problems.iter().map(|problem| problem.kind).collect();
        assert_eq!(kinds, [ProblemKind::Unreadable]);
        assert!(reading.problems[0].reason.contains("input/output error"));
    }
}

#[test]
fn one_bad_capture_does_not_end_the_trace() {
    let file = Pcap::plain().write(&frames());
    let captures = || {
        vec![
            capture("good-1", file.clone()),
            capture("garbage", b"not a capture".to_vec()),
            capture("cut", file[..file.len() - 1].to_vec()),
            capture("empty", Pcap::plain().write(&[])),
            Capture::once("-", Box::new(io::empty())),
            capture("good-2", file.clone()),
        ]
    };
    for sort in [false, true] {
        let reading = read_all(captures(), TraceOptions { sort, ..TraceOptions::default() });
        assert_eq!(reading.packets.len(), 149);
        let mut problems: Vec<_> =
            reading.problems.iter().map(|problem| (problem.capture.as_str(), problem.kind)).collect();
        problems.sort_unstable();
        assert_eq!(
            problems,
            [
                ("-", ProblemKind::NotACapture),
                ("cut", ProblemKind::Cut),
                ("garbage", ProblemKind::NotACapture)
            ]
        );
    }
}

#[test]
fn a_trace_of_nothing_ends_at_once() {
    let reading = read_all(Vec::new(), TraceOptions::default());
    assert_eq!((reading.packets.len(), reading.problems.len()), (0, 0));
}
