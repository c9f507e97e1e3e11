//! What is good and what is not: a dated file for each point of view.
mod day;
mod file;
mod scale;

pub(crate) use day::day;

use thingprint_flow::Flow;
use thingprint_protocol::{Heard, Sender};

use crate::rule::{Rank, Sightings, has_answered};
use crate::{PolicyError, Rule, Severity, Suppression};

use file::PolicyFile;
use scale::Verdict;
pub(crate) use scale::{Ruling, Scale};

/// The policies that come with the crate, by name.
const BUILT_IN: [(&str, &str); 3] = [
    ("paper2024", include_str!("../../policies/paper2024.toml")),
    ("bcp2026", include_str!("../../policies/bcp2026.toml")),
    ("strict", include_str!("../../policies/strict.toml")),
];

/// A point of view: for each rule whether it counts, which values are accepted and how severe the others are, and where
/// that is written.
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    date: String,
    description: String,
    unanswered: Verdict,
    /// In the order of [`Rule::all`]; `None` for a rule that is off.
    judges: Vec<Option<Judge>>,
    suppressions: Vec<Suppression>,
}

/// What a policy says of one rule.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    pub(crate) scale: Scale,
    /// Where it is written, by [`Ruling`].
    references: Vec<Vec<String>>,
}

impl Judge {
    /// Where it is written what makes a value as severe as it is.
    pub(crate) fn references(&self, ruling: Ruling) -> &[String] {
        self.references.get(ruling.0).map_or(&[], Vec::as_slice)
    }
}

impl Policy {
    /// Names of the policies that come with the crate: `paper2024` takes the references of the protocol paper to the
    /// letter, `bcp2026` is what the standards say in 2026, `strict` accepts the best alone.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A policy that comes with the crate; `None` where none has the name.
    pub fn built_in(name: &str) -> Option<Self> {
        // The files are part of the crate, and a test reads each.
        Self::from_toml(name, Self::built_in_text(name)?).ok()
    }

    /// The text of a policy that comes with the crate; `None` where none has the name.
    pub fn built_in_text(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Reads a policy; `file` is what errors call it. A rule that it does not name is off.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, PolicyError> {
        PolicyFile::read(file, text)?.into_policy(file)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The day as of which it holds, like `2026-11-22`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// What it is for.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The most severe that a finding can be by a peer that opened the flow and got no answer: a note unless the policy says
    /// otherwise with `unanswered`; `None` where such findings are left out.
    pub const fn unanswered(&self) -> Option<Severity> {
        self.unanswered.severity()
    }

    /// Findings that are known and lived with.
    pub fn suppressions(&self) -> &[Suppression] {
        &self.suppressions
    }

    /// The rules that it judges by.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        Rule::all().iter().zip(&self.judges).filter_map(|(rule, judge)| judge.as_ref().map(|_| rule))
    }

    /// Where it is written what a rule demands; nothing for a rule that is off. What is no document but the policy's own
    /// judgement begins with `thingprint`.
    pub fn references(&self, rule: &str) -> &[String] {
        self.judge(rule).map_or(&[], |judge| judge.references(Ruling::default()))
    }

    /// Where it is written what a rule demands, with what is written of single values; each once.
    pub fn all_references(&self, rule: &str) -> Vec<&str> {
        let mut references: Vec<&str> = Vec::new();
        for reference in self.judge(rule).into_iter().flat_map(|judge| judge.references.iter().flatten()) {
            if !references.contains(&reference.as_str()) {
                references.push(reference);
            }
        }
        references
    }

    /// What a rule accepts, for people; `None` for a rule that is off.
    pub fn expected(&self, rule: &str) -> Option<&str> {
        self.judge(rule).map(|judge| judge.scale.expected())
    }

    /// The values of a rule that are of this severity, for people; `None` where there are none, or the rule is off.
    pub fn values_of(&self, rule: &str, severity: Severity) -> Option<String> {
        self.judge(rule)?.scale.values_of(severity)
    }

    /// The most severe that a finding by a rule can be; `None` for a rule that is off, or that accepts everything.
    pub fn most_severe(&self, rule: &str) -> Option<Severity> {
        let can_be = |severity: &Severity| self.values_of(rule, *severity).is_some();
        Severity::ALL.into_iter().rev().find(can_be)
    }

    /// What it says of each rule, in the order of [`Rule::all`].
    pub(crate) fn judges(&self) -> &[Option<Judge>] {
        &self.judges
    }

    /// Takes from sightings what the device is not to blame for: what a peer said in a flow that it opened, where the
    /// device said nothing that was understood, like a server hello.
    pub(crate) fn excuse<'a>(&self, flow: &Flow<Heard>, mut sightings: Sightings<'a>) -> Sightings<'a> {
        let said = &flow.state.messages;
        let is_answered = || {
            let has_spoken = said.iter().any(|heard| heard.sender == Sender::Device);
            has_spoken || said.is_empty() && has_answered(flow)
        };
        if flow.is_client || is_answered() {
            return sightings;
        }
        let most = self.unanswered();
        let excused = sightings.found.into_iter().filter_map(|(mut sighting, time)| {
            sighting.severity = sighting.severity.min(most?);
            Some((sighting, time))
        });
        sightings.found = excused.collect();
        let excused = |(severity, is_by_device): Rank| Some((severity.min(most?), is_by_device));
        sightings.dropped_up_to = sightings.dropped_up_to.and_then(excused);
        sightings
    }

    fn judge(&self, rule: &str) -> Option<&Judge> {
        let at = Rule::all().iter().position(|known| known.id == rule)?;
        self.judges.get(at)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, Policy};
    use crate::Rule;

    #[test]
    fn policies_that_come_with_the_crate_name_every_rule_and_say_where_it_is_written() {
        for (name, text) in BUILT_IN {
            let policy = Policy::from_toml(name, text).unwrap();
            assert_eq!(policy.name(), name);
            assert!(Policy::built_in(name).is_some());
            assert_eq!(policy.rules().count(), Rule::all().len(), "{name}");
            for rule in policy.rules() {
                assert!(!policy.references(rule.id).is_empty(), "{name} {}", rule.id);
                assert!(policy.expected(rule.id).is_some_and(|text| !text.is_empty()), "{name} {}", rule.id);
                let is_judged = !policy.expected(rule.id).is_some_and(|text| text.starts_with("anything:"));
                assert_eq!(policy.most_severe(rule.id).is_some(), is_judged, "{name} {}", rule.id);
                assert!(is_judged || name == "paper2024", "{name} {}", rule.id);
            }
        }
        assert!(Policy::built_in("lenient").is_none());
    }
}
