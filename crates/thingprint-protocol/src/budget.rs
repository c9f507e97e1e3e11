/// What may be kept for later over all flows, and what had to be discarded.
///
/// One budget serves every flow of a flow table; it has to be given to [`Inspection::close`](crate::Inspection::close)
/// when a flow goes away.
#[derive(Clone, Debug)]
pub struct Budget {
    limit_bytes: usize,
    used_bytes: usize,
    losses: Losses,
}

/// Streams that were not read to the end of what was wanted from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Streams whose bytes found no room within the byte limit over all flows.
    pub buffers_dropped: u64,
    /// Streams with a message too long, or that were let go with bytes missing.
    pub streams_given_up: u64,
    /// Gaps in streams: bytes that the capture does not have.
    pub gaps: u64,
    /// Bytes that are missing there.
    pub gap_bytes: u64,
    /// Bytes behind gaps that were not read, up to the next message that begins its own segment.
    pub skipped_bytes: u64,
}

impl Losses {
    /// Adds the losses of another flow table.
    pub const fn merge(&mut self, other: Self) {
        self.buffers_dropped += other.buffers_dropped;
        self.streams_given_up += other.streams_given_up;
        self.gaps += other.gaps;
        self.gap_bytes += other.gap_bytes;
        self.skipped_bytes += other.skipped_bytes;
    }
}

impl Budget {
    /// A budget of `limit_bytes` bytes over all flows, none of them used yet.
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, used_bytes: 0, losses: Losses::default() }
    }

    /// Bytes held now, bookkeeping included.
    pub const fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// What was discarded so far.
    pub const fn losses(&self) -> Losses {
        self.losses
    }

    /// Takes `bytes` if there is room for them.
    pub(crate) const fn reserve(&mut self, bytes: usize) -> bool {
        let used_bytes = self.used_bytes.saturating_add(bytes);
        let fits = used_bytes <= self.limit_bytes;
        if fits {
            self.used_bytes = used_bytes;
        }
        fits
    }

    /// Gives back `bytes` taken before.
    pub(crate) const fn release(&mut self, bytes: usize) {
        self.used_bytes = self.used_bytes.saturating_sub(bytes);
    }

    /// Counts a stream that found no room.
    pub(crate) const fn count_dropped(&mut self) {
        self.losses.buffers_dropped += 1;
    }

    /// Counts a gap of so many bytes in a stream.
    pub(crate) const fn count_gap(&mut self, bytes: usize) {
        self.losses.gaps += 1;
        self.losses.gap_bytes += bytes as u64;
    }

    /// Counts bytes behind a gap that are not read.
    pub(crate) const fn count_skipped(&mut self, bytes: usize) {
        self.losses.skipped_bytes += bytes as u64;
    }

    /// Counts a stream that could not be read on.
    pub(crate) const fn count_given_up(&mut self) {
        self.losses.streams_given_up += 1;
    }
}
