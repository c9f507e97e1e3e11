//! Rules in words: what each checks and why, and what a policy says of it.

use crate::{Policy, Rule, Severity};
use serde::Serialize;
use thingprint_table::{Cell, Table, Type};

use super::mud::{REFERENCE as MUD_REFERENCE, RULE as MUD_RULE};

/// The rules of a policy as JSON has them.
#[derive(Serialize)]
pub struct RulesDocument<'a> {
    policy: &'a str,
    policy_date: &'a str,
    description: &'a str,
    /// How severe it is at most what a peer says that the device never answered.
    unanswered: Option<Severity>,
    rules: Vec<Explained>,
}

/// A rule in words.
#[derive(Serialize)]
pub struct Explained {
    pub(crate) rule: &'static str,
    pub(crate) title: &'static str,
    /// The most severe that a finding can be.
    severity: Option<Severity>,
    checks: &'static str,
    pub(crate) why: &'static str,
    example: &'static str,
    pub(crate) remediation: &'static str,
    pub(crate) operator: &'static str,
    /// What is accepted.
    expected: String,
    /// What is of each severity.
    error: Option<String>,
    warning: Option<String>,
    note: Option<String>,
    pub(crate) reference: Vec<String>,
}

impl<'a> RulesDocument<'a> {
    /// The rules of this policy.
    pub fn of(policy: &'a Policy) -> Self {
        Self {
            policy: policy.name(),
            policy_date: policy.date(),
            description: policy.description(),
            unanswered: policy.unanswered(),
            rules: explained(policy),
        }
    }
}

impl Explained {
    fn of(rule: &'static Rule, policy: &Policy) -> Self {
        let Rule { id, title, checks, why, example, remediation, operator, .. } = rule;
        let values = |severity| policy.values_of(id, severity);
        Self {
            rule: id,
            title,
            severity: policy.most_severe(id),
            checks,
            why,
            example,
            remediation,
            operator,
            expected: policy.expected(id).unwrap_or_default().to_owned(),
            error: values(Severity::Error),
            warning: values(Severity::Warning),
            note: values(Severity::Note),
            reference: policy.all_references(id).into_iter().map(str::to_owned).collect(),
        }
    }

    /// The rule about profiles, which is the same by every policy.
    fn of_mud() -> Self {
        Self {
            rule: MUD_RULE.id,
            title: MUD_RULE.title,
            severity: Some(Severity::Warning),
            checks: MUD_RULE.checks,
            why: MUD_RULE.why,
            example: MUD_RULE.example,
            remediation: MUD_RULE.remediation,
            operator: MUD_RULE.operator,
            expected: "what the profile allows".to_owned(),
            error: None,
            warning: Some("anything else that the device does".to_owned()),
            note: Some("what others do and the device never answers".to_owned()),
            reference: vec![MUD_REFERENCE.to_owned()],
        }
    }

    /// What there is to say of it, in the order in which people ask.
    pub(crate) fn said(&self) -> Vec<(&'static str, &str)> {
        let said = [
            ("checks", Some(self.checks)),
            ("why", Some(self.why)),
            ("example", Some(self.example)),
            ("operator", Some(self.operator)),
            ("remediation", Some(self.remediation)),
            ("accepted", Some(self.expected.as_str())),
            ("error", self.error.as_deref()),
            ("warning", self.warning.as_deref()),
            ("note", self.note.as_deref()),
        ];
        said.into_iter().filter_map(|(what, text)| Some((what, text?))).collect()
    }
}

/// The rules of a policy, and the one about profiles last.
pub fn explained(policy: &Policy) -> Vec<Explained> {
    let rules = policy.rules().map(|rule| Explained::of(rule, policy));
    rules.chain([Explained::of_mud()]).collect()
}

/// A row for each rule.
pub fn rows(policy: &Policy) -> Table {
    let texts = [
        "policy",
        "rule",
        "title",
        "severity",
        "checks",
        "why",
        "example",
        "operator",
        "remediation",
        "expected",
    ];
    let values = ["error", "warning", "note", "reference"];
    let mut table = Table::new(texts.into_iter().chain(values).map(|name| (name, Type::Text)));
    for rule in explained(policy) {
        let texts = [policy.name(), rule.rule, rule.title, severity(&rule), rule.checks, rule.why];
        let what_to_do = [rule.example, rule.operator, rule.remediation, &rule.expected];
        let texts = texts.into_iter().chain(what_to_do).map(Cell::from);
        let values = [rule.error, rule.warning, rule.note, Some(rule.reference.join("; "))].map(Cell::from);
        table.add(texts.chain(values));
    }
    table
}

/// The rules in short, and each in words: tables with their headings.
pub fn sections(policy: &Policy) -> Vec<(String, Table)> {
    let columns = ["rule", "severity", "title", "expected", "reference"];
    let mut table = Table::new(columns.map(|name| (name, Type::Text)));
    let rules = explained(policy);
    for rule in &rules {
        let reference = rule.reference.join("; ");
        let cells = [rule.rule, severity(rule), rule.title, &rule.expected, &reference];
        table.add(cells.map(Cell::from));
    }
    let heading = format!("Rules of policy {} of {}: {}", policy.name(), policy.date(), policy.description());
    let mut sections = vec![(heading, table)];
    for rule in &rules {
        sections.push(section(rule));
    }
    sections
}

/// A rule in words, as a table.
pub fn section(rule: &Explained) -> (String, Table) {
    let mut table = Table::new([("rule", Type::Text), (rule.rule, Type::Text)]);
    for (what, text) in rule.said() {
        table.add([Cell::from(what), Cell::from(text)]);
    }
    table.add([Cell::from("reference"), Cell::from(rule.reference.join("; "))]);
    (rule.title.to_owned(), table)
}

fn severity(rule: &Explained) -> &'static str {
    rule.severity.map_or("", Severity::as_str)
}
