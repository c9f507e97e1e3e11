use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{
    DeviceId, DeviceIndex, FiveTuple, Flow, Observer, Timestamp, WindowIndex, WindowLength,
};
use thingprint_protocol::{Interest, Message, MessageContext, MessageObserver};

use crate::Instance;
use crate::activity::{Activity, Gap};
use crate::bursts::Bursts;
use crate::evidence::{EvidencePlan, SentMessage};
use crate::options::InstanceOptions;
use crate::part::{DevicePart, PartDevices};
use crate::tally::WindowTally;

/// After everything.
const FOREVER: Timestamp = Timestamp::MAX;

/// Gathers what instances are made of, from the flows and messages of devices.
///
/// It hands out the instance of a window when the window is final, and forgets what it kept for it; or it keeps all
/// for a [`Part`](crate::Part), whose ends another part may change.
#[derive(Debug)]
pub struct InstanceObserver {
    options: InstanceOptions,
    plan: EvidencePlan,
    keeps: Keeps,
    devices: Vec<DeviceState>,
    /// Instances that are final and were not taken yet.
    ready: Vec<Instance>,
    words_dropped: u64,
    // Devices with gaps that are not settled.
    restless: BTreeSet<DeviceIndex>,
    // Before this time a flow of an earlier part may still go on.
    head_end: Option<Timestamp>,
    // Flows remembered because they may, over all devices, and those for which there was no room.
    head_flows: usize,
    heads_dropped: u64,
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
    windows: BTreeMap<WindowIndex, Box<WindowTally>>,
    activity: Activity,
    /// When it was active before the clock stepped back.
    active_before: Option<(Timestamp, Timestamp)>,
    is_restless: bool,
    head_gaps: Vec<Gap>,
    first_packets: BTreeMap<FiveTuple, Timestamp>,
    bursts: Box<[Bursts]>,
}

impl InstanceObserver {
    /// An observer that hands out instances as their windows become final.
    pub fn draining(options: InstanceOptions) -> Self {
        Self::new(options, Keeps::Nothing)
    }

    /// An observer that keeps everything for a part.
    pub fn keeping(options: InstanceOptions) -> Self {
        Self::new(options, Keeps::All)
    }

    fn new(options: InstanceOptions, keeps: Keeps) -> Self {
        Self {
            plan: EvidencePlan::of(options.evidence),
            options,
            keeps,
            devices: Vec::new(),
            ready: Vec::new(),
            words_dropped: 0,
            restless: BTreeSet::new(),
            head_end: None,
            head_flows: 0,
            heads_dropped: 0,
        }
    }

    /// The instances that became final since they were taken last, in the order of windows.
    ///
    /// Where a window is the whole capture, they know neither its start nor its length, nor the capture's name.
    pub fn take_ready(&mut self) -> Vec<Instance> {
        std::mem::take(&mut self.ready)
    }

    /// Words that were left out of bags because there were too many.
    pub fn words_dropped(&self) -> u64 {
        let open = self.devices.iter().flat_map(|device| device.windows.values());
        self.words_dropped + open.map(|tally| tally.evidence.words_dropped).sum::<u64>()
    }

    /// Flows at the start of a part that are not remembered, for want of room.
    pub const fn heads_dropped(&self) -> u64 {
        self.heads_dropped
    }

    /// The instance of a window as it would be if nothing more came; `open` are the flows that are not closed yet.
    pub fn provisional<S>(
        &self,
        device: DeviceIndex,
        window: WindowIndex,
        open: &[Flow<S>],
    ) -> Option<Instance> {
        let state = self.devices.get(device.as_usize())?;
        let (options, plan) = (&self.options, &self.plan);
        let mut tally =
            state.windows.get(&window).map_or_else(|| WindowTally::new(plan), |tally| (**tally).clone());
        for flow in open.iter().filter(|flow| (flow.device, flow.window) == (device, window)) {
            tally.flow(flow, plan, options);
        }
        for gap in state.activity.gaps() {
            if options.flow.window.index_of(gap.1) == window {
                tally.evidence.gap(gap, plan, options);
            }
        }
        state.instance(window, &tally, plan, options)
    }

    /// What a part keeps of the devices, whose ids are those of the tracker, with the flows that may go on after it.
    pub fn into_part_devices(
        self,
        ids: &[DeviceId],
        open_flows: &[(DeviceIndex, FiveTuple, Timestamp)],
    ) -> PartDevices {
        let mut parts: Vec<DevicePart> = self.devices.into_iter().map(DeviceState::finish).collect();
        for (device, tuple, last) in open_flows {
            if let Some(part) = parts.get_mut(device.as_usize()) {
                part.last_packets.push((*tuple, *last));
            }
        }
        PartDevices(ids.iter().copied().zip(parts).collect())
    }

    /// Hands out the instances of a window that nothing can change any more.
    fn hand_out(&mut self, window: WindowIndex) {
        let Self { options, plan, devices, ready, words_dropped, .. } = self;
        let end = options.flow.window.end_of(window);
        let from = ready.len();
        for state in devices.iter_mut() {
            // Every gap that ends in the window began before its end.
            state.settle((end, end), None, plan, options);
            let Some(tally) = state.windows.remove(&window) else { continue };
            *words_dropped += tally.evidence.words_dropped;
            ready.extend(state.instance(window, &tally, plan, options));
        }
        ready[from..].sort_by_key(|instance| instance.device);
    }
}

/// The state of a device, made when it is first asked for.
fn device_state<'a>(
    devices: &'a mut Vec<DeviceState>,
    device: DeviceIndex,
    plan: &EvidencePlan,
    options: &InstanceOptions,
) -> &'a mut DeviceState {
    let at = device.as_usize();
    while devices.len() <= at {
        devices.push(DeviceState::new(plan, options));
    }
    &mut devices[at]
}

impl Observer for InstanceObserver {
    type State = ();

    const FORGETS: bool = true;
    // Sums of rates depend on the order of flows in their last digits: it is that of their beginnings.
    const WANTS_SILENT: bool = false;

    fn begin(&mut self, first: Timestamp) {
        self.head_end = Some(first.plus_nanos(self.options.flow.ending.longest_idle_ns()));
    }

    fn begin_segment(&mut self) {
        let Self { options, plan, devices, .. } = self;
        let head_end = self.head_end.filter(|_| self.keeps == Keeps::All);
        for state in devices.iter_mut() {
            state.begin_segment(head_end, plan, options);
        }
        self.restless.clear();
    }

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        device_state(&mut self.devices, device, &self.plan, &self.options).id = Some(id);
    }

    #[inline]
    fn active(&mut self, device: DeviceIndex, tuple: &FiveTuple, from: Timestamp, to: Timestamp) {
        let state = device_state(&mut self.devices, device, &self.plan, &self.options);
        state.activity.extend(from, to);
        if state.activity.has_gaps() && !state.is_restless {
            state.is_restless = true;
            self.restless.insert(device);
        }
        if self.keeps == Keeps::All && from == to && self.head_end.is_some_and(|end| from <= end) {
            self.remember_head(device, tuple, from);
        }
    }

    fn flow(&mut self, flow: Flow<()>) {
        let Self { options, plan, devices, .. } = self;
        let state = device_state(devices, flow.device, plan, options);
        state.window(flow.window, plan).flow(&flow, plan, options);
    }

    fn window_closed(&mut self, window: WindowIndex) {
        let flow = &self.options.flow;
        let horizon = flow.window.end_of(window).plus_nanos(-flow.ending.longest_idle_ns());
        let end = flow.window.end_of(window);
        let head_end = self.head_end.filter(|_| self.keeps == Keeps::All);
        self.restless.retain(|device| {
            let Some(state) = self.devices.get_mut(device.as_usize()) else { return false };
            state.settle((horizon, end), head_end, &self.plan, &self.options);
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
            *state = DeviceState::new(&self.plan, &self.options);
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
        let Self { options, plan, devices, .. } = self;
        let sent = SentMessage { message: &message, packet };
        device_state(devices, packet.device, plan, options).message(&sent, plan, options);
    }
}

impl InstanceObserver {
    /// Remembers a flow that may have begun in an earlier part.
    fn remember_head(&mut self, device: DeviceIndex, tuple: &FiveTuple, first: Timestamp) {
        let flow = &self.options.flow;
        let state = device_state(&mut self.devices, device, &self.plan, &self.options);
        if flow.ending.longest_idle_ns() == 0 || state.first_packets.contains_key(tuple) {
            return;
        }
        if self.head_flows < flow.max_flows {
            self.head_flows += 1;
            state.first_packets.insert(*tuple, first);
        } else {
            self.heads_dropped += 1;
        }
    }
}

impl DeviceState {
    fn new(plan: &EvidencePlan, options: &InstanceOptions) -> Self {
        Self {
            id: None,
            windows: BTreeMap::new(),
            activity: Activity::new(options.min_gap_ns),
            active_before: None,
            is_restless: false,
            head_gaps: Vec::new(),
            first_packets: BTreeMap::new(),
            bursts: plan.bursts(),
        }
    }

    fn message(&mut self, sent: &SentMessage<'_>, plan: &EvidencePlan, options: &InstanceOptions) {
        let tally = self.windows.entry(sent.packet.window);
        let tally = tally.or_insert_with(|| Box::new(WindowTally::new(plan)));
        tally.evidence.message(sent, &mut self.bursts, plan, options);
    }

    /// The tally of a window, made when it is first asked for.
    fn window(&mut self, window: WindowIndex, plan: &EvidencePlan) -> &mut WindowTally {
        self.windows.entry(window).or_insert_with(|| Box::new(WindowTally::new(plan)))
    }

    /// Sums up the gaps that begin before `horizon` and end by the end of the closed window: no flow can cover them
    /// any more, unless it came from an earlier part, and no packet can fall into them.
    fn settle(
        &mut self,
        (horizon, closed): (Timestamp, Timestamp),
        head_end: Option<Timestamp>,
        plan: &EvidencePlan,
        options: &InstanceOptions,
    ) {
        for (start, end) in self.activity.settle(horizon, closed) {
            if head_end.is_some_and(|head_end| start < head_end) && options.flow.ending.longest_idle_ns() > 0
            {
                self.head_gaps.push((start, end));
            } else {
                let window = options.flow.window.index_of(end);
                self.window(window, plan).evidence.gap((start, end), plan, options);
            }
        }
        self.is_restless = self.activity.has_gaps();
    }

    /// The clock stepped back: nothing covers a gap any more, and none lies between the times before and after.
    fn begin_segment(&mut self, head_end: Option<Timestamp>, plan: &EvidencePlan, options: &InstanceOptions) {
        self.settle((FOREVER, FOREVER), head_end, plan, options);
        self.active_before = self.active();
        self.activity = Activity::new(options.min_gap_ns);
        self.bursts.iter_mut().for_each(Bursts::break_off);
    }

    /// The first and the last time at which it was active.
    fn active(&self) -> Option<(Timestamp, Timestamp)> {
        match (self.active_before, self.activity.span()) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (before, now) => before.or(now),
        }
    }

    /// The instance of a window, if the device sent enough in it.
    fn instance(
        &self,
        window: WindowIndex,
        tally: &WindowTally,
        plan: &EvidencePlan,
        options: &InstanceOptions,
    ) -> Option<Instance> {
        let is_enough = tally.counts().packets_up >= options.min_packets.max(1);
        let start = options.flow.window.start_of(window);
        let window_ns = match options.flow.window {
            WindowLength::Span(span) => span,
            WindowLength::Capture => 0,
        };
        let device = self.id.filter(|_| is_enough)?;
        Some(tally.instance(device, (start, window_ns), plan, options))
    }

    fn finish(mut self) -> DevicePart {
        let active = self.active();
        let mut open_gaps = self.head_gaps;
        open_gaps.extend(self.activity.settle(FOREVER, FOREVER));
        DevicePart {
            windows: self.windows,
            active,
            open_gaps,
            first_packets: self.first_packets.into_iter().collect(),
            last_packets: Vec::new(),
            bursts: self.bursts,
        }
    }
}
