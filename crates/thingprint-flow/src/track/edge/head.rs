use serde::{Deserialize, Serialize};

use super::run::FlowRun;
use crate::Timestamp;
use crate::track::key::{DevicePacket, FiveTuple};
use crate::track::options::{FlowEnding, FlowOptions};
use crate::track::streams::Streams;
use crate::track::window::WindowIndex;

const TCP: u8 = 6;
/// Runs of one flow beyond which packets are summed up that the flow table may decide by.
const MOST_RUNS: usize = 256;
/// The same where every packet may be the one at which a flow is cut, as the `joy` preset does.
const MOST_JOY_RUNS: usize = 4096;
/// Runs beyond which SYN, FIN and RST are summed up, too.
const MOST_DECIDING: usize = 2 * MOST_JOY_RUNS;

/// A flow near the start of a part: its packets, as far as flows of an earlier part may change what becomes of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowHead {
    pub(super) tuple: FiveTuple,
    pub(super) runs: Vec<FlowRun>,
    /// Whether another flow followed in the window of the last run, whatever came before.
    pub(super) is_settled: bool,
    /// Whether a message of it was begun and not complete at the part's end.
    pub is_mid_message: bool,
}

/// Where a part starts, and how flows are formed in it.
#[derive(Clone, Debug)]
pub struct PartStart {
    options: FlowOptions,
    /// No packet of an earlier part is later than this.
    by: Timestamp,
    last_window: WindowIndex,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It belongs to the same flow as the packet before it, whatever came before the part.
    Summed,
    /// Another run began with it.
    Kept,
    /// It begins a flow of the part's own, whatever came before.
    Settled,
}

/// Makes a [`FlowHead`], packet by packet.
#[derive(Debug)]
pub struct HeadLog {
    head: FlowHead,
    latest: Timestamp,
    begins_with_syn: bool,
    has_exchange: bool,
    has_left: bool,
    /// The streams of the flow that would have begun at the last packet at which one may have.
    streams: Streams,
    /// Times after which a flow that a FIN or an RST ended takes no packet.
    limits: Vec<Timestamp>,
}

impl PartStart {
    /// The start of a part whose first frame has this time; frames may come out of order by the lateness of windows.
    pub fn new(first: Timestamp, options: &FlowOptions) -> Self {
        let by = first.plus_nanos(options.lateness_ns);
        Self { options: options.clone(), by, last_window: options.window.index_of(by) }
    }

    /// No packet of an earlier part is later than this.
    pub const fn by(&self) -> Timestamp {
        self.by
    }

    /// No gap that begins later is covered by a flow of an earlier part alone.
    pub fn end(&self) -> Timestamp {
        match self.options.ending {
            FlowEnding::Connection { .. } => self.by.plus_nanos(self.options.ending.longest_idle_ns()),
            FlowEnding::Joy { .. } => self.options.window.end_of(self.last_window),
        }
    }

    /// Whether an earlier part may have packets in a window.
    pub fn reaches(&self, window: WindowIndex) -> bool {
        window <= self.last_window
    }

    /// Whether a packet at `time`, the first of its flow here, may be of a flow of an earlier part.
    pub fn may_join(&self, protocol: u8, time: Timestamp) -> bool {
        self.options.ending.idle_ns(protocol).is_none_or(|idle_ns| time.nanos_since(self.by) <= idle_ns)
    }

    /// Whether a flow of an earlier part, or one last seen at `latest`, may go on in a later window at `time`.
    pub fn may_cross(&self, protocol: u8, latest: Timestamp, time: Timestamp) -> bool {
        let idle_ns = self.options.ending.idle_ns(protocol);
        idle_ns.is_some_and(|idle_ns| time.nanos_since(latest.max(self.by)) <= idle_ns)
    }
}

impl HeadLog {
    /// The log of a flow without packets.
    pub fn new(tuple: FiveTuple) -> Self {
        Self {
            head: FlowHead { tuple, runs: Vec::new(), is_settled: false, is_mid_message: false },
            latest: Timestamp::MIN,
            begins_with_syn: false,
            has_exchange: false,
            has_left: false,
            streams: Streams::default(),
            limits: Vec::new(),
        }
    }

    /// Number of runs.
    pub fn len(&self) -> usize {
        self.head.runs.len()
    }

    /// Whether there is no packet.
    pub fn is_empty(&self) -> bool {
        self.head.runs.is_empty()
    }

    /// Time of the latest packet.
    pub const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// Whether further flows are the part's own, whatever came before.
    pub const fn is_over(&self) -> bool {
        self.head.is_settled || self.has_left
    }

    /// Whether it decides what goes on behind a window.
    pub fn is_open_in(&self, window: WindowIndex) -> bool {
        !self.is_over() && self.head.runs.last().is_some_and(|run| run.window == window)
    }

    /// Nothing that follows joins the flow: the clock stepped back.
    pub const fn settle(&mut self) {
        self.head.is_settled = true;
    }

    /// Sums up the packets of each window, though the flow table may decide by them; says how many runs less there are.
    pub fn sum_up(&mut self) -> usize {
        let before = self.head.runs.len();
        let mut kept: Vec<FlowRun> = Vec::new();
        for run in std::mem::take(&mut self.head.runs) {
            match kept.last_mut().filter(|last| last.may_absorb(&run)) {
                Some(last) => last.absorb(&run),
                None => kept.push(run),
            }
        }
        self.head.runs = kept;
        before - self.head.runs.len()
    }

    /// A message is not complete at the part's end.
    pub const fn leave_message(&mut self) {
        self.head.is_mid_message = true;
    }

    /// What is kept.
    pub fn into_head(self) -> FlowHead {
        self.head
    }

    /// Takes a packet in a window that the start reaches. `is_new` says whether the part alone has another flow begin
    /// with it.
    pub fn take(
        &mut self,
        view: &DevicePacket<'_, '_>,
        src_is_low: bool,
        is_new: bool,
        start: &PartStart,
    ) -> Taken {
        let run = FlowRun::of(view, src_is_low, &start.options);
        if is_new && self.is_settled_by(&run, start) {
            self.head.is_settled = true;
            return Taken::Settled;
        }
        self.latest = self.latest.max(run.time);
        if self.sums(&run, is_new, start) {
            return Taken::Summed;
        }
        self.keep(run, is_new, start);
        Taken::Kept
    }

    /// Notes that the flow went on in a window that the start does not reach.
    pub fn leave(&mut self, view: &DevicePacket<'_, '_>, src_is_low: bool, start: &PartStart) {
        let run = FlowRun::of(view, src_is_low, &start.options);
        self.latest = self.latest.max(run.time);
        self.head.runs.push(run.elsewhere());
        self.has_left = true;
    }

    /// Whether no flow takes the packet, whatever came before the part.
    fn is_settled_by(&self, run: &FlowRun, start: &PartStart) -> bool {
        let Some(before) = self.head.runs.last() else { return false };
        let idle_ns = start.options.ending.idle_ns(self.head.tuple.protocol());
        let silence_ns = run.time.nanos_since(self.latest.max(start.by));
        run.window == before.window && idle_ns.is_some_and(|idle_ns| silence_ns > idle_ns)
    }

    /// Adds the packet to the last run, if it belongs to the same flow whatever came before, or has to.
    fn sums(&mut self, run: &FlowRun, is_new: bool, start: &PartStart) -> bool {
        let (runs, is_joy) = (self.head.runs.len(), matches!(start.options.ending, FlowEnding::Joy { .. }));
        let is_full = runs >= if is_joy { MOST_JOY_RUNS } else { MOST_RUNS };
        let must = if run.decides() || is_new { runs >= MOST_DECIDING } else { is_full };
        let may = !is_new && !run.decides() && self.is_certain(run, start);
        let Some(before) = self.head.runs.last_mut() else { return false };
        let is_beside = before.window == run.window && !before.is_elsewhere();
        if !is_beside || !(must || may && !before.decides()) {
            return false;
        }
        if !may {
            before.coarsen();
        }
        before.add(run);
        true
    }

    /// Whether a packet without SYN, FIN and RST changes nothing but sums.
    fn is_certain(&self, run: &FlowRun, start: &PartStart) -> bool {
        if matches!(start.options.ending, FlowEnding::Joy { .. }) {
            return false;
        }
        if self.head.tuple.protocol() != TCP {
            return self.has_exchange || !run.is_icmp_exchange();
        }
        self.is_open_for_certain(run, start) && self.streams.is_complete() && !self.is_limited(run)
    }

    /// Whether a flow that ended before the part cannot have taken the packet.
    fn is_open_for_certain(&self, run: &FlowRun, start: &PartStart) -> bool {
        self.begins_with_syn || !start.may_join(TCP, run.time)
    }

    /// Whether a flow that ended inside the part may have taken the last run and not this one.
    fn is_limited(&self, run: &FlowRun) -> bool {
        let before = self.head.runs.last().map_or(Timestamp::MIN, |before| before.time);
        self.limits.iter().any(|limit| (before <= *limit) != (run.time <= *limit))
    }

    fn keep(&mut self, run: FlowRun, is_new: bool, start: &PartStart) {
        let is_same_window = self.head.runs.last().is_some_and(|before| before.window == run.window);
        self.has_exchange = run.is_icmp_exchange() || self.has_exchange && is_same_window && !is_new;
        if let Some(segment) = run.segment() {
            if self.head.runs.is_empty() {
                self.begins_with_syn = segment.flags.syn();
            }
            let may_begin = is_new
                || !is_same_window
                || segment.flags.syn()
                || !self.is_open_for_certain(&run, start)
                || self.is_limited(&run);
            if may_begin {
                self.streams = Streams::default();
            }
            self.streams.observe(segment, run.is_from_low(), run.time);
            self.note_limit(&run, start);
        }
        self.head.runs.push(run);
    }

    fn note_limit(&mut self, run: &FlowRun, start: &PartStart) {
        let Some(idle_ns) = start.options.ending.idle_ns(TCP).filter(|_| run.decides()) else { return };
        let passed = run.time.plus_nanos(-start.options.lateness_ns);
        self.limits.retain(|limit| *limit >= passed);
        self.limits.push(run.time.plus_nanos(idle_ns));
    }
}
