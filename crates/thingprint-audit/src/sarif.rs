//! An audit as a log of SARIF 2.1.0, the format in which code scanners hand on their findings.
//!
//! Findings are grouped as tables are: what a device does against one rule in one way is a result, which says how often, and lists
//! the findings. Its place is a logical location, the device, and a physical one, the capture that shows it first: views of
//! code scanning take no result without a file. The shape is that of the OASIS standard; sections are given where a field
//! is less than obvious.
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value, json};
use thingprint_table::escape;

use crate::report::{Line, Notice, lines};
use crate::{Audit, DeviceAudit, Example, Finding, Policy, Rule, Severity};

/// Where the schema of version 2.1.0 is published.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name of what stays the same from one audit to the next (§3.27.17).
pub(crate) const FINGERPRINT: &str = "finding/v1";

/// What stands for a capture that is not known.
const NO_CAPTURE: &str = "capture";

/// A log file (§3.13).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Log {
    /// The schema's address.
    #[serde(rename = "$schema")]
    pub schema: &'static str,
    /// The version of SARIF.
    pub version: &'static str,
    /// One run: this audit.
    pub runs: [Run; 1],
}

/// A run of a tool (§3.14).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// The tool.
    pub tool: Tool,
    /// What there is to say of the audit itself: the devices that could not be judged, and what there is to know of the reading.
    pub invocations: [Invocation; 1],
    /// What it found.
    pub results: Vec<ResultEntry>,
    /// The policy and its date, how many sightings were left out, and how many flows of each protocol rules could judge.
    pub properties: Map<String, Value>,
}

/// How the tool ran (§3.20).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    /// Whether it came to its end (§3.20.14).
    pub execution_successful: bool,
    /// A note for each device that could not be judged, which is no result and not clean either, and what there is to know of the
    /// reading (§3.20.21).
    pub tool_execution_notifications: Vec<Notification>,
}

/// Something to know about the run (§3.58).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notification {
    /// How important it is.
    pub level: Severity,
    /// What there is to know.
    pub message: Text,
    /// The device (§3.58.3); nothing where it is about the whole reading.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<NotedLocation>,
    /// What became of the flows of a device; whether something of the reading is missing.
    pub properties: Map<String, Value>,
}

/// What a notification is about (§3.28).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotedLocation {
    /// The device.
    pub logical_locations: [LogicalLocation; 1],
}

/// A tool (§3.18).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tool {
    /// The part of it that found something.
    pub driver: Driver,
}

/// What a tool is (§3.19).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Driver {
    /// Its name.
    pub name: &'static str,
    /// Its version, as in semantic versioning.
    pub semantic_version: &'static str,
    /// The rules of the policy.
    pub rules: Vec<RuleEntry>,
}

/// A rule (§3.49).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleEntry {
    /// Its stable id.
    pub id: &'static str,
    /// Its title.
    pub short_description: Text,
    /// What it checks and why.
    pub full_description: Text,
    /// Why it matters, an example, remediation, what is good and where that is written.
    pub help: Text,
    /// Where there is more to read.
    pub help_uri: String,
}

/// A text for people (§3.11, §3.12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    /// The text.
    pub text: String,
}

/// A finding, or several of one kind (§3.27).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultEntry {
    /// The rule's id.
    pub rule_id: &'static str,
    /// The rule's place in [`Driver::rules`]; left out for a rule that is not there (§3.27.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_index: Option<usize>,
    /// How severe it is; SARIF has the same words.
    pub level: Severity,
    /// What was found.
    pub message: Text,
    /// How often it was observed: flows (§3.27.22).
    pub occurrence_count: u64,
    /// The device.
    pub locations: [Location; 1],
    /// The other captures that show a finding of it first (§3.27.22).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_locations: Vec<RelatedLocation>,
    /// What stays the same in the next audit: device, rule, side, severity and kind (§3.27.17).
    pub partial_fingerprints: Map<String, Value>,
    /// Counts, the value, the cipher suite where it is one, and the first flow with it; and each finding.
    pub properties: Map<String, Value>,
}

/// Where something was found (§3.28).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// The capture with the first flow that shows it.
    pub physical_location: PhysicalLocation,
    /// The device, which is no place in a file.
    pub logical_locations: [LogicalLocation; 1],
}

/// Where something else was found (§3.28).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RelatedLocation {
    /// A number of its own in the result, from 1 (§3.28.2).
    pub id: usize,
    /// The capture.
    pub physical_location: PhysicalLocation,
}

/// A place in a file (§3.29).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhysicalLocation {
    /// The file.
    pub artifact_location: ArtifactLocation,
    /// Where in it: a capture has no lines, and views want one.
    pub region: Region,
}

/// A file (§3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArtifactLocation {
    /// Its path as a URI reference (RFC 3986 §4.1).
    pub uri: String,
}

/// A part of a file (§3.30).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// The first line: 1.
    pub start_line: u32,
}

/// A device (§3.33).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogicalLocation {
    /// Its label, else its address.
    pub name: String,
    /// Its address.
    pub fully_qualified_name: String,
    /// `resource`.
    pub kind: &'static str,
}

/// The log of an audit that was made by `policy`; `others` are rules of findings that no policy has, added to the audit
/// by whoever checked more.
pub fn log(audit: &Audit, policy: &Policy, others: Vec<RuleEntry>) -> Log {
    let rules = policy.rules().map(|rule| rule_entry(rule, policy));
    let rules: Vec<RuleEntry> = rules.chain(others).collect();
    let of_device = |device| lines(device).into_iter().map(move |line| (device, line));
    let lines = audit.devices.iter().flat_map(of_device);
    let results = lines.map(|(device, line)| result_entry(device, &line, &rules)).collect();
    let by_device: Map<String, Value> =
        audit.devices.iter().map(|device| (device.device.to_string(), json!(device.coverage))).collect();
    let gateways =
        audit.devices.iter().filter_map(|device| Some((device.device.to_string(), json!(device.gateway?))));
    let gateways: Map<String, Value> = gateways.collect();
    let properties = members([
        ("policy", json!(audit.policy)),
        ("policyDate", json!(audit.policy_date)),
        ("dropped", json!(audit.dropped())),
        ("coverage", json!(audit.coverage())),
        ("coverageByDevice", json!(by_device)),
        ("judgement", json!(audit.judgement())),
        ("gateways", json!(gateways)),
    ]);
    let driver = Driver { name: "thingprint", semantic_version: env!("CARGO_PKG_VERSION"), rules };
    let invocation = Invocation {
        execution_successful: true,
        tool_execution_notifications: audit.not_judged().filter_map(notification).collect(),
    };
    let run = Run { tool: Tool { driver }, invocations: [invocation], results, properties };
    Log { schema: SCHEMA, version: "2.1.0", runs: [run] }
}

/// A note on a device that could not be judged.
fn notification(device: &DeviceAudit) -> Option<Notification> {
    let why = device.not_judged()?;
    let location = logical_location(device);
    let text = format!("{}: {}.", plain(&location.name), plain(&why));
    Some(Notification {
        level: Severity::Note,
        message: Text { text },
        locations: vec![NotedLocation { logical_locations: [location] }],
        properties: members([("judgement", json!(device.judgement))]),
    })
}

/// What there is to know of the whole reading.
pub(crate) fn of_reading(notice: &Notice) -> Notification {
    Notification {
        level: notice.level,
        message: Text { text: format!("{}.", plain(&notice.text)) },
        locations: Vec::new(),
        properties: members([("incomplete", json!(notice.incomplete))]),
    }
}

fn logical_location(device: &DeviceAudit) -> LogicalLocation {
    let address = device.device.to_string();
    LogicalLocation { name: device.name(), fully_qualified_name: address, kind: "resource" }
}

fn rule_entry(rule: &Rule, policy: &Policy) -> RuleEntry {
    let text = |text: String| Text { text };
    let accepted = policy.expected(rule.id).unwrap_or_default();
    let references = policy.all_references(rule.id).join("; ");
    let of_policy = [("For the operator", rule.operator), ("Accepted", accepted), ("Reference", &references)];
    RuleEntry {
        id: rule.id,
        short_description: text(rule.title.to_owned()),
        full_description: text(format!("{} {}", rule.checks, rule.why)),
        help: text(help((rule.why, rule.example, rule.remediation), &of_policy)),
        help_uri: help_uri(policy.references(rule.id).first().map_or("", String::as_str)),
    }
}

/// Where there is more to read (§3.49.12): the RFC that a reference begins with, else the page about references.
pub fn help_uri(reference: &str) -> String {
    let digits = reference.strip_prefix("RFC ").and_then(|rest| rest.split(' ').next());
    match digits.filter(|number| number.parse::<u32>().is_ok()) {
        Some(number) => format!("https://www.rfc-editor.org/rfc/rfc{number}"),
        None => concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/best-practice.md").to_owned(),
    }
}

/// The help of a rule (§3.49.13): why it matters, an example, remediation; and what else is to be said of
/// it, each with a heading.
pub fn help((why, example, remediation): (&str, &str, &str), more: &[(&str, &str)]) -> String {
    let said = [("Why", why), ("Example", example), ("Remediation", remediation)];
    let paragraphs: Vec<String> =
        said.iter().chain(more).map(|(heading, text)| format!("{heading}: {}", plain(text))).collect();
    paragraphs.join("\n\n")
}

fn result_entry(device: &DeviceAudit, line: &Line<'_>, rules: &[RuleEntry]) -> ResultEntry {
    let location = logical_location(device);
    let rule = rules.iter().find(|rule| rule.id == line.rule);
    let title = rule.map_or(line.rule, |rule| &rule.short_description.text);
    let text = format!(
        "{title} of {}: {} in {}{} of {} flows; expected {} ({}).",
        plain(&location.name),
        plain(&line.seen),
        if line.is_least { "at least " } else { "" },
        line.flows,
        line.total,
        plain(&line.expected),
        plain(&line.reference)
    );
    let mut uris = captures(line).into_iter();
    let physical_location = uris.next().unwrap_or_else(|| capture(NO_CAPTURE.to_owned()));
    let related = uris.zip(1..).map(|(physical_location, id)| RelatedLocation { id, physical_location });
    let said = format!("{}/{}/{}", line.severity, line.kind, line.reference);
    let mark = format!("{}/{}/{}/{said}", device.device, line.rule, line.by);
    ResultEntry {
        rule_id: line.rule,
        rule_index: rules.iter().position(|rule| rule.id == line.rule),
        level: line.severity,
        message: Text { text },
        occurrence_count: line.flows,
        locations: [Location { physical_location, logical_locations: [location] }],
        related_locations: related.collect(),
        partial_fingerprints: members([(FINGERPRINT, json!(mark))]),
        properties: properties(device, line),
    }
}

/// The captures that show findings of a line first, that of the first one before the others, each once.
fn captures(line: &Line<'_>) -> Vec<PhysicalLocation> {
    let mut examples: Vec<&Example> = line.findings.iter().map(|finding| &finding.example).collect();
    examples.sort();
    let mut uris: Vec<String> = Vec::new();
    for example in examples {
        let uri = example.capture.as_deref().map_or_else(|| NO_CAPTURE.to_owned(), uri);
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    uris.into_iter().map(capture).collect()
}

const fn capture(uri: String) -> PhysicalLocation {
    PhysicalLocation { artifact_location: ArtifactLocation { uri }, region: Region { start_line: 1 } }
}

/// What of a finding stays the same in the next audit: device, rule, side, severity, value and reference.
pub(crate) fn mark(device: &DeviceAudit, finding: &Finding) -> String {
    let by = json!(finding.by);
    let side = by.as_str().unwrap_or("");
    // A suite can be judged by one document in an old version of TLS, and by another in a newer one.
    let said = format!("{}/{}/{}", finding.severity, finding.seen, finding.reference);
    format!("{}/{}/{side}/{said}", device.device, finding.rule)
}

/// A path as a relative reference: what is not unreserved is written as `%NN` (RFC 3986 §2.1), and slashes stay.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

fn properties(device: &DeviceAudit, line: &Line<'_>) -> Map<String, Value> {
    let findings: Vec<Value> =
        line.findings.iter().map(|finding| json!(finding_entry(device, finding))).collect();
    let mut properties = members([
        ("by", json!(line.by)),
        ("flows", json!(line.flows)),
        ("total", json!(line.total)),
        ("seen", json!(line.seen)),
        ("example", json!(line.findings.iter().map(|finding| &finding.example).min())),
        ("findings", json!(findings)),
    ]);
    if let [finding] = &line.findings[..]
        && let Some(Value::Object(suite)) = finding.suite.map(|suite| json!(suite))
    {
        properties.extend(suite);
    }
    properties
}

/// A finding of a result, with the mark by which a later audit knows it again.
fn finding_entry(device: &DeviceAudit, finding: &Finding) -> Map<String, Value> {
    let mut entry = members([
        ("mark", json!(mark(device, finding))),
        ("seen", json!(finding.seen)),
        ("flows", json!(finding.flows)),
        ("total", json!(finding.total)),
        ("example", json!(finding.example)),
    ]);
    if let Some(Value::Object(suite)) = finding.suite.map(|suite| json!(suite)) {
        entry.extend(suite);
    }
    entry
}

/// A text as part of a message, where braces would be placeholders (§3.11.5) and square brackets a link (§3.11.6);
/// control characters, which devices can send, are replaced.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '{' | '}' => plain.extend([character, character]),
            '[' | ']' | '\\' => plain.extend(['\\', character]),
            control if escape::is_control(control) => plain.push(escape::REPLACEMENT),
            other => plain.push(other),
        }
    }
    plain
}

fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::{help_uri, plain, uri};

    #[test]
    fn help_is_at_the_first_rfc_or_at_the_page_about_references() {
        assert_eq!(help_uri("RFC 9325 §4.1"), "https://www.rfc-editor.org/rfc/rfc9325");
        for reference in ["", "UPnP Device Architecture 2.0 §1", "RFC x"] {
            assert!(help_uri(reference).ends_with("/docs/best-practice.md"), "{reference}");
        }
    }

    #[test]
    fn a_capture_is_a_uri_reference() {
        let check = |path: &str, expected: &str| assert_eq!(uri(path), expected);
        check("captures/monday.pcap", "captures/monday.pcap");
        check("/a b%.pcap", "/a%20b%25.pcap");
        check("C:\\x.pcap", "C%3A%5Cx.pcap");
        check("ä", "%C3%A4");
    }

    #[test]
    fn what_devices_say_is_no_link_and_no_placeholder() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected);
        check("TLSv10", "TLSv10");
        check("[pay](https://evil.example) {0}", "\\[pay\\](https://evil.example) {{0}}");
        check("a\\b\u{1b}[0m\n", "a\\\\b\u{fffd}\\[0m\u{fffd}");
        check("\u{202e}gpj.exe", "\u{fffd}gpj.exe");
    }
}
