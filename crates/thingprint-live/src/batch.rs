use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use thingprint_flow::{Frame, LinkType, Timestamp};

/// Frames of a batch at most: few enough that one is cheap to fill and to pass on, and enough that passing it on costs
/// little for each frame.
pub(crate) const BATCH_FRAMES: usize = 512;
/// Bytes of a batch at most, but for its last frame: what a pipe or a socket gives at once.
pub(crate) const BATCH_BYTES: usize = 256 * 1024;
/// Bytes of a frame that are kept; no capture has more by its snap length, but what a sender claims may be anything.
pub(crate) const FRAME_BYTES: usize = 256 * 1024;
/// Buffers that are kept for use again; more of them would be memory that a busy minute left behind.
const MOST_SPARE: usize = 32;

/// Frames of one source, in the order in which they came; its memory is used again when it is dropped.
pub struct Batch {
    source: usize,
    arena: Arena,
    pool: Pool,
}

/// The frames of a batch, with all their bytes in one place.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    bytes: Vec<u8>,
    heads: Vec<Head>,
}

/// A frame whose bytes end here.
#[derive(Clone, Copy, Debug)]
struct Head {
    time: Timestamp,
    link: LinkType,
    wire_bytes: u32,
    begins_segment: bool,
    end: usize,
}

/// Buffers that can be used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<Vec<Arena>>>);

impl Batch {
    pub(crate) const fn new(source: usize, arena: Arena, pool: Pool) -> Self {
        Self { source, arena, pool }
    }

    /// Place of the source among those that the intake was given.
    pub const fn source(&self) -> usize {
        self.source
    }

    /// Frames in it; never 0.
    pub const fn len(&self) -> usize {
        self.arena.heads.len()
    }

    /// Whether there is no frame in it; no batch that is handed out is so.
    pub const fn is_empty(&self) -> bool {
        self.arena.heads.is_empty()
    }

    /// The frames, in the order in which they came.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut start = 0;
        self.arena.heads.iter().map(move |head| {
            let from = std::mem::replace(&mut start, head.end);
            self.arena.frame(*head, from)
        })
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, frames) = (self.source, self.len());
        f.debug_struct("Batch").field("source", &source).field("frames", &frames).finish_non_exhaustive()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.pool.give_back(std::mem::take(&mut self.arena));
    }
}

impl Arena {
    /// Adds a frame, of which at most [`FRAME_BYTES`] are kept; whether it was shortened.
    pub(crate) fn push(&mut self, frame: &Frame<'_>) -> bool {
        let kept = frame.bytes.get(..FRAME_BYTES).unwrap_or(frame.bytes);
        self.bytes.extend_from_slice(kept);
        let Frame { time, link, wire_bytes, begins_segment, .. } = *frame;
        self.heads.push(Head { time, link, wire_bytes, begins_segment, end: self.bytes.len() });
        kept.len() < frame.bytes.len()
    }

    pub(crate) const fn len(&self) -> usize {
        self.heads.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Whether it leaves before another frame is added.
    pub(crate) const fn is_full(&self) -> bool {
        self.heads.len() >= BATCH_FRAMES || self.bytes.len() >= BATCH_BYTES
    }

    /// The highest time of its frames.
    pub(crate) fn last_time(&self) -> Option<Timestamp> {
        self.heads.iter().map(|head| head.time).max()
    }

    fn frame(&self, head: Head, start: usize) -> Frame<'_> {
        let Head { time, link, wire_bytes, begins_segment, end } = head;
        let bytes = self.bytes.get(start..end).unwrap_or_default();
        Frame { time, link, wire_bytes, bytes, begins_segment }
    }
}

impl Pool {
    /// An empty buffer.
    pub(crate) fn take(&self) -> Arena {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give_back(&self, mut arena: Arena) {
        arena.bytes.clear();
        arena.heads.clear();
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MOST_SPARE {
            spare.push(arena);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_as_they_were() {
        let pool = Pool::default();
        let mut arena = pool.take();
        let first = Frame {
            time: Timestamp::from_seconds(7),
            link: LinkType::RawIp,
            wire_bytes: 900,
            bytes: &[1, 2, 3],
            begins_segment: true,
        };
        let empty = Frame { time: Timestamp::from_seconds(3), ..Frame::default() };
        assert!(!arena.push(&first) && !arena.push(&empty));
        assert_eq!(arena.last_time(), Some(Timestamp::from_seconds(7)));
        let batch = Batch::new(4, arena, pool.clone());
        let frames: Vec<Frame<'_>> = batch.frames().collect();
        let told = |frame: &Frame<'_>| (frame.time, frame.link, frame.wire_bytes, frame.begins_segment);
        assert_eq!(frames.iter().map(told).collect::<Vec<_>>(), [told(&first), told(&empty)]);
        assert_eq!((frames[0].bytes, frames[1].bytes), (&[1, 2, 3][..], &[][..]));
        drop(batch);
        assert!(pool.take().is_empty());
    }

    #[test]
    fn a_frame_is_shortened_to_the_longest_that_a_capture_has() {
        let mut arena = Arena::default();
        let bytes = vec![9; FRAME_BYTES + 1];
        assert!(arena.push(&Frame { bytes: &bytes, ..Frame::default() }));
        assert!(arena.is_full());
        let batch = Batch::new(0, arena, Pool::default());
        assert_eq!(batch.frames().map(|frame| frame.bytes.len()).collect::<Vec<_>>(), [FRAME_BYTES]);
    }
}
