use std::borrow::Cow;
use std::collections::BTreeMap;

use thingprint_flow::{
    CarriedFlow, DeviceFrame, DeviceId, DeviceIndex, DeviceLosses, DevicePacket, FairCap, FiveTuple, Flow,
    FlowEdges, FlowRecord, HeadLog, LossKind, Observer, PartStart, Taken, Timestamp, WindowIndex,
};
use thingprint_protocol::{Interest, Message, MessageContext, MessageObserver};

use crate::instance_observer::InstanceObserver;
use crate::options::InstanceOptions;
use crate::part::PartDevices;

/// Room for flows near the start of a part, over all devices, for each flow that is remembered: in runs of packets.
const MOST_RUNS: usize = 4;
/// What a flow takes of this beside its runs.
const RUNS_OF_LOG: usize = 3;
/// Flows near the start of a part that cannot be joined with what came before.
pub(crate) const EDGE_FLOWS: LossKind = LossKind::new("edge_flows");

/// Gathers what a [`Part`](crate::Part) is made of, from the flows and messages of devices.
///
/// What no other part can change goes into windows at once. The flows near the part's start are kept as packets, since
/// what came before decides what becomes of them; those near its end are kept as they are then.
#[derive(Debug)]
pub struct PartObserver {
    inner: InstanceObserver,
    start: Option<PartStart>,
    devices: Vec<DeviceEdges>,
    /// Whether what came before the part decides what the last packet of a device belongs to.
    is_uncertain: bool,
    /// The flows and runs near the start.
    cap: FairCap,
}

/// What rides with each flow of a [`PartObserver`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PartState(Place);

/// Where a flow is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Not decided: there was no packet yet.
    #[default]
    Unknown,
    /// In a window.
    Window,
    /// In a log near the part's start.
    Head(usize),
    /// In a record at the part's end.
    Record,
}

/// The flows of a device near the ends of the part.
#[derive(Debug, Default)]
struct DeviceEdges {
    places: BTreeMap<FiveTuple, usize>,
    heads: Vec<HeadLog>,
    /// Whether some heads were given up, of those that came last; then no further ones are kept.
    has_given_up: bool,
    open: Vec<FlowRecord>,
    carried: Vec<CarriedFlow>,
}

/// A packet near the start of the part.
#[derive(Clone, Copy)]
struct EarlyPacket<'a, 'p> {
    view: &'a DevicePacket<'a, 'p>,
    tuple: FiveTuple,
    src_is_low: bool,
    start: &'a PartStart,
}

impl PartObserver {
    /// An observer that has seen nothing.
    pub fn new(options: InstanceOptions) -> Self {
        Self {
            cap: FairCap::new(options.flow.max_flows.saturating_mul(MOST_RUNS)),
            inner: InstanceObserver::keeping(options),
            start: None,
            devices: Vec::new(),
            is_uncertain: false,
        }
    }

    /// Words that were left out of bags because there was no room.
    pub fn words_dropped(&self) -> u64 {
        self.inner.words_dropped()
    }

    /// What caps left out, by device: words of bags, flows near the start.
    pub fn left_out(&self) -> DeviceLosses {
        self.inner.left_out()
    }

    /// What the part keeps of the devices, whose ids are those of the tracker, with the flows that were open at the
    /// edge of their window.
    pub fn into_part_devices(self, ids: &[DeviceId], carried: &[(DeviceIndex, CarriedFlow)]) -> PartDevices {
        let window = self.inner.options().flow.window;
        let mut devices = self.devices;
        let known = self.inner.known();
        devices.resize_with(ids.len(), DeviceEdges::default);
        for (device, carried) in carried {
            if let Some(edges) = devices.get_mut(device.as_usize()) {
                edges.carry(carried, window.index_of(carried.last));
            }
        }
        let mut parts = self.inner.into_device_parts();
        for (part, edges) in parts.iter_mut().zip(devices) {
            part.flows = edges.finish();
        }
        let devices = ids.iter().copied().zip(parts).zip(known);
        PartDevices { devices: devices.filter_map(|(part, is_known)| is_known.then_some(part)).collect() }
    }

    /// Finds out where the flow of a packet is counted, whose first one it is in its window.
    fn place(&mut self, early: &EarlyPacket<'_, '_>) -> Place {
        let EarlyPacket { view, tuple, start, .. } = *early;
        let edges = edges_of(&mut self.devices, view.device);
        let reaches = start.reaches(view.window);
        if let Some(at) = edges.places.get(&tuple).copied() {
            let Some(log) = edges.heads.get(at) else { return Place::Window };
            let is_over = log.is_over();
            let crosses = !reaches && start.may_cross(tuple.protocol(), log.latest(), view.time);
            return match (is_over, reaches) {
                (false, true) => self.take(at, true, early),
                (false, false) if crosses => self.leave(at, early),
                _ => Place::Window,
            };
        }
        let may_go_on = if reaches {
            start.may_join(tuple.protocol(), view.time)
        } else {
            start.may_cross(tuple.protocol(), start.by(), view.time)
        };
        if !may_go_on {
            return Place::Window;
        }
        if edges.has_given_up {
            self.inner.lose(view.device, EDGE_FLOWS, 1);
            return Place::Window;
        }
        let at = edges.add(tuple);
        self.note_room(view.device, RUNS_OF_LOG);
        if reaches { self.take(at, true, early) } else { self.leave(at, early) }
    }

    /// Puts a packet into the log of its flow.
    fn take(&mut self, at: usize, is_new: bool, early: &EarlyPacket<'_, '_>) -> Place {
        let EarlyPacket { view, src_is_low, start, .. } = *early;
        let log = edges_of(&mut self.devices, view.device).heads.get_mut(at);
        let Some(log) = log else { return Place::Window };
        match log.take(view, src_is_low, is_new, start) {
            Taken::Summed => Place::Head(at),
            Taken::Settled => Place::Window,
            Taken::Kept => {
                let latest = log.latest();
                self.doubt(early, latest);
                self.note_room(view.device, 1);
                if self.has_head(view.device, at) { Place::Head(at) } else { Place::Window }
            }
        }
    }

    /// Notes in the log of a flow that it went on behind the windows that earlier parts reach.
    fn leave(&mut self, at: usize, early: &EarlyPacket<'_, '_>) -> Place {
        let EarlyPacket { view, src_is_low, start, .. } = *early;
        if let Some(log) = edges_of(&mut self.devices, view.device).heads.get_mut(at) {
            log.leave(view, src_is_low, start);
            let latest = log.latest();
            self.doubt(early, latest);
            self.note_room(view.device, 1);
        }
        Place::Window
    }

    /// Counts what is kept of a device near the start; where there is too much, the devices that have most give up some.
    fn note_room(&mut self, device: DeviceIndex, runs: usize) {
        if !self.cap.take(device, runs) {
            return;
        }
        for (device, excess) in self.cap.excess() {
            let (freed, flows) = edges_of(&mut self.devices, device).give_up(excess);
            self.cap.give_back(device, freed);
            self.inner.lose(device, EDGE_FLOWS, flows);
        }
    }

    /// Whether a head was not given up.
    fn has_head(&self, device: DeviceIndex, at: usize) -> bool {
        self.devices.get(device.as_usize()).is_some_and(|edges| at < edges.heads.len())
    }

    /// The device is active at the time of a packet; whether its flow covers the gap before it is decided by the parts
    /// before.
    fn doubt(&mut self, early: &EarlyPacket<'_, '_>, latest: Timestamp) {
        let EarlyPacket { view, tuple, .. } = early;
        self.is_uncertain = true;
        self.inner.active(view.device, tuple, view.time, view.time);
        self.inner.doubt_gaps(view.device, latest);
    }
}

/// The flows of a device near the ends of the part, made when they are first asked for.
fn edges_of(devices: &mut Vec<DeviceEdges>, device: DeviceIndex) -> &mut DeviceEdges {
    let at = device.as_usize();
    if devices.len() <= at {
        devices.resize_with(at + 1, DeviceEdges::default);
    }
    &mut devices[at]
}

impl Observer for PartObserver {
    type State = PartState;

    const WANTS_FRAMES: bool = true;
    const WANTS_SILENT: bool = false;
    const WANTS_OPEN: bool = true;

    fn begin(&mut self, first: Timestamp) {
        let start = PartStart::new(first, &self.inner.options().flow);
        self.inner.start_part(&start);
        self.start = Some(start);
    }

    fn begin_segment(&mut self) {
        // No flow of an earlier part goes on over a step of the clock.
        self.start = None;
        self.devices.iter_mut().flat_map(|edges| &mut edges.heads).for_each(HeadLog::settle);
        self.inner.begin_segment();
    }

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.inner.device(device, id);
    }

    fn established(&mut self, device: DeviceIndex) {
        self.inner.established(device);
        self.cap.establish(device);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.inner.forget(device);
        self.cap.forget(device);
        if let Some(edges) = self.devices.get_mut(device.as_usize()) {
            *edges = DeviceEdges::default();
        }
    }

    fn packet(&mut self, view: &DevicePacket<'_, '_>, state: &mut PartState) {
        self.inner.packet(view, &mut ());
        self.is_uncertain = false;
        let (Place::Unknown | Place::Head(_)) = state.0 else { return };
        let Some(start) = self.start.take() else { return };
        let (tuple, src_is_low) = FiveTuple::of(view.ip);
        let early = EarlyPacket { view, tuple, src_is_low, start: &start };
        state.0 = match state.0 {
            Place::Head(at) => self.take(at, false, &early),
            _ => self.place(&early),
        };
        self.start = Some(start);
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        self.inner.frame(frame);
    }

    #[inline]
    fn active(&mut self, device: DeviceIndex, tuple: &FiveTuple, from: Timestamp, to: Timestamp) {
        if !self.is_uncertain {
            self.inner.active(device, tuple, from, to);
        }
    }

    fn left_open(&mut self, device: DeviceIndex, record: FlowRecord, state: &mut PartState) {
        let edges = edges_of(&mut self.devices, device);
        let log = match state.0 {
            Place::Head(at) => edges.heads.get_mut(at),
            Place::Unknown | Place::Window | Place::Record => None,
        };
        match log {
            Some(log) if record.is_mid_message => log.leave_message(),
            Some(_) => {}
            None => {
                edges.open.push(record);
                state.0 = Place::Record;
            }
        }
    }

    fn flow(&mut self, flow: Flow<PartState>) {
        let (flow, state) = flow.split();
        let is_counted_here = match state.0 {
            Place::Unknown | Place::Window => true,
            Place::Head(at) => !self.has_head(flow.device, at),
            Place::Record => false,
        };
        if is_counted_here {
            self.inner.flow(flow);
        }
    }

    fn window_closed(&mut self, window: WindowIndex) {
        self.inner.window_closed(window);
    }
}

impl MessageObserver for PartObserver {
    fn interest(&self) -> Interest {
        self.inner.interest()
    }

    fn message(&mut self, message: Cow<'_, Message>, context: &MessageContext<'_, '_>, _: &mut PartState) {
        self.inner.message(message, context, &mut ());
    }
}

impl DeviceEdges {
    /// Begins the log of a flow.
    fn add(&mut self, tuple: FiveTuple) -> usize {
        let at = self.heads.len();
        self.heads.push(HeadLog::new(tuple));
        self.places.insert(tuple, at);
        at
    }

    /// Lets go of so many runs, or of all: packets are summed up, then the flows that came last are given up. Says how many
    /// runs it freed, and of how many flows.
    fn give_up(&mut self, excess: usize) -> (usize, u64) {
        let (mut freed, mut flows) = (0, 0);
        let mut longest: Vec<usize> = (0..self.heads.len()).collect();
        longest.sort_by_key(|at| std::cmp::Reverse(self.heads.get(*at).map_or(0, HeadLog::len)));
        for at in longest {
            if freed >= excess {
                return (freed, flows);
            }
            let summed = self.heads.get_mut(at).map_or(0, HeadLog::sum_up);
            freed += summed;
            flows += u64::from(summed > 0);
        }
        while freed < excess
            && let Some(log) = self.heads.pop()
        {
            freed += RUNS_OF_LOG + log.len();
            flows += 1;
            self.has_given_up = true;
        }
        let kept = self.heads.len();
        self.places.retain(|_, at| *at < kept);
        (freed, flows)
    }

    /// Keeps a flow that was open at the edge of a window, unless its head shows by itself how it goes on.
    fn carry(&mut self, carried: &CarriedFlow, window: WindowIndex) {
        let log = self.places.get(&carried.tuple).and_then(|at| self.heads.get(*at));
        if !log.is_some_and(|log| log.is_open_in(window)) {
            self.carried.push(carried.clone());
        }
    }

    fn finish(self) -> FlowEdges {
        let mut heads: Vec<Option<HeadLog>> = self.heads.into_iter().map(Some).collect();
        let in_order = self.places.into_values().filter_map(|at| heads.get_mut(at)?.take());
        FlowEdges {
            heads: in_order.map(HeadLog::into_head).collect(),
            open: self.open,
            carried: self.carried,
        }
    }
}
