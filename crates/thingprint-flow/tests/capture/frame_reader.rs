//! Frames as they come, from captures one after another whose source has one clock.

use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use thingprint_flow::{ByteStream, Capture, FrameReader, SourceClocks};

use crate::frames::{Captured, Order, Pcap, Section, udp_frame};

const SECOND: i64 = 1_000_000_000;
/// The year 2100.
const FAR: i64 = 4_102_444_800;

fn at(times_s: &[i64]) -> Vec<u8> {
    let frames: Vec<_> = times_s.iter().map(|s| Captured::at(*s * SECOND, udp_frame(b"x"))).collect();
    Pcap::plain().write(&frames)
}

fn open(bytes: Vec<u8>) -> FrameReader {
    FrameReader::open(Capture::once("x", Box::new(Cursor::new(bytes)))).unwrap()
}

/// The seconds of the frames that captures of one source give, and those that begin a segment.
fn read(captures: &[Vec<u8>], clocks: &mut SourceClocks) -> (Vec<i64>, Vec<i64>) {
    let (mut times, mut begins) = (Vec::new(), Vec::new());
    for bytes in captures {
        let mut reader = open(bytes.clone());
        while let Some(frame) = reader.next_frame(clocks).unwrap() {
            let second = frame.time.as_nanos() / SECOND;
            times.push(second);
            begins.extend(frame.begins_segment.then_some(second));
        }
    }
    (times, begins)
}

#[test]
fn trusted_times_are_believed_at_once() {
    let check = |captures: &[Vec<u8>], expected: (&[i64], &[i64])| {
        let mut clocks = SourceClocks::trusted();
        let (times, begins) = read(captures, &mut clocks);
        assert_eq!((&times[..], &begins[..]), expected);
        assert_eq!((clocks.steps_back(), clocks.wrongly_timed()), (begins.len() as u64, 0));
    };
    check(&[at(&[0, 1, 1000, 2000])], (&[0, 1, 1000, 2000], &[]));
    check(&[at(&[5000, 4700, 10, 9])], (&[5000, 4700, 10, 9], &[10]));
    // The clock goes on from one capture to the next.
    check(&[at(&[FAR]), at(&[10, 11]), at(&[12])], (&[FAR, 10, 11, 12], &[10]));
}

#[test]
fn an_interface_steps_back_by_its_own_clock() {
    let mut section = Section::new(Order::Little);
    section.ethernet().ethernet();
    for (interface, second) in [(0, 9000), (1, 10), (0, 9001), (1, 11), (0, 20), (1, 12)] {
        section.packet(interface, second * 1_000_000, &udp_frame(b"x"));
    }
    let (times, begins) = read(&[section.bytes], &mut SourceClocks::trusted());
    assert_eq!((times, begins), (vec![9000, 10, 9001, 11, 20, 12], vec![20]));
}

#[test]
fn frames_wait_for_those_of_the_next_capture() {
    let mut clocks = SourceClocks::confirmed();
    assert_eq!(read(&[at(&[0, 1, 2, FAR])], &mut clocks), (vec![0, 1, 2], vec![]));
    assert_eq!(read(&[at(&[3, 4])], &mut clocks), (vec![3, 4], vec![]));
    assert_eq!(clocks.wrongly_timed(), 1);
    assert_eq!(read(&[at(&[1000]), at(&[1001]), at(&[1002])], &mut clocks), (vec![1000, 1001, 1002], vec![]));
    assert_eq!(read(&[at(&[10, 11])], &mut clocks), (vec![], vec![]));
    assert_eq!(read(&[at(&[12])], &mut clocks), (vec![10, 11, 12], vec![10]));
    assert_eq!(clocks.steps_back(), 1);
}

#[test]
fn frames_that_wait_are_believed_when_none_come() {
    let mut clocks = SourceClocks::confirmed();
    assert_eq!(read(&[at(&[0, 1, 2, 1000])], &mut clocks), (vec![0, 1, 2], vec![]));
    let mut settled = Vec::new();
    clocks.settle(|frame| settled.push(frame.time.as_nanos() / SECOND));
    assert_eq!(settled, [1000]);
    assert_eq!(read(&[at(&[1001])], &mut clocks), (vec![1001], vec![]));
}

#[test]
fn what_was_read_before_is_passed_over() {
    let mut reader = open(at(&[0, 1, 2, 3]));
    assert_eq!(reader.skip(3).unwrap(), 3);
    let mut clocks = SourceClocks::confirmed();
    assert_eq!(reader.next_frame(&mut clocks).unwrap().unwrap().time.as_nanos(), 3 * SECOND);
    assert_eq!(reader.frames(), 4);
    assert_eq!(open(at(&[0, 1])).skip(5).unwrap(), 2);
}

#[test]
fn a_frame_is_handed_out_before_the_stream_is_asked_for_more() {
    let reads = Arc::new(AtomicUsize::new(0));
    let chunks = Chunks { parts: vec![at(&[0, 1]), at(&[2])[24..].to_vec()], reads: Arc::clone(&reads) };
    let stream: ByteStream = Box::new(chunks);
    let mut reader = FrameReader::open(Capture::once("x", stream)).unwrap();
    let mut clocks = SourceClocks::trusted();
    let mut seen = Vec::new();
    while reader.next_frame(&mut clocks).unwrap().is_some() {
        seen.push(reads.load(Ordering::Relaxed));
    }
    assert_eq!(seen, [1, 1, 2]);
}

#[test]
fn a_packet_that_claims_too_much_is_refused() {
    let mut bytes = at(&[0]);
    bytes[32..36].copy_from_slice(&(9_u32 << 20).to_le_bytes());
    let error = open(bytes).next_frame(&mut SourceClocks::trusted()).unwrap_err();
    assert!(error.reason.contains("more than 8388608"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_behind_a_header_end_in_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut capture = at(&[1]);
        capture.extend(bytes);
        for mut clocks in [SourceClocks::trusted(), SourceClocks::confirmed()] {
            let mut reader = open(capture.clone());
            while let Ok(Some(frame)) = reader.next_frame(&mut clocks) {
                prop_assert!(frame.wire_bytes as usize >= frame.bytes.len());
            }
            prop_assert!(reader.frames() <= 1 + 400 / 16);
        }
    }
}

/// A stream that gives a part at each read, and counts those that were read to their end.
struct Chunks {
    parts: Vec<Vec<u8>>,
    reads: Arc<AtomicUsize>,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(part) = self.parts.first_mut() else { return Ok(0) };
        let length = part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&part[..length]);
        part.drain(..length);
        if part.is_empty() {
            self.parts.remove(0);
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
        Ok(length)
    }
}
