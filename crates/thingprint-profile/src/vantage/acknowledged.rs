use thingprint_flow::TcpSegment;

/// What one end of a TCP connection says of the other: whether it acknowledges what it can only have from answers.
///
/// A connection that nobody answers has SYNs without ACK (RFC 9293 §3.5), and one whose peer fell silent has segments that all
/// acknowledge the same. Both are the peer's silence, and no fault of the capture. An ACK behind the own SYN and
/// an acknowledgement that grows are of answers that somebody sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acknowledged {
    has_begun: bool,
    first: Option<u32>,
    is_answered: bool,
}

impl Acknowledged {
    /// Takes in a segment.
    pub(super) fn note(&mut self, segment: TcpSegment) {
        let TcpSegment { ack, flags, .. } = segment;
        if flags.rst() {
            return;
        }
        if !flags.ack() {
            self.has_begun |= flags.syn();
            return;
        }
        self.is_answered |= self.has_begun || self.first.is_some_and(|first| first != ack);
        self.first = self.first.or(Some(ack));
    }

    /// Whether there were answers, seen or not.
    pub(super) const fn is_answered(self) -> bool {
        self.is_answered
    }
}
