//! The report as tables for people.

use std::collections::BTreeSet;

use crate::{Coverage, DeviceAudit, PortCounts};
use thingprint_profile::{Evidence, Likeness, Vantage};
use thingprint_table::{Cell, Column, Table, Type};

use super::lines::{documents, lines, title};
use super::{Report, answer};

/// Values that are named as evidence.
const MOST_EVIDENCE: usize = 3;
/// Characters of a value that is named as evidence: lists of cipher suites are long.
const MOST_VALUE_CHARS: usize = 48;

/// A summary of all devices, the findings of each, and what was asked for beside.
pub(crate) fn sections(report: &Report) -> Vec<(String, Table)> {
    let (policy, date) = (&report.audit.policy, &report.audit.policy_date);
    let mut sections = vec![(format!("Devices, by policy {policy} of {date}"), summary(report))];
    for device in report.audit.devices.iter().filter(|device| !device.findings.is_empty()) {
        sections.push((format!("Findings of {}", name(device)), findings(device)));
    }
    if has_unjudged(report) {
        sections.push(("Flows that no rule could judge, which are not clean".to_owned(), unjudged(report)));
    }
    sections.extend(beside(report));
    if report.header.vantage.is_some() {
        sections.push(("What the captures show".to_owned(), vantage(report)));
    }
    sections
}

/// Whether flows were not judged, of protocols that rules are about or of none that is known.
pub(crate) fn has_unjudged(report: &Report) -> bool {
    report.audit.judged_under(1.0).next().is_some() || report.audit.judgement().unrecognised > 0
}

/// What the captures show, topic by topic, and what to do where they hide something.
pub(crate) fn vantage(report: &Report) -> Table {
    let mut table = Table::new([
        Column::texts("topic"),
        Column::texts("severe"),
        Column::texts("seen"),
        Column::texts("advice"),
    ]);
    for note in report.header.vantage.iter().flat_map(Vantage::notes) {
        let severe = note.is_severe.then_some("yes");
        let cells = [Cell::from(note.topic.as_str()), Cell::from(severe), Cell::from(note.text)];
        table.add(cells.into_iter().chain([Cell::from(note.advice)]));
    }
    table
}

/// What was asked for beside the findings: known devices, and MUD profiles.
pub(crate) fn beside(report: &Report) -> Vec<(String, Table)> {
    let mut sections = Vec::new();
    if report.likenesses().next().is_some() {
        sections.push(("Known devices that these look like".to_owned(), likenesses(report)));
    }
    if report.verdicts().next().is_some() {
        sections.push(("MUD profiles".to_owned(), verdicts(report)));
    }
    sections
}

/// What a device is called, with its address.
pub(crate) fn name(device: &DeviceAudit) -> String {
    match &device.label {
        Some(label) => format!("{label} ({})", device.device),
        None if device.gateway.is_some() => format!("gateway ({})", device.device),
        None => device.device.to_string(),
    }
}

/// The protocols of all devices.
pub(crate) fn protocols(report: &Report) -> BTreeSet<&str> {
    report.audit.devices.iter().flat_map(|device| device.protocols.keys()).map(String::as_str).collect()
}

/// Flows on standard ports, and in brackets those on others.
pub(crate) fn port_counts(counts: Option<&PortCounts>) -> Option<String> {
    counts.map(|PortCounts { standard, other }| match other {
        0 => standard.to_string(),
        _ => format!("{standard} [+{other}]"),
    })
}

fn summary(report: &Report) -> Table {
    let mut table = Table::new([
        ("device", Type::Text),
        ("class", Type::Text),
        ("label", Type::Text),
        ("flows", Type::Unsigned),
        ("judged", Type::Unsigned),
        ("protocols", Type::List),
        ("fingerprint", Type::Text),
        ("violates", Type::List),
    ]);
    for device in &report.audit.devices {
        // A column for each would be wider than any terminal.
        let counts = device
            .protocols
            .keys()
            .filter_map(|protocol| Some(format!("{protocol} {}", flow_counts(device, protocol)?)));
        let protocols: Vec<String> = counts.collect();
        let violates = documents(device);
        let violates = violates.iter().map(|(document, severity)| format!("{document} ({severity})"));
        let violates: Vec<String> = violates.chain(device.not_judged()).collect();
        table.add([
            Cell::from(device.device.to_string()),
            Cell::from(device.class()),
            Cell::from(device.label.clone()),
            Cell::from(device.flows),
            Cell::from(device.judgement.judged),
            Cell::from(protocols),
            Cell::from(mark(report, device)),
            Cell::from(violates),
        ]);
    }
    table
}

/// Whether a device shows values that no other does, and how many.
pub(crate) fn mark(report: &Report, device: &DeviceAudit) -> Option<String> {
    let shows = report.shows(device.device).filter(|shows| !shows.values.is_empty())?;
    Some(match shows.unique() {
        0 if report.shows.len() < 2 => "alone".to_owned(),
        0 => "none unique".to_owned(),
        unique => format!("{unique} unique"),
    })
}

/// What stands for the protocol of flows in which none was recognised.
const NO_PROTOCOL: &str = "none recognised";

/// The devices and protocols of which not every flow was judged; of each device, flows without a known protocol come last.
pub(crate) fn unjudged(report: &Report) -> Table {
    let mut table = Table::new([
        Column::texts("device"),
        Column::texts("label"),
        Column::texts("protocol"),
        Column::count("judged"),
        Column::count("flows"),
        Column::texts("why"),
    ]);
    for (device, protocol, coverage) in report.audit.devices.iter().flat_map(not_judged) {
        table.add([
            Cell::from(device.device.to_string()),
            Cell::from(device.label.clone()),
            Cell::from(protocol),
            Cell::from(coverage.judged),
            Cell::from(coverage.seen),
            Cell::from(coverage.reasons()),
        ]);
    }
    table
}

fn not_judged(device: &DeviceAudit) -> impl Iterator<Item = (&DeviceAudit, &str, Coverage)> {
    let known = device.coverage.iter().map(|(protocol, coverage)| (*protocol, *coverage));
    let all = known.chain([(NO_PROTOCOL, device.unrecognised)]);
    all.filter(|(_, coverage)| !coverage.is_whole())
        .map(move |(protocol, coverage)| (device, protocol, coverage))
}

/// The flows of a protocol: on standard ports, in brackets those on others, and how many rules judged, where not all.
pub(crate) fn flow_counts(device: &DeviceAudit, protocol: &str) -> Option<String> {
    let counts = port_counts(device.protocols.get(protocol))?;
    Some(match device.coverage.get(protocol) {
        Some(coverage) if !coverage.is_whole() => format!("{counts} ({} judged)", coverage.judged),
        _ => counts,
    })
}

fn findings(device: &DeviceAudit) -> Table {
    let mut table = Table::new([
        ("severity", Type::Text),
        ("rule", Type::Text),
        ("what", Type::Text),
        ("by", Type::Text),
        ("flows", Type::Text),
        ("seen", Type::Text),
        ("expected", Type::Text),
        ("reference", Type::Text),
        ("first", Type::Text),
    ]);
    for line in lines(device) {
        table.add([
            Cell::from(line.severity.as_str()),
            Cell::from(line.rule),
            Cell::from(title(line.rule)),
            Cell::from(line.by),
            Cell::from(line.share()),
            Cell::from(line.seen),
            Cell::from(line.expected),
            Cell::from(line.reference),
            Cell::from(line.first),
        ]);
    }
    table
}

fn likenesses(report: &Report) -> Table {
    let mut table = Table::new([
        ("device", Type::Text),
        ("label", Type::Text),
        ("answer", Type::Text),
        ("looks_like", Type::List),
        ("score", Type::Real),
        ("by", Type::Text),
    ]);
    for (device, likeness) in report.likenesses() {
        let (word, names) = answer(&likeness.answer);
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let best = likeness.candidates.first();
        table.add([
            Cell::from(device.device.to_string()),
            Cell::from(device.label.clone()),
            Cell::from(word),
            Cell::from(names),
            Cell::from(best.map(|best| best.score)),
            Cell::from(evidence(likeness)),
        ]);
    }
    table
}

/// What speaks for the best candidate.
pub(crate) fn evidence(likeness: &Likeness) -> Option<String> {
    let best = likeness.candidates.first()?;
    let worded: Vec<String> = best.evidence.iter().take(MOST_EVIDENCE).map(worded).collect();
    let rest = best.evidence.len() - worded.len();
    let more = if rest > 0 { format!("; {rest} more") } else { String::new() };
    Some(format!("{}{more}", worded.join("; ")))
}

fn worded(evidence: &Evidence) -> String {
    let mut value: String = evidence.value.chars().take(MOST_VALUE_CHARS).collect();
    if value.len() < evidence.value.len() {
        value.push('…');
    }
    let shared = match evidence.shared_by {
        1 if evidence.is_generic() => "unique, but names nobody".to_owned(),
        1 => "unique".to_owned(),
        shared => format!("shared by {shared}"),
    };
    format!("{} {value} ({shared})", evidence.attribute.name())
}

fn verdicts(report: &Report) -> Table {
    let mut table = Table::new([
        ("device", Type::Text),
        ("label", Type::Text),
        ("profile", Type::Text),
        ("flows", Type::Unsigned),
        ("not_allowed", Type::Unsigned),
        ("allowed_by_default", Type::Unsigned),
        ("allowed_by_claim", Type::Unsigned),
        ("entries", Type::Unsigned),
        ("unused_entries", Type::List),
    ]);
    for (device, verdict) in report.verdicts() {
        let checked = verdict.report();
        table.add([
            Cell::from(device.device.to_string()),
            Cell::from(device.label.clone()),
            Cell::from(verdict.file()),
            Cell::from(checked.flows),
            Cell::from(checked.denied_flows),
            Cell::from(checked.implied_flows),
            Cell::from(checked.claimed_flows),
            Cell::from(checked.entries.len() as u64),
            Cell::from(verdict.unused().collect::<Vec<_>>()),
        ]);
    }
    table
}
