use std::fmt;
use std::ops::Range;

/// RFC 8446 allows more, but no hello has it; the limit for streams is the same.
const MOST_BYTES: usize = 16 << 10;
/// More holes than this are nobody's: a hello is cut into a dozen pieces to keep middleboxes honest.
const MOST_PIECES: usize = 64;
const HEADER_BYTES: usize = 4;

/// The first handshake message of one side, put together from pieces in any order.
#[derive(Default)]
pub(super) struct Assembly {
    bytes: Vec<u8>,
    /// Where `bytes` is filled: in order, with a gap between any two.
    filled: Vec<Range<usize>>,
    is_done: bool,
}

impl Assembly {
    /// Bytes that are kept.
    pub(super) const fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Whether the message was taken, or is none that is wanted.
    pub(super) const fn is_done(&self) -> bool {
        self.is_done
    }

    /// Adds a piece; one that lies too far behind is dropped, and so is one that touches no other where there are too many
    /// already. Bytes that are there stay, as in a TCP stream.
    pub(super) fn add(&mut self, offset: u64, data: &[u8]) {
        let Some(start) = usize::try_from(offset).ok().filter(|start| *start < MOST_BYTES) else { return };
        let end = start + data.len();
        let touches = |other: &Range<usize>| other.start <= end && start <= other.end;
        let has_room = self.filled.len() < MOST_PIECES || self.filled.iter().any(touches);
        if self.is_done || data.is_empty() || end > MOST_BYTES || !has_room {
            return;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        for gap in self.gaps(start..end) {
            let new = data.get(gap.start - start..gap.end - start);
            if let (Some(place), Some(new)) = (self.bytes.get_mut(gap), new) {
                place.copy_from_slice(new);
            }
        }
        self.fill(start..end);
    }

    /// Where nothing is filled yet within a piece.
    fn gaps(&self, piece: Range<usize>) -> Vec<Range<usize>> {
        let mut gaps = Vec::new();
        let mut at = piece.start;
        for filled in self.filled.iter().filter(|filled| filled.end > piece.start && filled.start < piece.end)
        {
            gaps.extend((at < filled.start).then_some(at..filled.start));
            at = filled.end;
        }
        gaps.extend((at < piece.end).then_some(at..piece.end));
        gaps
    }

    /// The body of the message, once it is complete and of this kind.
    pub(super) fn take_message(&mut self, kind: u8) -> Option<Vec<u8>> {
        let ready = self.filled.first().filter(|first| first.start == 0)?.end;
        let ready = self.bytes.get(..ready)?;
        let [found, high, middle, low] = *ready.first_chunk::<HEADER_BYTES>()?;
        let end = HEADER_BYTES + u32::from_be_bytes([0, high, middle, low]) as usize;
        if found != kind || end > MOST_BYTES {
            self.finish();
            return None;
        }
        let body = ready.get(HEADER_BYTES..end)?.to_vec();
        self.finish();
        Some(body)
    }

    fn fill(&mut self, piece: Range<usize>) {
        let mut joined = piece;
        self.filled.retain(|other| {
            let touches = other.start <= joined.end && joined.start <= other.end;
            if touches {
                joined = joined.start.min(other.start)..joined.end.max(other.end);
            }
            !touches
        });
        let at = self.filled.partition_point(|other| other.end < joined.start);
        self.filled.insert(at, joined);
    }

    fn finish(&mut self) {
        *self = Self { is_done: true, ..Self::default() };
    }
}

/// Where bytes are, not what they say.
impl fmt::Debug for Assembly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assembly")
            .field("filled", &self.filled)
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Assembly, MOST_PIECES};

    #[test]
    fn the_piece_that_fills_a_gap_always_has_room() {
        let mut assembly = Assembly::default();
        let message = [&[1, 0, 0, 200][..], &[7; 200]].concat();
        for (at, byte) in (0..).zip(&message).step_by(2).take(MOST_PIECES) {
            assembly.add(at, &[*byte]);
        }
        assembly.add(200, &message[200..]);
        assert_eq!(assembly.filled.len(), MOST_PIECES, "no room for another island");
        assembly.add(1, &message[1..200]);
        assembly.add(200, &message[200..]);
        assert_eq!(assembly.take_message(1).as_deref(), Some(&message[4..]));
    }

    #[test]
    fn the_first_bytes_stay() {
        let mut assembly = Assembly::default();
        assembly.add(4, &[7, 7]);
        assembly.add(8, &[8]);
        assembly.add(0, &[1, 0, 0, 6, 9, 9, 9, 9, 9, 9]);
        assert_eq!(assembly.take_message(1).as_deref(), Some(&[7, 7, 9, 9, 8, 9][..]));
    }
}
