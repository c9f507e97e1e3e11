use std::collections::BTreeSet;

use thingprint_flow::{GatewayEvidence, GatewayPolicy, Gateways, LocalNets, MacAddr, Packet};

/// Gateways that the user named, of which some may be in no packet: a mistyped address is none that anybody has.
#[derive(Clone, Debug, Default)]
pub struct GivenGateways {
    /// Those that the user named.
    pub named: BTreeSet<MacAddr>,
    /// Those of them that sent or received a frame.
    pub met: BTreeSet<MacAddr>,
    /// The gateways by what was seen, as if the user had named none; decided where one was not met.
    pub seen: Gateways,
}

impl GivenGateways {
    /// Those that are in no packet.
    pub fn unmet(&self) -> impl Iterator<Item = MacAddr> {
        self.named.difference(&self.met).copied()
    }

    /// Adds those of another trace.
    pub(crate) fn merge(&mut self, other: Self) {
        self.named.extend(other.named);
        self.met.extend(other.met);
        self.seen.0.extend(other.seen.0);
    }
}

/// Looks for the gateways that the user named.
#[derive(Debug)]
pub(crate) struct Search {
    found: GivenGateways,
    evidence: GatewayEvidence,
}

impl Search {
    pub(crate) fn new(named: &BTreeSet<MacAddr>, local_nets: LocalNets) -> Self {
        let found = GivenGateways { named: named.clone(), ..GivenGateways::default() };
        Self { found, evidence: GatewayEvidence::with_local_nets(local_nets) }
    }

    /// Takes in the first packet between its addresses; whether there are more tells nothing.
    pub(crate) fn observe(&mut self, packet: &Packet<'_>) {
        if self.found.met.len() == self.found.named.len() {
            return;
        }
        let ends = [packet.src_mac, packet.dst_mac].into_iter().flatten();
        self.found.met.extend(ends.filter(|mac| self.found.named.contains(mac)));
        self.evidence.observe(packet);
    }

    /// What was found, and who else looks like a gateway.
    pub(crate) fn finish(mut self, policy: &GatewayPolicy) -> GivenGateways {
        if self.found.unmet().next().is_some() {
            let any = GatewayPolicy { given: BTreeSet::new(), ..policy.clone() };
            self.found.seen = any.decide(&self.evidence);
        }
        self.found
    }
}
