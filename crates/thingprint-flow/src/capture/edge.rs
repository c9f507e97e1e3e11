use serde::{Deserialize, Serialize};

use super::clock::{Clocks, Held};
use super::link::LinkType;
use crate::Timestamp;
use crate::decode::Frame;

/// A frame at an edge of a part, whose time the parts before or after it confirm or contradict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeFrame {
    /// The interface of the capture that it came from.
    pub interface: u32,
    /// When it was captured, as its capture says.
    pub time: Timestamp,
    /// What it begins with.
    pub link: LinkType,
    /// Its length on the wire, in bytes.
    pub wire_bytes: u32,
    /// Its bytes as far as they were captured.
    pub bytes: Box<[u8]>,
}

/// The times at the edges of a part: frames that were not taken into it, and what decides about those of its neighbours.
///
/// A jump or a step of the clock by more than 300 s has to be confirmed by three frames of an interface, and a cut may lie
/// between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeEdges {
    /// Frames at its start, before three of an interface agreed on the time.
    pub lead: Vec<EdgeFrame>,
    /// Interface and time of the frames that agreed, and of those between them.
    pub begins: Vec<(u32, Timestamp)>,
    /// The clock of each interface at its end; nothing where no frames agreed.
    pub clocks: Vec<Option<Timestamp>>,
    /// Frames at its end that wait for others to confirm their times.
    pub tail: Vec<EdgeFrame>,
}

/// A frame at an edge that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BelievedFrame {
    /// The frame.
    pub frame: EdgeFrame,
    /// Whether the clock stepped back before it.
    pub begins_segment: bool,
    /// The highest time of the trace when it was taken.
    pub clock: Timestamp,
}

/// What became of the frames at the edges of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettledEdges {
    /// Frames that are believed: those before the first part that has a time, those before the second, and so on.
    pub believed: Vec<Vec<BelievedFrame>>,
    /// Frames that were left out, since their times lie alone in the future.
    pub wrongly_timed: u64,
}

impl TimeEdges {
    /// Decides about the frames at the edges of parts, which are given in the order of the trace.
    pub fn settle<'a>(parts: impl IntoIterator<Item = &'a Self>) -> SettledEdges {
        let mut settled = SettledEdges::default();
        let (mut clocks, mut believed) = (Clocks::default(), Vec::new());
        for part in parts {
            for frame in &part.lead {
                feed(&mut clocks, held(frame), &mut believed);
            }
            for (interface, time) in &part.begins {
                feed(&mut clocks, mark(*interface, *time), &mut believed);
            }
            if !part.clocks.is_empty() {
                // Three frames that agree decide about all that wait; a part that is too sparse for that decides nothing.
                if part.begins.is_empty() {
                    clocks.finish();
                } else {
                    clocks.resolve_all();
                }
                drain(&mut clocks, &mut believed);
                settled.believed.push(std::mem::take(&mut believed));
                settled.wrongly_timed += clocks.wrongly_timed;
                clocks = Clocks::from_times(&part.clocks);
            }
            for frame in &part.tail {
                feed(&mut clocks, held(frame), &mut believed);
            }
        }
        clocks.finish();
        drain(&mut clocks, &mut believed);
        settled.believed.push(believed);
        settled.wrongly_timed += clocks.wrongly_timed;
        settled
    }
}

impl TimeEdges {
    /// The time at which the part begins, which places it among others: that of the first frame that others agreed with,
    /// or the earliest of few frames.
    pub fn begin(&self) -> Option<Timestamp> {
        let agreed = self.begins.first().map(|(_, time)| *time);
        agreed.or_else(|| self.lead.iter().map(|frame| frame.time).min())
    }

    /// Adds a capture of the trace, which ended behind those before it.
    pub(super) fn end_capture(&mut self, capture: Self) {
        self.lead.extend(capture.lead);
        self.begins.extend(capture.begins);
        if !capture.clocks.is_empty() {
            self.clocks = capture.clocks;
        }
    }
}

impl EdgeFrame {
    /// The frame as a decoder takes it.
    pub fn frame(&self) -> Frame<'_> {
        let Self { time, link, wire_bytes, bytes, .. } = self;
        Frame { time: *time, link: *link, wire_bytes: *wire_bytes, bytes, ..Frame::default() }
    }
}

fn held(frame: &EdgeFrame) -> Held {
    let EdgeFrame { interface, time, link, wire_bytes, bytes } = frame.clone();
    Held { interface, time, link, wire_bytes, bytes, begins_segment: false, is_unconfirmed: false }
}

/// Stands for a frame that is in a part.
fn mark(interface: u32, time: Timestamp) -> Held {
    let (link, bytes) = (LinkType::default(), Box::default());
    Held { interface, time, link, wire_bytes: 0, bytes, begins_segment: false, is_unconfirmed: false }
}

fn feed(clocks: &mut Clocks, held: Held, believed: &mut Vec<BelievedFrame>) {
    if clocks.accept(held.interface, held.time) {
        push(clocks, held, believed);
    } else {
        clocks.take(held);
        drain(clocks, believed);
    }
}

fn drain(clocks: &mut Clocks, believed: &mut Vec<BelievedFrame>) {
    while let Some(held) = clocks.next() {
        push(clocks, held, believed);
    }
}

/// Adds a frame; a frame without bytes is none.
fn push(clocks: &Clocks, held: Held, believed: &mut Vec<BelievedFrame>) {
    if !held.bytes.is_empty() {
        let clock = clocks.highest().unwrap_or(held.time);
        let begins_segment = held.begins_segment;
        believed.push(BelievedFrame { frame: held.into_edge(), begins_segment, clock });
    }
}
