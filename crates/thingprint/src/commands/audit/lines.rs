//! Findings as people read them: the many cipher suites of one grade on one line.

use std::collections::BTreeMap;

use thingprint_audit::{DeviceAudit, Example, Finding, Rule, Severity};
use thingprint_instance::protocol_name;
use thingprint_protocol::Sender;

use super::mud::RULE as MUD_RULE;
use super::when::to_second;

/// The rule that finds many suites of one grade.
const SUITES_OFFERED: &str = "TLS-003";
/// Suites of a grade that are named.
const MOST_SUITES: usize = 3;
/// Lines about a MUD profile.
const MOST_DENIED: usize = 20;

/// A finding, or several of one kind.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) rule: &'static str,
    pub(super) severity: Severity,
    /// `device` or `peer`.
    pub(super) by: &'static str,
    pub(super) flows: u64,
    pub(super) total: u64,
    /// Whether there may be more flows than that: of several findings the most frequent one is counted.
    pub(super) is_least: bool,
    pub(super) seen: String,
    pub(super) expected: String,
    pub(super) reference: String,
    pub(super) first: String,
}

impl Line {
    fn of(finding: &Finding) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity,
            by: side(finding.by),
            flows: finding.flows,
            total: finding.total,
            is_least: false,
            seen: finding.seen.clone(),
            expected: finding.expected.clone(),
            reference: finding.reference.clone(),
            first: first(&finding.example),
        }
    }

    /// Several findings of one grade.
    fn of_suites(grade: &str, findings: &[&Finding]) -> Option<Self> {
        let [first_one, ..] = findings else { return None };
        if findings.len() == 1 {
            return Some(Self::of(first_one));
        }
        let flows = findings.iter().map(|finding| finding.flows).max().unwrap_or_default();
        let example = findings.iter().map(|finding| finding.example).min()?;
        let names = findings.iter().take(MOST_SUITES).map(|finding| without_grade(&finding.seen));
        let names: Vec<&str> = names.collect();
        let rest = findings.len() - names.len();
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let seen = format!("{} {grade} suites: {}{more}", findings.len(), names.join(", "));
        let is_least = flows < first_one.total;
        Some(Self { flows, is_least, seen, first: first(&example), ..Self::of(first_one) })
    }

    /// Flows of those that could be judged.
    pub(super) fn share(&self) -> String {
        let least = if self.is_least { "≥" } else { "" };
        format!("{least}{} of {}", self.flows, self.total)
    }
}

/// The findings of a device, by rule.
pub(super) fn lines(device: &DeviceAudit) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut suites: BTreeMap<(std::cmp::Reverse<Severity>, &str, &str), Vec<&Finding>> = BTreeMap::new();
    let mut denied = Vec::new();
    for finding in &device.findings {
        match finding.rule {
            SUITES_OFFERED => {
                let key = (std::cmp::Reverse(finding.severity), side(finding.by), grade(&finding.seen));
                suites.entry(key).or_default().push(finding);
            }
            rule if rule == MUD_RULE.id => denied.push(finding),
            _ => lines.push(Line::of(finding)),
        }
    }
    lines.extend(suites.iter().filter_map(|((_, _, grade), findings)| Line::of_suites(grade, findings)));
    lines.sort_by_key(|line| line.rule);
    lines.extend(denied.iter().take(MOST_DENIED).map(|finding| Line::of(finding)));
    if let Some((next, rest)) = denied.get(MOST_DENIED..).and_then(<[_]>::split_first) {
        let flows = next.flows + rest.iter().map(|finding| finding.flows).sum::<u64>();
        let seen = format!("{} more that the profile does not allow", rest.len() + 1);
        lines.push(Line { flows, seen, ..Line::of(next) });
    }
    lines
}

/// A rule in a few words.
pub(super) fn title(rule: &str) -> &str {
    let of_mud = || if rule == MUD_RULE.id { MUD_RULE.title } else { rule };
    Rule::of(rule).map_or_else(of_mud, |rule| rule.title)
}

/// Who said something.
pub(super) const fn side(sender: Sender) -> &'static str {
    match sender {
        Sender::Device => "device",
        Sender::Peer => "peer",
    }
}

/// Time, protocol and ends of a flow.
fn first(example: &Example) -> String {
    let protocol = protocol_name(example.protocol);
    format!("{} {protocol} {} > {}", to_second(example.time), example.client, example.server)
}

/// The grade that stands behind a suite.
fn grade(seen: &str) -> &str {
    seen.rsplit_once(" (").map_or("", |(_, grade)| grade.trim_end_matches(')'))
}

fn without_grade(seen: &str) -> &str {
    seen.rsplit_once(" (").map_or(seen, |(suite, _)| suite)
}

/// What findings do not keep: documents, without sections, each with the gravest severity; in order.
pub(super) fn documents(device: &DeviceAudit) -> BTreeMap<String, Severity> {
    let mut documents: BTreeMap<String, Severity> = BTreeMap::new();
    for finding in &device.findings {
        for reference in finding.reference.split("; ") {
            let severity = documents.entry(document(reference).to_owned()).or_insert(finding.severity);
            *severity = (*severity).max(finding.severity);
        }
    }
    documents
}

/// The document of a reference.
pub(super) fn document(reference: &str) -> &str {
    let end = [" §", " ("].iter().filter_map(|mark| reference.find(mark)).min();
    end.and_then(|end| reference.get(..end)).unwrap_or(reference)
}

#[cfg(test)]
mod tests {
    use super::{document, grade, without_grade};

    #[test]
    fn references_have_a_document() {
        let check = |reference: &str, expected: &str| assert_eq!(document(reference), expected);
        check("RFC 9325 §4.1", "RFC 9325");
        check("RFC 8633 (abstract: its practices are for version 4)", "RFC 8633");
        check("UPnP Device Architecture 2.0 §1.3.2", "UPnP Device Architecture 2.0");
        check("RFC 8520", "RFC 8520");
    }

    #[test]
    fn the_grade_stands_behind_the_suite() {
        let seen = "0x0005 TLS_RSA_WITH_RC4_128_SHA (insecure)";
        assert_eq!((without_grade(seen), grade(seen)), ("0x0005 TLS_RSA_WITH_RC4_128_SHA", "insecure"));
        assert_eq!(grade("anything"), "");
    }
}
