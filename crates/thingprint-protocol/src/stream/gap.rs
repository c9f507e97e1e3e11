//! Streams with lost bytes: what is behind them is read again from the next message that begins its own segment.
use super::Stream;
use crate::phase::Phase;
use crate::stream_buffer::{Chunk, steps, truncated};

impl Stream<'_> {
    /// Goes past the bytes that are missing before the first piece that is kept, and reads that piece; where none is kept,
    /// the next segment.
    pub(super) fn skip_gap(&mut self) {
        let edge = self.edge();
        self.conclude_head();
        if self.is_done() {
            return;
        }
        let missed_end = self.buffer_mut().and_then(|(buffer, _)| buffer.take_missed());
        let gap = self.buffer().and_then(|buffer| buffer.gap_at(edge));
        self.lose(edge, gap.unwrap_or(0));
        self.seek();
        self.read_ready();
        if let Some(end) = missed_end {
            self.skip_missed(end);
        }
    }

    /// Looks for a message at the segments that are kept, as long as there is none.
    pub(super) fn seek(&mut self) {
        while self.phase() == Phase::LOST {
            let Some((buffer, budget)) = self.buffer_mut() else { return };
            let Some(piece) = buffer.pop(budget) else { return };
            for segment in piece.segments() {
                self.place(segment);
            }
        }
    }

    /// Goes past bytes up to `end` that were too far ahead to be kept.
    fn skip_missed(&mut self, end: u32) {
        let edge = self.edge();
        let skipped = steps(edge, end);
        let has_pieces = self.buffer().is_some_and(|buffer| buffer.gap_at(edge).is_some());
        if skipped == 0 || has_pieces || self.is_done() {
            return;
        }
        self.conclude_head();
        if !self.is_done() {
            self.budget.count_skipped(skipped);
            self.lose(end, 0);
        }
    }

    /// Evaluates the beginning of a message that will not go on, and lets it go.
    fn conclude_head(&mut self) {
        let head = self.take_head();
        self.conclude(&head);
        let head_bytes = head.len();
        self.restore_head(head, head_bytes);
    }

    /// Bytes that the capture does not have will not come any more: if they are the next ones, the stream is lost there.
    pub(super) fn check_cut(&mut self, captured_to: u32, missing: usize) {
        if self.is_done() || self.edge() != captured_to {
            return;
        }
        self.conclude_head();
        if !self.is_done() {
            self.lose(captured_to, missing);
        }
    }

    /// Begins to read at a segment behind lost bytes; says whether it was not seen before.
    pub(super) fn resynchronise(&mut self, segment: Chunk<'_>) -> bool {
        let edge = self.edge();
        if steps(segment.seq, edge) > 0 {
            let behind = segment.skip(segment.bytes.len()).seq;
            if steps(edge, behind) > 0 {
                self.begin_at(behind, Phase::LOST);
            }
            return false;
        }
        let missing = steps(edge, segment.seq);
        if missing > 0 {
            self.budget.count_gap(missing);
        }
        self.begin_at(segment.seq, Phase::AGAIN);
        true
    }

    /// Leaves a stream in which nothing known begins, with so many bytes at hand. Behind lost bytes that may be the middle
    /// of a message, and the next segment is tried.
    pub(super) fn leave(&mut self, bytes: usize) {
        if !self.may_go_on() {
            return self.state.finish(self.sender, self.budget);
        }
        self.state.undecided_payloads = self.state.undecided_payloads.saturating_add(1);
        self.budget.count_skipped(bytes);
        self.begin_at(self.read_to().wrapping_add(truncated(bytes)), Phase::LOST);
    }

    /// Whether a message may begin at a later segment: only behind lost bytes, and in the first segments there unless
    /// message follows message.
    fn may_go_on(&self) -> bool {
        let tried = self.state.undecided_payloads;
        let Some(parser) = self.state.parser(self.sender) else {
            return self.phase() == Phase::AGAIN && tried < self.most_tried();
        };
        let is_behind_gap = self.phase() == Phase::AGAIN || parser.reads_on() && tried > 0;
        let is_wanted = parser.is_wanted(self.interest, self.sender);
        is_behind_gap && is_wanted && (parser.reads_on() || tried < self.most_tried())
    }

    /// Segments of both sides behind lost bytes in which a message is looked for.
    const fn most_tried(&self) -> u8 {
        self.limits.undecided_payloads.saturating_mul(2)
    }

    /// Notes that so many bytes from `edge` on are lost.
    fn lose(&mut self, edge: u32, missing: usize) {
        if missing > 0 {
            self.budget.count_gap(missing);
        }
        self.state.lose_message();
        self.state.undecided_payloads = self.state.undecided_payloads.max(1);
        self.state.forget_messages(self.sender);
        self.begin_at(edge.wrapping_add(truncated(missing)), Phase::LOST);
    }
}
