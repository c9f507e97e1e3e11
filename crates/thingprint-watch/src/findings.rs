use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use thingprint_audit::{Auditor, Example, Finding, Policy};
use thingprint_flow::{DeviceId, DeviceIndex, Timestamp, protocol_name};
use thingprint_pipeline::FlowRow;
use thingprint_protocol::{Engine, Sender};

use crate::book::Happened;
use crate::records::{EventKind, FindingRecord};

/// Audits flows as they end, and gives the findings of each while.
#[derive(Debug)]
pub(crate) struct Findings {
    engine: Engine,
    policy: Policy,
    auditor: Auditor,
    devices: Vec<DeviceId>,
    indices: BTreeMap<DeviceId, DeviceIndex>,
    /// Devices with the rules that they are known to break: each is one event, however many values break it.
    known: BTreeSet<(DeviceId, String)>,
    /// Time of the latest flow since findings were taken last.
    latest: Option<Timestamp>,
    dropped: u64,
}

/// Who said what a device said itself.
pub(crate) const BY_DEVICE: &str = "device";
/// Devices with findings and rules that are remembered as known; a flood of devices that break rules would leave more.
const MOST_KNOWN: usize = 1 << 18;

impl Findings {
    pub(crate) fn new(engine: Engine, policy: Policy, known: BTreeSet<(DeviceId, String)>) -> Self {
        Self {
            engine,
            auditor: Auditor::new(policy.clone()),
            policy,
            devices: Vec::new(),
            indices: BTreeMap::new(),
            known,
            latest: None,
            dropped: 0,
        }
    }

    /// Judges a flow that ended.
    pub(crate) fn flow(&mut self, row: FlowRow) {
        let next = DeviceIndex::new(u32::try_from(self.devices.len()).unwrap_or(u32::MAX));
        let index = *self.indices.entry(row.device).or_insert_with(|| {
            self.devices.push(row.device);
            next
        });
        let mut flow = row.flow;
        flow.device = index;
        self.latest = self.latest.max(Some(flow.last));
        self.auditor.flow(&self.engine, &flow);
    }

    /// What was found since this was asked last, with an event for each rule that a device is not known to break.
    pub(crate) fn take(&mut self) -> (Vec<FindingRecord>, Vec<Happened>) {
        let Some(latest) = self.latest.take() else { return Default::default() };
        let auditor = std::mem::replace(&mut self.auditor, Auditor::new(self.policy.clone()));
        let audit = auditor.finish(&std::mem::take(&mut self.devices), &BTreeMap::new());
        self.indices.clear();
        let (mut records, mut events) = (Vec::new(), Vec::new());
        for device in audit.devices {
            self.dropped += device.dropped;
            for finding in device.findings {
                let record = record(device.device, finding, latest);
                let key = (record.device, record.rule.clone());
                if self.known.len() >= MOST_KNOWN {
                    self.dropped += u64::from(!self.known.contains(&key));
                } else if self.known.insert(key) {
                    events.push(happened(&record));
                }
                records.push(record);
            }
        }
        (records, events)
    }

    /// Values that were left out since there were too many.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// A finding as a record; it was said last at `latest` or before.
pub(crate) fn record(device: DeviceId, finding: Finding, latest: Timestamp) -> FindingRecord {
    let Example { time, protocol, client, server, .. } = finding.example;
    FindingRecord {
        device,
        rule: finding.rule.to_owned(),
        severity: finding.severity,
        by: if finding.by == Sender::Device { BY_DEVICE } else { "peer" }.to_owned(),
        flows: finding.flows,
        seen: finding.seen,
        expected: finding.expected,
        reference: finding.reference,
        remediation: finding.remediation.to_owned(),
        first_seen: time,
        last_seen: latest.max(time),
        example: format!("{} {client} > {server}", protocol_name(protocol)),
        acknowledged_at: None,
    }
}

/// The event of a finding, without the name of the device.
pub(crate) fn happened(record: &FindingRecord) -> Happened {
    let FindingRecord { device, rule, severity, seen, expected, example, first_seen, .. } = record;
    let evidence = [("rule", rule), ("seen", seen), ("expected", expected), ("example", example)];
    let evidence = evidence.map(|(key, text)| (key.to_owned(), Value::from(text.as_str())));
    Happened {
        at: *first_seen,
        kind: EventKind::Finding,
        severity: *severity,
        device: Some(*device),
        subject: rule.clone(),
        text: format!("{rule}: {seen}; expected {expected}"),
        evidence: Map::from_iter(evidence),
    }
}
