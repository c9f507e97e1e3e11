use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use thingprint_flow::{DeviceId, DeviceIndex, Endpoint, FairCap, Flow, Timestamp};
use thingprint_protocol::{Engine, Heard, Sender};

use crate::coverage::{CoverageByProtocol, Judged, Judgement, covered_protocols};
use crate::past::Past;
use crate::policy::Judge;
use crate::rule::{MOST_SIGHTINGS, Rank, Sighting, Sightings};
use crate::{Audit, Coverage, DeviceAudit, Example, Finding, Policy, PortCounts, Rule, SeenSuite, SortedMap};

/// Judges the flows of devices by a policy.
///
/// What is kept grows with devices and with what they say differently, up to [`AuditLimits`], which devices share fairly. Of
/// each device that are the most severe sightings, and its own before those of its peers. Those beyond are counted in
/// [`DeviceAudit::dropped`].
///
/// What a peer says in a flow that it opened is no fault of a device that never answered, nor of one that refused: a
/// scanner can ask anything. Such a finding is as severe as [`Policy::unanswered`] says, a note if nothing else. What
/// the servers say that the device itself turned to is judged like its own words, since it goes on to use them; and
/// where it answers a bad request, its answer is judged by itself.
#[derive(Debug)]
pub struct Auditor {
    policy: Policy,
    /// The protocols that its rules are about, in order.
    covered: Vec<&'static str>,
    tallies: Tallies,
}

/// How many different sightings are kept at most, at least one; one takes some 250 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditLimits {
    /// Of one device by one rule; there are 356 cipher suites to offer.
    pub per_rule: usize,
    /// Of all devices by all rules; the devices with the most give up their least severe ones.
    pub all: usize,
}

impl Default for AuditLimits {
    fn default() -> Self {
        Self { per_rule: MOST_SIGHTINGS, all: 1 << 18 }
    }
}

/// What is known so far.
#[derive(Debug)]
struct Tallies {
    per_rule: usize,
    /// Sightings of devices.
    cap: FairCap,
    devices: BTreeMap<DeviceIndex, DeviceTally>,
}

/// What is known of a device so far.
#[derive(Debug, Default)]
struct DeviceTally {
    flows: u64,
    protocols: SortedMap<String, PortCounts>,
    coverage: CoverageByProtocol,
    judgement: Judgement,
    unrecognised: Coverage,
    /// In the order of the rules' places in [`Rule::all`]; a map would take more for the few that have anything to judge.
    rules: Vec<(usize, RuleTally)>,
    dropped: u64,
    past: Past,
}

/// What a rule saw of a device.
#[derive(Debug, Default)]
struct RuleTally {
    judged: u64,
    /// A node of the map has room for eleven, and most devices have one.
    seen: BTreeMap<Box<Sighting>, Box<SeenTally>>,
    /// The most important sighting that was left out; of those up to it, flows may be missing.
    dropped_up_to: Option<Rank>,
}

#[derive(Clone, Debug)]
struct SeenTally {
    flows: u64,
    first: Example,
}

impl Auditor {
    /// An auditor that has seen nothing.
    pub fn new(policy: Policy) -> Self {
        Self::with_limits(policy, AuditLimits::default())
    }

    /// An auditor that has seen nothing, and keeps as much as that.
    pub fn with_limits(policy: Policy, limits: AuditLimits) -> Self {
        let AuditLimits { per_rule, all } = limits;
        let cap = FairCap::new(all.max(1));
        let tallies = Tallies { per_rule: per_rule.max(1), cap, devices: BTreeMap::new() };
        Self { covered: covered_protocols(&policy), policy, tallies }
    }

    /// The policy that it judges by.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A device is established when somebody answered it: floods of made-up addresses take nothing of it.
    pub fn establish(&mut self, device: DeviceIndex) {
        self.tallies.cap.establish(device);
    }

    /// Forgets a device whose index is given to another; returns how many sightings of it were left out.
    pub fn forget(&mut self, device: DeviceIndex) -> u64 {
        self.tallies.cap.forget(device);
        self.tallies.devices.remove(&device).map_or(0, |tally| tally.dropped)
    }

    /// Judges a flow; `engine` is the one that found its messages.
    pub fn flow(&mut self, engine: &Engine, flow: &Flow<Heard>) {
        let device = self.tallies.devices.entry(flow.device).or_default();
        device.flows += 1;
        let services = flow.state.services(engine);
        device.count_protocols(&services, flow.state.standard_port == Some(true));
        let mut past = std::mem::take(&mut device.past);
        let judged = self.judge(flow, &services, &mut past);
        let Some(device) = self.tallies.devices.get_mut(&flow.device) else { return };
        device.past = past;
        let mut covered = (0, 0);
        for protocol in self.covered.iter().filter(|protocol| services.contains(*protocol)) {
            let is_judged = judged.iter().any(|rule| rule.protocols.contains(protocol));
            device.coverage.update(*protocol, |coverage| coverage.count(flow, is_judged));
            covered = (covered.0 + 1, covered.1 + usize::from(is_judged));
        }
        let is_recognised = !services.is_empty();
        if !is_recognised {
            device.unrecognised.count(flow, false);
        }
        let is_partly_read = flow.state.is_partly_read;
        device.judgement.count(&Judged { is_recognised, is_partly_read, covered });
    }

    /// Shows a flow to every rule that looks at such; gives those that had anything to judge.
    fn judge(&mut self, flow: &Flow<Heard>, services: &[&str], past: &mut Past) -> Vec<&'static Rule> {
        let mut judged = Vec::new();
        for (at, (rule, judge)) in Rule::all().iter().zip(self.policy.judges()).enumerate() {
            let Some(judge) = judge.as_ref().filter(|_| rule.may_judge(flow)) else { continue };
            let mut sightings = Sightings::new(&judge.scale, services, past);
            (rule.observe)(flow, &mut sightings);
            if sightings.has_judged {
                judged.push(rule);
                self.tallies.note(at, flow, self.policy.excuse(flow, sightings));
            }
        }
        judged
    }

    /// What there is to say in the end; `devices` are those of the tracker, by their index.
    pub fn finish(self, devices: &[DeviceId], labels: &BTreeMap<DeviceId, String>) -> Audit {
        let Self { policy, tallies, .. } = self;
        let of = |(index, tally): (DeviceIndex, DeviceTally)| {
            let device = *devices.get(index.as_usize())?;
            Some(tally.finish(&policy, (device, labels.get(&device).cloned())))
        };
        let mut devices: Vec<DeviceAudit> = tallies.devices.into_iter().filter_map(of).collect();
        devices.sort_by_key(|audit| audit.device);
        Audit { policy: policy.name().to_owned(), policy_date: policy.date().to_owned(), devices }
    }
}

impl Tallies {
    /// Counts what a rule saw in a flow.
    fn note(&mut self, rule: usize, flow: &Flow<Heard>, sightings: Sightings<'_>) {
        let Self { per_rule, cap, devices } = self;
        let device = devices.entry(flow.device).or_default();
        device.dropped += sightings.dropped;
        let DeviceTally { rules, dropped, .. } = device;
        let Some(tally) = tally_of(rules, rule) else { return };
        tally.judged += 1;
        tally.dropped_up_to = tally.dropped_up_to.max(sightings.dropped_up_to);
        let before = tally.seen.len();
        for (sighting, time) in sightings.found {
            *dropped += tally.note(sighting, (time, flow), *per_rule);
        }
        if cap.take(flow.device, tally.seen.len() - before) {
            self.make_room();
        }
    }

    /// The devices with the most sightings give up their least important ones.
    fn make_room(&mut self) {
        for (index, excess) in self.cap.excess() {
            if let Some(device) = self.devices.get_mut(&index) {
                (0..excess).for_each(|_| device.give_up());
                self.cap.give_back(index, excess);
            }
        }
    }
}

impl DeviceTally {
    /// Gives up the least important sighting.
    fn give_up(&mut self) {
        let rank = |tally: &RuleTally| tally.seen.first_key_value().map(|(least, _)| least.rank());
        let tallies = self.rules.iter_mut().map(|(_, tally)| tally);
        let least = tallies.filter(|tally| !tally.seen.is_empty()).min_by_key(|tally| rank(tally));
        self.dropped += least.map_or(0, RuleTally::give_up);
    }

    fn count_protocols(&mut self, services: &[&str], is_standard_port: bool) {
        for name in services {
            let more = if is_standard_port {
                PortCounts { standard: 1, other: 0 }
            } else {
                PortCounts { standard: 0, other: 1 }
            };
            if let Some(counts) = self.protocols.get_mut(*name) {
                counts.standard += more.standard;
                counts.other += more.other;
            } else {
                self.protocols.insert((*name).to_owned(), more);
            }
        }
    }

    fn finish(self, policy: &Policy, (device, label): (DeviceId, Option<String>)) -> DeviceAudit {
        let (mut judged, mut findings) = (SortedMap::new(), Vec::new());
        for (at, tally) in self.rules {
            let Some((rule, Some(judge))) = Rule::all().get(at).zip(policy.judges().get(at)) else {
                continue;
            };
            judged.insert(rule.id, tally.judged);
            findings.extend(tally.findings(rule, judge));
        }
        // It grew to have room for four at least, and most devices have one.
        findings.shrink_to_fit();
        let Self { flows, protocols, coverage, judgement, unrecognised, dropped, .. } = self;
        DeviceAudit {
            device,
            label,
            gateway: None,
            flows,
            protocols,
            coverage,
            judgement,
            unrecognised,
            judged,
            findings,
            dropped,
        }
    }
}

impl RuleTally {
    /// Counts what was seen in a flow at a time; returns how many sightings are left out for it.
    fn note(&mut self, sighting: Sighting, (time, flow): (Timestamp, &Flow<Heard>), most: usize) -> u64 {
        if let Some(known) = self.seen.get_mut(&sighting) {
            known.flows += 1;
            if time < known.first.time {
                known.first = example(flow, time);
            }
            return 0;
        }
        let mut left_out = 0;
        if self.seen.len() >= most {
            let least = self.seen.first_key_value().map(|(least, _)| least.rank());
            if least >= Some(sighting.rank()) {
                self.dropped_up_to = self.dropped_up_to.max(Some(sighting.rank()));
                return 1;
            }
            left_out = self.give_up();
        }
        self.seen.insert(Box::new(sighting), Box::new(SeenTally { flows: 1, first: example(flow, time) }));
        left_out
    }

    /// Gives up the least important sighting; returns how often it was seen.
    fn give_up(&mut self) -> u64 {
        let Some((least, tally)) = self.seen.pop_first() else { return 0 };
        self.dropped_up_to = self.dropped_up_to.max(Some(least.rank()));
        tally.flows
    }

    /// The most severe and most frequent first.
    fn findings(self, rule: &'static Rule, judge: &Judge) -> Vec<Finding> {
        let total = self.judged;
        let finding = |(sighting, tally): (Box<Sighting>, Box<SeenTally>)| Finding {
            rule: rule.id,
            severity: sighting.severity,
            by: if sighting.is_by_device { Sender::Device } else { Sender::Peer },
            flows: tally.flows,
            is_lower_bound: self.dropped_up_to >= Some(sighting.rank()),
            total,
            seen: sighting.seen.text.to_string(),
            suite: sighting.seen.suite.map(SeenSuite::of),
            expected: judge.scale.expected().to_owned(),
            reference: judge.references(sighting.ruling).join("; "),
            operator: rule.operator,
            remediation: rule.remediation,
            example: tally.first,
        };
        let mut findings: Vec<Finding> = self.seen.into_iter().map(finding).collect();
        // Stable: the rest stays in the order of the values.
        findings
            .sort_by_key(|finding| (Reverse((finding.severity, finding.flows)), finding.by == Sender::Peer));
        findings
    }
}

/// The tally of a rule, which is begun where there is none.
fn tally_of(rules: &mut Vec<(usize, RuleTally)>, rule: usize) -> Option<&mut RuleTally> {
    let at = match rules.binary_search_by_key(&rule, |(of, _)| *of) {
        Ok(at) => at,
        Err(at) => {
            rules.insert(at, (rule, RuleTally::default()));
            at
        }
    };
    rules.get_mut(at).map(|(_, tally)| tally)
}

fn example(flow: &Flow<Heard>, time: Timestamp) -> Example {
    let (client, server) = flow.client_server();
    let socket = |end: Endpoint| SocketAddr::new(end.addr, end.port);
    Example {
        time,
        protocol: flow.tuple.protocol(),
        client: socket(client),
        server: socket(server),
        capture: None,
    }
}
