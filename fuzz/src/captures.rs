use std::io::Cursor;

use thingprint_flow::{Capture, DecodeCounts, Flow, FlowOptions, Trace, TraceOptions, Tracker, is_capture};
use thingprint_protocol::{Detector, Engine, Heard};

/// Reads bytes as a capture file: to flows and their messages, then sorted by time.
///
/// Every frame is counted once, either way, and no problem lies behind the end of the file.
pub fn captures(data: &[u8]) {
    let _ = is_capture(Box::new(Cursor::new(data.to_vec())));
    let engine = Engine::default();
    let mut packets = 0;
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| {
        assert!(flow.first <= flow.last, "a flow ends before it begins");
    });
    let mut tracker = Tracker::new(FlowOptions::default(), detector);
    let mut trace = trace_of(data, false);
    while let Some(packet) = trace.next_packet() {
        packets += 1;
        tracker.push(&packet);
    }
    let span = tracker.finish().span;
    assert_eq!(span.is_some(), packets > 0);
    check_counts(trace.counts(), packets);
    let is_plain = !data.starts_with(&[0x1f, 0x8b]) && !data.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    for problem in trace.problems() {
        assert!(!is_plain || problem.offset <= data.len() as u64, "{problem}");
    }

    let mut sorted = trace_of(data, true);
    let mut last = None;
    while let Some(packet) = sorted.next_packet() {
        assert!(last <= Some(packet.time), "sorted, and yet out of order");
        last = Some(packet.time);
    }
    assert_eq!(sorted.counts().frames, packets + trace.wrongly_timed());
}

/// Each frame is counted, and in one of the sorts of frames.
pub(crate) fn check_counts(counts: &DecodeCounts, frames: u64) {
    let sorts = [
        counts.ip_packets,
        counts.arp,
        counts.other_ethertype,
        counts.unsupported_link,
        counts.unreadable,
        counts.fragments_held,
    ];
    assert_eq!(counts.frames, frames);
    assert_eq!(sorts.iter().sum::<u64>(), frames, "{counts:?}");
}

fn trace_of(data: &[u8], sort: bool) -> Trace {
    let bytes = data.to_vec();
    let capture = Capture::new("fuzz.pcap", move || Ok(Box::new(Cursor::new(bytes.clone()))));
    Trace::new(vec![capture], TraceOptions { sort, hash: true, ..TraceOptions::default() })
}
