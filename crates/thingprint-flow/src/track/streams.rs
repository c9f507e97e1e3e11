use serde::{Deserialize, Serialize};

use crate::{TcpSegment, Timestamp};

/// A SYN with the number of the stream begins another one where data of that stream was acknowledged so much earlier.
const REPEATED_SYN_NS: i64 = 3_000_000_000;
/// Sequence numbers up to half of the range further are later ones (RFC 9293 §3.4).
const HALF: u32 = 1 << 31;

/// Where the two streams of a TCP flow began, to separate a SYN that is repeated from one that begins another stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Streams {
    low: Stream,
    high: Stream,
    /// Whether no segment without SYN adds anything.
    is_complete: bool,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stream {
    /// Sequence number of its first byte.
    began: u32,
    source: Source,
    /// When the other side first acknowledged data of it.
    acknowledged_at: Option<Timestamp>,
}

/// How it is known where a stream began; a later source replaces an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Source {
    #[default]
    None,
    /// The first number that the other side acknowledged.
    Acknowledgement,
    /// The first sequence number that was seen.
    Sequence,
    /// The SYN.
    Syn,
}

impl Streams {
    /// Whether no segment without SYN adds anything.
    pub(super) const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Takes in a segment; `is_low` says whether the lower end of the flow sent it.
    #[inline]
    pub(super) fn observe(&mut self, segment: TcpSegment, is_low: bool, time: Timestamp) {
        if !self.is_complete || segment.flags.syn() {
            self.note(segment, is_low, time);
        }
    }

    /// Whether a segment of the lower (or higher) end is a SYN that begins another stream than the one seen so far.
    #[inline]
    pub(super) fn are_replaced_by(&self, segment: TcpSegment, is_low: bool, time: Timestamp) -> bool {
        segment.flags.syn() && !segment.flags.ack() && self.of(is_low).is_replaced_by(segment.seq, time)
    }

    fn note(&mut self, segment: TcpSegment, is_low: bool, time: Timestamp) {
        let (own, other) =
            if is_low { (&mut self.low, &mut self.high) } else { (&mut self.high, &mut self.low) };
        if segment.flags.syn() {
            own.begin(segment.seq.wrapping_add(1), Source::Syn);
        } else {
            own.begin(segment.seq, Source::Sequence);
        }
        if segment.flags.ack() {
            other.acknowledge(segment.ack, time);
        }
        self.is_complete = self.low.is_complete() && self.high.is_complete();
    }

    const fn of(&self, is_low: bool) -> &Stream {
        if is_low { &self.low } else { &self.high }
    }
}

impl Stream {
    fn begin(&mut self, number: u32, source: Source) {
        if self.source < source {
            (self.began, self.source) = (number, source);
        }
    }

    fn acknowledge(&mut self, number: u32, time: Timestamp) {
        self.begin(number, Source::Acknowledgement);
        if number != self.began && number.wrapping_sub(self.began) < HALF {
            self.acknowledged_at.get_or_insert(time);
        }
    }

    fn is_replaced_by(&self, syn: u32, time: Timestamp) -> bool {
        if self.source == Source::None {
            return false;
        }
        let is_over = self.acknowledged_at.is_some_and(|at| time.nanos_since(at) > REPEATED_SYN_NS);
        syn.wrapping_add(1) != self.began || is_over
    }

    fn is_complete(&self) -> bool {
        self.source >= Source::Sequence && self.acknowledged_at.is_some()
    }
}
