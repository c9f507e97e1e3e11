use std::collections::BTreeSet;
use std::fmt;

use thingprint_flow::DeviceIndex;

use super::contact::{Contact, ContactTally, Place};
use super::controllers::{Controllers, Membership};
use super::index::{EntryIndex, Placed};
use super::judge::{Hit, Miss, Scene};
use super::names::{NameDoubt, NameEvidence, Names};
use super::port::PortSpan;
use super::profile::{Action, Direction, Entry, MudProfile};

/// What a check of a device's traffic against a profile found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Flows that were checked.
    pub flows: u64,
    /// Flows of which some packets are not allowed.
    pub denied_flows: u64,
    /// Flows that are allowed only by a name which nothing but their client tells: the evidence is a
    /// [claim](NameEvidence::is_claim), and a device that lies passes by it.
    pub claimed_flows: u64,
    /// What is not allowed, in the order of contacts.
    pub denied: Vec<Denied>,
    /// Every entry of the profile with its use, in the order of the file.
    pub entries: Vec<EntryUse>,
    /// Flows to name and time servers that no entry speaks of, and that a network allows each device by default.
    pub implied_flows: u64,
    /// Flows that were not remembered, and so not checked.
    pub dropped_flows: u64,
}

/// Traffic that a profile does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Whom the device talked to.
    pub contact: Contact,
    /// All flows of the contact.
    pub tally: ContactTally,
    /// Those that are not allowed: fewer than all where an entry asks for ports of the client.
    pub flows: u64,
    /// Names of the peer by which it would have been allowed.
    pub names: Vec<String>,
    /// Which half of the flows is not allowed.
    pub direction: Direction,
    /// Why.
    pub reason: DenyReason,
    /// Why the peer is not known by a name, where the profile allows peers by name and none fits this one.
    pub doubt: Option<NameDoubt>,
}

/// Why a profile does not allow something; worded to follow "not allowed: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// An entry matches that throws it away.
    Refused {
        /// The entry, as `list/entry`.
        entry: String,
    },
    /// No entry matches.
    NoEntry {
        /// What the nearest entry misses.
        miss: Miss,
        /// That entry, as `list/entry`; `None` where the policy has none.
        nearest: Option<String>,
    },
}

/// An entry of a profile, and what it was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryUse {
    /// The policy that it stands in.
    pub direction: Direction,
    /// Name of its list.
    pub list: String,
    /// Its name.
    pub entry: String,
    /// Flows that it decided; 0 for an entry never used.
    pub flows: u64,
    /// Flows among them that it matched only by what their client claims.
    pub claimed_flows: u64,
    /// The weakest evidence of a name that it was used by.
    pub evidence: Option<NameEvidence>,
    /// Conditions that flows cannot be judged by, and that were taken to hold.
    pub assumed: BTreeSet<String>,
    /// Whether any IP flow could match: an entry for other frames is neither used nor unused.
    pub is_checkable: bool,
}

/// What came out for one half of a contact's flows.
#[derive(Debug, Default)]
struct Half {
    denied_flows: u64,
    implied_flows: u64,
    claimed_flows: u64,
    /// Why the first of those denied is.
    reason: Option<DenyReason>,
}

/// Judges the contacts of one device by a profile.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    names: &'a Names,
    controllers: &'a Controllers,
    device: DeviceIndex,
    from_device: EntryIndex<'a>,
    to_device: EntryIndex<'a>,
    report: CheckReport,
}

impl EntryUse {
    /// Notes flows that it decided.
    fn note(&mut self, hit: Hit, flows: u64) {
        let is_claim = hit.evidence.is_some_and(NameEvidence::is_claim);
        self.flows += flows;
        self.claimed_flows += if is_claim { flows } else { 0 };
        self.evidence = self.evidence.max(hit.evidence);
        self.assumed.extend(hit.assumed);
    }
}

impl CheckReport {
    /// Entries that were never used although IP flows could have.
    pub fn unused(&self) -> impl Iterator<Item = &EntryUse> {
        self.entries.iter().filter(|entry| entry.flows == 0 && entry.is_checkable)
    }
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        names: &'a Names,
        controllers: &'a Controllers,
        (device, profile): (DeviceIndex, &'a MudProfile),
    ) -> Self {
        let uses = entries(profile).map(|(direction, list, entry)| EntryUse {
            direction,
            list: list.to_owned(),
            entry: entry.name.clone(),
            flows: 0,
            claimed_flows: 0,
            evidence: None,
            assumed: BTreeSet::new(),
            is_checkable: entry.may_match_ip(),
        });
        let report = CheckReport {
            flows: 0,
            denied_flows: 0,
            claimed_flows: 0,
            denied: Vec::new(),
            entries: uses.collect(),
            implied_flows: 0,
            dropped_flows: 0,
        };
        let index = |direction| {
            let placed = entries(profile).enumerate().filter(|(_, (policy, ..))| *policy == direction);
            let placed = placed.map(|(place, (_, list, entry))| Placed { place, list, entry });
            EntryIndex::new(direction, placed.collect())
        };
        let (from_device, to_device) = (index(Direction::FromDevice), index(Direction::ToDevice));
        Self { names, controllers, device, from_device, to_device, report }
    }

    pub(super) fn judge(&mut self, contact: &Contact, tally: &ContactTally) {
        self.report.flows += tally.flows;
        let mut most = Half::default();
        for direction in [Direction::FromDevice, Direction::ToDevice] {
            if !tally.went(direction) {
                continue;
            }
            let half = self.judge_half(contact, tally, direction);
            most.denied_flows = most.denied_flows.max(half.denied_flows);
            most.implied_flows = most.implied_flows.max(half.implied_flows);
            most.claimed_flows = most.claimed_flows.max(half.claimed_flows);
            let Some(reason) = half.reason else { continue };
            let (names, _) = self.names.of(self.device, contact);
            let doubt = self.doubt(contact, direction, &reason);
            let (contact, tally) = (contact.clone(), tally.clone());
            let flows = half.denied_flows;
            self.report.denied.push(Denied { contact, tally, flows, names, direction, reason, doubt });
        }
        self.report.denied_flows += most.denied_flows;
        self.report.claimed_flows += most.claimed_flows.min(tally.flows.saturating_sub(most.denied_flows));
        self.report.implied_flows += most.implied_flows;
    }

    /// Why the peer's name is in doubt, where another name would have helped.
    fn doubt(&self, contact: &Contact, direction: Direction, reason: &DenyReason) -> Option<NameDoubt> {
        let is_peer = matches!(reason, DenyReason::NoEntry { miss: Miss::Peer, .. });
        if !is_peer || contact.place != Place::Internet {
            return None;
        }
        self.index(direction).asks_for_names().then(|| self.names.doubt(self.device, contact)).flatten()
    }

    const fn index(&self, direction: Direction) -> &EntryIndex<'a> {
        match direction {
            Direction::FromDevice => &self.from_device,
            Direction::ToDevice => &self.to_device,
        }
    }

    /// Judges one half of a contact's flows, by each port of their client.
    fn judge_half(&mut self, contact: &Contact, tally: &ContactTally, direction: Direction) -> Half {
        let mut half = Half::default();
        for (ports, flows) in tally.by_client_port() {
            match self.decide(contact, (ports, flows), direction) {
                Ok(evidence) if evidence.is_some_and(NameEvidence::is_claim) => half.claimed_flows += flows,
                Ok(_) => {}
                Err(DenyReason::NoEntry { .. }) if self.is_implied(contact) => half.implied_flows += flows,
                Err(reason) => {
                    half.denied_flows += flows;
                    half.reason.get_or_insert(reason);
                }
            }
        }
        half
    }

    pub(super) fn finish(mut self, dropped_flows: u64) -> CheckReport {
        self.report.dropped_flows = dropped_flows;
        self.report
    }

    /// What tells the name by which one half of a contact's flows is allowed, if a name does, or why it is not. The
    /// first entry that matches decides.
    fn decide(
        &mut self,
        contact: &Contact,
        (client_ports, flows): (PortSpan, u64),
        direction: Direction,
    ) -> Result<Option<NameEvidence>, DenyReason> {
        let scene = Scene {
            names: self.names,
            controllers: self.controllers,
            device: self.device,
            contact,
            client_ports,
            direction,
        };
        match self.index(direction).decide(&scene) {
            Ok((placed, hit)) => {
                let is_accepted = placed.entry.action == Action::Accept;
                let evidence = hit.evidence;
                if let Some(used) = self.report.entries.get_mut(placed.place) {
                    used.note(hit, flows);
                }
                is_accepted.then_some(evidence).ok_or_else(|| DenyReason::Refused { entry: placed.name() })
            }
            Err((miss, nearest)) => {
                Err(DenyReason::NoEntry { miss, nearest: nearest.map(|placed| placed.name()) })
            }
        }
    }

    /// Whether a network lets this pass without being told: local name and time servers are for every device by
    /// default (RFC 8520).
    fn is_implied(&self, contact: &Contact) -> bool {
        let is_asked = contact.initiated == Direction::FromDevice;
        let class = contact.service.filter(|class| is_asked && class.is_implied());
        class.is_some_and(|class| self.controllers.serves(class.controller(), contact) != Membership::No)
    }
}

/// The entries of a profile with policy and list, in the order of the file.
fn entries(profile: &MudProfile) -> impl Iterator<Item = (Direction, &str, &Entry)> {
    [Direction::FromDevice, Direction::ToDevice].into_iter().flat_map(move |direction| {
        let lists = profile.policy(direction).iter();
        lists.flat_map(move |list| {
            list.entries.iter().map(move |entry| (direction, list.name.as_str(), entry))
        })
    })
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { entry } => write!(f, "{entry} refuses it"),
            Self::NoEntry { miss, nearest: None } => write!(f, "{miss}"),
            Self::NoEntry { miss, nearest: Some(entry) } => write!(f, "{miss}; nearest is {entry}"),
        }
    }
}
