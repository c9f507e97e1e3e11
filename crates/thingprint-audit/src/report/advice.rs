use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::{Finding, Policy, Severity};

use super::Report;
use super::lines::{lines, title};
use super::rule_text::explained;
use super::tables::name;

/// What to do about the findings of a rule, on all devices that have any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Id of the rule.
    pub rule: &'static str,
    /// The rule in a few words.
    pub title: String,
    /// The most severe finding.
    pub severity: Severity,
    /// Why it matters; empty where no rule of the policy says so.
    pub why: &'static str,
    /// How it is fixed.
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
    /// Lines of findings.
    pub lines: usize,
}

/// What to do, the most severe rules first, then those with the most devices; notes are left out, since nothing has to be done
/// about them.
pub(crate) fn advice(report: &Report, policy: &Policy) -> Vec<Advice> {
    let why: BTreeMap<&str, &'static str> =
        explained(policy).into_iter().map(|rule| (rule.rule, rule.why)).collect();
    let mut by_rule: BTreeMap<&'static str, Advice> = BTreeMap::new();
    for device in &report.audit.devices {
        let mut concerned: BTreeMap<&'static str, Concerned> = BTreeMap::new();
        for line in lines(device).into_iter().filter(|line| line.severity >= Severity::Warning) {
            let first = || Concerned {
                name: name(device),
                severity: line.severity,
                seen: line.seen.clone(),
                lines: 0,
            };
            concerned.entry(line.rule).or_insert_with(first).lines += 1;
        }
        let remediation = |rule: &str| {
            let of_rule = |finding: &&Finding| finding.rule == rule;
            device.findings.iter().find(of_rule).map_or("", |finding| finding.remediation)
        };
        for (rule, concerned) in concerned {
            let advice = by_rule.entry(rule).or_insert_with(|| Advice {
                rule,
                title: title(rule).to_owned(),
                severity: concerned.severity,
                why: why.get(rule).copied().unwrap_or(""),
                remediation: remediation(rule),
                devices: Vec::new(),
            });
            advice.severity = advice.severity.max(concerned.severity);
            advice.devices.push(concerned);
        }
    }
    let mut all: Vec<Advice> = by_rule.into_values().collect();
    for advice in &mut all {
        advice.devices.sort_by_key(|device| Reverse(device.severity));
    }
    all.sort_by_key(|advice| Reverse((advice.severity, advice.devices.len())));
    all
}
