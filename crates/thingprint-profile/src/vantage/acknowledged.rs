use thingprint_flow::TcpSegment;

/// What a sender has on its way without an acknowledgement where it begins, at most: ten segments (RFC 6928), with room for more.
const UNACKNOWLEDGED_BYTES: u32 = 1 << 16;

/// What one end of a TCP connection says of the other: whether it does what it can only do after answers.
///
/// A connection that nobody answers has SYNs without ACK (RFC 9293 §3.5), and one whose peer fell silent has segments that all
/// acknowledge the same and come from one window of the sender. Both are the peer's silence, and no fault of the capture. An
/// ACK behind the own SYN, a SYN-ACK, an acknowledgement that grows and data beyond a window are of answers that somebody sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acknowledged {
    has_begun: bool,
    /// The acknowledgement and the sequence number that came first.
    first: Option<(u32, u32)>,
    is_answered: bool,
}

impl Acknowledged {
    /// Takes in a segment.
    pub(super) fn note(&mut self, segment: TcpSegment) {
        let TcpSegment { seq, ack, flags } = segment;
        if flags.rst() {
            return;
        }
        if !flags.ack() {
            self.has_begun |= flags.syn();
            return;
        }
        let goes_on = |(first_ack, first_seq): (u32, u32)| {
            let sent = seq.wrapping_sub(first_seq);
            first_ack != ack || (UNACKNOWLEDGED_BYTES..1 << 31).contains(&sent)
        };
        self.is_answered |= self.has_begun || flags.syn() || self.first.is_some_and(goes_on);
        self.first = self.first.or(Some((ack, seq)));
    }

    /// Whether there were answers, seen or not.
    pub(super) const fn is_answered(self) -> bool {
        self.is_answered
    }

    /// What the rest of the flow begins with, in the next window: answers to it are others.
    pub(super) const fn continued(self) -> Self {
        Self { has_begun: false, is_answered: false, first: self.first }
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::TcpFlags;

    use super::*;

    const SYN: u8 = 0x02;
    const ACK: u8 = 0x10;

    fn check(segments: &[(u8, u32, u32)], expected: bool) {
        let mut acknowledged = Acknowledged::default();
        for (flags, seq, ack) in segments {
            acknowledged.note(TcpSegment { seq: *seq, ack: *ack, flags: TcpFlags(*flags) });
        }
        assert_eq!(acknowledged.is_answered(), expected, "{segments:?}");
    }

    #[test]
    fn silence_of_the_peer_is_no_missing_direction() {
        check(&[(SYN, 1, 0), (SYN, 1, 0)], false);
        // It goes on with what was on its way.
        check(&[(ACK, 1000, 7), (ACK, 2448, 7), (ACK, 1000, 7)], false);
        check(&[(ACK, u32::MAX, 7), (ACK, 1448, 7), (ACK, u32::MAX, 7)], false);
    }

    #[test]
    fn what_follows_answers_shows_that_there_were_some() {
        check(&[(SYN, 1, 0), (ACK, 2, 9)], true);
        check(&[(SYN | ACK, 1, 5)], true);
        check(&[(ACK, 1000, 7), (ACK, 1000, 8)], true);
        // An upload whose peer has nothing to say acknowledges the same for ever.
        check(&[(ACK, 1000, 7), (ACK, 1000 + (1 << 16), 7)], true);
    }

    #[test]
    fn the_next_window_begins_where_the_last_one_was() {
        let mut acknowledged = Acknowledged::default();
        acknowledged.note(TcpSegment { seq: 1, ack: 7, flags: TcpFlags(ACK) });
        let mut next = acknowledged.continued();
        assert!(!next.is_answered());
        next.note(TcpSegment { seq: 1, ack: 7, flags: TcpFlags(ACK) });
        assert!(!next.is_answered());
        next.note(TcpSegment { seq: 1, ack: 8, flags: TcpFlags(ACK) });
        assert!(next.is_answered());
    }
}
