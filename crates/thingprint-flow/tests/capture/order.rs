use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use thingprint_flow::{ByteStream, Capture, TraceOptions, TunnelSet};

use crate::frames::{Captured, Pcap, gzip, udp_frame};
use crate::reading::{Reading, capture, read_all};

const SORT: TraceOptions = TraceOptions {
    sort: true,
    hash: false,
    drops_copies: false,
    tunnels: TunnelSet::NONE,
    keeps_edges: false,
};

/// A capture with a packet at each of these times.
fn at(times: &[i64]) -> Vec<u8> {
    let frames: Vec<_> = times.iter().map(|nanos| Captured::at(*nanos, udp_frame(b"x"))).collect();
    Pcap::plain().write(&frames)
}

/// The order in which packets came: the place of the capture and the time.
fn order(reading: &Reading) -> Vec<(usize, i64)> {
    assert_eq!(reading.problems, []);
    let times = reading.packets.iter().map(|packet| packet.time.as_nanos());
    reading.captures.iter().copied().zip(times).collect()
}

/// Asserts in which order the packets of captures come.
fn check(captures: &[(&str, &[i64])], options: TraceOptions, expected: &[(usize, i64)]) {
    let captures = captures.iter().map(|(name, times)| capture(name, at(times))).collect();
    assert_eq!(order(&read_all(captures, options)), expected);
}

#[test]
fn rotated_captures_follow_each_other_however_they_are_given() {
    check(
        &[("c", &[50, 60]), ("a", &[10, 20]), ("b", &[30, 40])],
        TraceOptions::default(),
        &[(1, 10), (1, 20), (2, 30), (2, 40), (0, 50), (0, 60)],
    );
}

#[test]
fn captures_that_overlap_are_merged_by_time() {
    check(
        &[("a", &[10, 40, 70]), ("b", &[20, 30, 80]), ("c", &[25, 75])],
        TraceOptions::default(),
        &[(0, 10), (1, 20), (2, 25), (1, 30), (0, 40), (0, 70), (2, 75), (1, 80)],
    );
}

#[test]
fn ties_go_to_the_capture_that_begins_first_then_to_the_lower_name() {
    check(
        &[("z", &[10, 50]), ("b", &[20, 50]), ("a", &[20, 50])],
        TraceOptions::default(),
        &[(0, 10), (2, 20), (1, 20), (0, 50), (2, 50), (1, 50)],
    );
    // The same name twice: as given.
    check(&[("a", &[10]), ("a", &[10])], TraceOptions::default(), &[(0, 10), (1, 10)]);
}

#[test]
fn times_that_go_back_keep_the_order_of_their_file() {
    check(&[("a", &[50, 10, 60])], TraceOptions::default(), &[(0, 50), (0, 10), (0, 60)]);
    check(
        &[("a", &[50, 10, 20, 60]), ("b", &[15, 55])],
        TraceOptions::default(),
        &[(1, 15), (0, 50), (0, 10), (0, 20), (1, 55), (0, 60)],
    );
}

#[test]
fn sorting_is_by_time_and_stable() {
    check(&[("a", &[50, 10, 60, 10])], SORT, &[(0, 10), (0, 10), (0, 50), (0, 60)]);
    check(
        &[("b", &[30, 10, 20]), ("a", &[25, 20, 5])],
        SORT,
        &[(1, 5), (0, 10), (1, 20), (0, 20), (1, 25), (0, 30)],
    );
}

#[test]
fn sorting_keeps_equal_times_in_the_order_of_the_file() {
    let frames: Vec<_> = (0..100_u8).map(|n| Captured::at(i64::from(n % 3), udp_frame(&[n]))).collect();
    let reading = read_all(vec![capture("a", Pcap::plain().write(&frames))], SORT);
    let payloads: Vec<u8> =
        reading.packets.iter().map(|packet| packet.ip.as_ref().unwrap().payload[0]).collect();
    let expected: Vec<u8> = (0..3).flat_map(|rest| (0..100).filter(move |n| n % 3 == rest)).collect();
    assert_eq!(payloads, expected);
}

#[test]
fn sorting_holds_frames_longer_than_its_chunks() {
    let frames = [Captured::at(9, vec![1; 5_000_000]), Captured::at(3, udp_frame(b"x"))];
    let reading = read_all(vec![capture("a", Pcap::plain().write(&frames))], SORT);
    let sizes: Vec<_> = reading.packets.iter().map(|packet| packet.wire_bytes).collect();
    assert_eq!(sizes, [43, 5_000_000]);
}

#[test]
fn standard_input_is_merged_with_files() {
    let stdin = Capture::once("-", Box::new(Cursor::new(gzip(&at(&[15, 35])))));
    let reading = read_all(vec![capture("a", at(&[10, 40])), stdin], TraceOptions::default());
    assert_eq!(order(&reading), [(0, 10), (1, 15), (1, 35), (0, 40)]);
}

/// Counts how many streams are open at the same time.
#[derive(Clone, Default)]
struct Gauge {
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct Gauged(Cursor<Vec<u8>>, Gauge);

impl Gauge {
    fn capture(&self, name: String, bytes: Vec<u8>) -> Capture {
        let gauge = self.clone();
        Capture::new(name, move || {
            let open = gauge.open.fetch_add(1, Ordering::SeqCst) + 1;
            gauge.most.fetch_max(open, Ordering::SeqCst);
            Ok(Box::new(Gauged(Cursor::new(bytes.clone()), gauge.clone())) as ByteStream)
        })
    }
}

impl Read for Gauged {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Drop for Gauged {
    fn drop(&mut self) {
        self.1.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn only_captures_that_overlap_are_open_at_the_same_time() {
    let gauge = Gauge::default();
    let captures =
        (0..200_i64).map(|n| gauge.capture(format!("{n:03}"), at(&[n * 10, n * 10 + 12]))).collect();
    let reading = read_all(captures, TraceOptions::default());
    assert_eq!(reading.packets.len(), 400);
    assert!(reading.packets.is_sorted_by_key(|packet| packet.time));
    assert_eq!(gauge.most.load(Ordering::SeqCst), 2);
    assert_eq!(gauge.open.load(Ordering::SeqCst), 0);
}
