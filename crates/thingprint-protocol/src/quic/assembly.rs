use std::ops::Range;

/// RFC 8446 allows more, but no hello has it; the limit for streams is the same.
const MOST_BYTES: usize = 16 << 10;
/// More holes than this are nobody's: a hello is cut into a dozen pieces to keep middleboxes honest.
const MOST_PIECES: usize = 64;
const HEADER_BYTES: usize = 4;

/// The first handshake message of one side, put together from pieces in any order.
#[derive(Debug, Default)]
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

    /// Begins again, for a message that is sent anew.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Adds a piece; one that lies too far behind, or one too many, is dropped.
    pub(super) fn add(&mut self, offset: u64, data: &[u8]) {
        let Some(start) = usize::try_from(offset).ok().filter(|start| *start < MOST_BYTES) else { return };
        let end = start + data.len();
        if self.is_done || data.is_empty() || end > MOST_BYTES || self.filled.len() >= MOST_PIECES {
            return;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if let Some(place) = self.bytes.get_mut(start..end) {
            place.copy_from_slice(data);
        }
        self.fill(start..end);
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
