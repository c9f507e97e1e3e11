//! Findings of the audit that are new or mended.

use std::collections::{BTreeMap, BTreeSet};

use thingprint_audit::{Audit, DeviceAudit, Finding, Severity};
use thingprint_flow::DeviceId;
use thingprint_protocol::Sender;

use super::row::{Kind, Row};
use super::side::SideRead;

/// What makes two findings the same one.
type Key<'a> = (&'static str, &'a str, bool);

/// Findings that only one side has; none where a side was not audited. A finding is mended only where the rule could judge the
/// device in the later time.
pub(super) fn rows(sides: &[SideRead; 2]) -> Vec<Row> {
    let [Some(before), Some(after)] = sides.each_ref().map(SideRead::audit) else {
        return Vec::new();
    };
    let (earlier, later) = (by_device(before), by_device(after));
    let mut rows = Vec::new();
    for (device, audit) in &later {
        // All of a new device's findings are new.
        let known = earlier.get(device).map(|audit| keys(audit)).unwrap_or_default();
        let new = audit.findings.iter().filter(|finding| !known.contains(&key(finding)));
        rows.extend(new.map(|finding| row(*device, finding, Kind::NewFinding)));
    }
    for (device, audit) in &earlier {
        let Some(now) = later.get(device) else { continue };
        let still = keys(now);
        let was_judged = |finding: &&Finding| now.judged.get(finding.rule).is_some_and(|flows| *flows > 0);
        let mended =
            audit.findings.iter().filter(|finding| !still.contains(&key(finding))).filter(was_judged);
        rows.extend(mended.map(|finding| row(*device, finding, Kind::MendedFinding)));
    }
    rows
}

fn by_device(audit: &Audit) -> BTreeMap<DeviceId, &DeviceAudit> {
    audit.devices.iter().map(|device| (device.device, device)).collect()
}

fn keys(audit: &DeviceAudit) -> BTreeSet<Key<'_>> {
    audit.findings.iter().map(key).collect()
}

fn key(finding: &Finding) -> Key<'_> {
    (finding.rule, &finding.seen, finding.by == Sender::Device)
}

fn row(device: DeviceId, finding: &Finding, kind: Kind) -> Row {
    let severity = match kind {
        Kind::NewFinding => finding.severity,
        _ => Severity::Note,
    };
    let seen = Some(format!("{} ({} of {} flows)", finding.seen, finding.flows, finding.total));
    let (before, after) = if kind == Kind::NewFinding { (None, seen) } else { (seen, None) };
    Row {
        what: finding.rule.to_owned(),
        before,
        after,
        first_seen: Some(finding.example.time),
        ..Row::new(severity, kind, Some(device))
    }
}
