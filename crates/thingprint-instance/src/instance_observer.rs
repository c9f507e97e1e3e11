use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIndex, DevicePacket, FiveTuple, Flow, FlowEdges, FlowEnding, FlowOptions,
    MacAddr, Observer, PartStart, Timestamp, WindowIndex, WindowLength,
};
use thingprint_protocol::{Interest, Message, MessageContext, MessageObserver};

use crate::Instance;
use crate::activity::{Activity, Gap};
use crate::bursts::Bursts;
use crate::evidence::{EvidencePlan, Room, SentMessage, WordBudget};
use crate::handed_out::{HandedOut, InstanceLosses, WordsDropped};
use crate::options::InstanceOptions;
use crate::part::DevicePart;
use crate::tally::WindowTally;

/// After everything.
const FOREVER: Timestamp = Timestamp::MAX;
/// How many times the words of all devices may take the room of an observer that hands windows out, where a part keeps
/// all of them.
const PART_TIMES: usize = 32;

/// Gathers what instances are made of, from the flows and messages of devices.
///
/// It hands out the instance of a window when the window is final, and forgets what it kept for it; or it keeps all
/// for a [`PartObserver`](crate::PartObserver).
#[derive(Debug)]
pub struct InstanceObserver {
    plan: EvidencePlan,
    keeps: Keeps,
    devices: Vec<DeviceState>,
    /// Instances that are final and were not taken yet.
    ready: Vec<Instance>,
    words_dropped: WordsDropped,
    /// Bytes of the words of all devices.
    word_bytes: usize,
    budget: WordBudget,
    /// Instances of windows that had been handed out before, by window.
    repeated: BTreeMap<WindowIndex, u64>,
    // Devices with gaps that are not settled.
    restless: BTreeSet<DeviceIndex>,
    // Where the part starts; `None` where nothing is kept.
    start: Option<PartStart>,
}

/// What is kept of windows that are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// Nothing: their instances are handed out.
    Nothing,
    /// Everything, for a part.
    All,
}

#[derive(Debug)]
struct DeviceState {
    id: Option<DeviceId>,
    /// Its link address, if it is known.
    own: Option<MacAddr>,
    windows: BTreeMap<WindowIndex, Box<WindowTally>>,
    /// Bytes of the words of these windows.
    word_bytes: usize,
    activity: Activity,
    /// When it was active before the clock stepped back.
    active_before: Option<(Timestamp, Timestamp)>,
    is_restless: bool,
    /// Gaps that a flow of an earlier part may cover.
    head_gaps: Vec<Gap>,
    /// Gaps that begin before this time are such.
    uncertain_until: Timestamp,
    bursts: Box<[Bursts]>,
    handed_out: HandedOut,
}

impl InstanceObserver {
    /// An observer that hands out instances as their windows become final.
    pub fn draining(options: InstanceOptions) -> Self {
        Self::new(options, Keeps::Nothing)
    }

    /// An observer that keeps everything for a part.
    pub(crate) fn keeping(options: InstanceOptions) -> Self {
        Self::new(options, Keeps::All)
    }

    fn new(options: InstanceOptions, keeps: Keeps) -> Self {
        Self {
            budget: WordBudget::of(&options).times(if keeps == Keeps::All { PART_TIMES } else { 1 }),
            plan: EvidencePlan::of(options),
            keeps,
            devices: Vec::new(),
            ready: Vec::new(),
            words_dropped: WordsDropped::default(),
            word_bytes: 0,
            repeated: BTreeMap::new(),
            restless: BTreeSet::new(),
            start: None,
        }
    }

    /// The instances that became final since they were taken last, in the order of windows.
    ///
    /// Where a window is the whole capture, they know neither its start nor its length, nor the capture's name.
    pub fn take_ready(&mut self) -> Vec<Instance> {
        std::mem::take(&mut self.ready)
    }

    /// Words that were left out of bags because there was no room.
    pub fn words_dropped(&self) -> WordsDropped {
        let mut all = self.words_dropped.clone();
        for state in &self.devices {
            let open = state.windows.values().map(|tally| tally.evidence.words_dropped).sum();
            state.id.iter().for_each(|id| all.add(*id, open));
        }
        all
    }

    /// What instances lack, and which windows were handed out twice.
    pub fn losses(&self) -> InstanceLosses {
        InstanceLosses { words_dropped: self.words_dropped(), repeated: self.repeated.clone() }
    }

    /// The instance of a window as it would be if nothing more came; `open` are the flows that are not closed yet.
    pub fn provisional<S>(
        &self,
        device: DeviceIndex,
        window: WindowIndex,
        open: &[Flow<S>],
    ) -> Option<Instance> {
        let state = self.devices.get(device.as_usize())?;
        let plan = &self.plan;
        let mut tally =
            state.windows.get(&window).map_or_else(|| WindowTally::new(plan), |tally| (**tally).clone());
        let mut room = self.budget.room(state.word_bytes);
        for flow in open.iter().filter(|flow| (flow.device, flow.window) == (device, window)) {
            tally.flow(flow, plan, &mut room);
        }
        for gap in state.activity.gaps() {
            if plan.options().flow.window.index_of(gap.1) == window {
                tally.evidence.gap(gap, plan);
            }
        }
        instance((state.id?, window), tally, plan)
    }

    /// Bytes that are kept of a device: its windows that are not final, and what it was doing. At most: a word counts with
    /// the room that it may take.
    pub fn kept_bytes(&self, device: DeviceIndex) -> u64 {
        let Some(state) = self.devices.get(device.as_usize()) else { return 0 };
        let windows =
            state.windows.values().map(|tally| size_of::<WindowTally>() + tally.evidence.kept_bytes());
        let gaps = (state.head_gaps.len() + state.activity.gaps().count()) * size_of::<Gap>();
        let bursts = size_of_val(&*state.bursts);
        (size_of::<DeviceState>() + windows.sum::<usize>() + gaps + bursts) as u64
    }

    /// How instances are formed.
    pub(crate) const fn options(&self) -> &InstanceOptions {
        self.plan.options()
    }

    /// The part starts here.
    pub(crate) fn start_part(&mut self, start: &PartStart) {
        self.start = Some(start.clone());
    }

    /// A gap that ends by `time` may be covered, depending on what came before the part.
    pub(crate) fn doubt_gaps(&mut self, device: DeviceIndex, time: Timestamp) {
        if let Some(state) = self.devices.get_mut(device.as_usize()) {
            state.uncertain_until = state.uncertain_until.max(time);
        }
    }

    /// Of each device, whether it is known: its index may be that of one that was forgotten.
    pub(crate) fn known(&self) -> Vec<bool> {
        self.devices.iter().map(|state| state.id.is_some()).collect()
    }

    /// What a part keeps of each device, without its flows.
    pub(crate) fn into_device_parts(self) -> Vec<DevicePart> {
        self.devices.into_iter().map(DeviceState::finish).collect()
    }

    /// Hands out the instances of a window that nothing can change any more.
    fn hand_out(&mut self, window: WindowIndex) {
        let Self { plan, devices, ready, words_dropped, word_bytes, repeated, .. } = self;
        let end = plan.options().flow.window.end_of(window);
        let from = ready.len();
        for state in devices.iter_mut() {
            // Every gap that ends in the window began before its end.
            state.settle((end, end), plan);
            let Some((tally, bytes)) = state.take(window) else { continue };
            *word_bytes = word_bytes.saturating_sub(bytes);
            let Some(device) = state.id else { continue };
            words_dropped.add(device, tally.evidence.words_dropped);
            let Some(instance) = instance((device, window), *tally, plan) else { continue };
            if state.handed_out.note(window) {
                *repeated.entry(window).or_default() += 1;
            }
            ready.push(instance);
        }
        ready[from..].sort_by_key(|instance| instance.device);
    }

    /// Notes what was taken of the room of a device for the words of a window.
    #[inline]
    fn note(&mut self, device: DeviceIndex, window: WindowIndex, room: Room) {
        if room.is_used() {
            self.note_words(device, window, room);
        }
    }

    fn note_words(&mut self, device: DeviceIndex, window: WindowIndex, room: Room) {
        let Some(state) = self.devices.get_mut(device.as_usize()) else { return };
        state.word_bytes += room.taken();
        if let Some(tally) = state.windows.get_mut(&window) {
            tally.evidence.words_dropped += room.dropped();
        }
        self.word_bytes += room.taken();
        if self.word_bytes > self.budget.all_bytes() {
            self.make_room();
        }
    }

    /// The devices with the most words give up some, until an eighth of the budget is free.
    fn make_room(&mut self) {
        let enough = self.budget.all_bytes() / 8 * 7;
        while self.word_bytes > enough {
            let bytes = |at: &usize| self.devices.get(*at).map_or(0, |state| state.word_bytes);
            let Some(largest) = (0..self.devices.len()).max_by_key(bytes) else { return };
            let second = (0..self.devices.len()).filter(|at| *at != largest).map(|at| bytes(&at)).max();
            let bounds = (self.word_bytes - enough, second.unwrap_or(0) / 8 * 7);
            let freed = self.devices.get_mut(largest).map_or(0, |state| state.give_up_words(bounds));
            if freed == 0 {
                return;
            }
            self.word_bytes = self.word_bytes.saturating_sub(freed);
        }
    }
}

/// The state of a device, made when it is first asked for.
#[inline]
fn device_state<'a>(
    devices: &'a mut Vec<DeviceState>,
    device: DeviceIndex,
    plan: &EvidencePlan,
) -> &'a mut DeviceState {
    let at = device.as_usize();
    if devices.len() <= at {
        devices.resize_with(at + 1, || DeviceState::new(&Bursts::default(), plan));
    }
    &mut devices[at]
}

/// The instance of a device's window, if the device sent enough in it.
fn instance(
    (device, window): (DeviceId, WindowIndex),
    tally: WindowTally,
    plan: &EvidencePlan,
) -> Option<Instance> {
    let options = plan.options();
    let is_enough = tally.counts().packets_up >= options.min_packets.max(1);
    let start = options.flow.window.start_of(window);
    let window_ns = match options.flow.window {
        WindowLength::Span(span) => span,
        WindowLength::Capture => 0,
    };
    is_enough.then(|| tally.into_instance(device, (start, window_ns), plan))
}

impl Observer for InstanceObserver {
    type State = ();

    const WANTS_FRAMES: bool = true;
    const FORGETS: bool = true;
    // Sums of rates depend on the order of flows in their last digits: it is that of their beginnings.
    const WANTS_SILENT: bool = false;

    fn begin_segment(&mut self) {
        let Self { plan, devices, .. } = self;
        for state in devices.iter_mut() {
            state.begin_segment(plan);
        }
        self.restless.clear();
        self.start = None;
    }

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        let state = device_state(&mut self.devices, device, &self.plan);
        state.id = Some(id);
        if let DeviceId::Mac(mac) = id {
            state.own = Some(mac);
        }
        if let Some(start) = &self.start {
            state.uncertain_until = start.end();
            state.bursts = self.plan.bursts(&Bursts::behind(start.by()));
        }
    }

    #[inline]
    fn packet(&mut self, packet: &DevicePacket<'_, '_>, (): &mut ()) {
        if self.plan.wants_packets() {
            let Self { plan, devices, budget, keeps, .. } = self;
            let state = device_state(devices, packet.device, plan);
            let (tally, mut room) = state.window_room(packet.window, plan, (*budget, *keeps));
            tally.evidence.packet(packet, plan, &mut room);
            self.note(packet.device, packet.window, room);
        }
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        let Some(other) = frame.packet.other.as_ref().filter(|_| frame.is_sent) else { return };
        if self.plan.wants_packets() {
            let Self { plan, devices, budget, keeps, .. } = self;
            let state = device_state(devices, frame.device, plan);
            let (tally, mut room) = state.window_room(frame.window, plan, (*budget, *keeps));
            let sent = (other, frame.packet.is_to_group());
            tally.evidence.frame(sent, plan, &mut room);
            self.note(frame.device, frame.window, room);
        }
    }

    #[inline]
    fn active(&mut self, device: DeviceIndex, _: &FiveTuple, from: Timestamp, to: Timestamp) {
        let state = device_state(&mut self.devices, device, &self.plan);
        state.activity.extend(from, to);
        if state.activity.has_gaps() && !state.is_restless {
            state.is_restless = true;
            self.restless.insert(device);
        }
    }

    fn flow(&mut self, flow: Flow<()>) {
        let Self { plan, devices, budget, keeps, .. } = self;
        let state = device_state(devices, flow.device, plan);
        let (tally, mut room) = state.window_room(flow.window, plan, (*budget, *keeps));
        tally.flow(&flow, plan, &mut room);
        self.note(flow.device, flow.window, room);
    }

    fn window_closed(&mut self, window: WindowIndex) {
        let Self { plan, keeps, devices, restless, .. } = self;
        let flow = &plan.options().flow;
        let end = flow.window.end_of(window);
        let horizon = end.plus_nanos(-flow.ending.longest_idle_ns());
        restless.retain(|device| {
            let Some(state) = devices.get_mut(device.as_usize()) else { return false };
            let (horizon, closed) = match keeps {
                Keeps::Nothing => (horizon, end),
                Keeps::All => {
                    let (covered, disturbed) = state.tail(flow);
                    (horizon.min(covered), end.min(disturbed))
                }
            };
            state.settle((horizon, closed), plan);
            state.activity.has_gaps()
        });
    }

    fn window_final(&mut self, window: WindowIndex) {
        if self.keeps == Keeps::Nothing {
            self.hand_out(window);
        }
    }

    fn forget(&mut self, device: DeviceIndex) {
        if let Some(state) = self.devices.get_mut(device.as_usize()) {
            let handed_out = std::mem::take(&mut state.handed_out);
            self.word_bytes = self.word_bytes.saturating_sub(state.word_bytes);
            let new = DeviceState::new(&Bursts::default(), &self.plan);
            *state = DeviceState { handed_out, ..new };
        }
        self.restless.remove(&device);
    }
}

impl MessageObserver for InstanceObserver {
    fn interest(&self) -> Interest {
        self.plan.interest()
    }

    fn message(&mut self, message: Cow<'_, Message>, context: &MessageContext<'_, '_>, (): &mut ()) {
        // What the end of a flow completes was not sent as a message.
        let Some(packet) = context.packet.filter(|packet| packet.is_sent) else { return };
        let Self { plan, devices, budget, keeps, word_bytes, .. } = self;
        let state = device_state(devices, packet.device, plan);
        *word_bytes = word_bytes.saturating_sub(state.learn_own(packet));
        let room = state.message((&message, packet), plan, (*budget, *keeps));
        self.note(packet.device, packet.window, room);
    }
}

impl DeviceState {
    fn new(bursts: &Bursts, plan: &EvidencePlan) -> Self {
        Self {
            id: None,
            own: None,
            windows: BTreeMap::new(),
            word_bytes: 0,
            activity: Activity::new(plan.options().min_gap_ns),
            active_before: None,
            is_restless: false,
            head_gaps: Vec::new(),
            uncertain_until: Timestamp::MIN,
            bursts: plan.bursts(bursts),
            handed_out: HandedOut::default(),
        }
    }

    /// Takes the device's own address from a packet, if it is not known yet; returns the bytes that this frees, since
    /// what was said before may be spelled otherwise.
    fn learn_own(&mut self, packet: &DevicePacket<'_, '_>) -> usize {
        // Only what is sent to a group has passed no router, whose address it would have.
        if self.own.is_some() || !packet.packet.is_to_group() {
            return 0;
        }
        self.own = packet.packet.src_mac;
        let freed = self.windows.values_mut().map(|tally| tally.evidence.forget_said()).sum();
        self.word_bytes = self.word_bytes.saturating_sub(freed);
        freed
    }

    fn message(
        &mut self,
        (message, packet): (&Message, &DevicePacket<'_, '_>),
        plan: &EvidencePlan,
        limits: (WordBudget, Keeps),
    ) -> Room {
        let sent = SentMessage { message, packet, own: self.own };
        let mut bursts = std::mem::take(&mut self.bursts);
        let (tally, mut room) = self.window_room(packet.window, plan, limits);
        tally.evidence.message(&sent, &mut bursts, plan, &mut room);
        self.bursts = bursts;
        room
    }

    /// The tally of a window, with the room for more words.
    #[inline]
    fn window_room(
        &mut self,
        window: WindowIndex,
        plan: &EvidencePlan,
        (budget, keeps): (WordBudget, Keeps),
    ) -> (&mut WindowTally, Room) {
        let word_bytes = self.word_bytes;
        let tally = self.window(window, plan);
        let used = match keeps {
            Keeps::Nothing => word_bytes,
            Keeps::All => tally.evidence.word_bytes(),
        };
        (tally, budget.room(used))
    }

    /// Takes a window out, with the bytes of its words.
    fn take(&mut self, window: WindowIndex) -> Option<(Box<WindowTally>, usize)> {
        let tally = self.windows.remove(&window)?;
        let bytes = tally.evidence.word_bytes();
        self.word_bytes = self.word_bytes.saturating_sub(bytes);
        Some((tally, bytes))
    }

    /// Gives up words of the windows that have most, until so many bytes are free or the device has no more than so many;
    /// returns the bytes that it freed.
    fn give_up_words(&mut self, (too_many, fair): (usize, usize)) -> usize {
        let mut windows: Vec<&mut Box<WindowTally>> = self.windows.values_mut().collect();
        windows.sort_by_cached_key(|tally| Reverse(tally.evidence.word_bytes()));
        let mut freed = 0;
        for tally in windows {
            freed += tally.evidence.give_up_words();
            if freed >= too_many || self.word_bytes.saturating_sub(freed) <= fair {
                break;
            }
        }
        self.word_bytes = self.word_bytes.saturating_sub(freed);
        freed
    }

    /// The tally of a window, made when it is first asked for.
    #[inline]
    fn window(&mut self, window: WindowIndex, plan: &EvidencePlan) -> &mut WindowTally {
        self.windows.entry(window).or_insert_with(|| Box::new(WindowTally::new(plan)))
    }

    /// Sums up the gaps that begin before `horizon` and end by the end of the closed window: no flow can cover them
    /// any more, unless it came from an earlier part, and no packet can fall into them.
    fn settle(&mut self, (horizon, closed): (Timestamp, Timestamp), plan: &EvidencePlan) {
        for (start, end) in self.activity.settle(horizon, closed) {
            if start < self.uncertain_until {
                self.head_gaps.push((start, end));
            } else {
                let window = plan.options().flow.window.index_of(end);
                self.window(window, plan).evidence.gap((start, end), plan);
            }
        }
        self.is_restless = self.activity.has_gaps();
    }

    /// The clock stepped back: nothing covers a gap any more, and none lies between the times before and after.
    fn begin_segment(&mut self, plan: &EvidencePlan) {
        self.settle((FOREVER, FOREVER), plan);
        self.active_before = self.active();
        self.activity = Activity::new(plan.options().min_gap_ns);
        self.uncertain_until = Timestamp::MIN;
        self.bursts.iter_mut().for_each(Bursts::break_off);
    }

    /// The first and the last time at which it was active.
    fn active(&self) -> Option<(Timestamp, Timestamp)> {
        match (self.active_before, self.activity.span()) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (before, now) => before.or(now),
        }
    }

    /// From when on a later part may have flows that cover gaps, and packets that fall into them, as far as the
    /// device's own packets show.
    fn tail(&self, flow: &FlowOptions) -> (Timestamp, Timestamp) {
        let last =
            self.activity.span().map_or(Timestamp::MIN, |(_, last)| last).plus_nanos(-flow.lateness_ns);
        let covered = match flow.ending {
            FlowEnding::Connection { .. } => last.plus_nanos(-flow.ending.longest_idle_ns()),
            // A flow goes on after any silence, but not over the edge of its window.
            FlowEnding::Joy { .. } => flow.window.start_of(flow.window.index_of(last)),
        };
        (covered, last)
    }

    fn finish(mut self) -> DevicePart {
        let active = self.active();
        let mut open_gaps = self.head_gaps;
        open_gaps.extend(self.activity.settle(FOREVER, FOREVER));
        open_gaps.sort_unstable();
        DevicePart {
            windows: self.windows,
            active,
            open_gaps,
            flows: FlowEdges::default(),
            bursts: self.bursts,
        }
    }
}
