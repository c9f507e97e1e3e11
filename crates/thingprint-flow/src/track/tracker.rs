use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::device::{DeviceIndex, Devices};
use super::flow::{Fate, Flow, FlowEnd, OpenFlow};
use super::gateway::GatewayVotes;
use super::key::{FiveTuple, FlowKey, Sighting};
use super::options::FlowOptions;
use super::table::Table;
use super::window::WindowIndex;
use crate::{DeviceId, MacAddr, Packet, Timestamp};

/// Follows the flows of a tracker. State of type `State` rides with each flow, so that the flow table knows
/// nothing of protocols.
pub trait Observer {
    /// What rides with each flow. A flow that goes on over a window's edge is two [`Flow`]s; see [`Observer::go_on`].
    type State: Default;

    /// A packet of a device, with its flow's state.
    fn packet(&mut self, sighting: &Sighting<'_, '_>, state: &mut Self::State);

    /// A flow of `device` was active from one time to the other, both included. Unlike [`Flow`]s these spans are
    /// not cut at window edges.
    fn active(&mut self, device: DeviceIndex, tuple: &FiveTuple, from: Timestamp, to: Timestamp);

    /// A flow was closed. Flows of a window come before its [`Observer::window_closed`].
    fn flow(&mut self, flow: Flow<Self::State>);

    /// A flow goes on over a window's edge: what the part after the edge begins with. `state` is that of the part
    /// before, which is still to be closed.
    fn go_on(&mut self, state: &mut Self::State) -> Self::State;

    /// A flow was to go on over an edge, but did not.
    fn ended(&mut self, state: Self::State);

    /// A window was closed: nothing comes for it or for an earlier one any more.
    fn window_closed(&mut self, window: WindowIndex);
}

/// What a tracker counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackCounts {
    /// Packets that came for a window already closed.
    pub late_packets: u64,
    /// Flows closed early because the table was full.
    pub flows_evicted: u64,
    /// Packets of devices beyond the most that are remembered.
    pub device_packets_dropped: u64,
}

/// What is left of a tracker whose trace has ended.
#[derive(Debug)]
pub struct Finished<O> {
    /// The observer.
    pub observer: O,
    /// The devices, by [`DeviceIndex`].
    pub devices: Vec<DeviceId>,
    /// Packets from the Internet by the MAC address that sent them.
    pub votes: BTreeMap<MacAddr, u64>,
    /// Flows that a trace which continues this one may continue, with the time of their last packet; in order.
    pub open_flows: Vec<(DeviceIndex, FiveTuple, Timestamp)>,
    /// Time of the earliest and of the latest frame.
    pub span: Option<(Timestamp, Timestamp)>,
    /// What was counted.
    pub counts: TrackCounts,
}

/// The per-device flow table of a trace.
///
/// Packets are pushed in the order of the trace; windows close as the clock, the highest time seen, passes
/// their end by the lateness.
#[derive(Debug)]
pub struct Tracker<O: Observer> {
    observer: O,
    options: FlowOptions,
    devices: Devices,
    votes: GatewayVotes,
    windows: VecDeque<OpenWindow<O::State>>,
    // Position of the window that the last packet fell in: nearly always the next one's, too.
    current: usize,
    spare: Option<Table<O::State>>,
    // Flows that were open when their window closed, with the time of their last packet.
    carried: HashMap<FlowKey, Carried<O::State>, RandomState>,
    hasher: RandomState,
    span: Option<(Timestamp, Timestamp)>,
    counts: TrackCounts,
}

/// What is kept of a flow between its windows.
#[derive(Debug)]
struct Carried<S> {
    last: Timestamp,
    state: S,
}

#[derive(Debug)]
struct OpenWindow<S> {
    index: WindowIndex,
    start: Timestamp,
    end: Timestamp,
    table: Table<S>,
}

impl<O: Observer> Tracker<O> {
    /// A tracker that has seen nothing.
    pub fn new(options: FlowOptions, observer: O) -> Self {
        Self {
            observer,
            devices: Devices::new(&options),
            options,
            votes: GatewayVotes::default(),
            windows: VecDeque::new(),
            current: 0,
            spare: None,
            carried: HashMap::with_hasher(RandomState::default()),
            hasher: RandomState::default(),
            span: None,
            counts: TrackCounts::default(),
        }
    }

    /// The devices seen so far, by [`DeviceIndex`].
    pub fn devices(&self) -> &[DeviceId] {
        self.devices.ids()
    }

    /// The observer.
    pub const fn observer(&self) -> &O {
        &self.observer
    }

    /// The observer, to be asked between packets.
    pub const fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// Counts so far.
    pub const fn counts(&self) -> TrackCounts {
        TrackCounts { device_packets_dropped: self.devices.dropped, ..self.counts }
    }

    /// Time of the earliest and of the latest frame so far.
    pub const fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// Takes the next frame of the trace.
    pub fn push(&mut self, packet: &Packet<'_>) {
        self.advance_clock(packet.time);
        let Some(ip) = &packet.ip else { return };
        self.votes.observe(packet);
        let (position, time) = self.place(packet.time);
        let window = self.windows[position].index;
        let (tuple, src_is_low) = FiveTuple::of(ip);
        let [sender, receiver] = self.devices.of(packet, ip);
        for (device, is_sent) in [(sender, true), (receiver, false)] {
            let Some(device) = device else { continue };
            let sighting = Sighting { device, is_sent, window, time, packet, ip };
            self.sight(position, FlowKey { device, tuple }, src_is_low, &sighting);
        }
        if self.windows[position].table.len() >= self.options.max_flows {
            self.make_room(position);
        }
    }

    /// Closes the flows that were silent for longer than the idle time.
    ///
    /// Without it they wait in the table, at no harm, until a packet comes for their 5-tuple, the table is full, or
    /// their window closes. It is for observers that want flows soon after their end, and costs a look at each flow.
    pub fn close_idle(&mut self) {
        let Some((_, clock)) = self.span else { return };
        for window in &mut self.windows {
            for flow in window.table.take_idle(clock, self.options.ending) {
                self.observer.flow(flow.close(window.index, FlowEnd::Idle));
            }
        }
    }

    /// Closes every window and gives back the observer, the devices, and who sent packets from the Internet.
    pub fn finish(mut self) -> Finished<O> {
        let open_flows = self.open_flows();
        while !self.windows.is_empty() {
            self.close_oldest();
        }
        let mut carried: Vec<_> = self.carried.drain().collect();
        carried.sort_unstable_by_key(|(key, _)| (key.device, key.tuple));
        for (_, carried) in carried {
            self.observer.ended(carried.state);
        }
        let counts = self.counts();
        Finished {
            observer: self.observer,
            devices: self.devices.ids().to_vec(),
            votes: self.votes.into_counts(),
            open_flows,
            span: self.span,
            counts,
        }
    }

    fn open_flows(&self) -> Vec<(DeviceIndex, FiveTuple, Timestamp)> {
        let Some((_, clock)) = self.span else { return Vec::new() };
        let mut open: BTreeMap<(DeviceIndex, FiveTuple), Option<Timestamp>> = BTreeMap::new();
        let mut carried: Vec<_> = self.carried.iter().collect();
        carried.sort_unstable_by_key(|(key, _)| (key.device, key.tuple));
        for (key, carried) in carried {
            open.insert((key.device, key.tuple), Some(carried.last));
        }
        for flow in self.windows.iter().flat_map(|window| window.table.iter()) {
            open.insert((flow.key.device, flow.key.tuple), flow.is_open().then_some(flow.last));
        }
        open.into_iter()
            .filter_map(|((device, tuple), last)| Some((device, tuple, last?)))
            .filter(|(_, tuple, last)| {
                let idle_ns = self.options.ending.idle_ns(tuple.protocol());
                idle_ns.is_some_and(|idle_ns| clock.nanos_since(*last) <= idle_ns)
            })
            .collect()
    }

    fn advance_clock(&mut self, time: Timestamp) {
        let (first, clock) = self.span.get_or_insert((time, time));
        *first = (*first).min(time);
        if time <= *clock {
            return;
        }
        *clock = time;
        while let Some(oldest) = self.windows.front() {
            // Windows close at their end + lateness, the moment itself included.
            if time.nanos_since(oldest.end) < self.options.lateness_ns {
                break;
            }
            self.close_oldest();
        }
    }

    /// The window that a packet counts in, and its time there.
    #[inline]
    fn place(&mut self, time: Timestamp) -> (usize, Timestamp) {
        if let Some(window) = self.windows.get(self.current)
            && window.start <= time
            && time < window.end
        {
            return (self.current, time);
        }
        self.place_elsewhere(time)
    }

    fn place_elsewhere(&mut self, time: Timestamp) -> (usize, Timestamp) {
        let length = self.options.window;
        let clock = self.span.map_or(time, |(_, clock)| clock);
        let oldest_open = length.index_of(clock.plus_nanos(-self.options.lateness_ns));
        let (index, time) = match length.index_of(time) {
            index if index >= oldest_open => (index, time),
            _ => {
                self.counts.late_packets += 1;
                (oldest_open, length.start_of(oldest_open))
            }
        };
        self.current = match self.windows.binary_search_by_key(&index, |window| window.index) {
            Ok(position) => position,
            Err(position) => {
                let table = self.spare.take().unwrap_or_else(Table::new);
                let (start, end) = (length.start_of(index), length.end_of(index));
                self.windows.insert(position, OpenWindow { index, start, end, table });
                position
            }
        };
        (self.current, time)
    }

    #[inline]
    fn sight(&mut self, position: usize, key: FlowKey, src_is_low: bool, sighting: &Sighting<'_, '_>) {
        let hash = self.hasher.hash_one(key);
        let window = &mut self.windows[position];
        if let Some(at) = window.table.position(hash, &key) {
            let flow = window.table.at(at);
            match flow.fate(sighting, self.options.ending) {
                Fate::Joins => {
                    let (from, to) = (flow.last.min(sighting.time), flow.first.max(sighting.time));
                    flow.count(sighting, &self.options);
                    self.observer.active(key.device, &key.tuple, from, to);
                }
                Fate::Replaces(why) => {
                    let fresh = OpenFlow::begin(key, src_is_low, sighting, &self.options);
                    let mut ended = std::mem::replace(flow, fresh);
                    flow.count(sighting, &self.options);
                    if why == FlowEnd::Aged {
                        // The connection goes on; only its count starts again.
                        flow.state = self.observer.go_on(&mut ended.state);
                    }
                    self.observer.flow(ended.close(window.index, why));
                    self.observer.active(key.device, &key.tuple, sighting.time, sighting.time);
                }
            }
            self.observer.packet(sighting, &mut flow.state);
        } else {
            let mut flow = OpenFlow::begin(key, src_is_low, sighting, &self.options);
            flow.count(sighting, &self.options);
            let mut from = sighting.time;
            if let Some(before) = self.before(position, hash, &key, sighting.time) {
                from = before.last;
                flow.state = before.state;
            }
            self.observer.packet(sighting, &mut flow.state);
            self.windows[position].table.insert(hash, flow);
            self.observer.active(key.device, &key.tuple, from, sighting.time);
        }
        if position + 1 < self.windows.len() {
            self.join_newer(position, hash, &key, sighting.time);
        }
    }

    /// The same flow in an earlier window, if it goes on from there.
    fn before(
        &mut self,
        position: usize,
        hash: u64,
        key: &FlowKey,
        time: Timestamp,
    ) -> Option<Carried<O::State>> {
        let idle_ns = self.options.ending.idle_ns(key.tuple.protocol())?;
        let is_near = |last: Timestamp| time.nanos_since(last) <= idle_ns;
        for window in self.windows.iter_mut().take(position).rev() {
            let Some(at) = window.table.position(hash, key) else { continue };
            let flow = window.table.at(at);
            let goes_on = flow.is_open() && is_near(flow.last);
            return goes_on.then(|| Carried { last: flow.last, state: self.observer.go_on(&mut flow.state) });
        }
        let carried = self.carried.remove(key)?;
        if is_near(carried.last) {
            return Some(carried);
        }
        self.observer.ended(carried.state);
        None
    }

    /// A packet for an older window may close the silence before the same flow's packets in a newer one.
    fn join_newer(&mut self, position: usize, hash: u64, key: &FlowKey, time: Timestamp) {
        let Some(idle_ns) = self.options.ending.idle_ns(key.tuple.protocol()) else { return };
        let is_open = self.windows[position].table.get(hash, key).is_some_and(OpenFlow::is_open);
        let newer = self.windows.iter().skip(position + 1).find_map(|window| window.table.get(hash, key));
        if let Some(newer) = newer
            && is_open
            && newer.first.nanos_since(time) <= idle_ns
        {
            self.observer.active(key.device, &key.tuple, time, newer.first);
        }
    }

    fn make_room(&mut self, position: usize) {
        let Some((_, clock)) = self.span else { return };
        let window = &mut self.windows[position];
        for (flow, why) in window.table.evict(clock, self.options.ending) {
            self.counts.flows_evicted += u64::from(why == FlowEnd::Evicted);
            self.observer.flow(flow.close(window.index, why));
        }
    }

    fn close_oldest(&mut self) {
        let Some(mut window) = self.windows.pop_front() else { return };
        let ending = self.options.ending;
        let goes_on = |key: &FlowKey, last: Timestamp| {
            let idle_ns = ending.idle_ns(key.tuple.protocol());
            idle_ns.is_some_and(|idle_ns| window.end.nanos_since(last) <= idle_ns)
        };
        let over = self.carried.extract_if(|key, carried| !goes_on(key, carried.last));
        let mut over: Vec<_> = over.collect();
        over.sort_unstable_by_key(|(key, _)| (key.device, key.tuple));
        for (_, carried) in over {
            self.observer.ended(carried.state);
        }
        for (hash, mut flow) in window.table.drain() {
            let is_taken_up =
                self.windows.iter().any(|newer| newer.table.position(hash, &flow.key).is_some());
            let has_room = self.carried.len() < self.options.max_flows;
            if flow.is_open() && !is_taken_up && has_room && goes_on(&flow.key, flow.last) {
                let state = self.observer.go_on(&mut flow.state);
                self.carried.insert(flow.key, Carried { last: flow.last, state });
            }
            self.observer.flow(flow.close(window.index, FlowEnd::Edge));
        }
        self.observer.window_closed(window.index);
        self.spare = Some(window.table);
        self.current = self.current.saturating_sub(1);
    }
}
