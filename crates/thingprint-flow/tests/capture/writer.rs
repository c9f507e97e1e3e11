use thingprint_flow::{CaptureWriter, LinkType, Timestamp};

use crate::frames::{Captured, Pcap, tcp_frame, udp_frame};
use crate::reading::read;

fn write(frames: &[Captured]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for frame in frames {
        writer.write(frame.time(), &frame.bytes, frame.wire_bytes).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn what_is_written_is_a_pcap_with_nanoseconds() {
    let frames = [
        Captured::at(1_600_000_000_123_456_789, udp_frame(b"one")),
        Captured::at(0, tcp_frame(&[2; 500]).clone()).cut(100),
        Captured::at(4_294_967_295_999_999_999, vec![]),
    ];
    let file = write(&frames);
    assert_eq!(file, Pcap::plain().write(&frames));
    let reading = read(&file);
    assert_eq!(reading.problems, []);
    let seen: Vec<_> = reading.packets.iter().map(|packet| (packet.time, packet.wire_bytes)).collect();
    assert_eq!(seen, frames.map(|frame| (frame.time(), frame.wire_bytes)));
}

#[test]
fn a_capture_without_packets_can_be_read() {
    assert_eq!(read(&write(&[])).problems, []);
}

#[test]
fn a_length_on_the_wire_is_never_below_what_was_captured() {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    writer.write(Timestamp::default(), &udp_frame(b"x"), 0).unwrap();
    assert_eq!(read(&writer.finish().unwrap()).packets[0].wire_bytes, 43);
}

#[test]
fn times_that_the_format_has_no_room_for_are_refused() {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for time in [Timestamp::from_nanos(-1), Timestamp::from_seconds(1 << 32), Timestamp::MIN] {
        let error = writer.write(time, b"", 0).unwrap_err();
        assert!(error.to_string().contains("outside of the years 1970 to 2106"), "{error}");
    }
    assert_eq!(read(&writer.finish().unwrap()).packets.len(), 0);
}

#[test]
fn a_capture_says_what_its_frames_begin_with() {
    for number in [0, 1, 101, 113, 228, 229, 276, 105] {
        let link = LinkType::from_number(number);
        let file = CaptureWriter::with_link(Vec::new(), link).unwrap().finish().unwrap();
        assert_eq!(file[20..], number.to_le_bytes(), "{link}");
    }
}
