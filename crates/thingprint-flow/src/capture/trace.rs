use std::sync::Arc;

use super::block::Block;
use super::edge::TimeEdges;
use super::hash::ContentHash;
use super::merge::{Log, Merge, Merged, ReadOptions};
use super::sorted::Sorted;
use super::source::Capture;
use crate::decode::{Copies, DecodeCounts, Decoder, Frame, TunnelCounts, TunnelSet};
use crate::{CaptureError, Packet};

/// The packets of one or more captures as one sequence.
///
/// Captures that overlap in time are merged packet by packet, rotated ones follow each other; within a capture,
/// packets keep the order of the file even where their times go back. A capture that cannot be read, or not to
/// its end, never ends the trace: see [`problems`](Self::problems).
///
/// ```
/// use std::io::Cursor;
/// use thingprint_flow::{Capture, CaptureWriter, Timestamp, Trace, TraceOptions};
///
/// let mut writer = CaptureWriter::new(Vec::new())?;
/// writer.write(Timestamp::from_seconds(1), &[0xff; 60], 60)?;
/// let file = writer.finish()?;
///
/// let capture = Capture::new("home.pcap", move || Ok(Box::new(Cursor::new(file.clone()))));
/// let mut trace = Trace::new(vec![capture], TraceOptions::default());
/// while let Some(packet) = trace.next_packet() {
///     assert_eq!(packet.wire_bytes, 60);
/// }
/// assert_eq!(trace.counts().frames, 1);
/// assert!(trace.problems().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Trace {
    merge: Merge,
    sort: bool,
    sorted: Option<Sorted>,
    decoder: Decoder,
    copies: Option<Copies>,
    log: Log,
}

/// A packet with where it is from.
#[derive(Clone, Copy, Debug)]
pub struct PlacedPacket<'a> {
    /// Place of its capture among those given.
    pub capture: usize,
    /// The frame that it was read from, or that completed it.
    pub frame: Frame<'a>,
    /// The packet.
    pub packet: Packet<'a>,
    /// The block that the bytes of the frame lie in, for those who keep the packet; there is none where they lie elsewhere.
    pub block: Option<&'a Block>,
}

/// How a [`Trace`] reads its captures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct TraceOptions {
    /// Sort all packets by time, for captures that have no order at all. The captures are read whole into
    /// memory first.
    pub sort: bool,
    /// Hash the content of each capture, for [`Trace::content_hash`].
    pub hash: bool,
    /// Leave out frames that were captured more than once; see [`Copies`].
    pub drops_copies: bool,
    /// The tunnels that are opened.
    pub tunnels: TunnelSet,
    /// Keep frames apart whose times the captures before or after these decide; see [`Trace::edges`].
    pub keeps_edges: bool,
}

impl Trace {
    /// A trace of these captures. If there are several, each one's first packet is looked at, to see which
    /// comes first.
    pub fn new(captures: Vec<Capture>, options: TraceOptions) -> Self {
        let TraceOptions { sort, hash, drops_copies, tunnels, keeps_edges } = options;
        let options = ReadOptions { count: Arc::default(), hash, is_sorted: sort, keeps_edges };
        let mut log = Log::default();
        let merge = Merge::new(captures, options, &mut log);
        let copies = drops_copies.then(Copies::default);
        Self { merge, sort, sorted: None, decoder: Decoder::opening(tunnels), copies, log }
    }

    /// The next packet; `None` at the end of the trace.
    ///
    /// Every frame is a packet here, also one without IP, since every frame moves the clock.
    pub fn next_packet(&mut self) -> Option<Packet<'_>> {
        self.next_frame().map(|(_, packet)| packet)
    }

    /// The next packet as [`Self::next_packet`] gives it, with the frame that it was read from, or that completed it.
    #[inline]
    pub fn next_frame(&mut self) -> Option<(Frame<'_>, Packet<'_>)> {
        self.next_placed().map(|next| (next.frame, next.packet))
    }

    /// The next frame and packet as [`Self::next_frame`] gives them, with the place of their capture in what was given
    /// to [`new`](Self::new).
    #[inline]
    pub fn next_placed(&mut self) -> Option<PlacedPacket<'_>> {
        self.advance();
        while self.is_copy() {
            self.decoder.note_copy();
            self.advance();
        }
        let Self { merge, sort, sorted, decoder, .. } = self;
        let Some(merged) = frame(*sort, sorted.as_ref(), merge) else {
            decoder.finish();
            return None;
        };
        let Merged { capture, frame, block, .. } = merged;
        Some(PlacedPacket { capture, frame, packet: decoder.decode(frame), block })
    }

    /// Whether the frame is left out as a copy of another.
    #[inline]
    fn is_copy(&mut self) -> bool {
        let Self { merge, sort, sorted, copies, .. } = self;
        let Some(copies) = copies else { return false };
        frame(*sort, sorted.as_ref(), merge).is_some_and(|merged| copies.is_copy(&merged.frame))
    }

    /// Moves to the next frame.
    #[inline]
    fn advance(&mut self) {
        let Self { merge, sort, sorted, log, .. } = self;
        if *sort {
            sorted.get_or_insert_with(|| Sorted::collect(merge, log)).advance();
        } else {
            merge.advance(log);
        }
    }

    /// What could not be read so far, in the order in which it was met.
    pub fn problems(&self) -> &[CaptureError] {
        &self.log.problems
    }

    /// Frames that were left out so far, since their times lie alone in the future.
    ///
    /// A time that is more than 300 s ahead has to be confirmed by three frames of the interface. Those of a capture
    /// are counted when it has ended.
    pub fn wrongly_timed(&self) -> u64 {
        self.log.wrongly_timed
    }

    /// How often the clock of a capture stepped back by more than 300 s, by the name of the capture; see
    /// [`Frame::begins_segment`].
    pub fn steps_back(&self) -> &[(String, u64)] {
        &self.log.steps_back
    }

    /// The frames at the ends of the trace that were not handed out, and what decides about those of its neighbours; known
    /// at the end, if [`TraceOptions::keeps_edges`] asked for it.
    pub const fn edges(&self) -> &TimeEdges {
        &self.log.edges
    }

    /// What the frames so far were.
    pub fn counts(&self) -> &DecodeCounts {
        self.decoder.counts()
    }

    /// Packets so far that carry others, and were not opened, by tunnel.
    pub const fn tunnelled(&self) -> TunnelCounts {
        self.decoder.tunnelled()
    }

    /// Bytes read so far from all captures, as they lie in the files: compressed ones for compressed files.
    pub fn bytes_read(&self) -> u64 {
        self.merge.bytes_read()
    }

    /// Hash of the uncompressed bytes of a capture, by its place in what was given to [`new`](Self::new).
    ///
    /// There is one after the capture's last packet, if [`TraceOptions::hash`] asked for it and the capture
    /// could be opened. Of a capture with a problem, it covers the whole packets before.
    pub fn content_hash(&self, capture: usize) -> Option<ContentHash> {
        self.log.hashes.get(capture).copied().flatten()
    }
}

/// The frame that was moved to.
#[inline]
fn frame<'a>(is_sorted: bool, sorted: Option<&'a Sorted>, merge: &'a Merge) -> Option<Merged<'a>> {
    if is_sorted { sorted.and_then(Sorted::frame) } else { merge.frame() }
}
