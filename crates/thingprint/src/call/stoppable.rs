use thingprint_flow::PlacedPacket;
use thingprint_pipeline::{PacketReader, ReadEnd, Source};

use super::Line;

/// A source that ends when whoever calls the command does not want its result any more.
pub(crate) struct Stoppable<S> {
    source: S,
    line: Option<&'static Line>,
}

/// A reader of a [`Stoppable`].
pub(crate) struct StoppableReader<R> {
    reader: R,
    line: Option<&'static Line>,
}

impl<S> Stoppable<S> {
    /// A source with the line on which it may be stopped.
    pub(crate) fn new(source: S, line: Option<&'static Line>) -> Self {
        Self { source, line }
    }
}

impl<S: Source> Source for Stoppable<S> {
    type Reader = StoppableReader<S::Reader>;

    fn open(&self) -> Self::Reader {
        StoppableReader { reader: self.source.open(), line: self.line }
    }

    fn is_rewindable(&self) -> bool {
        self.source.is_rewindable()
    }
}

impl<R: PacketReader> PacketReader for StoppableReader<R> {
    fn next_packet(&mut self) -> Option<PlacedPacket<'_>> {
        if self.line.is_some_and(Line::is_stopped) {
            return None;
        }
        self.reader.next_packet()
    }

    fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    fn end(self) -> ReadEnd {
        self.reader.end()
    }
}
