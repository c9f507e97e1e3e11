use std::collections::BTreeSet;
use std::fmt;

use thingprint_flow::{
    GatewayEvidence, GatewayPolicy, GatewayReason, Gateways, Ip, LocalNets, MacAddr, Packet, Repeat,
};

use crate::gateways::GUESS_FRAMES;

/// Gateways that the user named, of which some may be in no packet, and others be devices: a mistyped address is none that anybody
/// has, and one that was mixed up is another host's.
#[derive(Clone, Debug, Default)]
pub struct GivenGateways {
    /// Those that the user named.
    pub named: BTreeSet<MacAddr>,
    /// Those of them that sent or received a frame.
    pub met: BTreeSet<MacAddr>,
    /// The gateways by what was seen at first, as if the user had named none.
    pub seen: Gateways,
}

/// Something that is wrong with the gateways that the user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenNote {
    /// What is wrong.
    pub fault: GivenFault,
    /// Whether devices are judged wrongly for it.
    pub is_severe: bool,
    text: String,
}

/// What can be wrong with gateways that the user named: one can follow another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GivenFault {
    /// Other addresses forward.
    OthersForward,
    /// Some are in no packet.
    SomeUnmet,
    /// None is in a packet.
    NoneMet,
}

impl fmt::Display for GivenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OthersForward => "others forward",
            Self::SomeUnmet => "some in no packet",
            Self::NoneMet => "in no packet",
        })
    }
}

impl fmt::Display for GivenNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl GivenGateways {
    /// What is wrong with them, in words that follow from packets: nothing before there was one.
    pub fn notes(&self) -> Vec<GivenNote> {
        let listed = |macs: Vec<MacAddr>| macs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut notes = Vec::new();
        let others: Vec<MacAddr> = self.others().collect();
        if !others.is_empty() {
            let (met, others) = (listed(self.met.iter().copied().collect()), listed(others));
            notes.push(GivenNote {
                fault: GivenFault::OthersForward,
                is_severe: true,
                text: format!(
                    "named as gateway (--gateway, or a label 'gateway'): {met}, but packets from and to the Internet are forwarded by \
                     {others}. What they send counts as a gateway's and as a device's, the wrong way round: check --gateway, or leave it out"
                ),
            });
        }
        let unmet: Vec<MacAddr> = self.unmet().collect();
        if unmet.is_empty() {
            return notes;
        }
        let unmet = listed(unmet);
        if !self.met.is_empty() {
            let text = format!("the gateway {unmet} is in no packet of these captures");
            notes.push(GivenNote { fault: GivenFault::SomeUnmet, is_severe: false, text });
            return notes;
        }
        let seen: Vec<String> = self.seen.0.iter().map(|(mac, why)| format!("{mac} ({why})")).collect();
        let advice = if seen.is_empty() {
            "no address looks like a gateway: check --gateway, or leave it out".to_owned()
        } else {
            format!("the captures show {}: give --gateway with this, or leave it out", seen.join(", "))
        };
        notes.push(GivenNote {
            fault: GivenFault::NoneMet,
            is_severe: true,
            text: format!(
                "the gateway {unmet} (--gateway, or a label 'gateway') is in no packet, so that no address counts as one: {advice}"
            ),
        });
        notes
    }

    /// Those that are in no packet.
    pub fn unmet(&self) -> impl Iterator<Item = MacAddr> {
        self.named.difference(&self.met).copied()
    }

    /// The gateways that forward, where none of those that the user named is among those that look like one.
    pub fn others(&self) -> impl Iterator<Item = MacAddr> {
        let is_mistaken = !self.met.is_empty() && !self.met.iter().any(|mac| self.seen.contains(*mac));
        let forwards = self.seen.0.iter().filter(|(_, reason)| **reason == GatewayReason::Forwards);
        forwards.filter(move |_| is_mistaken).map(|(mac, _)| *mac)
    }

    /// Adds those of another trace.
    pub(crate) fn merge(&mut self, other: Self) {
        self.named.extend(other.named);
        self.met.extend(other.met);
        self.seen.0.extend(other.seen.0);
    }
}

/// Looks for the gateways that the user named.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    found: GivenGateways,
    evidence: GatewayEvidence,
    /// Packets so far.
    packets: u64,
}

impl Search {
    pub(crate) fn new(named: &BTreeSet<MacAddr>, local_nets: LocalNets) -> Self {
        let found = GivenGateways { named: named.clone(), ..GivenGateways::default() };
        Self { found, evidence: GatewayEvidence::with_local_nets(local_nets), packets: 0 }
    }

    /// Takes in a packet, and says what another one between its addresses adds.
    pub(crate) fn observe(&mut self, packet: &Packet<'_>) -> Option<Repeat> {
        if self.found.met.len() < self.found.named.len() {
            let ends = [packet.src_mac, packet.dst_mac].into_iter().flatten();
            self.found.met.extend(ends.filter(|mac| self.found.named.contains(mac)));
        }
        if !self.counts() {
            return None;
        }
        Some(self.evidence.observe(packet))
    }

    /// Takes in one more packet between such addresses; false if it has to be observed as the first one was.
    pub(crate) fn observe_again(&mut self, repeat: Option<Repeat>, ip: &Ip<'_>) -> bool {
        !self.counts() || repeat.is_some_and(|repeat| self.evidence.observe_again(repeat, ip))
    }

    /// Counts one more packet; whether it is one of those at the start, which say who forwards.
    const fn counts(&mut self) -> bool {
        self.packets += 1;
        self.packets <= GUESS_FRAMES
    }

    /// What was found, and who else looks like a gateway.
    pub(crate) fn finish(mut self, policy: &GatewayPolicy) -> GivenGateways {
        let any = GatewayPolicy { given: BTreeSet::new(), ..policy.clone() };
        self.found.seen = any.decide(&self.evidence);
        self.found
    }
}
