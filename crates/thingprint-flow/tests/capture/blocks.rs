//! Bytes that are kept beyond their packet.
use std::collections::VecDeque;

use thingprint_flow::{Trace, TraceOptions};

use crate::frames::{Captured, Pcap, udp_frame};
use crate::reading::{Trickle, capture};

/// A capture of so many frames, each with its number in it, of some 300 bytes.
fn numbered(frames: u32) -> Vec<u8> {
    let frame = |number: u32| Captured::at(i64::from(number), udp_frame(&number.to_be_bytes().repeat(64)));
    Pcap::plain().write(&(0..frames).map(frame).collect::<Vec<_>>())
}

#[test]
fn what_is_kept_stays_as_it_was_while_blocks_are_used_again() {
    let file = numbered(20_000);
    let mut trace = Trace::new(vec![capture("home.pcap", file.clone())], TraceOptions::default());
    let (mut kept, mut frames, mut lent) = (VecDeque::new(), 0_u32, 0_u32);
    while let Some(next) = trace.next_placed() {
        if let Some(block) = next.block {
            kept.push_back((frames, block.clone(), block.range_of(next.frame.bytes).unwrap()));
            assert_eq!(block.range_of(&file), None, "bytes of elsewhere");
            lent += 1;
        }
        // Some two blocks.
        if kept.len() > 2000 {
            let (number, block, range) = kept.pop_front().unwrap();
            assert_eq!(block.bytes(range), udp_frame(&number.to_be_bytes().repeat(64)));
        }
        frames += 1;
    }
    assert_eq!(frames, 20_000);
    assert!(lent > 19_000, "{lent} frames lie in blocks");
}

#[test]
fn a_block_with_little_in_it_is_not_kept() {
    let slow = thingprint_flow::Capture::once("pipe", Box::new(Trickle(std::io::Cursor::new(numbered(200)))));
    let mut trace = Trace::new(vec![slow], TraceOptions::default());
    let mut frames = 0;
    while let Some(next) = trace.next_placed() {
        assert!(next.block.is_none());
        frames += 1;
    }
    assert_eq!(frames, 200);
}

#[test]
fn captures_that_overlap_keep_no_blocks() {
    let file = numbered(2000);
    let both = ["a", "b"].map(|name| capture(name, file.clone()));
    let mut trace = Trace::new(both.into(), TraceOptions::default());
    let (mut frames, mut lent) = (0, 0);
    while let Some(next) = trace.next_placed() {
        frames += 1;
        lent += usize::from(next.block.is_some());
    }
    assert_eq!(frames, 4000);
    // What is left of one when the other has ended.
    assert!(lent < 10, "{lent}");
}
