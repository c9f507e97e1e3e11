use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{
    DeviceIndex, Finished, FiveTuple, Flow, Observer, Sighting, Timestamp, TrackCounts, Tracker, WindowIndex,
};
use thingprint_protocol::{Budget, Engine, Inspection, Interest, Losses, Message, Protocol, Sender};

use crate::activity::{Activity, Gap};
use crate::bursts::Bursts;
use crate::lookup::is_lookup;
use crate::options::{InstanceOptions, NameSource};
use crate::part::{DevicePart, Part, PartId};
use crate::tally::WindowTally;

/// The messages that instances are made of.
const INTEREST: Interest = Interest::NONE
    .and(Protocol::Dns, Sender::Device)
    .and(Protocol::Ntp, Sender::Device)
    .and(Protocol::Tls, Sender::Device);
/// After everything.
const FOREVER: Timestamp = Timestamp::from_nanos(i64::MAX);

/// Gathers what instances are made of, packet by packet.
#[derive(Debug)]
pub struct Builder {
    tracker: Tracker<Gatherer>,
}

impl Builder {
    /// A builder that has seen nothing; `engine` finds the messages.
    pub fn new(options: InstanceOptions, engine: &Engine) -> Self {
        let flow = options.flow.clone();
        Self { tracker: Tracker::new(flow, Gatherer::new(options, engine)) }
    }

    /// Takes the next frame of the trace.
    #[inline]
    pub fn push(&mut self, packet: &thingprint_flow::Packet<'_>) {
        self.tracker.push(packet);
    }

    /// Ends the part; `name` is the capture's, where windows are whole captures. `None` when there was no frame.
    pub fn finish(self, id: PartId, name: Option<String>) -> (Option<Part>, BuildCounts) {
        let Finished { mut observer, devices, votes, open_flows, span, counts } = self.tracker.finish();
        let counts = BuildCounts {
            track: counts,
            losses: observer.budget.losses(),
            words_dropped: observer.words_dropped(),
            heads_dropped: observer.heads_dropped,
        };
        let Some((start, end)) = span else { return (None, counts) };
        let mut last_packets: BTreeMap<DeviceIndex, Vec<(FiveTuple, Timestamp)>> = BTreeMap::new();
        for (device, tuple, last) in open_flows {
            last_packets.entry(device).or_default().push((tuple, last));
        }
        let mut parts: Vec<_> = observer.take_devices();
        for (device, flows) in last_packets {
            if let Some(part) = parts.get_mut(device.as_usize()) {
                part.last_packets = flows;
            }
        }
        let mut devices: Vec<_> = devices.into_iter().zip(parts).collect();
        devices.sort_unstable_by_key(|(id, _)| *id);
        (Some(Part { id, name, start, end, votes, devices }), counts)
    }
}

/// What was dropped while building, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuildCounts {
    /// Counted by the flow table.
    pub track: TrackCounts,
    /// Counted by the protocol engine.
    pub losses: Losses,
    /// Words beyond the most that one bag holds.
    pub words_dropped: u64,
    /// Flows at the start of a part that are not remembered, for want of room, in case an earlier part has their
    /// beginning.
    pub heads_dropped: u64,
}

#[derive(Debug)]
struct Gatherer {
    options: InstanceOptions,
    engine: Engine,
    budget: Budget,
    devices: Vec<DeviceState>,
    // Devices with gaps that are not settled.
    restless: BTreeSet<DeviceIndex>,
    // Before this time a flow of an earlier part may still go on.
    head_end: Option<Timestamp>,
    // Flows remembered because they may, over all devices, and those for which there was no room.
    head_flows: usize,
    heads_dropped: u64,
}

#[derive(Debug)]
struct DeviceState {
    windows: BTreeMap<WindowIndex, Box<WindowTally>>,
    activity: Activity,
    is_restless: bool,
    head_gaps: Vec<Gap>,
    first_packets: BTreeMap<FiveTuple, Timestamp>,
    dns: Bursts,
    ntp: Bursts,
}

impl Gatherer {
    fn new(options: InstanceOptions, engine: &Engine) -> Self {
        Self {
            options,
            engine: engine.only(INTEREST),
            budget: engine.budget(),
            devices: Vec::new(),
            restless: BTreeSet::new(),
            head_end: None,
            head_flows: 0,
            heads_dropped: 0,
        }
    }

    fn words_dropped(&self) -> u64 {
        self.devices.iter().flat_map(|device| device.windows.values()).map(|tally| tally.words_dropped).sum()
    }

    fn take_devices(&mut self) -> Vec<DevicePart> {
        self.devices.drain(..).map(DeviceState::finish).collect()
    }
}

/// The state of a device, made when it is first asked for.
fn device_state<'a>(
    devices: &'a mut Vec<DeviceState>,
    device: DeviceIndex,
    options: &InstanceOptions,
) -> &'a mut DeviceState {
    let at = device.as_usize();
    while devices.len() <= at {
        devices.push(DeviceState::new(options));
    }
    &mut devices[at]
}

impl Observer for Gatherer {
    type State = Inspection;

    #[inline]
    fn packet(&mut self, sighting: &Sighting<'_, '_>, state: &mut Inspection) {
        let sender = if sighting.is_sent { Sender::Device } else { Sender::Peer };
        let Self { options, engine, budget, devices, .. } = self;
        engine.inspect(sighting.ip, sender, state, budget, &mut |message| {
            if sighting.is_sent {
                device_state(devices, sighting.device, options).message(sighting, &message, options);
            }
        });
    }

    #[inline]
    fn active(&mut self, device: DeviceIndex, tuple: &FiveTuple, from: Timestamp, to: Timestamp) {
        let idle_ns = self.options.flow.ending.longest_idle_ns();
        let head_end = *self.head_end.get_or_insert(from.plus_nanos(idle_ns));
        let state = device_state(&mut self.devices, device, &self.options);
        state.activity.extend(from, to);
        if state.activity.has_gaps() && !state.is_restless {
            state.is_restless = true;
            self.restless.insert(device);
        }
        if from == to && from <= head_end && idle_ns > 0 && !state.first_packets.contains_key(tuple) {
            if self.head_flows < self.options.flow.max_flows {
                self.head_flows += 1;
                state.first_packets.insert(*tuple, from);
            } else {
                self.heads_dropped += 1;
            }
        }
    }

    fn flow(&mut self, mut flow: Flow<Inspection>) {
        flow.state.close(&mut self.budget);
        device_state(&mut self.devices, flow.device, &self.options)
            .windows
            .entry(flow.window)
            .or_default()
            .flow(&flow, &self.options);
    }

    fn go_on(&mut self, state: &mut Inspection) -> Inspection {
        state.go_on()
    }

    fn ended(&mut self, mut state: Inspection) {
        state.close(&mut self.budget);
    }

    fn window_closed(&mut self, window: WindowIndex) {
        let Some(head_end) = self.head_end else { return };
        let flow = &self.options.flow;
        let horizon = flow.window.end_of(window).plus_nanos(-flow.ending.longest_idle_ns());
        let end = flow.window.end_of(window);
        self.restless.retain(|device| {
            let Some(state) = self.devices.get_mut(device.as_usize()) else { return false };
            state.settle((horizon, end), head_end, &self.options);
            state.activity.has_gaps()
        });
    }
}

impl DeviceState {
    fn new(options: &InstanceOptions) -> Self {
        Self {
            windows: BTreeMap::new(),
            activity: Activity::new(options.min_gap_ns),
            is_restless: false,
            head_gaps: Vec::new(),
            first_packets: BTreeMap::new(),
            dns: Bursts::default(),
            ntp: Bursts::default(),
        }
    }

    fn message(&mut self, sighting: &Sighting<'_, '_>, message: &Message, options: &InstanceOptions) {
        let max_words = options.max_words;
        match message {
            Message::Dns(dns) if is_lookup(dns, sighting) => {
                let interval_ns = self.dns.query(sighting.time, options.burst_gap_ns);
                let tally = self.windows.entry(sighting.window).or_default();
                if let Some(interval_ns) = interval_ns.filter(|ns| *ns <= options.max_gap_ns) {
                    tally.dns_ns.add(interval_ns);
                }
                if options.names.contains(&NameSource::Dns) {
                    for question in &dns.questions {
                        tally.domain(&question.name, max_words);
                    }
                }
            }
            Message::Ntp(ntp) if ntp.is_request() => {
                let interval_ns = self.ntp.query(sighting.time, options.burst_gap_ns);
                if let Some(interval_ns) = interval_ns.filter(|ns| *ns <= options.max_gap_ns) {
                    self.windows.entry(sighting.window).or_default().ntp_ns.add(interval_ns);
                }
            }
            Message::ClientHello(hello) => {
                let tally = self.windows.entry(sighting.window).or_default();
                tally.cipher_suites(&hello.cipher_suites_word(), max_words);
                if let Some(name) =
                    hello.server_name.as_ref().filter(|_| options.names.contains(&NameSource::Sni))
                {
                    tally.domain(name, max_words);
                }
            }
            _ => {}
        }
    }

    /// Sums up the gaps that begin before `horizon` and end by the end of the closed window: no flow can cover them
    /// any more, unless it came from an earlier part, and no packet can fall into them.
    fn settle(
        &mut self,
        (horizon, closed): (Timestamp, Timestamp),
        head_end: Timestamp,
        options: &InstanceOptions,
    ) {
        for (start, end) in self.activity.settle(horizon, closed) {
            if start < head_end && options.flow.ending.longest_idle_ns() > 0 {
                self.head_gaps.push((start, end));
            } else {
                let window = options.flow.window.index_of(end);
                add_sleep(self.windows.entry(window).or_default(), (start, end), options);
            }
        }
        self.is_restless = self.activity.has_gaps();
    }

    fn finish(mut self) -> DevicePart {
        let mut open_gaps = self.head_gaps;
        open_gaps.extend(self.activity.settle(FOREVER, FOREVER));
        DevicePart {
            windows: self.windows,
            active: self.activity.span(),
            open_gaps,
            first_packets: self.first_packets.into_iter().collect(),
            last_packets: Vec::new(),
            dns: self.dns,
            ntp: self.ntp,
        }
    }
}

/// Counts a gap as sleep of the window in which activity resumes.
pub(crate) fn add_sleep(tally: &mut WindowTally, (start, end): Gap, options: &InstanceOptions) {
    let gap_ns = u64::try_from(end.nanos_since(start)).unwrap_or(0);
    if gap_ns >= options.min_gap_ns && gap_ns <= options.max_gap_ns {
        tally.sleep_ns.add(gap_ns);
    }
}
