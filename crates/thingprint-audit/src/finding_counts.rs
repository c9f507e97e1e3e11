use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use thingprint_flow::DeviceId;

use crate::{Audit, DeviceAudit, Severity};

/// How many findings there are, as people count them: a rule that a device does not keep is one finding, however many values and
/// flows break it, and as severe as the worst of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingCounts<'a> {
    rules: BTreeMap<(DeviceId, &'a str), Broken>,
}

/// A rule that a device does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Broken {
    severity: Severity,
    /// Flows of the most frequent value.
    flows: u64,
    /// Whether there are several values, so that there may be more flows.
    has_more: bool,
}

/// The counts in numbers, as JSON has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FindingNumbers {
    /// Rules that a device does not keep, of all devices.
    pub findings: u64,
    /// Those of them of which the worst value is an error.
    pub errors: u64,
    /// Those of which it is a warning.
    pub warnings: u64,
    /// Those of which it is a note.
    pub notes: u64,
    /// Flows in which they were seen, of each device: a flow between two of them counts at both where both have findings in it.
    pub flows: u64,
    /// Whether there may be more such flows: which values were seen in the same flow is not kept.
    pub is_lower_bound: bool,
}

impl<'a> FindingCounts<'a> {
    /// Those of all devices of an audit.
    pub fn of(audit: &'a Audit) -> Self {
        let mut counts = Self::default();
        for device in &audit.devices {
            counts.add_device(device);
        }
        counts
    }

    /// Those of one device.
    pub fn of_device(device: &'a DeviceAudit) -> Self {
        let mut counts = Self::default();
        counts.add_device(device);
        counts
    }

    /// Adds the flows in which a device broke a rule with one value.
    pub fn add(&mut self, device: DeviceId, rule: &'a str, severity: Severity, flows: u64) {
        let broken = self.rules.entry((device, rule));
        broken
            .and_modify(|broken| {
                broken.severity = broken.severity.max(severity);
                broken.flows = broken.flows.max(flows);
                broken.has_more = true;
            })
            .or_insert(Broken { severity, flows, has_more: false });
    }

    fn add_device(&mut self, device: &'a DeviceAudit) {
        for finding in &device.findings {
            self.add(device.device, finding.rule, finding.severity, finding.flows);
            if let Some(broken) = self.rules.get_mut(&(device.device, finding.rule)) {
                broken.has_more |= finding.is_lower_bound;
            }
        }
    }

    /// Findings of this severity.
    pub fn at(&self, severity: Severity) -> u64 {
        self.rules.values().filter(|broken| broken.severity == severity).count() as u64
    }

    /// The counts in numbers.
    pub fn numbers(&self) -> FindingNumbers {
        let mut devices: BTreeMap<DeviceId, (u64, bool)> = BTreeMap::new();
        for ((device, _), broken) in &self.rules {
            let (flows, has_more) = devices.entry(*device).or_default();
            *has_more |= broken.has_more || *flows > 0;
            *flows = (*flows).max(broken.flows);
        }
        FindingNumbers {
            findings: self.rules.len() as u64,
            errors: self.at(Severity::Error),
            warnings: self.at(Severity::Warning),
            notes: self.at(Severity::Note),
            flows: devices.values().map(|(flows, _)| flows).sum(),
            is_lower_bound: devices.values().any(|(_, has_more)| *has_more),
        }
    }
}

/// `3 findings (1 error, 2 warnings) in 40 flows`, or `no finding`. Those of several devices are `in 40 flows of devices`, since
/// a flow between two of them counts at both.
impl fmt::Display for FindingCounts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.numbers();
        if numbers.findings == 0 {
            return f.write_str("no finding");
        }
        let counted = |count: u64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let of = |severity: &Severity| counted(self.at(*severity), severity.as_str());
        let severities: Vec<String> =
            Severity::ALL.iter().rev().filter(|severity| self.at(**severity) > 0).map(of).collect();
        let least = if numbers.is_lower_bound { "at least " } else { "" };
        let (findings, flows) = (counted(numbers.findings, "finding"), counted(numbers.flows, "flow"));
        let first = self.rules.keys().next().map(|(device, _)| device);
        let is_of_several = self.rules.keys().any(|(device, _)| Some(device) != first);
        let whose = if is_of_several { " of devices" } else { "" };
        write!(f, "{findings} ({}) in {least}{flows}{whose}", severities.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::MacAddr;

    use super::*;

    #[test]
    fn a_rule_that_a_device_breaks_is_one_finding_however_many_values_do() {
        let [one, other] = [1, 2].map(|number| DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, number])));
        let mut counts = FindingCounts::default();
        assert_eq!(counts.to_string(), "no finding");
        counts.add(one, "HTTP-001", Severity::Warning, 1);
        assert_eq!(counts.to_string(), "1 finding (1 warning) in 1 flow");
        for flows in [30, 40, 7] {
            counts.add(other, "TLS-003", Severity::Warning, flows);
        }
        counts.add(other, "TLS-003", Severity::Error, 2);
        // Nobody knows whether the values were in the same flows.
        let expected = "2 findings (1 error, 1 warning) in at least 41 flows of devices";
        assert_eq!(counts.to_string(), expected);
        counts.add(one, "NTP-001", Severity::Note, 5);
        let numbers = counts.numbers();
        let expected =
            FindingNumbers { findings: 3, errors: 1, warnings: 1, notes: 1, flows: 45, is_lower_bound: true };
        assert_eq!(numbers, expected);
    }
}
