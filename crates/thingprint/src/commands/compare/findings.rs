//! Findings of the audit that are new or mended.

use std::collections::{BTreeMap, BTreeSet};

use thingprint_audit::{CoverageByProtocol, DeviceAudit, Finding, Rule, Severity};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_protocol::Sender;
use thingprint_watch::FindingRecord;

use super::row::{Kind, Row};
use super::side::SideRead;

/// What a store calls a device that said something itself.
const BY_DEVICE: &str = "device";

/// What makes two findings the same one.
type Key<'a> = (&'a str, &'a str, bool);

/// A finding of captures or of a store.
struct Found<'a> {
    key: Key<'a>,
    severity: Severity,
    flows: u64,
    /// Flows of the device that the rule is about; a store does not keep them.
    of_flows: Option<u64>,
    first_seen: Timestamp,
}

/// The findings of a device, and for how many flows each rule could judge it; a store does not keep that.
#[derive(Default)]
struct OfDevice<'a> {
    found: Vec<Found<'a>>,
    judged: Option<&'a BTreeMap<&'static str, u64>>,
    coverage: Option<&'a CoverageByProtocol>,
}

/// Findings that only one side has; none where a side has no findings at all. A finding is mended only where the rule could judge
/// the device in the later time. Where it could not judge flows of the earlier time, nobody knows whether a finding is new: those of
/// a rule are one note.
pub(super) fn rows(sides: &[SideRead; 2]) -> Vec<Row> {
    let [Some(earlier), Some(later)] = sides.each_ref().map(by_device) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (device, now) in &later {
        // All of a new device's findings are new.
        let known = earlier.get(device).map(keys).unwrap_or_default();
        let new = now.found.iter().filter(|found| !known.contains(&found.key));
        for (rule, found) in by_rule(new) {
            match earlier.get(device).map_or(0, |before| before.flows_not_judged(rule)) {
                0 => rows.extend(row(*device, &found, Kind::NewFinding)),
                flows => rows.extend(not_judged_before(*device, &found, flows)),
            }
        }
    }
    for (device, before) in &earlier {
        let Some(now) = later.get(device) else { continue };
        let still = keys(now);
        let was_judged = |found: &&Found<'_>| {
            now.judged.and_then(|judged| judged.get(found.key.0)).is_some_and(|flows| *flows > 0)
        };
        let mended = before.found.iter().filter(|found| !still.contains(&found.key)).filter(was_judged);
        let mended = by_rule(mended).into_values();
        rows.extend(mended.filter_map(|found| row(*device, &found, Kind::MendedFinding)));
    }
    rows
}

/// Findings of each rule, the most severe first, and of these the one with most flows.
fn by_rule<'f, 'a>(found: impl Iterator<Item = &'f Found<'a>>) -> BTreeMap<&'a str, Vec<&'f Found<'a>>> {
    let mut rules: BTreeMap<&str, Vec<&Found<'_>>> = BTreeMap::new();
    for found in found {
        rules.entry(found.key.0).or_default().push(found);
    }
    for found in rules.values_mut() {
        found.sort_by_key(|finding| std::cmp::Reverse((finding.severity, finding.flows)));
    }
    rules
}

fn by_device(side: &SideRead) -> Option<BTreeMap<DeviceId, OfDevice<'_>>> {
    if let Some(stored) = &side.stored {
        let mut devices: BTreeMap<DeviceId, OfDevice<'_>> = BTreeMap::new();
        for record in stored {
            devices.entry(record.device).or_default().found.push(Found::of_record(record));
        }
        return Some(devices);
    }
    let audit = side.audit()?;
    Some(audit.devices.iter().map(|device| (device.device, OfDevice::of_audit(device))).collect())
}

fn keys<'a>(of: &OfDevice<'a>) -> BTreeSet<Key<'a>> {
    of.found.iter().map(|found| found.key).collect()
}

impl<'a> OfDevice<'a> {
    fn of_audit(audit: &'a DeviceAudit) -> Self {
        Self {
            found: audit.findings.iter().map(Found::of_finding).collect(),
            judged: Some(&audit.judged),
            coverage: Some(&audit.coverage),
        }
    }

    /// Flows of the protocols that a rule is about, where it could judge none of them; 0 where that is not known.
    fn flows_not_judged(&self, rule: &str) -> u64 {
        let (Some(judged), Some(coverage), Some(rule)) = (self.judged, self.coverage, Rule::of(rule)) else {
            return 0;
        };
        if judged.get(rule.id).is_some_and(|flows| *flows > 0) {
            return 0;
        }
        rule.protocols.iter().filter_map(|protocol| coverage.get(protocol)).map(|of| of.seen).sum()
    }
}

impl<'a> Found<'a> {
    fn of_finding(finding: &'a Finding) -> Self {
        Self {
            key: (finding.rule, &finding.seen, finding.by == Sender::Device),
            severity: finding.severity,
            flows: finding.flows,
            of_flows: Some(finding.total),
            first_seen: finding.example.time,
        }
    }

    fn of_record(record: &'a FindingRecord) -> Self {
        Self {
            key: (&record.rule, &record.seen, record.by == BY_DEVICE),
            severity: record.severity,
            flows: record.flows,
            of_flows: None,
            first_seen: record.first_seen,
        }
    }

    fn seen(&self) -> String {
        let (_, seen, _) = self.key;
        match self.of_flows {
            Some(total) => format!("{seen} ({} of {total} flows)", self.flows),
            None => format!("{seen} ({})", crate::messages::counted(self.flows, "flow", "flows")),
        }
    }
}

/// A note of findings of a rule that could not judge the device in the earlier time.
fn not_judged_before(device: DeviceId, found: &[&Found<'_>], flows: u64) -> Option<Row> {
    let before = Some(format!("not judged in {}", crate::messages::counted(flows, "flow", "flows")));
    let row = row(device, found, Kind::NewFinding)?;
    Some(Row { before, severity: Severity::Note, ..row })
}

/// The row of the findings of a rule: the worst in words, and all of them with their flows.
fn row(device: DeviceId, found: &[&Found<'_>], kind: Kind) -> Option<Row> {
    let first = *found.first()?;
    let severity = match kind {
        Kind::NewFinding => first.severity,
        _ => Severity::Note,
    };
    let others = match found.len() - 1 {
        0 => String::new(),
        others => format!(", and {others} more"),
    };
    let seen = Some(first.seen() + &others);
    let (before, after) = if kind == Kind::NewFinding { (None, seen) } else { (seen, None) };
    let words = found.iter().map(|found| (found.key.1.to_owned(), found.flows));
    Some(Row {
        what: first.key.0.to_owned(),
        before,
        after,
        first_seen: found.iter().map(|found| found.first_seen).min(),
        words: words.collect(),
        ..Row::new(severity, kind, Some(device))
    })
}
