use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, DeviceIndex, DeviceLosses, FairCap, LossKind, LossLog};

/// How far a limit may be exceeded until flows let go of something, as a share of it.
const SLACK_SHARE: usize = 8;

/// What may be kept for later over all flows, and what had to be discarded.
///
/// One budget serves every flow of a flow table; it has to be given to [`Inspection::close`](crate::Inspection::close)
/// when a flow goes away. The devices of the table share it fairly: where it [is pressed](Self::is_pressed), each flow
/// whose device has more than its share has to [let go](crate::Inspection::relieve). Whoever does not see to that has a
/// budget that is first come, first served.
#[derive(Clone, Debug)]
pub struct Budget {
    cap: FairCap,
    limit_bytes: usize,
    /// Whose flow is looked at.
    device: DeviceIndex,
    /// What devices have to let go of.
    owed: BTreeMap<DeviceIndex, usize>,
    losses: Losses,
    log: LossLog,
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
        Self {
            cap: FairCap::new(limit_bytes),
            limit_bytes,
            device: DeviceIndex::new(0),
            owed: BTreeMap::new(),
            losses: Losses::default(),
            log: LossLog::default(),
        }
    }

    /// The budget for a flow of a device: what is taken and given back from now on is this device's.
    #[inline]
    #[must_use]
    pub const fn of(&mut self, device: DeviceIndex) -> &mut Self {
        self.device = device;
        self
    }

    /// A device is there; see [`Observer::device`](thingprint_flow::Observer::device).
    pub fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.log.device(device, id);
    }

    /// A device is established; see [`Observer::established`](thingprint_flow::Observer::established).
    pub fn established(&mut self, device: DeviceIndex) {
        self.cap.establish(device);
        self.log.established(device);
    }

    /// A device is forgotten; see [`Observer::forget`](thingprint_flow::Observer::forget).
    pub fn forget(&mut self, device: DeviceIndex) {
        self.cap.forget(device);
        self.owed.remove(&device);
        self.log.forget(device);
    }

    /// Bytes held now, bookkeeping included.
    pub const fn used_bytes(&self) -> usize {
        self.cap.used()
    }

    /// What was discarded so far.
    pub const fn losses(&self) -> Losses {
        self.losses
    }

    /// What was discarded so far, by device.
    pub const fn left_out(&self) -> &DeviceLosses {
        self.log.losses()
    }

    /// Whether devices have to let go of something.
    #[inline]
    pub fn is_pressed(&self) -> bool {
        !self.owed.is_empty()
    }

    /// All flows were asked to let go.
    pub fn relieved(&mut self) {
        self.owed.clear();
    }

    /// What the device whose flow is looked at has to let go of.
    pub(crate) fn owed(&self) -> usize {
        self.owed.get(&self.device).copied().unwrap_or(0)
    }

    /// Takes `bytes` if there is room for them.
    pub(crate) fn reserve(&mut self, bytes: usize) -> bool {
        let slack = self.limit_bytes / SLACK_SHARE;
        if self.cap.used().saturating_add(bytes) > self.limit_bytes.saturating_add(slack) {
            return false;
        }
        if self.cap.take(self.device, bytes) && self.owed.is_empty() {
            self.owed = self.cap.excess().into_iter().collect();
        }
        true
    }

    /// Gives back `bytes` taken before.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.cap.give_back(self.device, bytes);
    }

    /// Gives back `bytes` that the device owes.
    pub(crate) fn pay(&mut self, bytes: usize) {
        let owed = self.owed().saturating_sub(bytes);
        if owed == 0 {
            self.owed.remove(&self.device);
        } else {
            self.owed.insert(self.device, owed);
        }
    }

    /// Counts so many of a kind that the device lost.
    pub(crate) fn lose(&mut self, kind: LossKind, count: u64) {
        self.log.add(self.device, kind, count);
    }

    /// Counts a stream that found no room.
    pub(crate) fn count_dropped(&mut self) {
        self.losses.buffers_dropped += 1;
        self.lose(LossKind::STREAMS, 1);
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
