use super::block::Block;
use super::clock::{Clocks, Held};
use super::edge::TimeEdges;
use super::hash::ContentHash;
use super::reader::{Head, Reader};
use crate::decode::Frame;
use crate::{CaptureError, Timestamp};

/// Reads the frames of one capture whose times are believed, in file order.
pub(super) struct TimedReader {
    reader: Reader,
    /// `None` where frames are sorted by their times later.
    clocks: Option<Clocks>,
    current: Current,
    /// Why the capture ended, while frames before that are given.
    ended: Option<Result<(), CaptureError>>,
}

/// The frame that is given.
enum Current {
    None,
    Read(Head),
    Held(Held),
}

/// What was noted of the times of a capture.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TimeFlaws {
    /// Frames that were left out, since their times lie alone in the future.
    pub(super) wrongly_timed: u64,
    /// Steps back of the clock.
    pub(super) steps_back: u64,
}

/// How the times of a capture are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// They are sorted later, and all believed.
    Sorted,
    /// Nothing precedes the capture.
    Whole,
    /// Another capture may precede it.
    Part,
}

/// A frame that was not confirmed when its capture ended.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub(super) held: Held,
    /// The highest clock of the capture where it ended.
    pub(super) end: Timestamp,
}

impl TimedReader {
    pub(super) fn new(reader: Reader, times: Times) -> Self {
        let clocks = match times {
            Times::Sorted => None,
            Times::Whole => Some(Clocks::default()),
            Times::Part => Some(Clocks::of_part()),
        };
        Self { reader, clocks, current: Current::None, ended: None }
    }

    /// Moves to the next frame and gives its time; `None` at the end of the capture. After an error, the capture is over.
    pub(super) fn advance(&mut self) -> Result<Option<Timestamp>, CaptureError> {
        loop {
            if let Some(held) = self.clocks.as_mut().and_then(Clocks::next) {
                let time = held.time;
                self.current = Current::Held(held);
                return Ok(Some(time));
            }
            if self.ended.is_some() {
                return self.end();
            }
            match self.reader.advance() {
                Ok(Some(head)) => {
                    if let Some(time) = self.take(head) {
                        return Ok(Some(time));
                    }
                }
                end => {
                    self.ended = Some(end.map(|_| ()));
                    if let Some(clocks) = &mut self.clocks {
                        clocks.finish();
                    }
                }
            }
        }
    }

    /// The end of the capture, or why it is over, which is told once.
    #[cold]
    fn end(&mut self) -> Result<Option<Timestamp>, CaptureError> {
        self.current = Current::None;
        self.ended.replace(Ok(())).unwrap_or(Ok(())).map(|()| None)
    }

    /// The block that the frame that was moved to lies in, if others may keep it.
    #[inline]
    pub(super) fn block(&self) -> Option<&Block> {
        match &self.current {
            Current::Read(_) => self.reader.block(),
            Current::None | Current::Held(_) => None,
        }
    }

    /// The frame that was moved to.
    #[inline]
    pub(super) fn frame(&self) -> Option<Frame<'_>> {
        match &self.current {
            Current::None => None,
            Current::Read(head) => Some(Frame {
                time: head.time,
                link: head.link,
                wire_bytes: head.wire_bytes,
                bytes: self.reader.bytes(head),
                ..Frame::default()
            }),
            Current::Held(held) => Some(held.frame()),
        }
    }

    /// Whether the frame that was moved to begins a segment.
    pub(super) const fn begins_segment(&self) -> bool {
        matches!(&self.current, Current::Held(held) if held.begins_segment)
    }

    /// Takes away the frame that was moved to if the capture ended before its time was confirmed.
    pub(super) fn take_unconfirmed(&mut self) -> Option<Unconfirmed> {
        let end = self.clocks.as_ref()?.end.unwrap_or(Timestamp::MIN);
        if !matches!(&self.current, Current::Held(held) if held.is_unconfirmed) {
            return None;
        }
        match std::mem::replace(&mut self.current, Current::None) {
            Current::Held(held) => Some(Unconfirmed { held, end }),
            Current::None | Current::Read(_) => None,
        }
    }

    /// The times at the ends of the capture, when it has ended; frames at its end come with [`Self::take_unconfirmed`].
    pub(super) fn edges(&mut self) -> TimeEdges {
        let Some(clocks) = &mut self.clocks else { return TimeEdges::default() };
        TimeEdges {
            lead: std::mem::take(&mut clocks.lead).into_iter().map(Held::into_edge).collect(),
            begins: std::mem::take(&mut clocks.begins),
            clocks: std::mem::take(&mut clocks.end_times),
            tail: Vec::new(),
        }
    }

    /// The name of the capture.
    pub(super) fn name(&self) -> &str {
        self.reader.name()
    }

    /// Hash of the capture's uncompressed bytes, as far as they were read.
    pub(super) fn content_hash(&mut self) -> Option<ContentHash> {
        self.reader.content_hash()
    }

    /// What was noted of its times so far.
    pub(super) fn flaws(&self) -> TimeFlaws {
        let clocks = self.clocks.as_ref();
        clocks.map_or_else(TimeFlaws::default, |clocks| TimeFlaws {
            wrongly_timed: clocks.wrongly_timed,
            steps_back: clocks.steps_back,
        })
    }

    /// Takes a frame that was read; gives its time where it needs no confirmation.
    #[inline]
    fn take(&mut self, head: Head) -> Option<Timestamp> {
        let time = head.time;
        if let Some(clocks) = &mut self.clocks
            && !clocks.accept(head.interface, time)
        {
            clocks.take(Held {
                interface: head.interface,
                time,
                link: head.link,
                wire_bytes: head.wire_bytes,
                bytes: self.reader.bytes(&head).into(),
                begins_segment: false,
                is_unconfirmed: false,
            });
            return None;
        }
        self.current = Current::Read(head);
        Some(time)
    }
}
