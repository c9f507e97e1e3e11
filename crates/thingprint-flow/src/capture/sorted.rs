use super::link::LinkType;
use super::merge::{Log, Merge, Merged};
use crate::Timestamp;
use crate::decode::Frame;

/// Bytes of frames kept together; a longer frame gets room of its own.
const CHUNK: usize = 4 * 1024 * 1024;

/// Every frame of a trace in memory, in the order of their times.
pub(super) struct Sorted {
    chunks: Vec<Vec<u8>>,
    kept: std::vec::IntoIter<Kept>,
    current: Option<Kept>,
}

/// A frame whose bytes lie in a chunk.
struct Kept {
    time: Timestamp,
    rank: usize,
    capture: usize,
    link: LinkType,
    wire_bytes: u32,
    chunk: usize,
    start: usize,
    end: usize,
}

impl Sorted {
    /// Reads the whole trace and sorts it: frames of equal time stay in the order of their capture, and captures
    /// in the order of their first frames.
    pub(super) fn collect(merge: &mut Merge, log: &mut Log) -> Self {
        let mut chunks = Vec::new();
        let mut kept = Vec::new();
        merge.advance(log);
        while let Some(merged) = merge.frame() {
            kept.push(keep(&merged, &mut chunks));
            merge.advance(log);
        }
        kept.sort_by_key(|frame| (frame.time, frame.rank));
        Self { chunks, kept: kept.into_iter(), current: None }
    }

    /// Moves to the next frame by time.
    pub(super) fn advance(&mut self) {
        self.current = self.kept.next();
    }

    /// The frame that was moved to.
    pub(super) fn frame(&self) -> Option<Merged<'_>> {
        let Kept { time, rank, capture, link, wire_bytes, chunk, start, end } = *self.current.as_ref()?;
        let bytes = self.chunks.get(chunk).and_then(|chunk| chunk.get(start..end)).unwrap_or_default();
        let frame = Frame { time, link, wire_bytes, bytes, ..Frame::default() };
        Some(Merged { capture, rank, frame, block: None })
    }
}

fn keep(merged: &Merged<'_>, chunks: &mut Vec<Vec<u8>>) -> Kept {
    let Frame { time, link, wire_bytes, bytes, .. } = merged.frame;
    let (chunk, start) = append(bytes, chunks);
    let end = start + bytes.len();
    Kept { time, rank: merged.rank, capture: merged.capture, link, wire_bytes, chunk, start, end }
}

/// Copies bytes to the last chunk, or a new one when it is full; says which chunk it was and where they start.
fn append(bytes: &[u8], chunks: &mut Vec<Vec<u8>>) -> (usize, usize) {
    let number = chunks.len();
    if let Some(last) = chunks.last_mut()
        && last.capacity() - last.len() >= bytes.len()
    {
        let start = last.len();
        last.extend_from_slice(bytes);
        return (number - 1, start);
    }
    let mut chunk = Vec::with_capacity(CHUNK.max(bytes.len()));
    chunk.extend_from_slice(bytes);
    chunks.push(chunk);
    (number, 0)
}
