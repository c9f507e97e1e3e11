use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::{Policy, Severity};

use super::Report;
use super::lines::{lines, title};
use super::rule_text::explained;
use super::tables::name;

/// What to do about the findings of a rule, on all devices that have any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Id of the rule.
    pub rule: String,
    /// The rule in a few words.
    pub title: String,
    /// The most severe finding.
    pub severity: Severity,
    /// Why it matters; empty where no rule of the policy says so.
    pub why: &'static str,
    /// What who runs the network can do.
    pub operator: String,
    /// How it is fixed by who makes the device or runs the server.
    pub remediation: &'static str,
    /// The devices, those with the most severe findings first, each with what was seen first.
    pub devices: Vec<Concerned>,
}

/// A device that a rule has findings of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concerned {
    /// Label and address of the device.
    pub name: String,
    /// The most severe finding.
    pub severity: Severity,
    /// What was seen, of the first and most severe line.
    pub seen: String,
}

impl Advice {
    /// What there is to say of a rule, before it is said of any device.
    pub fn about(rule: &str, policy: &Policy) -> Self {
        let known = explained(policy).into_iter().find(|known| known.rule == rule);
        let known = known.as_ref();
        Self {
            rule: rule.to_owned(),
            title: title(rule).to_owned(),
            severity: Severity::Note,
            why: known.map_or("", |rule| rule.why),
            operator: known.map_or("", |rule| rule.operator).to_owned(),
            remediation: known.map_or("", |rule| rule.remediation),
            devices: Vec::new(),
        }
    }

    /// Adds a device that does not keep the rule.
    pub fn add(&mut self, concerned: Concerned) {
        self.severity = self.severity.max(concerned.severity);
        self.devices.push(concerned);
    }

    /// Puts the most severe rules first, then those with the most devices, and in each the devices with the most severe findings.
    pub fn put_worst_first(all: &mut [Self]) {
        for advice in all.iter_mut() {
            advice.devices.sort_by_key(|device| Reverse(device.severity));
        }
        all.sort_by_key(|advice| Reverse((advice.severity, advice.devices.len())));
    }
}

/// What to do, the most severe rules first; notes are left out, since nothing has to be done about them.
pub(crate) fn advice(report: &Report, policy: &Policy) -> Vec<Advice> {
    let mut by_rule: BTreeMap<&'static str, Advice> = BTreeMap::new();
    for device in &report.audit.devices {
        let mut concerned: BTreeMap<&'static str, Concerned> = BTreeMap::new();
        for line in lines(device).into_iter().filter(|line| line.severity >= Severity::Warning) {
            concerned.entry(line.rule).or_insert_with(|| Concerned {
                name: name(device),
                severity: line.severity,
                seen: line.seen.clone(),
            });
        }
        for (rule, concerned) in concerned {
            by_rule.entry(rule).or_insert_with(|| Advice::about(rule, policy)).add(concerned);
        }
    }
    let mut all: Vec<Advice> = by_rule.into_values().collect();
    Advice::put_worst_first(&mut all);
    all
}
