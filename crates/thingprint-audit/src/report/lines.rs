//! Findings as people read them: the many cipher suites of one grade on one line.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::{DeviceAudit, Example, Finding, Grade, Rule, SeenSuite, Severity};
use thingprint_flow::protocol_name;
use thingprint_protocol::Sender;

use super::mud::RULE as MUD_RULE;
use super::when::to_second;

/// Suites of a grade that are named.
const MOST_SUITES: usize = 3;
/// Lines about a MUD profile.
const MOST_DENIED: usize = 20;

/// A finding, or several of one kind.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    /// `device` or `peer`.
    pub(crate) by: &'static str,
    pub(crate) flows: u64,
    pub(crate) total: u64,
    /// Whether there may be more flows than that: of several findings the most frequent one is counted, and where a
    /// limit was reached, some were left out.
    pub(crate) is_least: bool,
    pub(crate) seen: String,
    pub(crate) expected: String,
    pub(crate) reference: String,
    pub(crate) first: String,
    /// What stays the same of the line in the next audit, however many findings it stands for.
    pub(crate) kind: String,
    /// The findings that it stands for, at least one.
    pub(crate) findings: Vec<&'a Finding>,
}

impl<'a> Line<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity,
            by: side(finding.by),
            flows: finding.flows,
            total: finding.total,
            is_least: finding.is_lower_bound,
            seen: finding.seen.clone(),
            expected: finding.expected.clone(),
            reference: finding.reference.clone(),
            first: first(&finding.example),
            kind: finding.seen.clone(),
            findings: vec![finding],
        }
    }

    /// Several suites of one grade.
    fn of_suites(grade: Option<Grade>, findings: &[&'a Finding]) -> Option<Self> {
        let [first_one, ..] = findings else { return None };
        let kept = format!("{} suites", grade.map_or("unknown", Grade::as_str));
        if findings.len() == 1 {
            return Some(Self { kind: kept, ..Self::of(first_one) });
        }
        let flows = findings.iter().map(|finding| finding.flows).max().unwrap_or_default();
        let example = findings.iter().map(|finding| &finding.example).min()?;
        let suites = || findings.iter().filter_map(|finding| finding.suite);
        let names: Vec<String> = suites().take(MOST_SUITES).map(|suite| suite.to_string()).collect();
        let rest = findings.len() - names.len();
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let is_dhe = |seen: SeenSuite| seen.suite().is_some_and(|suite| suite.is_dhe);
        let kind = match grade {
            // Which is why a policy may not accept suites that are secure.
            Some(Grade::Secure) if suites().all(is_dhe) => "suites, secure but with DHE keys".to_owned(),
            _ => kept.clone(),
        };
        let seen = format!("{} {kind}: {}{more}", findings.len(), names.join(", "));
        let is_least = flows < first_one.total || findings.iter().any(|finding| finding.is_lower_bound);
        let (first, findings) = (first(example), findings.to_vec());
        Some(Self { flows, is_least, seen, first, kind: kept, findings, ..Self::of(first_one) })
    }

    /// The same with several peers.
    fn of_peers((what, why): (&str, &str), findings: &[&'a Finding]) -> Option<Self> {
        let first_one = findings.first()?;
        let kept = format!("{what} peers{why}");
        if findings.len() == 1 {
            return Some(Self { kind: kept, ..Self::of(first_one) });
        }
        let example = findings.iter().map(|finding| &finding.example).min()?;
        Some(Self {
            flows: findings.iter().map(|finding| finding.flows).sum(),
            seen: format!("{what} {} peers{why}", findings.len()),
            first: first(example),
            kind: kept,
            findings: findings.to_vec(),
            ..Self::of(first_one)
        })
    }

    /// Flows of those that could be judged.
    pub(crate) fn share(&self) -> String {
        let least = if self.is_least { "≥" } else { "" };
        format!("{least}{} of {}", self.flows, self.total)
    }
}

/// The findings of a device, the most severe first, then by rule.
pub(crate) fn lines(device: &DeviceAudit) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut suites: BTreeMap<_, Vec<&Finding>> = BTreeMap::new();
    let mut denied = Vec::new();
    for finding in &device.findings {
        match finding.suite {
            Some(suite) => {
                let verdict = (Reverse(finding.severity), side(finding.by), finding.reference.as_str());
                let key = (finding.rule, verdict, suite.grade);
                suites.entry(key).or_default().push(finding);
            }
            None if finding.rule == MUD_RULE.id => denied.push(finding),
            None => lines.push(Line::of(finding)),
        }
    }
    lines.extend(suites.iter().filter_map(|((.., grade), findings)| Line::of_suites(*grade, findings)));
    lines.extend(of_profile(&denied));
    // Stable: findings of one rule stay in their order.
    lines.sort_by_key(|line| (Reverse(line.severity), line.rule));
    lines
}

/// What a profile does not allow: the same with many peers on one line, the most severe and most frequent first.
fn of_profile<'a>(denied: &[&'a Finding]) -> Vec<Line<'a>> {
    let mut kinds: BTreeMap<_, Vec<&'a Finding>> = BTreeMap::new();
    for finding in denied {
        kinds.entry((finding.severity, kind(&finding.seen))).or_default().push(finding);
    }
    let mut lines: Vec<Line<'_>> =
        kinds.into_iter().filter_map(|((_, kind), of)| Line::of_peers(kind, &of)).collect();
    lines.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.flows.cmp(&a.flows)));
    let more = lines.split_off(lines.len().min(MOST_DENIED));
    let (count, flows) = (more.len(), more.iter().map(|line| line.flows).sum());
    let findings = more.iter().flat_map(|line| line.findings.iter().copied()).collect();
    lines.extend(more.into_iter().next().map(|next| {
        let seen = format!("{count} more that the profile does not allow");
        Line { flows, seen, kind: "more that the profile does not allow".to_owned(), findings, ..next }
    }));
    lines
}

/// What was done, and why that is not allowed, around the peer.
fn kind(seen: &str) -> (&str, &str) {
    let spaces: Vec<usize> = seen.match_indices(' ').map(|(at, _)| at).collect();
    let end = seen.find(": ");
    match (spaces.get(1), spaces.get(2).copied().or(end)) {
        (Some(start), Some(behind)) => {
            let behind = end.map_or(behind, |end| behind.min(end));
            let peer = seen.get(*start..behind).unwrap_or_default();
            // A mark behind the peer belongs to what follows.
            let behind = start + peer.trim_end_matches(';').len();
            (seen.get(..*start).unwrap_or(seen), seen.get(behind..).unwrap_or(""))
        }
        _ => (seen, ""),
    }
}

/// A rule in a few words.
pub(crate) fn title(rule: &str) -> &str {
    let of_mud = || if rule == MUD_RULE.id { MUD_RULE.title } else { rule };
    Rule::of(rule).map_or_else(of_mud, |rule| rule.title)
}

/// Who said something.
pub(crate) const fn side(sender: Sender) -> &'static str {
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

/// What findings do not keep: documents, without sections, each with the highest severity; in order.
pub(crate) fn documents(device: &DeviceAudit) -> BTreeMap<String, Severity> {
    let mut documents: BTreeMap<String, Severity> = BTreeMap::new();
    for finding in &device.findings {
        for reference in finding.reference.split("; ") {
            let severity = documents.entry(document(reference).to_owned()).or_insert(finding.severity);
            *severity = (*severity).max(finding.severity);
        }
    }
    documents
}

/// The document of a reference: that in brackets behind a place in the protocol paper, which passes it on.
pub(crate) fn document(reference: &str) -> &str {
    let passed_on = reference
        .split_once(" (")
        .filter(|(place, _)| place.contains(", §"))
        .and_then(|(_, document)| document.strip_suffix(')'));
    if let Some(document) = passed_on {
        return document;
    }
    let end = [" §", " (", " annex "].iter().filter_map(|mark| reference.find(mark)).min();
    end.and_then(|end| reference.get(..end)).unwrap_or(reference).trim_end_matches(',')
}

#[cfg(test)]
mod tests {
    use super::{document, kind};

    #[test]
    fn references_have_a_document() {
        let check = |reference: &str, expected: &str| assert_eq!(document(reference), expected);
        check("RFC 9325 §4.1", "RFC 9325");
        check("RFC 8633 (abstract: its practices are for version 4)", "RFC 8633");
        check("UPnP Device Architecture 2.0 §1.3.2", "UPnP Device Architecture 2.0");
        check("UPnP Device Architecture 2.0 annex A", "UPnP Device Architecture 2.0");
        check("RFC 8520", "RFC 8520");
        check("Wannigama et al. 2024, §II-A (RFC 8996)", "RFC 8996");
        check("Wannigama et al. 2024, §IV-B", "Wannigama et al. 2024");
    }

    #[test]
    fn what_is_not_allowed_is_of_a_kind_whoever_the_peer_is() {
        let check = |seen: &str, expected: (&str, &str)| assert_eq!(kind(seen), expected);
        let why = " port 123: no entry for this peer";
        check("udp to 192.0.2.1 port 123: no entry for this peer", ("udp to", why));
        check("udp to a.example port 123: no entry for this peer", ("udp to", why));
        check("icmp to 192.0.2.1: no entry for this peer", ("icmp to", ": no entry for this peer"));
        check("udp from 2001:db8::1 to the device's port 9: x", ("udp from", " to the device's port 9: x"));
        let silent = "; the device sent nothing: no entry for this peer";
        check(&format!("icmp from 192.0.2.1{silent}"), ("icmp from", silent));
        check(&format!("udp from 2001:db8::1{silent}"), ("udp from", silent));
        check("x", ("x", ""));
    }
}
