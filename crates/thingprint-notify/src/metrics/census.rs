use std::collections::BTreeMap;
use std::fmt;

use thingprint_watch::{DeviceRecord, Severities};

use super::page::{Page, Row};

/// Classes that are counted apart, those of most devices first. A model has some dozens; others count as one class.
const MAX_CLASSES: usize = 100;

/// The class of devices whose class is not counted apart.
const OTHER: &str = "other";

/// The class of devices that are of no known class.
const UNKNOWN: &str = "unknown";

/// The class of devices without a verdict.
const NOT_JUDGED: &str = "not-judged";

/// Devices and their findings, counted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Census {
    classes: BTreeMap<String, u64>,
    gateways: u64,
    new_devices: u64,
    muted_devices: u64,
    open_events: u64,
    findings: Severities,
}

impl Census {
    /// Counts devices; gateways are not judged, and counted apart.
    pub(super) fn new(records: &[DeviceRecord]) -> Self {
        let devices = || records.iter().filter(|record| record.sighting.gateway.is_none());
        let mut classes: BTreeMap<&str, u64> = BTreeMap::new();
        devices().for_each(|record| *classes.entry(class(record)).or_default() += 1);
        let severity =
            |of: fn(&Severities) -> u64| records.iter().map(|record| of(&record.findings)).sum::<u64>();
        Self {
            classes: bounded(classes),
            gateways: (records.len() - devices().count()) as u64,
            new_devices: records.iter().filter(|record| record.is_new).count() as u64,
            muted_devices: records.iter().filter(|record| record.is_muted).count() as u64,
            open_events: records.iter().map(|record| record.open_events).sum(),
            findings: Severities {
                error: severity(|findings| findings.error),
                warning: severity(|findings| findings.warning),
                note: severity(|findings| findings.note),
            },
        }
    }

    /// Writes the counts.
    pub(super) fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        let classes = self.classes.iter();
        page.gauge(
            "devices",
            "Devices by the class of the verdict that stands, without gateways",
            classes.map(|(class, count)| Row::from(*count).with("class", class.clone())),
        )?;
        page.gauge("gateways", "Gateways", [self.gateways.into()])?;
        page.gauge("new_devices", "Devices whose appearance nobody acknowledged", [self.new_devices.into()])?;
        page.gauge("muted_devices", "Devices whose events are not sent", [self.muted_devices.into()])?;
        page.gauge("open_events", "Events of devices that nobody acknowledged", [self.open_events.into()])?;
        let findings = [
            ("error", self.findings.error),
            ("warning", self.findings.warning),
            ("note", self.findings.note),
        ];
        page.gauge(
            "findings",
            "Findings by severity that nobody acknowledged",
            findings.map(|(severity, count)| Row::from(count).with("severity", severity.to_owned())),
        )
    }
}

fn class(record: &DeviceRecord) -> &str {
    match &record.verdict {
        None => NOT_JUDGED,
        Some(verdict) => verdict.class.as_deref().unwrap_or(UNKNOWN),
    }
}

/// The classes of most devices; the others together.
fn bounded(classes: BTreeMap<&str, u64>) -> BTreeMap<String, u64> {
    let mut ranked: Vec<(&str, u64)> = classes.into_iter().collect();
    // Stable: classes of as many devices stay in the order of their names.
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut bounded = BTreeMap::new();
    for (rank, (class, count)) in ranked.into_iter().enumerate() {
        let class = if rank < MAX_CLASSES { class } else { OTHER };
        *bounded.entry(class.to_owned()).or_default() += count;
    }
    bounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::tests::record;

    #[test]
    fn classes_of_few_devices_count_as_other() {
        let mac = "a8:40:7c:0b:33:f2";
        let mut records: Vec<DeviceRecord> =
            (0..150).map(|number| record(mac, None, Some(&format!("class-{number:03}")))).collect();
        records.extend((0..3).map(|_| record(mac, None, Some("camera"))));
        records.push(record(mac, None, None));
        let mut gateway = record(mac, None, Some("camera"));
        gateway.sighting.gateway = Some("forwards".to_owned());
        records.push(gateway);
        let census = Census::new(&records);
        assert_eq!(census.classes.len(), MAX_CLASSES + 1);
        assert_eq!(census.classes["camera"], 3);
        assert_eq!(
            census.classes["other"], 52,
            "149 and unknown of one device each, less 99 that are listed"
        );
        assert_eq!(census.classes.values().sum::<u64>(), 154);
        assert_eq!((census.gateways, census.findings.error), (1, 155));
    }

    #[test]
    fn a_device_without_a_verdict_is_not_judged() {
        let mut one = record("a8:40:7c:0b:33:f2", None, None);
        one.verdict = None;
        assert_eq!(Census::new(&[one]).classes, BTreeMap::from([("not-judged".to_owned(), 1)]));
    }
}
