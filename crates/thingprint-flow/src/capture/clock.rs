use std::collections::VecDeque;

use super::edge::EdgeFrame;
use super::link::LinkType;
use crate::Timestamp;
use crate::decode::Frame;

/// A change of the time by more than this has to be confirmed, in nanoseconds.
pub(super) const STEP_NS: i64 = 300_000_000_000;
/// Consecutive frames of an interface that confirm a change.
pub(super) const CONFIRMING: usize = 3;
/// Interfaces that a capture may have.
pub(super) const MOST_INTERFACES: usize = 1 << 16;
/// Most frames that wait, and most bytes of them; a capture has few interfaces.
const MOST_WAITING: usize = 64;
const MOST_BYTES: usize = 8 << 20;

/// The clocks of a capture's interfaces: which times of frames are believed.
///
/// A frame more than 300 s ahead waits until the next two of its interface confirm that: if they do not, its time was
/// wrong, and it is left out. Frames more than 300 s behind wait as well: three of them begin a segment with a clock of
/// its own, and fewer are late, unless the trace ends with them.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    interfaces: Vec<Clock>,
    /// The highest clock of any interface in this segment.
    highest: Option<Timestamp>,
    /// In the order of the file.
    waiting: Vec<Held>,
    waiting_bytes: usize,
    ready: VecDeque<Held>,
    /// The frames at the start of a part; `None` once three of them agree, and where nothing precedes the capture.
    start: Option<Vec<Held>>,
    /// The frames at the start of a part that came before three agreed.
    pub(super) lead: Vec<Held>,
    /// Interface and time of the frames that agreed, and of those between them.
    pub(super) begins: Vec<(u32, Timestamp)>,
    /// Whether the next frame that is believed begins a segment.
    begins_segment: bool,
    /// The highest clock where the capture ended.
    pub(super) end: Option<Timestamp>,
    /// The clocks of the interfaces there; none where no time was agreed on.
    pub(super) end_times: Vec<Option<Timestamp>>,
    /// Frames that were left out.
    pub(super) wrongly_timed: u64,
    /// Segments that began behind the first, without one that only the end of the capture began.
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
    /// Whether the capture ended before it was known what its time means.
    pub(super) is_unconfirmed: bool,
}

impl Held {
    /// The frame.
    pub(super) fn frame(&self) -> Frame<'_> {
        Frame {
            time: self.time,
            link: self.link,
            wire_bytes: self.wire_bytes,
            bytes: &self.bytes,
            begins_segment: self.begins_segment,
        }
    }

    /// The frame as a part carries it.
    pub(super) fn into_edge(self) -> EdgeFrame {
        let Self { interface, time, link, wire_bytes, bytes, .. } = self;
        EdgeFrame { interface, time, link, wire_bytes, bytes }
    }
}

impl Clocks {
    /// The clocks of a part, whose first frames wait until three of an interface agree: what precedes the part decides
    /// what the times of those before them mean.
    pub(super) fn of_part() -> Self {
        Self { start: Some(Vec::new()), ..Self::default() }
    }

    /// Clocks that go on from these times of the interfaces.
    pub(super) fn from_times(times: &[Option<Timestamp>]) -> Self {
        let interfaces = times.iter().map(|time| Clock { time: *time, ..Clock::default() }).collect();
        Self { interfaces, highest: times.iter().copied().max().flatten(), ..Self::default() }
    }

    /// The times of the interfaces.
    pub(super) fn times(&self) -> Vec<Option<Timestamp>> {
        self.interfaces.iter().map(|clock| clock.time).collect()
    }

    /// Whether frames wait for others that confirm their times.
    pub(super) fn holds_frames(&self) -> bool {
        !self.waiting.is_empty() || !self.ready.is_empty()
    }

    /// The highest time of any interface in this segment.
    pub(super) const fn highest(&self) -> Option<Timestamp> {
        self.highest
    }

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
        // No capture has more, but what a part file says may be anything.
        if self.interfaces.len() <= at && at < MOST_INTERFACES {
            self.interfaces.resize_with(at + 1, Clock::default);
        }
        if self.start.is_some() {
            return self.begin(held);
        }
        self.place(held);
        if self.waiting.len() > MOST_WAITING || self.waiting_bytes > MOST_BYTES {
            self.believe_waiting(false);
        }
    }

    /// The next frame that waits no more.
    pub(super) fn next(&mut self) -> Option<Held> {
        self.ready.pop_front()
    }

    /// The capture has ended, and nothing in it confirms any more what waits: it is believed.
    pub(super) fn finish(&mut self) {
        self.end = self.highest;
        self.end_times = self.times();
        if let Some(start) = self.start.take() {
            (self.lead, self.end_times) = (start, Vec::new());
        }
        self.believe_waiting(true);
    }

    /// Leaves out or believes what waits, as if it was not confirmed.
    pub(super) fn resolve_all(&mut self) {
        let interfaces = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        (0..interfaces).for_each(|interface| self.resolve(interface));
    }

    fn believe_waiting(&mut self, is_unconfirmed: bool) {
        self.waiting_bytes = 0;
        for held in std::mem::take(&mut self.waiting) {
            if self.change(held.interface, held.time) == Change::Back {
                self.step_back();
                self.steps_back += u64::from(!is_unconfirmed);
            }
            self.forget_wait(held.interface);
            self.believe(Held { is_unconfirmed, ..held });
        }
    }

    /// Takes a frame at the start of a part.
    fn begin(&mut self, held: Held) {
        let Some(start) = &mut self.start else { return };
        self.waiting_bytes += held.bytes.len();
        start.push(held);
        let agree_from = agreeing(start);
        let is_full = start.len() > MOST_WAITING || self.waiting_bytes > MOST_BYTES;
        if let Some(from) = agree_from.or(is_full.then_some(start.len())) {
            let mut lead = std::mem::take(start);
            let agreed = lead.split_off(from);
            self.begins = agreed.iter().map(|held| (held.interface, held.time)).collect();
            (self.start, self.lead, self.waiting_bytes) = (None, lead, 0);
            for held in agreed {
                self.place(held);
            }
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
            self.steps_back += 1;
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

/// Where the frames of an interface that agree begin: the last three, whose times are all within 300 s.
fn agreeing(frames: &[Held]) -> Option<usize> {
    let interface = frames.last()?.interface;
    let own = frames.iter().enumerate().rev().filter(|(_, held)| held.interface == interface);
    let last: Vec<(usize, Timestamp)> = own.take(CONFIRMING).map(|(at, held)| (at, held.time)).collect();
    let (first, _) = *last.get(CONFIRMING - 1)?;
    let earliest = last.iter().map(|(_, time)| *time).min()?;
    let latest = last.iter().map(|(_, time)| *time).max()?;
    (latest.nanos_since(earliest) <= STEP_NS).then_some(first)
}
