//! Times that are believed, and those that are not: frames alone in the future, and clocks that step back.

use thingprint_flow::{Trace, TraceOptions};

use crate::frames::{Captured, Order, Pcap, Section, udp_frame};
use crate::reading::capture;

const SECOND: i64 = 1_000_000_000;
/// The year 2100.
const FAR: i64 = 4_102_444_800;

/// A capture with a frame at each of these seconds.
fn at(times_s: &[i64]) -> Vec<u8> {
    let frames: Vec<_> = times_s.iter().map(|s| Captured::at(*s * SECOND, udp_frame(b"x"))).collect();
    Pcap::plain().write(&frames)
}

/// The seconds of the frames that come, in order, with those that begin a segment, and how many were left out.
type Read = (Vec<i64>, Vec<i64>, u64);

fn read(captures: &[Vec<u8>], options: TraceOptions) -> Read {
    let named = captures.iter().enumerate();
    let named = named.map(|(place, bytes)| capture(&place.to_string(), bytes.clone())).collect();
    let mut trace = Trace::new(named, options);
    let (mut times, mut begins) = (Vec::new(), Vec::new());
    while let Some((frame, packet)) = trace.next_frame() {
        assert_eq!(packet.time, frame.time);
        assert!(packet.ip.is_some());
        let second = frame.time.as_nanos() / SECOND;
        times.push(second);
        if frame.begins_segment {
            begins.push(second);
        }
    }
    let steps: u64 = trace.steps_back().iter().map(|(_, steps)| steps).sum();
    assert_eq!(steps, begins.len() as u64);
    (times, begins, trace.wrongly_timed())
}

fn check(times_s: &[i64], expected: (&[i64], &[i64], u64)) {
    let (times, begins, left_out) = read(&[at(times_s)], TraceOptions::default());
    assert_eq!((&times[..], &begins[..], left_out), expected, "{times_s:?}");
}

#[test]
fn frames_alone_in_the_future_are_left_out() {
    check(&[0, 1, 2, FAR, 3, 4], (&[0, 1, 2, 3, 4], &[], 1));
    check(&[0, 1, 2, FAR, FAR, 3, FAR, 4], (&[0, 1, 2, 3, 4], &[], 3));
    check(&[0, FAR, 1, 2, 3], (&[0, 1, 2, 3], &[], 1));
    // 300 s are no jump.
    check(&[0, 1, 2, 302, 3], (&[0, 1, 2, 302, 3], &[], 0));
    check(&[0, 1, 2, 303, 3], (&[0, 1, 2, 3], &[], 1));
}

#[test]
fn a_jump_is_believed_from_three_frames_or_at_the_end() {
    check(&[0, 1, 2, 1000, 1001, 1002, 1003], (&[0, 1, 2, 1000, 1001, 1002, 1003], &[], 0));
    check(&[0, 1, 2, 1000, 1001], (&[0, 1, 2, 1000, 1001], &[], 0));
    // Frames that are always further apart, and a damaged one behind a silence.
    check(&[0, 400, 800, 1200, 1600], (&[0, 400, 800, 1200, 1600], &[], 0));
    check(&[0, 1, 2, FAR, 1000, 1001, 1002], (&[0, 1, 2, 1000, 1001, 1002], &[], 1));
}

#[test]
fn a_step_back_that_three_frames_confirm_begins_a_segment() {
    check(&[5000, 5001, 5002, 10, 11, 12, 13], (&[5000, 5001, 5002, 10, 11, 12, 13], &[10], 0));
    check(&[5000, 5001, 5002, 10, 11, 5003], (&[5000, 5001, 5002, 10, 11, 5003], &[], 0));
    // Nothing contradicts those at the end.
    check(&[5000, 5001, 5002, 10, 11], (&[5000, 5001, 5002, 10, 11], &[10], 0));
    check(&[5000, 5001, 10], (&[5000, 5001, 10], &[10], 0));
    check(&[5000, 5001, 5002, 4702, 4703, 4704], (&[5000, 5001, 5002, 4702, 4703, 4704], &[], 0));
    // Behind a first frame in the future, all the others are of another segment.
    check(&[FAR, 0, 1, 2], (&[FAR, 0, 1, 2], &[0], 0));
    // A frame alone in the past is late, also where the clock steps back behind it.
    check(&[9000, 9001, 9002, 10, 5000, 5001, 5002], (&[9000, 9001, 9002, 10, 5000, 5001, 5002], &[5000], 0));
}

#[test]
fn sorting_believes_every_time() {
    let options = TraceOptions { sort: true, ..TraceOptions::default() };
    let (times, begins, left_out) = read(&[at(&[5000, FAR, 10, 4000, 11, 12])], options);
    assert_eq!((times, begins, left_out), (vec![10, 11, 12, 4000, 5000, FAR], vec![], 0));
}

#[test]
fn a_frame_in_the_future_at_the_end_of_a_capture_is_left_out_where_others_go_on() {
    let check = |captures: &[Vec<u8>], expected: (&[i64], u64)| {
        let (times, begins, left_out) = read(captures, TraceOptions::default());
        assert_eq!((&times[..], left_out), expected);
        assert_eq!(begins, []);
    };
    check(&[at(&[0, 1, 2, FAR]), at(&[3, 4, 5])], (&[0, 1, 2, 3, 4, 5], 1));
    check(&[at(&[0, 1, 2]), at(&[3, 4, FAR])], (&[0, 1, 2, 3, 4, FAR], 0));
    // The next capture goes on at that time.
    check(&[at(&[0, 1, 2, 1000]), at(&[1001, 1002])], (&[0, 1, 2, 1000, 1001, 1002], 0));
}

#[test]
fn frames_at_the_ends_of_captures_are_judged_by_confirmed_frames_alone() {
    let check = |captures: &[Vec<u8>], expected: (&[i64], &[i64], u64)| {
        let (times, begins, left_out) = read(captures, TraceOptions::default());
        assert_eq!((&times[..], &begins[..], left_out), expected);
    };
    // The other capture goes on at the time of a quiet interface's last frame.
    let busy = at(&[3, 1001, 1002, 1003]);
    check(&[at(&[0, 1, 2, 1000]), busy], (&[0, 1, 2, 3, 1000, 1001, 1002, 1003], &[], 0));
    // Three frames agree, though of two captures that end there.
    check(&[at(&[0, 1, 2, 1000]), at(&[0, 6, 1001, 1002])], (&[0, 0, 1, 2, 6, 1000, 1001, 1002], &[], 0));
    // A damaged time that nothing contradicts is no evidence for another one.
    check(&[at(&[0, 1, 2, FAR + 5]), at(&[3, 4, FAR])], (&[0, 1, 2, 3, 4, FAR], &[], 1));
    check(&[at(&[0, 1, 2, FAR]), at(&[3, 4, FAR])], (&[0, 1, 2, 3, 4, FAR], &[], 1));
    check(&[at(&[0, 1, 2, FAR, FAR]), at(&[3, 4, 5])], (&[0, 1, 2, 3, 4, 5], &[], 2));
    // A frame behind at the end of a capture is late where another one goes on, and begins a segment at the end.
    check(&[at(&[5000, 5001, 10]), at(&[5002, 5003])], (&[5000, 5001, 10, 5002, 5003], &[], 0));
    check(&[at(&[5000, 5001]), at(&[5002, 5003, 10])], (&[5000, 5001, 5002, 5003, 10], &[10], 0));
    // Behind a step of the clock, the times before it mean nothing any more.
    let stepped = at(&[9000, 9001, 9002, 10, 11, 12]);
    check(&[stepped, at(&[9003, FAR])], (&[9000, 9001, 9002, 10, 11, 12, 9003, FAR], &[10], 0));
}

#[test]
fn each_interface_has_a_clock() {
    let mut section = Section::new(Order::Big);
    section.ethernet().ethernet();
    let us = |second: i64| u64::try_from(second).unwrap() * 1_000_000;
    // The second interface is silent for longer than 300 s while the first one is not.
    let story =
        [(0, 0), (1, 0), (0, 200), (0, 400), (0, 600), (1, 601), (1, FAR), (0, 602), (1, 603), (0, 604)];
    for (interface, second) in story {
        section.packet(interface, us(second), &udp_frame(b"x"));
    }
    let (times, begins, left_out) = read(&[section.bytes.clone()], TraceOptions::default());
    assert_eq!((times, begins, left_out), (vec![0, 0, 200, 400, 600, 601, 602, 603, 604], vec![], 1));
}

#[test]
fn frames_of_two_interfaces_that_wait_keep_the_order_of_the_file() {
    let mut section = Section::new(Order::Little);
    section.ethernet().ethernet();
    let mut seconds = Vec::new();
    for (at, second) in [0, 1, 2, 3, 4, 5, 2000, 2001, 2002, 2003, 2004, 2005].into_iter().enumerate() {
        section.packet(u32::from(at % 2 == 1), second * 1_000_000, &udp_frame(b"x"));
        seconds.push(i64::try_from(second).unwrap());
    }
    let (times, begins, left_out) = read(&[section.bytes.clone()], TraceOptions::default());
    assert_eq!((times, begins, left_out), (seconds, vec![], 0));
}
