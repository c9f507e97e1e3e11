use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thingprint_flow::{
    DeviceId, FiveTuple, GatewayEvidence, GatewayPolicy, Gateways, Timestamp, WindowIndex, WindowLength,
};

use crate::Instance;
use crate::activity::Gap;
use crate::bursts::{Bursts, Joint};
use crate::evidence::EvidencePlan;
use crate::options::InstanceOptions;
use crate::part::{DevicePart, Part, PartId};
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
    /// Edges between parts that lie inside a window: flows over such an edge count twice.
    pub edges_inside_window: u64,
    /// Bursts of queries in progress over an edge.
    pub bursts_over_edge: u64,
}

impl Partial {
    /// Adds a part.
    pub fn insert(&mut self, part: Part) {
        self.parts.insert(part.id, part);
    }

    /// Adds the parts of another partial.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// The parts, in the order of their ids.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.values()
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

    /// The instances of the parts so far, without those of gateways.
    pub fn assemble(&self, options: &InstanceOptions, policy: &GatewayPolicy) -> Assembled {
        let mut parts: Vec<&Part> = self.parts.values().collect();
        parts.sort_by_key(|part| (part.start(), part.id));
        let mut assembled = Assembled::default();
        if options.flow.window == WindowLength::Capture {
            for part in parts {
                assembled.add(&[part], &policy.decide(&part.gateways), options);
            }
        } else {
            let gateways = policy.decide(&self.gateways());
            assembled.edges_inside_window = edges_inside(&parts, options.flow.window);
            assembled.add(&parts, &gateways, options);
            assembled.gateways = gateways;
        }
        assembled.instances.sort_by(|a, b| {
            (a.device, a.window_start, &a.capture).cmp(&(b.device, b.window_start, &b.capture))
        });
        assembled
    }
}

fn edges_inside(parts: &[&Part], window: WindowLength) -> u64 {
    let is_inside =
        |pair: &&[&Part]| matches!(pair, [a, b] if window.index_of(a.end()) >= window.index_of(b.start()));
    parts.windows(2).filter(is_inside).count() as u64
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
        let plan = EvidencePlan::of(options.evidence);
        for (id, shares) in devices {
            let mut join = Join { options, plan: &plan, windows: BTreeMap::new(), bursts_over_edge: 0 };
            join.run(&shares);
            self.bursts_over_edge += join.bursts_over_edge;
            for (index, tally) in &join.windows {
                if tally.counts().packets_up >= options.min_packets.max(1) {
                    self.instances.push(instance((id, *index), tally, shares[0].0, (&plan, options)));
                }
            }
        }
    }
}

fn instance(
    (device, index): (DeviceId, WindowIndex),
    tally: &WindowTally,
    part: &Part,
    (plan, options): (&EvidencePlan, &InstanceOptions),
) -> Instance {
    match options.flow.window {
        WindowLength::Span(span) => {
            tally.instance(device, (options.flow.window.start_of(index), span), plan, options)
        }
        WindowLength::Capture => {
            let length_ns = u64::try_from(part.end().nanos_since(part.start())).unwrap_or(0);
            let instance = tally.instance(device, (part.start(), length_ns), plan, options);
            Instance { capture: part.name.clone(), ..instance }
        }
    }
}

/// Joins one device's shares of consecutive parts.
struct Join<'a> {
    options: &'a InstanceOptions,
    plan: &'a EvidencePlan,
    windows: BTreeMap<WindowIndex, WindowTally>,
    bursts_over_edge: u64,
}

impl Join<'_> {
    fn run(&mut self, shares: &[(&Part, &DevicePart)]) {
        for (_, share) in shares {
            for (index, tally) in &share.windows {
                self.window(*index).merge(tally);
            }
        }
        self.join_gaps(shares);
        for nth in 0..self.plan.bursts().len() {
            self.join_bursts(shares, nth);
        }
    }

    /// The tally of a window, made when it is first asked for.
    fn window(&mut self, index: WindowIndex) -> &mut WindowTally {
        self.windows.entry(index).or_insert_with(|| WindowTally::new(self.plan))
    }

    /// The gaps of each part and those between parts, less what flows over the edges cover.
    fn join_gaps(&mut self, shares: &[(&Part, &DevicePart)]) {
        let mut gaps: Vec<Gap> = Vec::new();
        let mut last_active: Option<Timestamp> = None;
        for (_, share) in shares {
            let Some((first, last)) = share.active else { continue };
            gaps.extend(last_active.map(|before| (before, first)));
            gaps.extend(&share.open_gaps);
            last_active = last_active.max(Some(last));
        }
        let bridges = self.bridges(shares);
        for (start, end) in gaps {
            let is_covered = bridges.iter().any(|(from, to)| *from <= start && end <= *to);
            if !is_covered && start < end {
                let window = self.options.flow.window.index_of(end);
                let (options, plan) = (self.options, self.plan);
                self.window(window).evidence.gap((start, end), plan, options);
            }
        }
    }

    /// From the last packet of a flow in one part to its first packet in a later one, if it goes on.
    fn bridges(&self, shares: &[(&Part, &DevicePart)]) -> Vec<Gap> {
        let ending = self.options.flow.ending;
        let mut open: BTreeMap<FiveTuple, Timestamp> = BTreeMap::new();
        let mut bridges = Vec::new();
        for (_, share) in shares {
            for (tuple, first) in &share.first_packets {
                let Some(last) = open.remove(tuple) else { continue };
                if ending.idle_ns(tuple.protocol()).is_some_and(|idle_ns| first.nanos_since(last) <= idle_ns)
                {
                    bridges.push((last, *first));
                }
            }
            open.extend(share.last_packets.iter().copied());
        }
        bridges
    }

    /// The intervals between the last burst of a part and the first of the next, for the `nth` number of this sort.
    fn join_bursts(&mut self, shares: &[(&Part, &DevicePart)], nth: usize) {
        let mut joined = Bursts::default();
        for bursts in shares.iter().filter_map(|(_, share)| share.bursts.get(nth)) {
            let joint = joined.join(bursts, self.options.burst_gap_ns);
            self.bursts_over_edge += u64::from(joint == Joint::InProgress);
            let Joint::Interval(interval_ns, start) = joint else { continue };
            let window = self.options.flow.window.index_of(start);
            let (options, plan) = (self.options, self.plan);
            self.window(window).evidence.interval(nth, interval_ns, plan, options);
        }
    }
}
