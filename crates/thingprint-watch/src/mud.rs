use std::collections::BTreeSet;

use thingprint_audit::report::{Profiles, Verdict};
use thingprint_flow::{
    DeviceId, DeviceIndex, DeviceLosses, DeviceNumbers, FairMap, Flow, LossKind, Timestamp,
};
use thingprint_profile::MudBuilder;
use thingprint_protocol::schema::Model;
use thingprint_protocol::{Engine, Heard};

use crate::book::Happened;
use crate::findings::{BY_DEVICE, MOST_DEVICES, happened, record};
use crate::records::{EventKind, FindingRecord};

/// The rule of findings about profiles.
const MUD_RULE: &str = "MUD-001";
/// Most bytes of what was reported of devices, which they share fairly; what is given up is reported anew.
const MOST_REPORTED_BYTES: usize = 32 << 20;
/// What a report takes beside its text, in bytes.
const REPORT_BYTES: usize = 96;
/// Reports that were forgotten, so that they come again.
const REPORTS: LossKind = LossKind::new("mud_reports");

/// Holds devices against their MUD profiles.
///
/// Names of peers come from DNS answers, whose flows may end after those that they explain. So devices are checked when a
/// window is final, and not flow by flow. Connections that began before the reading do not tell who opened them, and are
/// left out.
pub(crate) struct MudWatch {
    engine: Engine,
    profiles: Profiles,
    builder: MudBuilder,
    numbers: DeviceNumbers,
    /// Devices with flows since they were checked last.
    changed: BTreeSet<DeviceId>,
    /// Flows that were reported of what a profile does not allow.
    reported: FairMap<String, u64>,
    /// What was known to be not allowed at the start.
    known: BTreeSet<(DeviceId, String)>,
    latest: Timestamp,
    left_out: DeviceLosses,
}

impl MudWatch {
    pub(crate) fn new(engine: Engine, profiles: Profiles, builder: MudBuilder) -> Self {
        Self {
            engine,
            profiles,
            builder,
            numbers: DeviceNumbers::new(MOST_DEVICES),
            changed: BTreeSet::new(),
            reported: FairMap::new(MOST_REPORTED_BYTES),
            known: BTreeSet::new(),
            latest: Timestamp::MIN,
            left_out: DeviceLosses::default(),
        }
    }

    /// What these findings say of profiles was reported by an earlier reading.
    pub(crate) fn know(&mut self, findings: &BTreeSet<(DeviceId, String, String)>) {
        let of_profiles = findings.iter().filter(|(_, rule, _)| rule == MUD_RULE);
        self.known.extend(of_profiles.map(|(device, _, seen)| (*device, seen.clone())));
    }

    /// Devices and reports that were forgotten since there were too many.
    pub(crate) const fn left_out(&self) -> &DeviceLosses {
        &self.left_out
    }

    /// Takes in a flow that ended.
    pub(crate) fn flow(&mut self, device: DeviceId, flow: &Flow<Heard>) {
        if flow.is_missing_syn {
            return;
        }
        let index = self.see(device, flow.is_established);
        let flow = Flow { device: index, ..flow.clone() };
        let model = flow.state.model.and_then(|model| self.engine.models().model(model));
        self.builder.hear(&flow, model.map(Model::name));
        self.changed.insert(device);
        self.latest = self.latest.max(flow.last);
    }

    /// What is not allowed since this was asked last, with an event for each of it that is new; `label` is what a person
    /// calls a device.
    pub(crate) fn take(
        &mut self,
        label: impl Fn(DeviceId) -> Option<String>,
    ) -> (Vec<FindingRecord>, Vec<Happened>) {
        let (mut records, mut events) = (Vec::new(), Vec::new());
        for device in std::mem::take(&mut self.changed) {
            let label = label(device);
            let Some(index) = self.numbers.of(device) else { continue };
            let Some(given) = self.profiles.of(device, label.as_ref(), false) else { continue };
            let report = self.builder.check(index, &given.profile);
            let verdict = Verdict { file: given.path.display().to_string(), report };
            for finding in verdict.findings() {
                let flows = finding.flows;
                let before = self.report(index, &finding.seen, flows);
                if flows <= before {
                    continue;
                }
                let record = FindingRecord { flows: flows - before, ..record(device, finding, self.latest) };
                // What a device never answered is no doing of its own: it stays a finding.
                let is_known = self.known.contains(&(device, record.seen.clone()));
                if before == 0 && !is_known && record.by == BY_DEVICE {
                    let subject = record.seen.clone();
                    events.push(Happened { kind: EventKind::MudViolation, subject, ..happened(&record) });
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
        for (number, device) in forgotten {
            self.builder.forget(number);
            drop(self.reported.forget(number));
            self.changed.remove(&device);
            self.left_out.add_other(LossKind::DEVICES, 1);
        }
        if is_established {
            self.numbers.establish(number);
            self.builder.establish(number);
            self.reported.establish(number);
        }
        number
    }

    /// Reports flows of what a profile does not allow; returns how many were reported before.
    fn report(&mut self, number: DeviceIndex, seen: &str, flows: u64) -> u64 {
        if let Some(reported) = self.reported.use_mut(number, seen) {
            return std::mem::replace(reported, flows);
        }
        let bytes = REPORT_BYTES + seen.len();
        for gone in self.reported.insert(number, (seen.to_owned(), flows), bytes) {
            if let Some(device) = self.numbers.ids().get(gone.device.as_usize()) {
                self.left_out.add(*device, REPORTS, 1);
            }
        }
        0
    }
}
