use super::clock::Held;
use super::reader::{Head, Reader};
use super::source::Capture;
use super::source_clocks::SourceClocks;
use crate::CaptureError;
use crate::decode::Frame;

/// Longest packet or block that is believed here, in bytes: many captures may be read at once, from senders that nobody
/// vouches for, and each may make its reader keep twice as much.
const LONGEST_RECORD: usize = 8 * 1024 * 1024;

/// Reads the frames of one capture as they come, without what [`Trace`](crate::Trace) does to put captures into order.
///
/// It reads ahead only what its stream gives at once: whoever gives the stream learns by its reads when every frame so far
/// was handed out.
///
/// ```
/// use std::io::Cursor;
/// use thingprint_flow::{Capture, CaptureWriter, FrameReader, SourceClocks, Timestamp};
///
/// let mut writer = CaptureWriter::new(Vec::new())?;
/// writer.write(Timestamp::from_seconds(1), &[0xff; 60], 60)?;
/// let capture = Capture::once("sensor", Box::new(Cursor::new(writer.finish()?)));
///
/// let mut clocks = SourceClocks::trusted();
/// let mut reader = FrameReader::open(capture)?;
/// while let Some(frame) = reader.next_frame(&mut clocks)? {
///     assert_eq!(frame.bytes.len(), 60);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FrameReader {
    reader: Reader,
    held: Option<Held>,
}

impl FrameReader {
    /// Opens a capture, and detects its format by its first bytes.
    ///
    /// # Errors
    ///
    /// When the capture cannot be opened or read, or is in no known format.
    pub fn open(mut capture: Capture) -> Result<Self, CaptureError> {
        Ok(Self { reader: Reader::open_live(&mut capture, LONGEST_RECORD)?, held: None })
    }

    /// The next frame whose time is believed; `None` at the end of the capture. After an error, the capture is over.
    ///
    /// Frames that wait for others to confirm their times stay in `clocks`, for the next capture of the source.
    ///
    /// # Errors
    ///
    /// When the stream fails, ends inside a packet, or contradicts the format.
    pub fn next_frame(&mut self, clocks: &mut SourceClocks) -> Result<Option<Frame<'_>>, CaptureError> {
        loop {
            if let Some(held) = clocks.next() {
                return Ok(Some(self.held.insert(held).frame()));
            }
            let Some(head) = self.reader.advance()? else { return Ok(None) };
            if let Some(begins_segment) = clocks.accept(head.interface, head.time) {
                return Ok(Some(self.frame(&head, begins_segment)));
            }
            clocks.take(self.hold(&head));
        }
    }

    /// Passes over this many frames; fewer are passed over only where the capture ends before.
    ///
    /// # Errors
    ///
    /// As for [`next_frame`](Self::next_frame).
    pub fn skip(&mut self, frames: u64) -> Result<u64, CaptureError> {
        for skipped in 0..frames {
            if self.reader.advance()?.is_none() {
                return Ok(skipped);
            }
        }
        Ok(frames)
    }

    /// Whole frames that were read so far, passed over or waiting ones as well.
    pub const fn frames(&self) -> u64 {
        self.reader.packets()
    }

    fn frame(&self, head: &Head, begins_segment: bool) -> Frame<'_> {
        let Head { time, wire_bytes, link, .. } = *head;
        Frame { time, link, wire_bytes, bytes: self.reader.bytes(head), begins_segment }
    }

    fn hold(&self, head: &Head) -> Held {
        Held {
            interface: head.interface,
            time: head.time,
            link: head.link,
            wire_bytes: head.wire_bytes,
            bytes: self.reader.bytes(head).into(),
            begins_segment: false,
            is_unconfirmed: false,
        }
    }
}
