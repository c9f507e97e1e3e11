mod caps;
mod open;

use std::collections::{BTreeSet, VecDeque};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::answerers::Answerers;
use super::counts::TrackCounts;
use super::device::{DeviceIndex, Devices, Known};
use super::device_losses::DeviceLosses;
use super::edge::CarriedFlow;
use super::expiry::Expiry;
use super::fair::FairCap;
use super::flow::{Fate, FlowEnd, OpenFlow};
use super::identify::{Ends, Identifier};
use super::key::{DeviceFrame, DevicePacket, FiveTuple, FlowKey};
use super::observer::Observer;
use super::options::{FlowOptions, WindowLength};
use super::streams::Streams;
use super::table::Table;
use super::window::WindowIndex;
use crate::{DeviceId, Packet, Timestamp, Transport};

/// Most windows that are closed and not final; a clock that steps back again and again would leave more.
const MOST_SETTLING: usize = 4096;

/// What is left of a tracker whose trace has ended.
#[derive(Debug)]
pub struct Finished<O> {
    /// The observer.
    pub observer: O,
    /// The devices, by [`DeviceIndex`].
    pub devices: Vec<DeviceId>,
    /// Flows that were open at the edge of their window, and that a trace which continues this one may continue; in
    /// order.
    pub carried: Vec<(DeviceIndex, CarriedFlow)>,
    /// Time of the earliest and of the latest frame.
    pub span: Option<(Timestamp, Timestamp)>,
    /// What was counted.
    pub counts: TrackCounts,
    /// What its caps left out, by device.
    pub left_out: DeviceLosses,
}

/// The per-device flow table of a trace.
///
/// Packets are pushed in the order of the trace. Windows close as the clock, the highest time seen, passes their end
/// by the lateness, and are final when it passes the longest idle time beyond. Each of these happens at a time of its
/// own that does not depend on when the tracker hears of it: so it does not matter whether a packet, a
/// [`tick`](Self::tick) or the trace's end moves the clock there, and trackers that share a trace agree.
#[derive(Debug)]
pub struct Tracker<O: Observer> {
    observer: O,
    options: FlowOptions,
    identifier: Identifier,
    devices: Devices,
    answerers: Answerers,
    windows: VecDeque<OpenWindow<O::State>>,
    // Position of the window that the last packet fell in: nearly always the next one's, too.
    current: usize,
    spare: Option<Table<O::State>>,
    // Windows that are closed and not final yet.
    settling: BTreeSet<WindowIndex>,
    // Flows that were open when their window closed, with the time of their last packet.
    carried: HashMap<FlowKey, Carried<O::State>, RandomState>,
    // Used where a window is the whole capture: silent flows would stay in the table until its end.
    expiry: Expiry,
    hasher: RandomState,
    // The flows in the tables, and those that were open when their window closed.
    flows: FairCap,
    carried_flows: FairCap,
    // Time of the earliest frame, and the clock.
    span: Option<(Timestamp, Timestamp)>,
    // The highest clock of the segments before this one.
    highest: Timestamp,
    // Nothing happens by itself before this time.
    deadline: Timestamp,
    frames: u64,
    counts: TrackCounts,
    left_out: DeviceLosses,
}

/// What is kept of a flow between its windows.
#[derive(Debug)]
struct Carried<S> {
    last: Timestamp,
    local_is_low: bool,
    streams: Streams,
    state: S,
}

#[derive(Debug)]
struct OpenWindow<S> {
    index: WindowIndex,
    start: Timestamp,
    end: Timestamp,
    table: Table<S>,
}

/// What happens by itself when its time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The oldest window closes.
    Closes,
    /// The oldest closed window is final.
    IsFinal,
    /// Flows have to be looked at.
    Expires,
}

/// A packet of a trace that several trackers share, as one of them gets it.
#[derive(Clone, Copy, Debug)]
pub struct SharedPacket<'a, 'p> {
    /// The packet.
    pub packet: &'a Packet<'p>,
    /// The devices that sent and received it, as far as they are this tracker's.
    pub ends: Ends,
    /// Number of its frame in the trace.
    pub number: u64,
    /// The highest time of the trace up to it.
    pub clock: Timestamp,
}

impl<O: Observer> Tracker<O> {
    /// A tracker that has seen nothing.
    pub fn new(options: FlowOptions, observer: O) -> Self {
        Self {
            observer,
            identifier: Identifier::new(&options),
            devices: Devices::new(options.max_devices),
            answerers: Answerers::default(),
            flows: FairCap::new(options.max_flows),
            carried_flows: FairCap::new(options.max_flows),
            options,
            windows: VecDeque::new(),
            current: 0,
            spare: None,
            settling: BTreeSet::new(),
            carried: HashMap::with_hasher(RandomState::default()),
            expiry: Expiry::default(),
            hasher: RandomState::default(),
            span: None,
            highest: Timestamp::MIN,
            deadline: Timestamp::MAX,
            frames: 0,
            counts: TrackCounts::default(),
            left_out: DeviceLosses::of_a_shard(),
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
        self.counts
    }

    /// What caps left out so far, by device.
    pub const fn left_out(&self) -> &DeviceLosses {
        &self.left_out
    }

    /// Time of the earliest and of the latest frame so far.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span.map(|(first, clock)| (first, clock.max(self.highest)))
    }

    /// The next time at which something happens without a packet; the end of time where nothing does.
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Takes the next frame of the trace.
    pub fn push(&mut self, packet: &Packet<'_>) {
        let clock = self.span.map_or(packet.time, |(_, clock)| clock.max(packet.time));
        let ends = self.identifier.ends_of(packet);
        self.frames += 1;
        self.share(&SharedPacket { packet, ends, number: self.frames, clock });
    }

    /// Takes the next packet of a trace that it shares with other trackers.
    #[inline]
    pub fn share(&mut self, shared: &SharedPacket<'_, '_>) {
        let SharedPacket { packet, ends, number, clock } = *shared;
        self.note_time(packet.time);
        self.tick(clock);
        let Some(ip) = &packet.ip else {
            if O::WANTS_FRAMES {
                self.frame(shared);
            }
            return;
        };
        let [sender, receiver] = self.find_devices(ends, clock);
        if sender.is_none() && receiver.is_none() {
            return;
        }
        let (position, time) = self.place(packet.time);
        let Some(window) = self.windows.get(position).map(|window| window.index) else { return };
        let (tuple, src_is_low) = FiveTuple::of(ip);
        for (known, is_sent) in [(sender, true), (receiver, false)] {
            let Some(Known { device, is_established }) = known else { continue };
            let view = DevicePacket { device, is_sent, is_established, window, time, number, packet, ip };
            self.follow(position, FlowKey { device, tuple }, src_is_low, &view);
        }
        if self.flows.is_exceeded() {
            self.make_room();
        }
        if self.observer.is_pressed() {
            self.relieve();
        }
    }

    /// Moves the clock without a packet.
    #[inline]
    pub fn tick(&mut self, now: Timestamp) {
        let Some((_, clock)) = &mut self.span else {
            self.span = Some((now, now));
            self.observer.begin(now);
            return;
        };
        *clock = (*clock).max(now);
        if now >= self.deadline {
            self.catch_up(now);
        }
    }

    /// The clock stepped back from `ended` to `now`: flows end, and windows of the times that follow are open again.
    pub fn begin_segment(&mut self, ended: Timestamp, now: Timestamp) {
        self.tick(ended);
        while !self.windows.is_empty() {
            self.close_oldest(ended);
        }
        self.abandon_carried(|_, _| true);
        self.expiry = Expiry::default();
        self.highest = self.highest.max(ended);
        self.span = self.span.map(|(first, _)| (first.min(now), now));
        self.observer.begin_segment();
        while self.settling.len() > MOST_SETTLING {
            self.end_oldest();
        }
        self.set_deadline();
    }

    /// Closes every window and gives back the observer and the devices.
    pub fn finish(mut self) -> Finished<O> {
        let carried_on = self.carried();
        self.leave_open();
        while !self.windows.is_empty() {
            self.close_oldest(Timestamp::MAX);
        }
        self.abandon_carried(|_, _| true);
        while self.end_oldest().is_some() {}
        let (counts, span) = (self.counts(), self.span());
        Finished {
            observer: self.observer,
            devices: self.devices.ids().to_vec(),
            carried: carried_on,
            span,
            counts,
            left_out: self.left_out,
        }
    }

    fn note_time(&mut self, time: Timestamp) {
        if let Some((first, _)) = &mut self.span {
            *first = (*first).min(time);
        }
    }

    fn frame(&mut self, shared: &SharedPacket<'_, '_>) {
        let SharedPacket { packet, ends, clock, .. } = *shared;
        // A late frame counts in the oldest open window, as a late packet does, but is none.
        let late_packets = self.counts.late_packets;
        let (position, _) = self.place(packet.time);
        self.counts.late_packets = late_packets;
        let Some(window) = self.windows.get(position).map(|window| window.index) else { return };
        for (known, is_sent) in self.find_devices(ends, clock).into_iter().zip([true, false]) {
            if let Some(Known { device, .. }) = known {
                self.observer.frame(&DeviceFrame { device, is_sent, window, packet });
            }
        }
    }

    /// Does everything whose time has come, in the order of these times.
    #[cold]
    fn catch_up(&mut self, now: Timestamp) {
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= now) {
            match due {
                Due::Closes => self.close_oldest(at),
                Due::IsFinal => {
                    if self.end_oldest().is_some() {
                        self.forget_silent(at);
                    }
                }
                Due::Expires => self.close_expired(at),
            }
        }
        self.set_deadline();
    }

    fn set_deadline(&mut self) {
        self.deadline = self.next_due().map_or(Timestamp::MAX, |(at, _)| at);
    }

    fn next_due(&self) -> Option<(Timestamp, Due)> {
        let lateness_ns = self.options.lateness_ns;
        let closes = self.windows.front().map(|window| (window.end.plus_nanos(lateness_ns), Due::Closes));
        let is_final = self.settling.first().map(|window| (self.final_time(*window), Due::IsFinal));
        let expires = self.expiry.next().map(|at| (at, Due::Expires));
        [closes, is_final, expires].into_iter().flatten().min()
    }

    /// The oldest closed window is final.
    fn end_oldest(&mut self) -> Option<WindowIndex> {
        let window = self.settling.pop_first()?;
        self.observer.window_final(window);
        Some(window)
    }

    fn abandon_carried(&mut self, mut is_over: impl FnMut(&FlowKey, Timestamp) -> bool) {
        if self.carried.is_empty() {
            return;
        }
        let over = self.carried.extract_if(|key, carried| is_over(key, carried.last));
        let mut over: Vec<_> = over.collect();
        over.sort_unstable_by_key(|(key, _)| (key.device, key.tuple));
        for (key, carried) in over {
            self.carried_flows.give_back(key.device, 1);
            self.observer.abandon_flow(key.device, carried.state);
        }
    }

    /// When no gap that ends in a window can be covered any more.
    fn final_time(&self, window: WindowIndex) -> Timestamp {
        let FlowOptions { window: length, ending, lateness_ns, .. } = &self.options;
        length.end_of(window).plus_nanos(*lateness_ns).plus_nanos(ending.longest_idle_ns())
    }

    fn forget_silent(&mut self, now: Timestamp) {
        let Some(silence_ns) = self.options.forget_after_ns.filter(|_| O::FORGETS) else { return };
        // Windows of a time before the clock stepped back are not handed out yet.
        let length = self.options.window;
        if self.settling.last().is_some_and(|window| length.end_of(*window) > now) {
            return;
        }
        for device in self.devices.forget(now.plus_nanos(-silence_ns)) {
            self.forget(device);
        }
    }

    /// Closes the flows that fell silent before `at`, and enters the others anew.
    fn close_expired(&mut self, at: Timestamp) {
        let FlowOptions { ending, lateness_ns, .. } = self.options;
        let Some(window) = self.windows.front_mut() else {
            self.expiry.take();
            return;
        };
        for (hash, key) in self.expiry.take() {
            let Some(idle_ns) = ending.idle_ns(key.tuple.protocol()) else { continue };
            let Some(last) = window.table.get(hash, &key).map(|flow| flow.last) else { continue };
            let due = last.plus_nanos(idle_ns).plus_nanos(lateness_ns);
            if due >= at {
                self.expiry.enter(due, hash, key);
            } else if let Some(flow) = window.table.remove(hash, &key) {
                self.flows.give_back(key.device, 1);
                self.observer.flow(self.devices.mark(flow.close(window.index, FlowEnd::Idle, at)));
            }
        }
    }

    /// Enters a new flow of a table that no edge empties.
    fn enter_expiry(&mut self, hash: u64, key: FlowKey, time: Timestamp) {
        let FlowOptions { ending, lateness_ns, window, .. } = self.options;
        let Some(idle_ns) = ending.idle_ns(key.tuple.protocol()) else { return };
        if O::WANTS_SILENT && window == WindowLength::Capture {
            self.expiry.enter(time.plus_nanos(idle_ns).plus_nanos(lateness_ns), hash, key);
            if self.expiry.is_surplus(self.flows.used())
                && let Some(window) = self.windows.front()
            {
                self.expiry.tidy(|hash, key| window.table.position(hash, key).is_some());
            }
            self.set_deadline();
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
                self.set_deadline();
                position
            }
        };
        (self.current, time)
    }

    #[inline]
    fn follow(&mut self, position: usize, key: FlowKey, src_is_low: bool, view: &DevicePacket<'_, '_>) {
        let Self { windows, hasher, .. } = self;
        let Some(window) = windows.get_mut(position) else { return };
        if let Some(flow) = window.table.find_mut(&key, || hasher.hash_one(key)) {
            let turned = DevicePacket { is_sent: flow.is_sent(src_is_low), ..*view };
            match flow.fate(&turned, self.options.ending) {
                Fate::Joins if flow.passes_on(&turned, view.is_sent) => {
                    self.counts.passed_on += 1;
                }
                Fate::Joins => {
                    let (from, to) = (flow.last.min(view.time), flow.first.max(view.time));
                    let is_answer = flow.is_answered_by(&turned);
                    flow.count(&turned, &self.options);
                    self.observer.packet(&turned, &mut flow.state);
                    self.observer.active(key.device, &key.tuple, from, to);
                    if is_answer {
                        self.note_answer(&turned);
                    }
                }
                Fate::Replaces(why) => {
                    let fresh = OpenFlow::begin(key, src_is_low, view, &self.options);
                    let mut ended = std::mem::replace(flow, fresh);
                    flow.count(view, &self.options);
                    if why == FlowEnd::Aged && ended.is_sent(src_is_low) == view.is_sent {
                        // The connection goes on; only its count starts again.
                        flow.state = self.observer.continue_flow(&mut ended.state);
                    }
                    let clock = self.span.map_or(view.time, |(_, clock)| clock);
                    self.observer.flow(self.devices.mark(ended.close(window.index, why, clock)));
                    self.observer.packet(view, &mut flow.state);
                    self.observer.active(key.device, &key.tuple, view.time, view.time);
                }
            }
        } else {
            self.begin_flow(position, key, src_is_low, view);
        }
        if position + 1 < self.windows.len() {
            self.join_newer(position, &key, view.time);
        }
    }

    fn begin_flow(&mut self, position: usize, key: FlowKey, src_is_low: bool, view: &DevicePacket<'_, '_>) {
        let hash = self.hasher.hash_one(key);
        let mut flow = OpenFlow::begin(key, src_is_low, view, &self.options);
        flow.count(view, &self.options);
        let mut from = view.time;
        if let Some((last, state)) = self.before((position, hash), &key, src_is_low, view) {
            from = last;
            flow.state = state.unwrap_or_default();
        }
        self.observer.packet(view, &mut flow.state);
        if let Some(window) = self.windows.get_mut(position) {
            window.table.insert(hash, flow);
            self.flows.take(key.device, 1);
        }
        self.enter_expiry(hash, key, view.time);
        self.observer.active(key.device, &key.tuple, from, view.time);
    }

    /// The last packet of the same flow in an earlier window, if it goes on from there, with its state where the
    /// device has the same end of it.
    fn before(
        &mut self,
        (position, hash): (usize, u64),
        key: &FlowKey,
        src_is_low: bool,
        view: &DevicePacket<'_, '_>,
    ) -> Option<(Timestamp, Option<O::State>)> {
        let idle_ns = self.options.ending.idle_ns(key.tuple.protocol())?;
        let goes_on = |last: Timestamp, streams: &Streams| {
            let is_superseded = matches!(view.ip.transport,
                Transport::Tcp(segment) if streams.are_replaced_by(segment, src_is_low, view.time));
            view.time.nanos_since(last) <= idle_ns && !is_superseded
        };
        let is_turned = |local_is_low: bool| (src_is_low == local_is_low) != view.is_sent;
        for window in self.windows.iter_mut().take(position).rev() {
            let Some(flow) = window.table.get_mut(hash, key) else { continue };
            if !flow.is_open() || !goes_on(flow.last, &flow.streams) {
                return None;
            }
            let is_kept = !is_turned(flow.local_is_low);
            return Some((flow.last, is_kept.then(|| self.observer.continue_flow(&mut flow.state))));
        }
        // Where no window closed with open flows, nothing has to be looked up.
        if self.carried.is_empty() {
            return None;
        }
        let Carried { last, local_is_low, streams, state } = self.carried.remove(key)?;
        self.carried_flows.give_back(key.device, 1);
        let goes_on = goes_on(last, &streams);
        if goes_on && !is_turned(local_is_low) {
            return Some((last, Some(state)));
        }
        self.observer.abandon_flow(key.device, state);
        goes_on.then_some((last, None))
    }

    /// A packet for an older window may close the silence before the same flow's packets in a newer one.
    fn join_newer(&mut self, position: usize, key: &FlowKey, time: Timestamp) {
        let hash = self.hasher.hash_one(*key);
        let Some(idle_ns) = self.options.ending.idle_ns(key.tuple.protocol()) else { return };
        let older = self.windows.get(position).and_then(|window| window.table.get(hash, key));
        let is_open = older.is_some_and(OpenFlow::is_open);
        let newer = self.windows.iter().skip(position + 1).find_map(|window| window.table.get(hash, key));
        if let Some(newer) = newer
            && is_open
            && newer.first.nanos_since(time) <= idle_ns
        {
            self.observer.active(key.device, &key.tuple, time, newer.first);
        }
    }

    fn close_oldest(&mut self, at: Timestamp) {
        let Some(mut window) = self.windows.pop_front() else { return };
        let ending = self.options.ending;
        let goes_on = |key: &FlowKey, last: Timestamp| {
            let idle_ns = ending.idle_ns(key.tuple.protocol());
            idle_ns.is_some_and(|idle_ns| window.end.nanos_since(last) <= idle_ns)
        };
        self.abandon_carried(|key, last| !goes_on(key, last));
        for (hash, mut flow) in window.table.drain() {
            let is_taken_up =
                self.windows.iter().any(|newer| newer.table.position(hash, &flow.key).is_some());
            if flow.is_open() && !is_taken_up && goes_on(&flow.key, flow.last) {
                let state = self.observer.continue_flow(&mut flow.state);
                let OpenFlow { last, local_is_low, streams, .. } = flow;
                self.carried.insert(flow.key, Carried { last, local_is_low, streams, state });
                self.carried_flows.take(flow.key.device, 1);
            }
            self.flows.give_back(flow.key.device, 1);
            self.observer.flow(self.devices.mark(flow.close(window.index, FlowEnd::Edge, at)));
        }
        self.make_room_for_carried();
        self.observer.window_closed(window.index);
        self.settling.insert(window.index);
        self.spare = Some(window.table);
        self.current = self.current.saturating_sub(1);
    }
}
