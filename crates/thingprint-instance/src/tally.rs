use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Flow, Timestamp};

use crate::evidence::{ClosedFlow, EvidencePlan, EvidenceTally, Room};
use crate::{Counts, Instance};

const NANOS: f64 = 1e9;

/// What a device did in a window so far: everything that its instance is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WindowTally {
    flows: u64,
    packets_up: u64,
    packets_down: u64,
    bytes_up: u64,
    bytes_down: u64,
    pub(crate) evidence: EvidenceTally,
}

impl WindowTally {
    /// A window in which nothing was seen.
    pub(crate) fn new(plan: &EvidencePlan) -> Self {
        Self { flows: 0, packets_up: 0, packets_down: 0, bytes_up: 0, bytes_down: 0, evidence: plan.tally() }
    }

    /// Forgets everything, and keeps the memory for a few words.
    pub(crate) fn clear(&mut self) {
        (self.flows, self.packets_up, self.packets_down) = (0, 0, 0);
        (self.bytes_up, self.bytes_down) = (0, 0);
        self.evidence.clear();
    }

    /// Counts a closed flow.
    pub(crate) fn flow<S>(&mut self, flow: &Flow<S>, plan: &EvidencePlan, room: &mut Room) {
        self.flows += 1;
        self.packets_up += flow.up.packets;
        self.packets_down += flow.down.packets;
        self.bytes_up = self.bytes_up.saturating_add(flow.up.bytes);
        self.bytes_down = self.bytes_down.saturating_add(flow.down.bytes);
        self.evidence.flow(&ClosedFlow::of(flow), plan, room);
    }

    /// Adds what another part of the trace saw of the same window.
    pub(crate) fn merge(&mut self, other: &Self, room: &mut Room) {
        self.flows += other.flows;
        self.packets_up += other.packets_up;
        self.packets_down += other.packets_down;
        self.bytes_up = self.bytes_up.saturating_add(other.bytes_up);
        self.bytes_down = self.bytes_down.saturating_add(other.bytes_down);
        self.evidence.merge(&other.evidence, room);
    }

    /// The instance of a device's window that begins at a time and lasts so many nanoseconds.
    pub(crate) fn into_instance(
        self,
        device: DeviceId,
        (window_start, window_ns): (Timestamp, u64),
        plan: &EvidencePlan,
    ) -> Instance {
        Instance {
            device,
            window_start,
            window_s: window_ns as f64 / NANOS,
            capture: None,
            attributes: self.evidence.attributes(plan),
            counts: self.counts(),
            spread: self.evidence.spreads(plan),
            bags: self.evidence.into_bags(plan),
        }
    }

    pub(crate) const fn counts(&self) -> Counts {
        Counts {
            flows: self.flows,
            packets_up: self.packets_up,
            packets_down: self.packets_down,
            bytes_up: self.bytes_up,
            bytes_down: self.bytes_down,
        }
    }
}
