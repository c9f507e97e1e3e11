mod choice;
mod gap;
mod padding;

use thingprint_flow::{Ip, TcpSegment};

use crate::inspection::Inspection;
use crate::parser::StreamView;
use crate::phase::{Phase, Step};
use crate::schema::Opening;
use crate::set::Headers;
use crate::stream_buffer::{Chunk, Refusal, StreamBuffer, steps, truncated};
use crate::{Budget, Interest, Limits, Message, ModelSet, Sender};

/// A SYN this close before the reading position is the one that began the stream, sent again.
const REPEATED_SYN_BYTES: usize = 1 << 16;

/// One direction of a TCP stream, while a segment of it is looked at.
///
/// Segments in order are read where they are; only what has to wait for other bytes is copied.
pub(crate) struct Stream<'a> {
    pub(crate) set: &'a ModelSet,
    pub(crate) limits: &'a Limits,
    pub(crate) interest: Interest,
    pub(crate) headers: Headers,
    pub(crate) sender: Sender,
    pub(crate) state: &'a mut Inspection,
    pub(crate) budget: &'a mut Budget,
    pub(crate) found: &'a mut dyn FnMut(Message),
}

impl Stream<'_> {
    /// Looks at a segment of this direction.
    pub(crate) fn segment(&mut self, packet: &Ip<'_>, segment: TcpSegment) {
        let mut chunk = Chunk { seq: segment.seq, bytes: packet.payload };
        if segment.flags.syn() {
            chunk.seq = chunk.seq.wrapping_add(1);
            self.synchronise(chunk.seq, segment.flags.ack());
        } else if self.phase() == Phase::NEW && !chunk.bytes.is_empty() {
            self.begin(chunk.seq);
        }
        if chunk.bytes.is_empty() || self.is_done() {
            return;
        }
        let edge = self.edge();
        self.place(chunk);
        self.settle_zeros(edge);
        self.seek();
        let missing = (packet.payload_bytes as usize).saturating_sub(chunk.bytes.len());
        if missing > 0 {
            self.check_cut(chunk.skip(chunk.bytes.len()).seq, missing);
        }
        self.state.free_if_idle();
    }

    /// Evaluates what is kept of this direction, since it ends here.
    pub(crate) fn end(&mut self) {
        self.seek();
        while !self.is_done() && self.buffer().is_some_and(|buffer| buffer.is_stalled(self.edge())) {
            self.skip_gap();
        }
        let head = self.take_head();
        self.conclude(&head);
        self.restore_head(head, 0);
    }

    /// A SYN says where the stream starts. One that says otherwise than before opens a new connection.
    fn synchronise(&mut self, start: u32, is_reply: bool) {
        if self.phase() != Phase::NEW {
            let read_to = self.read_to();
            if start == read_to || (1..REPEATED_SYN_BYTES).contains(&steps(start, read_to)) {
                return;
            }
            if is_reply {
                self.state.finish(self.sender, self.budget);
            } else {
                self.state.restart(self.budget);
            }
        }
        self.begin(start);
    }

    fn begin(&mut self, start: u32) {
        self.begin_at(start, Phase::BEGUN);
    }

    fn begin_at(&mut self, start: u32, phase: Phase) {
        *self.state.start.of_mut(self.sender) = start;
        *self.state.taken.of_mut(self.sender) = 0;
        *self.state.phase.of_mut(self.sender) = phase;
    }

    /// Reads the part of a chunk that is in order, keeps one that is early, drops what was there before: also where
    /// it overlaps a piece that was kept, the bytes that came first stay.
    fn place(&mut self, mut chunk: Chunk<'_>) {
        if self.phase() == Phase::LOST && !self.resynchronise(chunk) {
            return;
        }
        let end = chunk.skip(chunk.bytes.len()).seq;
        while !chunk.bytes.is_empty() && !self.is_stopped() {
            let edge = self.edge();
            let distance = steps(edge, chunk.seq);
            if distance > 0 {
                return self.set_aside(chunk, distance);
            }
            chunk = chunk.skip(steps(chunk.seq, edge));
            let gap = self.buffer().and_then(|buffer| buffer.gap_at(edge)).unwrap_or(usize::MAX);
            self.feed(chunk.first(gap).bytes);
            self.read_ready();
            chunk = chunk.skip(gap);
        }
        if self.phase() == Phase::LOST && steps(self.edge(), end) > 0 {
            self.begin_at(end, Phase::LOST);
        }
    }

    fn set_aside(&mut self, chunk: Chunk<'_>, distance: usize) {
        let window = self.room().saturating_sub(self.head_bytes());
        let (edge, beyond) = (self.edge(), chunk.skip(window.saturating_sub(distance)));
        let buffer = self.state.buffers.get_or_insert_default().sides.of_mut(self.sender);
        buffer.headers = Some(self.headers);
        if !beyond.bytes.is_empty() {
            buffer.miss(edge, beyond);
        }
        if distance >= window {
            return self.count_skipped();
        }
        let chunk = chunk.first(window - distance);
        if let Err(refusal) = buffer.set_aside(chunk, self.limits.pending_segments, self.budget) {
            self.refuse(refusal);
        }
    }

    /// Reads the pieces whose turn has come.
    fn read_ready(&mut self) {
        while !self.is_stopped() {
            let edge = self.edge();
            let Some(buffer) = self.buffer_mut() else { return };
            let Some(piece) = buffer.0.pop_ready(edge, buffer.1) else { return };
            let chunk = piece.chunk();
            self.feed(chunk.skip(steps(chunk.seq, edge)).bytes);
        }
    }

    /// Reads bytes that directly follow those read or kept so far.
    fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_stopped() {
            rest = if self.head_bytes() == 0 { self.feed_in_place(rest) } else { self.feed_joined(rest) };
        }
        let edge = self.edge();
        if let Some((buffer, _)) = self.buffer_mut() {
            buffer.advance_to(edge);
        }
    }

    fn feed_in_place<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let read = self.read(bytes);
        let rest = bytes.get(read..).unwrap_or_default();
        if !rest.is_empty() && !self.is_stopped() {
            self.append(rest);
        }
        &[]
    }

    /// Completes the head with as many bytes as a message may have, and hands back those after them.
    fn feed_joined<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let room = self.room().saturating_sub(self.head_bytes());
        let (chunk, later) = bytes.split_at(room.min(bytes.len()));
        self.append(chunk);
        let head = self.take_head();
        let read = self.read(&head);
        if self.is_done() {
            return &[];
        }
        let read = if self.is_stopped() { head.len().max(read) } else { read };
        let skipped = read.saturating_sub(head.len());
        self.restore_head(head, read);
        later.get(skipped..).unwrap_or_default()
    }

    /// Reads messages from the start of `bytes`, and says how many bytes they took; more than there are when the
    /// next ones do not matter either.
    fn read(&mut self, bytes: &[u8]) -> usize {
        let mut read = 0;
        while let Some(rest) = bytes.get(read..).filter(|rest| !rest.is_empty()) {
            let room = self.room();
            let window = rest.get(..room).unwrap_or(rest);
            match self.step(window) {
                // What was decided may be that nothing is wanted of this side.
                _ if self.is_stopped() => {}
                Step::Read { bytes, message, then } => {
                    read += bytes;
                    self.advance(bytes, then);
                    if let Some(message) = message {
                        self.report(message);
                    }
                }
                Step::More if window.len() >= room => self.give_up_with(window),
                Step::More => break,
                Step::Done => self.leave(rest.len()),
            }
            if self.is_stopped() {
                break;
            }
        }
        read
    }

    fn step(&mut self, bytes: &[u8]) -> Step {
        match self.phase() {
            Phase::BEGUN | Phase::AGAIN => self.detect(bytes, false),
            Phase::NEW | Phase::DONE | Phase::LOST => Step::Done,
            phase => self.resume(phase, bytes),
        }
    }

    fn resume(&self, phase: Phase, bytes: &[u8]) -> Step {
        match (self.state.parser(self.sender), self.opening()) {
            (Some(parser), _) => parser.resume(phase, self.view(bytes)),
            (None, Some(opening)) => opening.read(phase, bytes),
            (None, None) => Step::Done,
        }
    }

    /// How this direction is read until another protocol begins in it, if that may happen.
    fn opening(&self) -> Option<Opening> {
        self.set.compiled(self.state.current(self.sender)?)?.opening()
    }

    fn view<'b>(&self, bytes: &'b [u8]) -> StreamView<'b> {
        let memo = self.state.layer(self.sender).memo;
        StreamView { bytes, longest: usize::from(self.limits.stream_bytes), memo }
    }

    fn report(&mut self, message: Message) {
        self.state.remember(self.sender, &message);
        (self.found)(message);
    }

    /// Moves the reading position. Where messages come without end, the stream's start moves along.
    fn advance(&mut self, bytes: usize, then: Phase) {
        if then == Phase::DONE {
            return self.state.finish(self.sender, self.budget);
        }
        let read_to = self.read_to().wrapping_add(truncated(bytes));
        if then == Phase::HAND_OVER {
            return self.hand_over(read_to);
        }
        if then.moves_along() {
            *self.state.start.of_mut(self.sender) = read_to;
            *self.state.taken.of_mut(self.sender) = 0;
        } else {
            let taken = self.state.taken.of_mut(self.sender);
            *taken = taken.saturating_add(u16::try_from(bytes).unwrap_or(u16::MAX));
        }
        *self.state.phase.of_mut(self.sender) = then;
    }

    /// Another protocol begins at `start`: it is detected as at the start of a stream.
    fn hand_over(&mut self, start: u32) {
        if self.state.hand_over(self.sender, self.budget) {
            self.begin(start);
        } else {
            self.state.finish(self.sender, self.budget);
        }
    }

    fn count_skipped(&mut self) {
        let most = self.limits.pending_segments;
        if self.buffer_mut().is_some_and(|(buffer, _)| buffer.count_skipped() > most) {
            self.skip_gap();
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let buffer = self.state.buffers.get_or_insert_default().sides.of_mut(self.sender);
        buffer.headers = Some(self.headers);
        if let Err(refusal) = buffer.append(bytes, self.budget) {
            self.refuse(refusal);
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::NoRoom => {
                self.state.lose_message();
                self.budget.count_dropped();
                let head = self.take_head();
                self.conclude(&head);
                self.state.finish(self.sender, self.budget);
            }
            Refusal::TooManyPieces => self.skip_gap(),
        }
    }

    /// Gives up on a message of which only the beginning will ever be there.
    fn give_up_with(&mut self, head: &[u8]) {
        if self.opening().is_some() {
            // It goes on in the clear, and nothing of it is reported.
            return self.state.finish(self.sender, self.budget);
        }
        self.conclude(head);
        self.state.lose_message();
        self.budget.count_given_up();
        self.state.finish(self.sender, self.budget);
    }

    fn phase(&self) -> Phase {
        *self.state.phase.of(self.sender)
    }

    fn is_done(&self) -> bool {
        self.phase() == Phase::DONE
    }

    /// Whether bytes that follow are not read just so.
    fn is_stopped(&self) -> bool {
        matches!(self.phase(), Phase::DONE | Phase::LOST)
    }

    /// Sequence number of the next byte to read.
    fn read_to(&self) -> u32 {
        self.state.read_to(self.sender)
    }

    /// Sequence number of the first byte that is neither read nor kept in order.
    fn edge(&self) -> u32 {
        self.state.edge(self.sender)
    }

    /// Bytes from the reading position that may be looked at.
    fn room(&self) -> usize {
        usize::from(self.limits.stream_bytes.saturating_sub(*self.state.taken.of(self.sender)))
    }

    fn head_bytes(&self) -> usize {
        self.buffer().map_or(0, StreamBuffer::head_bytes)
    }

    fn take_head(&mut self) -> Vec<u8> {
        self.buffer_mut().map(|(buffer, _)| buffer.take_head()).unwrap_or_default()
    }

    fn restore_head(&mut self, head: Vec<u8>, read: usize) {
        if let Some((buffer, budget)) = self.buffer_mut() {
            buffer.restore_head(head, read, budget);
        }
    }

    fn buffer(&self) -> Option<&StreamBuffer> {
        self.state.buffers.as_ref().map(|buffers| buffers.sides.of(self.sender))
    }

    fn buffer_mut(&mut self) -> Option<(&mut StreamBuffer, &mut Budget)> {
        let buffer = self.state.buffers.as_mut()?.sides.of_mut(self.sender);
        Some((buffer, self.budget))
    }
}
