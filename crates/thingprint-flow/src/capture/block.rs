use std::ops::Range;
use std::sync::Arc;

/// Bytes of a capture as they were read at a time, which whoever keeps packets of them may keep as well.
///
/// ```
/// use std::io::Cursor;
/// use thingprint_flow::{Capture, CaptureWriter, Timestamp, Trace, TraceOptions};
///
/// let mut writer = CaptureWriter::new(Vec::new())?;
/// for second in 0..100 {
///     writer.write(Timestamp::from_seconds(second), &[7; 1000], 1000)?;
/// }
/// let file = writer.finish()?;
/// let capture = Capture::new("home.pcap", move || Ok(Box::new(Cursor::new(file.clone()))));
/// let mut trace = Trace::new(vec![capture], TraceOptions::default());
///
/// let mut kept = Vec::new();
/// while let Some(next) = trace.next_placed() {
///     kept.extend(next.block.and_then(|block| Some((block.clone(), block.range_of(next.frame.bytes)?))));
/// }
/// assert!(kept.len() > 90);
/// assert!(kept.iter().all(|(block, range)| block.bytes(range.clone()) == [7; 1000]));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Block(Arc<Vec<u8>>);

impl Block {
    /// A block of so many zeros.
    pub(super) fn new(length: usize) -> Self {
        Self(Arc::new(vec![0; length]))
    }

    /// Where a part of the block lies in it; `None` for bytes that lie elsewhere, and for none at all.
    #[inline]
    pub fn range_of(&self, part: &[u8]) -> Option<Range<usize>> {
        let start = part.as_ptr().addr().checked_sub(self.0.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        (start < end && end <= self.0.len()).then_some(start..end)
    }

    /// The bytes of a range; empty where the block has no such range.
    #[inline]
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.0.get(range).unwrap_or_default()
    }

    /// Whether both are the same block.
    #[inline]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes to write to; `None` while somebody else keeps the block.
    pub(super) fn bytes_mut(&mut self) -> Option<&mut Vec<u8>> {
        Arc::get_mut(&mut self.0)
    }
}
