use serde::Serialize;
use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use crate::{Policy, Rule, SortedMap};

/// How many flows of a protocol rules could judge, and why not the others: what nobody could judge is not clean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Flows of the protocol.
    pub seen: u64,
    /// Flows that at least one rule of the policy judged, of which no message was lost.
    pub judged: u64,
    /// Flows of which a message was lost: it was too long, bytes of it are missing, or it found no room. What rules found in the
    /// rest of them counts as a finding.
    pub partly_read: u64,
    /// Flows without judgement of TCP connections that began before: before the capture, or before a silence that is longer
    /// than the idle time, so that no SYN was seen in the flow.
    pub began_before: u64,
    /// Other flows without judgement of which only one direction was captured.
    pub one_way: u64,
    /// Flows without judgement for other reasons: their messages were lost, cut short, encrypted, or no rule is about them.
    pub other: u64,
}

/// The coverage of each protocol that rules of a policy are about.
pub type CoverageByProtocol = SortedMap<&'static str, Coverage>;

/// What became of the flows of a device, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// Flows of a known protocol that a rule about it judged. Rules about no protocol, such as who opens a connection, say nothing
    /// of what is in a flow.
    pub judged: u64,
    /// Flows of protocols that rules are about of which a message was lost, so that they are not judged wholly.
    pub partly_read: u64,
    /// Flows of protocols that rules are about and that none could judge.
    pub unjudged: u64,
    /// Flows of known protocols that no rule is about.
    pub without_rule: u64,
    /// Flows in which no protocol was recognised: its beginning is missing, it is encrypted from the first byte on, or nobody knows
    /// it.
    pub unrecognised: u64,
}

/// What is known of a flow when it is judged.
pub(crate) struct Judged {
    /// Whether its protocols are known.
    pub(crate) is_recognised: bool,
    /// Whether a message of it was lost.
    pub(crate) is_partly_read: bool,
    /// Protocols of it that rules are about, and of them those that a rule judged.
    pub(crate) covered: (usize, usize),
}

impl Judgement {
    /// Counts a flow.
    pub(crate) const fn count(&mut self, flow: &Judged) {
        let count = match flow {
            Judged { is_recognised: false, .. } => &mut self.unrecognised,
            Judged { covered: (0, _), .. } => &mut self.without_rule,
            Judged { is_partly_read: true, .. } => &mut self.partly_read,
            Judged { covered: (_, 0), .. } => &mut self.unjudged,
            _ => &mut self.judged,
        };
        *count += 1;
    }

    /// All flows.
    pub const fn flows(self) -> u64 {
        self.judged + self.partly_read + self.unjudged + self.without_rule + self.unrecognised
    }

    /// Adds the flows of another device.
    pub const fn add(&mut self, other: Self) {
        self.judged += other.judged;
        self.partly_read += other.partly_read;
        self.unjudged += other.unjudged;
        self.without_rule += other.without_rule;
        self.unrecognised += other.unrecognised;
    }

    /// Flows that a rule may be about: all but those of protocols without a rule. A flow that was not recognised may be one: where
    /// packets were cut, nearly all are.
    const fn may_be_judged(self) -> u64 {
        self.judged + self.partly_read + self.unjudged + self.unrecognised
    }

    /// Share of the flows that a rule may be about which was judged, from 0 to 1; 1 where there is none.
    pub fn share(self) -> f64 {
        let may_be_judged = self.may_be_judged();
        if may_be_judged == 0 { 1.0 } else { self.judged as f64 / may_be_judged as f64 }
    }

    /// [`Judgement::share`] in words, with the reasons; flows that are not part of it come last.
    pub fn share_in_words(self) -> String {
        let may_be_judged = self.may_be_judged();
        let of = plural(may_be_judged);
        let mut words =
            format!("{} of {may_be_judged} {of} that a rule may be about were judged", self.judged);
        let reasons = Self { without_rule: 0, ..self }.reasons_by_count();
        let reasons: Vec<String> = reasons.into_iter().map(|(count, why)| had(count, "", why)).collect();
        if !reasons.is_empty() {
            words = format!("{words}: {}", reasons.join(", "));
        }
        match self.without_rule {
            0 => words,
            1 => format!("{words}; 1 other has {WITHOUT_RULE}"),
            others => format!("{words}; {others} others have {WITHOUT_RULE}"),
        }
    }

    /// Whether no flow was judged, so that nothing is known of the device.
    pub const fn is_none(self) -> bool {
        self.judged == 0
    }

    /// Whether every flow was judged.
    pub const fn is_whole(self) -> bool {
        self.judged > 0 && self.judged == self.flows()
    }

    /// Why flows were not judged, the most frequent reason first; empty where all were.
    pub fn reasons(self) -> String {
        let flows = self.flows();
        let reasons = self.reasons_by_count().into_iter().enumerate();
        let reasons: Vec<String> = reasons
            .map(|(at, (count, why))| {
                let of = if at == 0 { format!(" of {flows} {}", plural(flows)) } else { String::new() };
                had(count, &of, why)
            })
            .collect();
        if reasons.is_empty() && flows == 0 { "no flows to judge".to_owned() } else { reasons.join(", ") }
    }

    /// The reasons that hold for any flow, the most frequent one first.
    fn reasons_by_count(self) -> Vec<(u64, &'static str)> {
        let reasons = [
            (self.unrecognised, "no recognised protocol"),
            (self.unjudged, "no message that a rule could judge"),
            (self.partly_read, LOST_MESSAGE),
            (self.without_rule, WITHOUT_RULE),
        ];
        let mut reasons: Vec<_> = reasons.into_iter().filter(|(count, _)| *count > 0).collect();
        reasons.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        reasons
    }
}

/// What flows of [`Judgement::partly_read`] have.
const LOST_MESSAGE: &str = "a message too long to be read or with bytes missing";

/// What flows of [`Judgement::without_rule`] have.
const WITHOUT_RULE: &str = "a protocol without a rule";

/// How many flows have what; `of` follows the number.
fn had(count: u64, of: &str, what: &str) -> String {
    let have = if count == 1 { "has" } else { "have" };
    format!("{count}{of} {have} {what}")
}

const fn plural(flows: u64) -> &'static str {
    if flows == 1 { "flow" } else { "flows" }
}

impl Coverage {
    /// Counts a flow.
    pub(crate) fn count(&mut self, flow: &Flow<Heard>, is_judged: bool) {
        self.seen += 1;
        let count = match flow {
            Flow { state: Heard { is_partly_read: true, .. }, .. } => &mut self.partly_read,
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
        self.partly_read += other.partly_read;
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
            (self.partly_read, "with a message too long to be read or with bytes missing"),
            (self.began_before, "without the start of their connection"),
            (self.one_way, "one direction alone, not answered or not captured"),
            (self.other, "messages missing, cut short, encrypted or of no rule"),
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

#[cfg(test)]
mod tests {
    use super::{Judged, Judgement};

    #[test]
    fn only_a_rule_about_its_protocol_judges_a_flow() {
        let mut judgement = Judgement::default();
        for (is_recognised, covered) in [(false, (0, 0)), (true, (0, 0)), (true, (1, 0)), (true, (2, 1))] {
            judgement.count(&Judged { is_recognised, is_partly_read: false, covered });
        }
        let expected = Judgement { judged: 1, partly_read: 0, unjudged: 1, without_rule: 1, unrecognised: 1 };
        assert_eq!((judgement, judgement.flows()), (expected, 4));
        assert!((judgement.share() - 1.0 / 3.0).abs() < 1e-9, "what no rule is about does not count");
        assert!((Judgement::default().share() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn words_of_a_share_have_the_numbers_of_the_share() {
        let check = |judgement: Judgement, expected: &str| assert_eq!(judgement.share_in_words(), expected);
        let locks =
            Judgement { judged: 15, partly_read: 0, unjudged: 0, without_rule: 113, unrecognised: 97 };
        check(
            locks,
            "15 of 112 flows that a rule may be about were judged: 97 have no recognised protocol; 113 others have a protocol \
             without a rule",
        );
        check(
            Judgement { judged: 0, partly_read: 0, unjudged: 1, without_rule: 1, unrecognised: 0 },
            "0 of 1 flow that a rule may be about were judged: 1 has no message that a rule could judge; 1 other has a protocol \
             without a rule",
        );
    }
}
