use std::fmt;

use crate::Budget;
use crate::set::Headers;

/// What it costs to note where a segment of a piece begins.
const START_BYTES: usize = size_of::<u32>();
/// What a piece costs beyond its bytes: the vector that holds it and the allocator's own bookkeeping.
const PIECE_OVERHEAD_BYTES: usize = 64;

/// Bytes at a place of a TCP stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    /// Sequence number of the first byte.
    pub(crate) seq: u32,
    /// The bytes.
    pub(crate) bytes: &'a [u8],
}

/// Bytes of one direction of a TCP stream that are kept because others are missing.
#[derive(Default)]
pub(crate) struct StreamBuffer {
    /// The beginning of a message, in order.
    head: Vec<u8>,
    /// Pieces behind a gap, in order of the stream, none overlapping another.
    ahead: Vec<Piece>,
    /// What the headers of the packets say.
    pub(crate) headers: Option<Headers>,
    /// Bytes that were too far ahead to be kept.
    missed: Option<Missed>,
    /// What the budget was asked for.
    reserved_bytes: usize,
    /// Zeros behind the edge that are link padding, unless data follow right behind them.
    pub(crate) zeros: u8,
}

/// Bytes of a stream that were discarded before their turn.
#[derive(Clone, Copy, Debug)]
struct Missed {
    /// Sequence number of the first of them that may still be read.
    seq: u32,
    /// Sequence number behind the last of them.
    end: u32,
    /// Segments of them since the stream last went on.
    skipped_segments: u8,
}

/// Bytes that came before their turn.
pub(crate) struct Piece {
    seq: u32,
    bytes: Vec<u8>,
    /// Where in them segments begin, in order.
    starts: Vec<u32>,
}

/// Why bytes cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The byte limit over all flows is reached.
    NoRoom,
    /// Too many pieces are waiting already.
    TooManyPieces,
}

impl StreamBuffer {
    /// Whether nothing is kept, nor handed out to be read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.reserved_bytes == 0 && self.head.is_empty() && self.ahead.is_empty() && self.missed.is_none()
    }

    /// Bytes that the budget was asked for.
    pub(crate) const fn reserved_bytes(&self) -> usize {
        self.reserved_bytes
    }

    /// Length of the beginning of a message that is kept.
    pub(crate) const fn head_bytes(&self) -> usize {
        self.head.len()
    }

    /// Lets everything go.
    pub(crate) fn clear(&mut self, budget: &mut Budget) {
        budget.release(self.reserved_bytes);
        *self = Self::default();
    }

    /// Keeps `bytes` behind those of the head.
    pub(crate) fn append(&mut self, bytes: &[u8], budget: &mut Budget) -> Result<(), Refusal> {
        self.reserve(bytes.len(), budget)?;
        self.head.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands out the head to be read; [`Self::restore_head`] takes back what is left of it.
    pub(crate) fn take_head(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.head)
    }

    /// Keeps what is left of `head` after `read` bytes of it were read.
    pub(crate) fn restore_head(&mut self, mut head: Vec<u8>, read: usize, budget: &mut Budget) {
        let read = read.min(head.len());
        head.drain(..read);
        self.head = if head.is_empty() { Vec::new() } else { head };
        self.release(read, budget);
    }

    /// Keeps a chunk that lies behind a gap, in `most_pieces` pieces at most; where it overlaps what is kept, the
    /// bytes that came first stay.
    pub(crate) fn set_aside(
        &mut self,
        mut chunk: Chunk<'_>,
        most_pieces: u8,
        budget: &mut Budget,
    ) -> Result<(), Refusal> {
        let (mut index, mut is_start) = (0, true);
        while !chunk.bytes.is_empty() {
            let gap = self.ahead.get(index).map_or(usize::MAX, |piece| steps(chunk.seq, piece.seq));
            if gap == 0 {
                let covered = self.ahead.get(index).map_or(0, |piece| steps(chunk.seq, piece.end()));
                chunk = chunk.skip(covered);
                is_start &= covered == 0;
                index += 1;
            } else {
                let added = self.insert(index, chunk.first(gap), is_start, budget)?;
                chunk = chunk.skip(gap);
                index += added;
                is_start = false;
            }
        }
        if self.ahead.len() > usize::from(most_pieces) { Err(Refusal::TooManyPieces) } else { Ok(()) }
    }

    /// Notes that a chunk is not kept, in a stream that goes up to `edge`.
    pub(crate) fn miss(&mut self, edge: u32, chunk: Chunk<'_>) {
        let (seq, end) = (chunk.seq, chunk.seq.wrapping_add(truncated(chunk.bytes.len())));
        let missed = self.missed.get_or_insert(Missed { seq, end, skipped_segments: 0 });
        if steps(edge, seq) < steps(edge, missed.seq) {
            missed.seq = seq;
        }
        if steps(edge, end) > steps(edge, missed.end) {
            missed.end = end;
        }
    }

    /// Counts a segment of which nothing is kept, and says how many there were since the stream last went on.
    pub(crate) fn count_skipped(&mut self) -> u8 {
        let Some(missed) = &mut self.missed else { return 0 };
        missed.skipped_segments = missed.skipped_segments.saturating_add(1);
        missed.skipped_segments
    }

    /// Notes that the stream went on to `edge`.
    pub(crate) fn advance_to(&mut self, edge: u32) {
        if let Some(missed) = &mut self.missed {
            missed.skipped_segments = 0;
            if steps(missed.seq, edge) > 0 {
                missed.seq = edge;
            }
            if steps(edge, missed.end) == 0 {
                self.missed = None;
            }
        }
    }

    /// Whether the stream, which goes up to `edge`, cannot go on for want of bytes that were there or may have been.
    pub(crate) fn is_stalled(&self, edge: u32) -> bool {
        !self.ahead.is_empty() || self.missed.is_some_and(|missed| missed.seq == edge)
    }

    /// How many bytes are missing from `edge` to the first piece.
    pub(crate) fn gap_at(&self, edge: u32) -> Option<usize> {
        self.ahead.first().map(|piece| steps(edge, piece.seq))
    }

    /// The next piece, once every byte before `edge` is there.
    pub(crate) fn pop_ready(&mut self, edge: u32, budget: &mut Budget) -> Option<Piece> {
        if self.gap_at(edge)? > 0 {
            return None;
        }
        self.pop(budget)
    }

    /// The first piece, whatever is missing before it.
    pub(crate) fn pop(&mut self, budget: &mut Budget) -> Option<Piece> {
        if self.ahead.is_empty() {
            return None;
        }
        let piece = self.ahead.remove(0);
        self.release(piece.held_bytes(), budget);
        Some(piece)
    }

    /// Forgets the bytes that were too far ahead to be kept, and says where they ended.
    pub(crate) fn take_missed(&mut self) -> Option<u32> {
        self.missed.take().map(|missed| missed.end)
    }

    /// Puts a chunk that overlaps nothing before the piece at `index`, or behind the last byte of the one before it;
    /// says how many pieces that added.
    fn insert(
        &mut self,
        index: usize,
        chunk: Chunk<'_>,
        is_start: bool,
        budget: &mut Budget,
    ) -> Result<usize, Refusal> {
        let bytes = chunk.bytes;
        let needed = bytes.len() + if is_start { START_BYTES } else { 0 };
        let before = index.checked_sub(1).and_then(|last| self.ahead.get_mut(last));
        if let Some(piece) = before.filter(|piece| piece.end() == chunk.seq) {
            if !budget.reserve(needed) {
                return Err(Refusal::NoRoom);
            }
            piece.starts.extend(is_start.then(|| truncated(piece.bytes.len())));
            piece.bytes.extend_from_slice(bytes);
            self.reserved_bytes += needed;
            return Ok(0);
        }
        self.reserve(needed + PIECE_OVERHEAD_BYTES, budget)?;
        let starts = is_start.then_some(0).into_iter().collect();
        self.ahead.insert(index, Piece { seq: chunk.seq, bytes: bytes.to_vec(), starts });
        Ok(1)
    }

    fn reserve(&mut self, bytes: usize, budget: &mut Budget) -> Result<(), Refusal> {
        if !budget.reserve(bytes) {
            return Err(Refusal::NoRoom);
        }
        self.reserved_bytes += bytes;
        Ok(())
    }

    fn release(&mut self, bytes: usize, budget: &mut Budget) {
        self.reserved_bytes = self.reserved_bytes.saturating_sub(bytes);
        budget.release(bytes);
    }
}

/// How much is kept: what it says may be secret.
impl fmt::Debug for StreamBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamBuffer")
            .field("head_bytes", &self.head.len())
            .field("ahead", &self.ahead)
            .field("reserved_bytes", &self.reserved_bytes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Piece")
            .field("seq", &self.seq)
            .field("length_bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl Piece {
    /// What the piece holds.
    pub(crate) fn chunk(&self) -> Chunk<'_> {
        Chunk { seq: self.seq, bytes: &self.bytes }
    }

    /// The segments that it holds, each with the bytes up to the next one; bytes before the first are left out.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Chunk<'_>> {
        let ends = self.starts.iter().skip(1).map(|end| *end as usize).chain([self.bytes.len()]);
        self.starts.iter().zip(ends).map(|(start, end)| {
            let chunk = self.chunk().skip(*start as usize);
            chunk.first(end.saturating_sub(*start as usize))
        })
    }

    /// What the budget was asked for.
    fn held_bytes(&self) -> usize {
        self.bytes.len() + PIECE_OVERHEAD_BYTES + START_BYTES * self.starts.len()
    }

    /// Sequence number behind the last byte; a piece is shorter than a stream's window, so nothing is cut here.
    fn end(&self) -> u32 {
        self.seq.wrapping_add(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX))
    }
}

impl Chunk<'_> {
    /// The chunk without its first `count` bytes.
    pub(crate) fn skip(self, count: usize) -> Self {
        let count = count.min(self.bytes.len());
        let skipped = u32::try_from(count).unwrap_or(u32::MAX);
        Self { seq: self.seq.wrapping_add(skipped), bytes: self.bytes.get(count..).unwrap_or_default() }
    }

    /// The first `count` bytes of the chunk, or all of it.
    pub(crate) fn first(self, count: usize) -> Self {
        Self { seq: self.seq, bytes: self.bytes.get(..count).unwrap_or(self.bytes) }
    }
}

/// How many bytes `to` lies behind `from` in a stream; 0 when it does not. Sequence numbers wrap around (RFC 9293 §3.4).
pub(crate) fn steps(from: u32, to: u32) -> usize {
    usize::try_from(to.wrapping_sub(from).cast_signed()).unwrap_or(0)
}

/// A length as a step in sequence numbers, which wrap around at 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "sequence numbers are lengths modulo 2^32")]
pub(crate) const fn truncated(bytes: usize) -> u32 {
    bytes as u32
}
