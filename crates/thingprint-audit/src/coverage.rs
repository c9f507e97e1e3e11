use std::collections::BTreeMap;

use serde::Serialize;
use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use crate::{Policy, Rule};

/// How many flows of a protocol rules could judge, and why not the others: what nobody could judge is not clean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Flows of the protocol.
    pub seen: u64,
    /// Flows that at least one rule of the policy judged.
    pub judged: u64,
    /// Flows without judgement of TCP connections that began before: before the capture, or before a silence that is longer
    /// than the idle time, so that no SYN was seen in the flow.
    pub began_before: u64,
    /// Other flows without judgement of which only one direction was captured.
    pub one_way: u64,
    /// Flows without judgement for other reasons: their messages were lost, cut short, encrypted, or no rule is about them.
    pub other: u64,
}

/// The coverage of each protocol that rules of a policy are about.
pub type CoverageByProtocol = BTreeMap<&'static str, Coverage>;

impl Coverage {
    /// Counts a flow.
    pub(crate) fn count(&mut self, flow: &Flow<Heard>, is_judged: bool) {
        self.seen += 1;
        let count = match flow {
            _ if is_judged => &mut self.judged,
            Flow { is_missing_syn: true, .. } => &mut self.began_before,
            Flow { up, down, .. } if up.packets == 0 || down.packets == 0 => &mut self.one_way,
            _ => &mut self.other,
        };
        *count += 1;
    }

    /// Adds the flows of another device.
    pub const fn add(&mut self, other: Self) {
        self.seen += other.seen;
        self.judged += other.judged;
        self.began_before += other.began_before;
        self.one_way += other.one_way;
        self.other += other.other;
    }

    /// Share of the flows that was judged, from 0 to 1; 1 where there is none.
    pub fn share(self) -> f64 {
        if self.seen == 0 { 1.0 } else { self.judged as f64 / self.seen as f64 }
    }

    /// Whether every flow was judged.
    pub const fn is_whole(self) -> bool {
        self.judged == self.seen
    }

    /// Why flows were not judged, in words; empty where all were.
    pub fn reasons(self) -> String {
        let reasons = [
            (self.began_before, "without the start of their connection"),
            (self.one_way, "only one direction captured"),
            (self.other, "messages missing, cut short or of no rule"),
        ];
        let reasons: Vec<String> = reasons
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, why)| format!("{count} {why}"))
            .collect();
        reasons.join(", ")
    }
}

/// The protocols that the rules of a policy are about.
pub(crate) fn covered_protocols(policy: &Policy) -> Vec<&'static str> {
    let judged = Rule::all().iter().zip(policy.judges()).filter(|(_, judge)| judge.is_some());
    let mut protocols: Vec<&str> = judged.flat_map(|(rule, _)| rule.protocols).copied().collect();
    protocols.sort_unstable();
    protocols.dedup();
    protocols
}
