//! Findings of the audit that are new or mended, and those of which nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use thingprint_audit::{CoverageByProtocol, DeviceAudit, Finding, Rule, Severity, SortedMap};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_protocol::Sender;
use thingprint_watch::FindingRecord;

use super::row::{Kind, Row};
use super::side::SideRead;
use crate::messages::counted;

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
    judged: Option<&'a SortedMap<&'static str, u64>>,
    coverage: Option<&'a CoverageByProtocol>,
}

/// How likely it may be at most that a finding which is still there was missed by chance, for it to be mended.
const MOST_CHANCE: f64 = 0.05;
/// Fewer flows than this are too few to say that something is mended, unless there were hardly more before.
const FEW_FLOWS: u64 = 10;

/// Findings that only one side has; none where a side has no findings at all. A finding is mended only where the rule judged
/// comparably many flows of the device in the later time: else it was not seen, or not even judged again. Where it could not judge flows of the earlier time, nobody knows whether a finding is new: those of
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
    let silent = OfDevice::default();
    let seen: BTreeSet<DeviceId> = sides[1].rows.iter().map(|row| row.instance.device).collect();
    for (device, before) in &earlier {
        let is_seen = later.contains_key(device) || seen.contains(device);
        let now = later.get(device).unwrap_or(&silent);
        let still = keys(now);
        let gone = before.found.iter().filter(|found| !still.contains(&found.key));
        for (rule, found) in by_rule(gone) {
            let mut by_fate: BTreeMap<Fate, Vec<&Found<'_>>> = BTreeMap::new();
            for finding in found {
                let fate = if is_seen { now.fate(finding) } else { Fate::DeviceSilent };
                by_fate.entry(fate).or_default().push(finding);
            }
            rows.extend(
                by_fate.into_iter().filter_map(|(fate, found)| gone_row(*device, rule, &found, fate, now)),
            );
        }
    }
    rows
}

/// What became of a finding that is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// The rule judged comparably many flows, and found nothing.
    Mended,
    /// It judged too few of them to say that.
    NotSeen,
    /// It could judge none of the flows of its protocols.
    NotJudged,
    /// There was no flow of its protocols.
    NoFlow,
    /// The device did nothing.
    DeviceSilent,
}

/// The row of findings of a rule of one fate.
fn gone_row(
    device: DeviceId,
    rule: &str,
    found: &[&Found<'_>],
    fate: Fate,
    now: &OfDevice<'_>,
) -> Option<Row> {
    let protocols = Rule::of(rule).map(|rule| rule.protocols.join(" or ")).unwrap_or_default();
    let of =
        if protocols.is_empty() { "that the rule is about".to_owned() } else { format!("of {protocols}") };
    let (kind, why) = match fate {
        Fate::Mended => (Kind::MendedFinding, None),
        Fate::NotSeen => (Kind::UnseenFinding, Some(now.too_few(rule, found))),
        Fate::NotJudged => {
            let flows = counted(now.flows_seen(rule), "flow", "flows");
            (Kind::UnjudgedFinding, Some(format!("none of {flows} {of} could be judged")))
        }
        Fate::NoFlow => (Kind::UnjudgedFinding, Some(format!("there was no flow {of}"))),
        Fate::DeviceSilent => (Kind::UnjudgedFinding, Some("the device was not seen".to_owned())),
    };
    let worst = found.iter().map(|found| found.severity).max();
    Some(Row { after: why, earlier_severity: worst, ..row(device, found, kind)? })
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

    /// What became of a finding that is not among these.
    fn fate(&self, found: &Found<'_>) -> Fate {
        let (Some(judged), Some(total)) = (self.judged, found.of_flows) else { return Fate::NotSeen };
        let (rule, ..) = found.key;
        let flows = judged.get(rule).copied().unwrap_or(0);
        if flows == 0 {
            return if self.flows_seen(rule) > 0 { Fate::NotJudged } else { Fate::NoFlow };
        }
        let share = found.flows as f64 / total.max(1) as f64;
        let chance = (1.0 - share).powf(flows as f64);
        let is_comparable = flows >= FEW_FLOWS || flows.saturating_mul(2) >= total;
        if is_comparable && chance <= MOST_CHANCE { Fate::Mended } else { Fate::NotSeen }
    }

    /// Why it cannot be said that findings of a rule are mended.
    fn too_few(&self, rule: &str, found: &[&Found<'_>]) -> String {
        let before = found.iter().filter_map(|found| found.of_flows).max();
        match (self.judged.and_then(|judged| judged.get(rule)), before) {
            (Some(now), Some(before)) => {
                format!("judged in {} only, in {before} before", counted(*now, "flow", "flows"))
            }
            _ => "a store does not say what was judged".to_owned(),
        }
    }

    /// Flows of the protocols that a rule is about.
    fn flows_seen(&self, rule: &str) -> u64 {
        let (Some(coverage), Some(rule)) = (self.coverage, Rule::of(rule)) else { return 0 };
        rule.protocols.iter().filter_map(|protocol| coverage.get(protocol)).map(|of| of.seen).sum()
    }

    /// Flows of the protocols that a rule is about, where it could judge none of them; 0 where that is not known.
    fn flows_not_judged(&self, rule: &str) -> u64 {
        let is_judged = self.judged.and_then(|judged| judged.get(rule)).is_some_and(|flows| *flows > 0);
        if is_judged { 0 } else { self.flows_seen(rule) }
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
            None => format!("{seen} ({})", counted(self.flows, "flow", "flows")),
        }
    }
}

/// A note of findings of a rule that could not judge the device in the earlier time.
fn not_judged_before(device: DeviceId, found: &[&Found<'_>], flows: u64) -> Option<Row> {
    let before = Some(format!("not judged in {}", counted(flows, "flow", "flows")));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_mended_only_where_it_would_have_been_seen() {
        let fate = |(flows, total): (u64, u64), judged: u64| {
            let judged = SortedMap::from_iter([("TLS-003", judged)]);
            let now = OfDevice { judged: Some(&judged), ..OfDevice::default() };
            let key = ("TLS-003", "a suite", true);
            let first_seen = Timestamp::default();
            now.fate(&Found { key, severity: Severity::Error, flows, of_flows: Some(total), first_seen })
        };
        // In every flow: a few flows without it say that it is gone.
        assert_eq!(fate((100, 100), 10), Fate::Mended);
        assert_eq!(fate((100, 100), 9), Fate::NotSeen);
        assert_eq!(fate((2, 2), 1), Fate::Mended, "half as many");
        // In one flow of ten: 28 flows miss it with 5.2 %, 29 with 4.7 %.
        assert_eq!(fate((10, 100), 28), Fate::NotSeen);
        assert_eq!(fate((10, 100), 29), Fate::Mended);
        assert_eq!(fate((100, 100), 0), Fate::NoFlow);
    }
}
