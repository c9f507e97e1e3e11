use std::collections::VecDeque;

use super::link::LinkType;
use crate::Timestamp;

/// A change of the time by more than this has to be confirmed, in nanoseconds.
pub(super) const STEP_NS: i64 = 300_000_000_000;
/// Consecutive frames of an interface that confirm a change.
const CONFIRMING: usize = 3;
/// Most frames that wait, and most bytes of them; a capture has few interfaces.
const MOST_WAITING: usize = 64;
const MOST_BYTES: usize = 8 << 20;

/// The clocks of a capture's interfaces: which times of frames are believed.
///
/// A frame more than 300 s ahead waits until the next two of its interface confirm that: if they do not, its time was
/// wrong, and it is left out. Frames more than 300 s behind wait as well: three of them begin a segment with a clock of
/// its own, and fewer are late, unless the capture ends with them.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    interfaces: Vec<Clock>,
    /// The highest clock of any interface in this segment.
    highest: Option<Timestamp>,
    /// In the order of the file.
    waiting: Vec<Held>,
    waiting_bytes: usize,
    ready: VecDeque<Held>,
    /// Whether the next frame that is believed begins a segment.
    begins_segment: bool,
    /// The highest clock where the capture ended.
    pub(super) end: Option<Timestamp>,
    /// Frames that were left out.
    pub(super) wrongly_timed: u64,
    /// Segments that began behind the first.
    pub(super) steps_back: u64,
}

/// The clock of an interface.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    time: Option<Timestamp>,
    waits_for: Change,
    waiting: usize,
}

/// What the time of a frame would mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Change {
    #[default]
    None,
    Ahead,
    Back,
}

/// A frame that was kept.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) interface: u32,
    pub(super) time: Timestamp,
    pub(super) link: LinkType,
    pub(super) wire_bytes: u32,
    pub(super) bytes: Box<[u8]>,
    /// Whether it is the first of a segment.
    pub(super) begins_segment: bool,
    /// Whether the capture ended before its time was confirmed.
    pub(super) is_unconfirmed: bool,
}

impl Clocks {
    /// Whether a frame's time needs no confirmation; then the clock has moved.
    #[inline]
    pub(super) fn accept(&mut self, interface: u32, time: Timestamp) -> bool {
        let Some(clock) = self.interfaces.get_mut(interface as usize) else { return false };
        let Some(now) = clock.time.as_mut().filter(|_| clock.waiting == 0) else { return false };
        if time.nanos_since(*now).unsigned_abs() > STEP_NS.unsigned_abs() {
            return false;
        }
        *now = time.max(*now);
        self.highest = self.highest.max(Some(time));
        true
    }

    /// Takes a frame that was not accepted; [`next`](Self::next) gives it once it is known what its time means.
    pub(super) fn take(&mut self, held: Held) {
        let at = held.interface as usize;
        if self.interfaces.len() <= at {
            self.interfaces.resize_with(at + 1, Clock::default);
        }
        self.place(held);
        if self.waiting.len() > MOST_WAITING || self.waiting_bytes > MOST_BYTES {
            self.finish();
        }
    }

    /// The next frame that waits no more.
    pub(super) fn next(&mut self) -> Option<Held> {
        self.ready.pop_front()
    }

    /// Nothing confirms any more what waits: it is believed.
    pub(super) fn finish(&mut self) {
        self.waiting_bytes = 0;
        self.end = self.highest;
        for held in std::mem::take(&mut self.waiting) {
            let change = self.change(held.interface, held.time);
            let is_unconfirmed = change == Change::Ahead;
            if change == Change::Back {
                self.step_back();
            }
            self.forget_wait(held.interface);
            self.believe(Held { is_unconfirmed, ..held });
        }
    }

    fn place(&mut self, held: Held) {
        let (interface, change) = (held.interface, self.change(held.interface, held.time));
        let clock = self.clock(interface);
        if clock.waits_for != change {
            self.resolve(interface);
        }
        if change == Change::None {
            return self.believe(held);
        }
        if let Some(clock) = self.interfaces.get_mut(interface as usize) {
            (clock.waits_for, clock.waiting) = (change, clock.waiting + 1);
        }
        self.waiting_bytes += held.bytes.len();
        self.waiting.push(held);
        if self.clock(interface).waiting >= CONFIRMING {
            self.confirm(interface, change);
        }
    }

    fn change(&self, interface: u32, time: Timestamp) -> Change {
        let is_ahead = |clock: Timestamp| time.nanos_since(clock) > STEP_NS;
        let is_behind = |clock: Timestamp| clock.nanos_since(time) > STEP_NS;
        match (self.clock(interface).time, self.highest) {
            (Some(clock), Some(highest)) if is_ahead(clock) && is_ahead(highest) => Change::Ahead,
            // The first frame of an interface may be the damaged one.
            (None, Some(highest)) if is_ahead(highest) => Change::Ahead,
            (Some(clock), _) if is_behind(clock) => Change::Back,
            _ => Change::None,
        }
    }

    /// What waits of an interface is not confirmed: frames ahead are left out, and those behind are late.
    fn resolve(&mut self, interface: u32) {
        let Clock { waits_for, waiting, .. } = self.clock(interface);
        if waiting == 0 {
            return;
        }
        self.forget_wait(interface);
        for held in self.take_waiting(|held| held.interface == interface) {
            match waits_for {
                Change::Ahead => self.wrongly_timed += 1,
                _ => self.ready.push_back(held),
            }
        }
    }

    /// Three frames agree: the clock is that of the one of them that asks for the least, and all are looked at again.
    fn confirm(&mut self, interface: u32, change: Change) {
        let own = self.waiting.iter().filter(|held| held.interface == interface).map(|held| held.time);
        let time = if change == Change::Back { own.max() } else { own.min() };
        if change == Change::Back {
            self.step_back();
        }
        self.highest = self.highest.max(time);
        self.interfaces.iter_mut().for_each(|clock| (clock.waits_for, clock.waiting) = (Change::None, 0));
        if let Some(clock) = self.interfaces.get_mut(interface as usize) {
            clock.time = time;
        }
        for held in self.take_waiting(|_| true) {
            self.place(held);
        }
    }

    /// Begins a segment with the frame that is believed next.
    fn step_back(&mut self) {
        self.steps_back += 1;
        self.begins_segment = true;
        self.highest = None;
        self.interfaces.iter_mut().for_each(|clock| clock.time = None);
    }

    fn believe(&mut self, mut held: Held) {
        let time = Some(held.time);
        if let Some(clock) = self.interfaces.get_mut(held.interface as usize) {
            clock.time = clock.time.max(time);
        }
        self.highest = self.highest.max(time);
        held.begins_segment = std::mem::take(&mut self.begins_segment);
        self.ready.push_back(held);
    }

    fn take_waiting(&mut self, mut is_taken: impl FnMut(&Held) -> bool) -> Vec<Held> {
        let (taken, kept) = std::mem::take(&mut self.waiting).into_iter().partition(|held| is_taken(held));
        self.waiting = kept;
        self.waiting_bytes = self.waiting.iter().map(|held| held.bytes.len()).sum();
        taken
    }

    fn forget_wait(&mut self, interface: u32) {
        if let Some(clock) = self.interfaces.get_mut(interface as usize) {
            (clock.waits_for, clock.waiting) = (Change::None, 0);
        }
    }

    fn clock(&self, interface: u32) -> Clock {
        self.interfaces.get(interface as usize).copied().unwrap_or_default()
    }
}
