use std::collections::BinaryHeap;

use thingprint_flow::{
    DeviceId, DevicePacket, FlowEdges, FlowEnding, FlowOptions, MacAddr, Timestamp, WindowIndex,
};
use thingprint_protocol::Message;

use crate::activity::{Activity, Gap};
use crate::bursts::Bursts;
use crate::evidence::{EvidencePlan, Room, SentMessage, WordBudget};
use crate::handed_out::HandedOut;
use crate::open_windows::OpenWindows;
use crate::part::DevicePart;
use crate::tally::WindowTally;

/// After everything.
const FOREVER: Timestamp = Timestamp::MAX;

/// What is kept of windows that are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// Nothing: their instances are handed out.
    Nothing,
    /// Everything, for a part.
    All,
}

/// What is gathered of a device.
#[derive(Debug)]
pub(crate) struct DeviceState {
    pub(crate) id: Option<DeviceId>,
    /// Its link address, if it is known.
    pub(crate) own: Option<MacAddr>,
    pub(crate) windows: OpenWindows,
    /// An empty tally for the next window: a flood of addresses would make one for each and drop it soon.
    spare: Option<Box<WindowTally>>,
    /// Bytes of the words of these windows.
    pub(crate) word_bytes: usize,
    /// Windows that were begun, and whose bytes do not count yet.
    pub(crate) begun: usize,
    /// The latest window that was given up, since there was no room: in it and in earlier ones nothing counts any more.
    pub(crate) given_up: Option<WindowIndex>,
    pub(crate) activity: Activity,
    /// When it was active before the clock stepped back.
    pub(crate) active_before: Option<(Timestamp, Timestamp)>,
    pub(crate) is_restless: bool,
    /// Gaps that a flow of an earlier part may cover.
    pub(crate) head_gaps: Vec<Gap>,
    /// Gaps that begin before this time are such.
    pub(crate) uncertain_until: Timestamp,
    /// Empty until it sends a message, except in a part that another may precede.
    pub(crate) bursts: Box<[Bursts]>,
    pub(crate) handed_out: HandedOut,
}

impl DeviceState {
    pub(crate) fn new(plan: &EvidencePlan) -> Self {
        Self {
            id: None,
            own: None,
            windows: OpenWindows::default(),
            spare: None,
            word_bytes: 0,
            begun: 0,
            given_up: None,
            activity: Activity::new(plan.options().min_gap_ns),
            active_before: None,
            is_restless: false,
            head_gaps: Vec::new(),
            uncertain_until: Timestamp::MIN,
            bursts: Box::default(),
            handed_out: HandedOut::default(),
        }
    }

    /// Forgets the device, so that another one can have its place. What was handed out is remembered, and memory is kept for a
    /// window of few words.
    pub(crate) fn forget(&mut self, plan: &EvidencePlan) {
        let mut windows = std::mem::take(&mut self.windows);
        let spare = self.spare.take().or_else(|| {
            let mut tally = windows.pop()?;
            tally.clear();
            Some(tally)
        });
        windows.clear();
        let handed_out = std::mem::take(&mut self.handed_out);
        *self = Self { windows, spare, handed_out, ..Self::new(plan) };
    }

    /// Takes the device's own address from a packet, if it is not known yet; returns the bytes that this frees, since
    /// what was said before may be spelled otherwise.
    pub(crate) fn learn_own(&mut self, packet: &DevicePacket<'_, '_>) -> usize {
        // Only what is sent to a group has passed no router, whose address it would have.
        if self.own.is_some() || !packet.packet.is_to_group() {
            return 0;
        }
        self.own = packet.packet.src_mac;
        let freed = self.windows.tallies_mut().map(|tally| tally.evidence.forget_said()).sum();
        self.word_bytes = self.word_bytes.saturating_sub(freed);
        freed
    }

    pub(crate) fn message(
        &mut self,
        (message, packet): (&Message, &DevicePacket<'_, '_>),
        plan: &EvidencePlan,
        limits: (WordBudget, Keeps),
    ) -> Option<Room> {
        let sent = SentMessage { message, packet, own: self.own };
        let mut bursts = std::mem::take(&mut self.bursts);
        if bursts.is_empty() {
            bursts = plan.bursts(&Bursts::default());
        }
        let room = self.window_room(packet.window, plan, limits).map(|(tally, mut room)| {
            tally.evidence.message(&sent, &mut bursts, plan, &mut room);
            room
        });
        self.bursts = bursts;
        room
    }

    /// The tally of a window, with the room for more words; `None` where the window was given up.
    #[inline]
    pub(crate) fn window_room(
        &mut self,
        window: WindowIndex,
        plan: &EvidencePlan,
        (budget, keeps): (WordBudget, Keeps),
    ) -> Option<(&mut WindowTally, Room)> {
        if self.given_up >= Some(window) {
            return None;
        }
        self.begin_window(window, plan);
        let begun = if keeps == Keeps::Nothing { self.take_begun(plan) } else { 0 };
        let word_bytes = self.word_bytes;
        let tally = self.windows.get_mut(window)?;
        let used = match keeps {
            Keeps::Nothing => word_bytes,
            Keeps::All => tally.evidence.word_bytes(),
        };
        Some((tally, budget.room(used).with_begun(begun)))
    }

    /// Bytes of windows that were begun since this was asked last.
    #[inline]
    pub(crate) fn take_begun(&mut self, plan: &EvidencePlan) -> usize {
        std::mem::take(&mut self.begun) * plan.window_bytes()
    }

    /// Takes a window out, with its bytes and those of its words.
    pub(crate) fn take(
        &mut self,
        window: WindowIndex,
        plan: &EvidencePlan,
    ) -> Option<(Box<WindowTally>, usize)> {
        let tally = self.windows.remove(window)?;
        let bytes = tally.evidence.word_bytes();
        self.word_bytes = self.word_bytes.saturating_sub(bytes);
        Some((tally, bytes + plan.window_bytes()))
    }

    /// Words for which windows that are not final had no room.
    pub(crate) fn words_dropped(&self) -> u64 {
        self.windows.tallies().map(|tally| tally.evidence.words_dropped).sum()
    }

    /// Gives up words of the windows that have most, until so many bytes are free or there are none; returns the bytes that it
    /// freed.
    pub(crate) fn give_up_words(&mut self, excess: usize) -> usize {
        let mut freed = 0;
        let sizes = self.windows.iter().map(|(window, tally)| (tally.evidence.word_bytes(), window));
        let mut by_size: BinaryHeap<(usize, WindowIndex)> = sizes.collect();
        while freed < excess
            && let Some((_, window)) = by_size.pop()
        {
            let Some(tally) = self.windows.get_mut(window) else { continue };
            let given_up = tally.evidence.give_up_words();
            if given_up > 0 {
                freed += given_up;
                by_size.push((tally.evidence.word_bytes(), window));
            }
        }
        self.word_bytes = self.word_bytes.saturating_sub(freed);
        freed
    }

    /// Gives up the earliest windows, until so many bytes are free; returns how many, and the bytes that it freed.
    pub(crate) fn give_up_windows(&mut self, excess: usize, plan: &EvidencePlan) -> (u64, usize) {
        let (mut windows, mut freed) = (0, 0);
        while freed < excess
            && let Some(window) = self.windows.first()
            && let Some((_, bytes)) = self.take(window, plan)
        {
            freed += bytes;
            self.given_up = self.given_up.max(Some(window));
            windows += 1;
        }
        (windows, freed)
    }

    /// Makes the tally of a window when it is first asked for.
    #[inline]
    pub(crate) fn begin_window(&mut self, window: WindowIndex, plan: &EvidencePlan) {
        if !self.windows.has(window) {
            self.begun += 1;
            let tally = self.spare.take().unwrap_or_else(|| Box::new(WindowTally::new(plan)));
            self.windows.insert(window, tally);
        }
    }

    /// Sums up the gaps that begin before `horizon` and end by the end of the closed window: no flow can cover them
    /// any more, unless it came from an earlier part, and no packet can fall into them.
    pub(crate) fn settle(&mut self, (horizon, closed): (Timestamp, Timestamp), plan: &EvidencePlan) {
        for (start, end) in self.activity.settle(horizon, closed) {
            if start < self.uncertain_until {
                self.head_gaps.push((start, end));
            } else {
                let window = plan.options().flow.window.index_of(end);
                if self.given_up < Some(window) {
                    self.begin_window(window, plan);
                    if let Some(tally) = self.windows.get_mut(window) {
                        tally.evidence.gap((start, end), plan);
                    }
                }
            }
        }
        self.is_restless = self.activity.has_gaps();
    }

    /// The clock stepped back: nothing covers a gap any more, and none lies between the times before and after.
    pub(crate) fn begin_segment(&mut self, plan: &EvidencePlan) {
        self.settle((FOREVER, FOREVER), plan);
        self.active_before = self.active();
        self.activity = Activity::new(plan.options().min_gap_ns);
        self.uncertain_until = Timestamp::MIN;
        self.given_up = None;
        self.bursts.iter_mut().for_each(Bursts::break_off);
    }

    /// The first and the last time at which it was active.
    pub(crate) fn active(&self) -> Option<(Timestamp, Timestamp)> {
        match (self.active_before, self.activity.span()) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (before, now) => before.or(now),
        }
    }

    /// From when on a later part may have flows that cover gaps, and packets that fall into them, as far as the
    /// device's own packets show.
    pub(crate) fn tail(&self, flow: &FlowOptions) -> (Timestamp, Timestamp) {
        let last =
            self.activity.span().map_or(Timestamp::MIN, |(_, last)| last).plus_nanos(-flow.lateness_ns);
        let covered = match flow.ending {
            FlowEnding::Connection { .. } => last.plus_nanos(-flow.ending.longest_idle_ns()),
            // A flow goes on after any silence, but not over the edge of its window.
            FlowEnding::Joy { .. } => flow.window.start_of(flow.window.index_of(last)),
        };
        (covered, last)
    }

    pub(crate) fn finish(mut self, plan: &EvidencePlan) -> DevicePart {
        let active = self.active();
        let mut open_gaps = self.head_gaps;
        open_gaps.extend(self.activity.settle(FOREVER, FOREVER));
        open_gaps.sort_unstable();
        DevicePart {
            windows: self.windows.into_map(),
            active,
            open_gaps,
            flows: FlowEdges::default(),
            bursts: if self.bursts.is_empty() { plan.bursts(&Bursts::default()) } else { self.bursts },
        }
    }
}
