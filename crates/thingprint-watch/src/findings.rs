use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use thingprint_audit::{Auditor, Example, Finding, Policy};
use thingprint_flow::{
    DeviceId, DeviceIndex, DeviceLosses, DeviceNumbers, FairMap, LossKind, Timestamp, protocol_name,
};
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
    numbers: DeviceNumbers,
    /// The rules that devices are known to break: each is one event, however many values break it.
    known: FairMap<String, ()>,
    /// Time of the latest flow since findings were taken last.
    latest: Option<Timestamp>,
    left_out: DeviceLosses,
}

/// Who said what a device said itself.
pub(crate) const BY_DEVICE: &str = "device";
/// Devices of which findings are remembered; addresses that nobody answered give way to others.
pub(crate) const MOST_DEVICES: usize = 1 << 16;
/// Rules that devices are known to break, of all devices; who gives up some has an event of them again.
const MOST_KNOWN: usize = 1 << 18;

/// Findings that are not given.
const FINDINGS: LossKind = LossKind::new("findings");
/// Rules that a device is not known to break any more, so that it has an event of them again.
const KNOWN_RULES: LossKind = LossKind::new("known_rules");

impl Findings {
    pub(crate) fn new(engine: Engine, policy: Policy, known: BTreeSet<(DeviceId, String)>) -> Self {
        let mut findings = Self {
            engine,
            auditor: Auditor::new(policy.clone()),
            policy,
            numbers: DeviceNumbers::new(MOST_DEVICES),
            known: FairMap::new(MOST_KNOWN),
            latest: None,
            left_out: DeviceLosses::default(),
        };
        for (device, rule) in known {
            let number = findings.see(device, true);
            findings.know(number, rule);
        }
        findings
    }

    /// Judges a flow that ended.
    pub(crate) fn flow(&mut self, row: FlowRow) {
        let mut flow = row.flow;
        flow.device = self.see(row.device, flow.is_established);
        self.latest = self.latest.max(Some(flow.last));
        self.auditor.flow(&self.engine, &flow);
    }

    /// What was found since this was asked last, with an event for each rule that a device is not known to break.
    pub(crate) fn take(&mut self) -> (Vec<FindingRecord>, Vec<Happened>) {
        let Some(latest) = self.latest.take() else { return Default::default() };
        let auditor = std::mem::replace(&mut self.auditor, Auditor::new(self.policy.clone()));
        let audit = auditor.finish(self.numbers.ids(), &BTreeMap::new());
        let (mut records, mut events) = (Vec::new(), Vec::new());
        for device in audit.devices {
            self.left_out.add(device.device, FINDINGS, device.dropped);
            let number = self.numbers.of(device.device);
            for finding in device.findings {
                let record = record(device.device, finding, latest);
                if number.is_some_and(|number| self.know(number, record.rule.clone())) {
                    events.push(happened(&record));
                }
                records.push(record);
            }
        }
        (records, events)
    }

    /// The number of a device that is there.
    fn see(&mut self, device: DeviceId, is_established: bool) -> DeviceIndex {
        let mut forgotten = Vec::new();
        let number = self.numbers.see(device, &mut forgotten);
        for (number, _) in forgotten {
            self.left_out.add_other(FINDINGS, self.auditor.forget(number));
            self.left_out.add_other(LossKind::DEVICES, 1);
            drop(self.known.forget(number));
        }
        if is_established {
            self.numbers.establish(number);
            self.auditor.establish(number);
            self.known.establish(number);
        }
        number
    }

    /// A device breaks a rule; whether that was not known.
    fn know(&mut self, number: DeviceIndex, rule: String) -> bool {
        let is_new = self.known.use_mut(number, &rule).is_none();
        if is_new {
            for gone in self.known.insert(number, (rule, ()), 1) {
                if let Some(device) = self.numbers.ids().get(gone.device.as_usize()) {
                    self.left_out.add(*device, KNOWN_RULES, 1);
                }
            }
        }
        is_new
    }

    /// Findings, devices and rules that were left out since there were too many.
    pub(crate) const fn left_out(&self) -> &DeviceLosses {
        &self.left_out
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
        remediation: finding.operator.to_owned(),
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
