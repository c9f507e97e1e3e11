use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIndex, DeviceLosses, DevicePacket, FairCap, FiveTuple, Flow, LossKind,
    LossLog, Observer, PartStart, Timestamp, WindowIndex, WindowLength,
};
use thingprint_protocol::{Interest, Message, MessageContext, MessageObserver};

use crate::Instance;
use crate::activity::Gap;
use crate::bursts::Bursts;
use crate::device_state::{DeviceState, Keeps};
use crate::evidence::{EvidencePlan, Room, WordBudget};
use crate::handed_out::InstanceLosses;
use crate::options::InstanceOptions;
use crate::part::DevicePart;
use crate::tally::WindowTally;

/// How many times the words of all devices may take the room of an observer that hands windows out, where a part keeps
/// all of them.
const PART_TIMES: usize = 32;
/// Words that were left out of bags, as often as they came.
pub(crate) const WORDS: LossKind = LossKind::new("words");
/// Instances of windows that were given up.
const INSTANCES: LossKind = LossKind::new("instances");

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
    log: LossLog,
    /// Instances of addresses that nobody answered, and that are not told apart.
    instances_of_nobody: u64,
    /// Bytes of the words of devices, and of their windows where these are handed out.
    cap: FairCap,
    budget: WordBudget,
    /// Instances of windows that had been handed out before, by window.
    repeated: BTreeMap<WindowIndex, u64>,
    // Devices with gaps that are not settled.
    restless: BTreeSet<DeviceIndex>,
    // Where the part starts; `None` where nothing is kept.
    start: Option<PartStart>,
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
        let budget = WordBudget::of(&options).times(if keeps == Keeps::All { PART_TIMES } else { 1 });
        Self {
            cap: FairCap::new(budget.all_bytes()),
            budget,
            plan: EvidencePlan::of(options),
            keeps,
            devices: Vec::new(),
            ready: Vec::new(),
            log: LossLog::default(),
            instances_of_nobody: 0,
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

    /// What caps left out, by device: words of bags, and instances of windows.
    pub fn left_out(&self) -> DeviceLosses {
        let mut losses = self.log.losses().clone();
        losses.add_other(INSTANCES, self.instances_of_nobody);
        for state in &self.devices {
            state.id.iter().for_each(|id| losses.add(*id, WORDS, state.words_dropped()));
        }
        losses
    }

    /// Words that were left out of bags because there was no room.
    pub(crate) fn words_dropped(&self) -> u64 {
        self.left_out().totals().get(&WORDS).copied().unwrap_or(0)
    }

    /// Which windows were handed out twice.
    pub fn losses(&self) -> InstanceLosses {
        InstanceLosses { repeated: self.repeated.clone() }
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
        let mut tally = state.windows.get(window).map_or_else(|| WindowTally::new(plan), WindowTally::clone);
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
            state.windows.tallies().map(|tally| size_of::<WindowTally>() + tally.evidence.kept_bytes());
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
        let Self { devices, plan, .. } = self;
        devices.into_iter().map(|state| state.finish(&plan)).collect()
    }

    /// Hands out the instances of a window that nothing can change any more.
    fn hand_out(&mut self, window: WindowIndex) {
        let Self { plan, devices, ready, log, cap, repeated, .. } = self;
        let end = plan.options().flow.window.end_of(window);
        let from = ready.len();
        for (index, state) in (0..).map(DeviceIndex::new).zip(devices.iter_mut()) {
            // Every gap that ends in the window began before its end.
            state.settle((end, end), plan);
            take_begun(cap, index, state, plan);
            let Some((tally, bytes)) = state.take(window, plan) else { continue };
            cap.give_back(index, bytes);
            let Some(device) = state.id else { continue };
            log.add(index, WORDS, tally.evidence.words_dropped);
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
        if let Some(tally) = state.windows.get_mut(window) {
            tally.evidence.words_dropped += room.dropped();
        }
        if self.cap.take(device, room.taken() + room.begun()) {
            self.make_room();
        }
    }

    /// Counts what a device lost of something that is kept beside the instances.
    pub(crate) fn lose(&mut self, device: DeviceIndex, kind: LossKind, count: u64) {
        self.log.add(device, kind, count);
    }

    fn lose_instances(&mut self, device: DeviceIndex, instances: u64) {
        if self.cap.is_established(device) {
            self.log.add(device, INSTANCES, instances);
        } else {
            self.instances_of_nobody += instances;
        }
    }

    /// The devices with the most give up words and, where they have none, windows.
    fn make_room(&mut self) {
        for (device, excess) in self.cap.excess() {
            if let Some(state) = self.devices.get_mut(device.as_usize()) {
                let mut freed = state.give_up_words(excess);
                if freed < excess && self.keeps == Keeps::Nothing {
                    let (windows, bytes) = state.give_up_windows(excess - freed, &self.plan);
                    self.lose_instances(device, windows);
                    freed += bytes;
                }
                self.cap.give_back(device, freed);
            }
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
        devices.resize_with(at + 1, || DeviceState::new(plan));
    }
    &mut devices[at]
}

/// Counts the windows that a device began; where it began none, it was as silent as before.
fn take_begun(cap: &mut FairCap, device: DeviceIndex, state: &mut DeviceState, plan: &EvidencePlan) {
    let begun = state.take_begun(plan);
    if begun > 0 {
        cap.take(device, begun);
    }
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
        self.log.device(device, id);
        if let DeviceId::Mac(mac) = id {
            state.own = Some(mac);
        }
        if let Some(start) = &self.start {
            state.uncertain_until = start.end();
            state.bursts = self.plan.bursts(&Bursts::behind(start.by()));
        }
    }

    fn established(&mut self, device: DeviceIndex) {
        self.cap.establish(device);
        self.log.established(device);
    }

    #[inline]
    fn packet(&mut self, packet: &DevicePacket<'_, '_>, (): &mut ()) {
        if self.plan.wants_packets() {
            let Self { plan, devices, budget, keeps, .. } = self;
            let state = device_state(devices, packet.device, plan);
            let Some((tally, mut room)) = state.window_room(packet.window, plan, (*budget, *keeps)) else {
                return;
            };
            tally.evidence.packet(packet, plan, &mut room);
            self.note(packet.device, packet.window, room);
        }
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        let Some(other) = frame.packet.other.as_ref().filter(|_| frame.is_sent) else { return };
        if self.plan.wants_packets() {
            let Self { plan, devices, budget, keeps, .. } = self;
            let state = device_state(devices, frame.device, plan);
            let Some((tally, mut room)) = state.window_room(frame.window, plan, (*budget, *keeps)) else {
                return;
            };
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
        let Some((tally, mut room)) = state.window_room(flow.window, plan, (*budget, *keeps)) else { return };
        tally.flow(&flow, plan, &mut room);
        self.note(flow.device, flow.window, room);
    }

    fn window_closed(&mut self, window: WindowIndex) {
        let Self { plan, keeps, devices, restless, cap, .. } = self;
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
            if *keeps == Keeps::Nothing {
                take_begun(cap, *device, state, plan);
            }
            state.activity.has_gaps()
        });
        if self.cap.is_exceeded() {
            self.make_room();
        }
    }

    fn window_final(&mut self, window: WindowIndex) {
        if self.keeps == Keeps::Nothing {
            self.hand_out(window);
        }
    }

    fn forget(&mut self, device: DeviceIndex) {
        if let Some(state) = self.devices.get_mut(device.as_usize()) {
            let (words, instances) = (state.words_dropped(), state.windows.len() as u64);
            state.forget(&self.plan);
            self.log.add(device, WORDS, words);
            self.lose_instances(device, instances);
        }
        self.cap.forget(device);
        self.log.forget(device);
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
        let Self { plan, devices, budget, keeps, cap, .. } = self;
        let state = device_state(devices, packet.device, plan);
        let freed = state.learn_own(packet);
        if freed > 0 {
            cap.give_back(packet.device, freed);
        }
        if let Some(room) = state.message((&message, packet), plan, (*budget, *keeps)) {
            self.note(packet.device, packet.window, room);
        }
    }
}
