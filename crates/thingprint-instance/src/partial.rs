use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use thingprint_flow::{
    DeviceId, DeviceLosses, FlowJoiner, GatewayEvidence, GatewayPolicy, Gateways, JoinedFlows, SettledEdges,
    TimeEdges, Timestamp, WindowIndex, WindowLength,
};

use crate::Instance;
use crate::activity::Activity;
use crate::bursts::Bursts;
use crate::evidence::{EvidencePlan, Room, WordBudget};
use crate::instance_observer::WORDS;
use crate::options::InstanceOptions;
use crate::part::{DevicePart, Part, PartId};
use crate::part_observer::EDGE_FLOWS;
use crate::share::Share;
use crate::tally::WindowTally;

/// The parts of a trace that were processed so far.
///
/// Merging is a union by [`PartId`], so it is associative and commutative, and a part that comes twice changes
/// nothing; sums are formed when instances are asked for, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    parts: BTreeMap<PartId, Part>,
}

/// Instances, and what was not sure about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assembled {
    /// The instances, ordered by device and window.
    pub instances: Vec<Instance>,
    /// The gateways, which are not devices; where windows are whole captures, each capture has its own.
    pub gateways: Gateways,
    /// What differs from one reading, or may.
    pub differences: EdgeCounts,
    /// What caps left out, by device: what the parts lack, and words of bags.
    pub left_out: DeviceLosses,
    /// The first and the last time at which each device was seen, in all parts.
    pub seen: BTreeMap<DeviceId, (Timestamp, Timestamp)>,
    /// Devices that several taps saw in one window at the same time, ordered by device and window.
    pub shared: Vec<SharedWindow>,
}

/// A window in which several taps saw a device at the same time: what both saw counts twice in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedWindow {
    /// The device.
    pub device: DeviceId,
    /// Start of the window.
    pub window_start: Timestamp,
    /// The taps, in order.
    pub taps: Vec<String>,
    /// Flows that may count twice: all but those of the tap that saw most.
    pub flows: u64,
}

/// What was in progress at the edges between parts and could not be joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeCounts {
    /// Messages that were not complete at the end of a part, in flows that go on in a later one.
    pub messages: u64,
    /// Datagrams that waited for fragments at the end of a part.
    pub datagrams: u64,
    /// Flows of which a part kept less than their joining needs.
    pub flows: u64,
    /// Parts that begin before the end of the part before them: captures of several places, or out of order.
    pub overlaps: u64,
}

impl Partial {
    /// Adds a part.
    pub fn insert(&mut self, part: Part) {
        match self.parts.get(&part.id) {
            // The same captures under another name.
            Some(known) if known.place() <= part.place() => {}
            _ => _ = self.parts.insert(part.id, part),
        }
    }

    /// Adds the parts of another partial.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        other.parts.into_values().for_each(|part| self.insert(part));
        self
    }

    /// Keeps the devices of a share alone. What bears on gateways and on times is that of all devices; what is counted for
    /// all of them together stays in the first share.
    pub fn keep_share(&mut self, share: Share) {
        self.parts.values_mut().for_each(|part| part.keep_share(share));
    }

    /// The parts, in the order of their ids.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.values()
    }

    /// Leaves out the parts that this refuses.
    pub fn retain(&mut self, mut keeps: impl FnMut(&Part) -> bool) {
        self.parts.retain(|_, part| keeps(part));
    }

    /// Number of parts.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is no part.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// What bears on which addresses are gateways.
    pub fn gateways(&self) -> GatewayEvidence {
        let mut evidence = GatewayEvidence::default();
        self.parts.values().for_each(|part| evidence.merge(&part.gateways));
        evidence
    }

    /// Decides about the frames at the edges of the parts, in the order of the trace. Those that are believed become parts
    /// of their own ([`Part::of_edge`]), which have to be added before instances are made.
    pub fn settle_edges(&self) -> SettledEdges {
        TimeEdges::settle(self.in_order().into_iter().map(Part::times))
    }

    fn in_order(&self) -> Vec<&Part> {
        let mut parts: Vec<&Part> = self.parts.values().collect();
        parts.sort_by_key(|part| part.place());
        parts
    }

    /// The instances of the parts so far, without those of gateways.
    pub fn assemble(&self, options: &InstanceOptions, policy: &GatewayPolicy) -> Assembled {
        let parts = self.in_order();
        let mut assembled = Assembled { left_out: left_out(&parts), ..Assembled::default() };
        if options.flow.window == WindowLength::Capture {
            for part in parts {
                assembled.add(&[part], &policy.decide(&part.gateways), options);
            }
        } else {
            let gateways = policy.decide(&self.gateways());
            assembled.differences = EdgeCounts::between(&parts, options);
            assembled.add(&parts, &gateways, options);
            assembled.gateways = gateways;
        }
        assembled.instances.sort_by(|a, b| {
            (a.device, a.window_start, &a.capture).cmp(&(b.device, b.window_start, &b.capture))
        });
        assembled
    }
}

/// What the parts of a trace lack, in their order; nothing comes before the first, which its flows could be joined with.
fn left_out(parts: &[&Part]) -> DeviceLosses {
    let mut all = DeviceLosses::default();
    for (number, part) in parts.iter().enumerate() {
        let of_part = part.left_out.clone();
        all.merge(if number == 0 { of_part.without(&EDGE_FLOWS) } else { of_part });
    }
    all
}

impl EdgeCounts {
    /// What the parts of a trace show by themselves, in their order.
    fn between(parts: &[&Part], options: &InstanceOptions) -> Self {
        let mut counts = Self::default();
        let mut end: Option<Timestamp> = None;
        for part in parts.iter().filter(|part| part.is_begun() && !part.is_edge) {
            let is_late = |end: Timestamp| part.start() < end.plus_nanos(-options.flow.lateness_ns);
            counts.overlaps += u64::from(end.is_some_and(is_late));
            end = end.max(Some(part.end()));
        }
        let followed = parts.split_last().map_or(&[][..], |(_, before)| before);
        counts.datagrams = followed.iter().map(|part| part.datagrams_cut).sum();
        counts
    }
}

impl Assembled {
    fn add(&mut self, parts: &[&Part], gateways: &Gateways, options: &InstanceOptions) {
        let mut devices: BTreeMap<DeviceId, Vec<(&Part, &DevicePart)>> = BTreeMap::new();
        for part in parts {
            for (id, device) in &part.devices {
                let is_gateway = matches!(id, DeviceId::Mac(mac) if gateways.contains(*mac));
                if !is_gateway {
                    devices.entry(*id).or_default().push((part, device));
                }
            }
        }
        let plan = EvidencePlan::of(options.clone());
        for (id, shares) in devices {
            let shares = in_order_of_time(shares);
            let spans = shares.iter().filter_map(|(_, share)| share.active);
            if let Some((first, last)) = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) {
                self.seen.insert(id, (first, last));
            }
            self.shared.extend(shared_windows(id, &shares, options.flow.window));
            let mut join = Join::new(&plan);
            let joined = join.run(&shares);
            self.differences.messages += joined.messages_cut;
            self.differences.flows += joined.uncertain;
            for (index, tally) in join.windows {
                self.left_out.add(id, WORDS, tally.evidence.words_dropped);
                if tally.counts().packets_up >= options.min_packets.max(1) {
                    self.instances.push(instance((id, index), tally, shares[0].0, &plan));
                }
            }
        }
    }
}

fn instance(
    (device, index): (DeviceId, WindowIndex),
    tally: WindowTally,
    part: &Part,
    plan: &EvidencePlan,
) -> Instance {
    let window = plan.options().flow.window;
    match window {
        WindowLength::Span(span) => tally.into_instance(device, (window.start_of(index), span), plan),
        WindowLength::Capture => {
            let length_ns = u64::try_from(part.end().nanos_since(part.start())).unwrap_or(0);
            let instance = tally.into_instance(device, (part.start(), length_ns), plan);
            Instance { capture: part.name.clone(), ..instance }
        }
    }
}

/// A device's shares of parts: those of one tap in the order of its parts, those of several in the order in which they saw
/// the device.
fn in_order_of_time<'a>(shares: Vec<(&'a Part, &'a DevicePart)>) -> Vec<(&'a Part, &'a DevicePart)> {
    let mut by_tap: BTreeMap<Option<&str>, VecDeque<(&Part, &DevicePart)>> = BTreeMap::new();
    for share in shares {
        by_tap.entry(share.0.tap()).or_default().push_back(share);
    }
    let mut ordered = Vec::new();
    let first_of =
        |queue: &VecDeque<(&'a Part, &'a DevicePart)>| queue.front().map(|share| first_time(*share));
    while let Some((_, queue)) = by_tap
        .iter_mut()
        .filter(|(_, queue)| !queue.is_empty())
        .min_by_key(|(tap, queue)| (first_of(queue), **tap))
    {
        ordered.extend(queue.pop_front());
    }
    ordered
}

/// When a part saw a device first.
fn first_time((part, share): (&Part, &DevicePart)) -> Timestamp {
    share.active.map_or(part.start(), |(first, _)| first)
}

/// The windows in which taps saw a device at the same time.
fn shared_windows(
    device: DeviceId,
    shares: &[(&Part, &DevicePart)],
    window: WindowLength,
) -> Vec<SharedWindow> {
    let mut windows: BTreeMap<WindowIndex, BTreeMap<&str, u64>> = BTreeMap::new();
    for (at, (part, share)) in shares.iter().enumerate() {
        let others = shares.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, share)| share);
        let others = others.filter(|(other, _)| other.tap != part.tap);
        let overlaps: Vec<_> =
            others.filter_map(|(_, other)| overlap(share.active?, other.active?)).collect();
        for (index, tally) in &share.windows {
            let span = (window.start_of(*index), window.end_of(*index));
            if overlaps.iter().any(|both| overlap(*both, span).is_some()) {
                *windows.entry(*index).or_default().entry(part.tap().unwrap_or_default()).or_default() +=
                    tally.counts().flows;
            }
        }
    }
    let several = windows.into_iter().filter(|(_, taps)| taps.len() > 1);
    several
        .map(|(index, taps)| SharedWindow {
            device,
            window_start: window.start_of(index),
            flows: taps.values().sum::<u64>() - taps.values().max().copied().unwrap_or(0),
            taps: taps.into_keys().map(str::to_owned).collect(),
        })
        .collect()
}

/// The time that two spans have in common.
fn overlap(a: (Timestamp, Timestamp), b: (Timestamp, Timestamp)) -> Option<(Timestamp, Timestamp)> {
    let both = (a.0.max(b.0), a.1.min(b.1));
    (both.0 <= both.1).then_some(both)
}

/// Joins one device's shares of consecutive parts.
struct Join<'a> {
    plan: &'a EvidencePlan,
    windows: BTreeMap<WindowIndex, WindowTally>,
}

impl<'a> Join<'a> {
    fn new(plan: &'a EvidencePlan) -> Self {
        Self { plan, windows: BTreeMap::new() }
    }

    fn run(&mut self, shares: &[(&Part, &DevicePart)]) -> JoinedFlows {
        for (_, share) in shares {
            for (index, tally) in &share.windows {
                self.window(*index, |window, room| window.merge(tally, room));
            }
        }
        let joined = self.join_flows(shares);
        self.join_gaps(shares, &joined);
        for nth in 0..self.plan.bursts(&Bursts::default()).len() {
            self.join_bursts(shares, nth);
        }
        joined
    }

    /// Adds to the tally of a window, which is made when it is first asked for, in the room that is left for its words.
    fn window(&mut self, index: WindowIndex, add: impl FnOnce(&mut WindowTally, &mut Room)) {
        let window = self.windows.entry(index).or_insert_with(|| WindowTally::new(self.plan));
        let mut room = WordBudget::of(self.plan.options()).room(window.evidence.word_bytes());
        add(window, &mut room);
        window.evidence.words_dropped += room.dropped();
    }

    /// The flows near the ends of parts, as one reading has them.
    fn join_flows(&mut self, shares: &[(&Part, &DevicePart)]) -> JoinedFlows {
        let mut edges = FlowJoiner::new(&self.plan.options().flow);
        for (_, share) in shares {
            edges.join(&share.flows);
        }
        let joined = edges.finish();
        let plan = self.plan;
        for flow in &joined.flows {
            self.window(flow.window, |window, room| window.flow(flow, plan, room));
        }
        joined
    }

    /// The gaps that wait and those between parts, less what the joined flows cover.
    fn join_gaps(&mut self, shares: &[(&Part, &DevicePart)], joined: &JoinedFlows) {
        let mut activity = Activity::new(self.plan.options().min_gap_ns);
        for (_, share) in shares {
            if let Some(span) = share.active {
                activity.extend_around(span, &share.open_gaps);
            }
        }
        joined.spans.iter().for_each(|(from, to)| activity.extend(*from, *to));
        let plan = self.plan;
        for gap in activity.settle(Timestamp::MAX, Timestamp::MAX) {
            let index = plan.options().flow.window.index_of(gap.1);
            self.window(index, |window, _| window.evidence.gap(gap, plan));
        }
    }

    /// The intervals that wait between bursts, for the `nth` number of this sort.
    fn join_bursts(&mut self, shares: &[(&Part, &DevicePart)], nth: usize) {
        let mut joined = Bursts::default();
        let (options, plan) = (self.plan.options(), self.plan);
        for bursts in shares.iter().filter_map(|(_, share)| share.bursts.get(nth)) {
            for (interval_ns, start) in joined.join(bursts, options.burst_gap_ns) {
                let window = options.flow.window.index_of(start);
                self.window(window, |window, _| window.evidence.interval(nth, interval_ns, plan));
            }
        }
    }
}
