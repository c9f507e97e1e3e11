use thingprint_flow::{
    Capture, CaptureError, ContentHash, DecodeCounts, PlacedPacket, TimeEdges, Trace, TraceOptions,
    TunnelCounts,
};

/// Where packets come from.
pub trait Source: Sync {
    /// What reads them.
    type Reader: PacketReader;

    /// Begins to read.
    fn open(&self) -> Self::Reader;

    /// Whether it can be opened more than once, and gives the same packets again.
    fn is_rewindable(&self) -> bool;
}

/// Reads packets in the order of a trace.
pub trait PacketReader: Send {
    /// The next packet; `None` at the end.
    fn next_packet(&mut self) -> Option<PlacedPacket<'_>>;

    /// Bytes read so far, as they lie in files.
    fn bytes_read(&self) -> u64;

    /// What is known at the end.
    fn end(self) -> ReadEnd;
}

/// What is known of a source that was read to its end.
#[derive(Clone, Debug, Default)]
pub struct ReadEnd {
    /// What could not be read.
    pub problems: Vec<CaptureError>,
    /// What the frames were.
    pub counts: DecodeCounts,
    /// Hash of the content of each capture, where they were asked for.
    pub hashes: Vec<Option<ContentHash>>,
    /// Packets that carry others, and were not opened, by tunnel.
    pub tunnelled: TunnelCounts,
    /// Frames that were left out, since their times lie alone in the future.
    pub wrongly_timed: u64,
    /// How often the clock of a capture stepped back by more than 300 s, by the name of the capture.
    pub steps_back: Vec<(String, u64)>,
    /// Frames at the ends that wait for the captures before and after these, where they are kept apart.
    pub edges: TimeEdges,
}

/// Captures that are one trace: merged where they overlap in time, one after another where they do not.
pub struct Captures<F> {
    open: F,
    options: TraceOptions,
    is_rewindable: bool,
}

impl<F: Fn() -> Vec<Capture> + Sync> Captures<F> {
    /// The captures that `open` gives, each time that they are read.
    pub fn new(is_rewindable: bool, open: F) -> Self {
        Self { open, options: TraceOptions::default(), is_rewindable }
    }

    /// The same captures, read in another way.
    #[must_use]
    pub fn with(self, options: TraceOptions) -> Self {
        Self { options, ..self }
    }
}

impl<F: Fn() -> Vec<Capture> + Sync> Source for Captures<F> {
    type Reader = TraceReader;

    fn open(&self) -> TraceReader {
        let captures = (self.open)();
        TraceReader { captures: captures.len(), trace: Trace::new(captures, self.options) }
    }

    fn is_rewindable(&self) -> bool {
        self.is_rewindable
    }
}

/// Reads a trace.
pub struct TraceReader {
    captures: usize,
    trace: Trace,
}

impl PacketReader for TraceReader {
    #[inline]
    fn next_packet(&mut self) -> Option<PlacedPacket<'_>> {
        self.trace.next_placed()
    }

    fn bytes_read(&self) -> u64 {
        self.trace.bytes_read()
    }

    fn end(self) -> ReadEnd {
        ReadEnd {
            problems: self.trace.problems().to_vec(),
            counts: self.trace.counts().clone(),
            tunnelled: self.trace.tunnelled(),
            wrongly_timed: self.trace.wrongly_timed(),
            steps_back: self.trace.steps_back().to_vec(),
            edges: self.trace.edges().clone(),
            hashes: (0..self.captures).map(|capture| self.trace.content_hash(capture)).collect(),
        }
    }
}
