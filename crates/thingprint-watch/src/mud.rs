use std::collections::{BTreeMap, BTreeSet};

use thingprint_audit::report::{Profiles, Verdict};
use thingprint_flow::{DeviceId, DeviceIndex, Flow, Timestamp};
use thingprint_profile::MudBuilder;
use thingprint_protocol::schema::Model;
use thingprint_protocol::{Engine, Heard};

use crate::book::Happened;
use crate::findings::{BY_DEVICE, happened, record};
use crate::records::{EventKind, FindingRecord};

/// The rule of findings about profiles.
const MUD_RULE: &str = "MUD-001";
/// Most devices that are held against profiles.
const MOST_DEVICES: usize = 65_536;

/// Holds devices against their MUD profiles.
///
/// Names of peers come from DNS answers, whose flows may end after those that they explain. So devices are checked when a
/// window is final, and not flow by flow. Connections that began before the reading do not tell who opened them, and are
/// left out.
pub(crate) struct MudWatch {
    engine: Engine,
    profiles: Profiles,
    builder: MudBuilder,
    devices: BTreeMap<DeviceId, DeviceIndex>,
    /// Devices with flows since they were checked last.
    changed: BTreeSet<DeviceId>,
    /// Flows that were reported of what a profile does not allow.
    reported: BTreeMap<(DeviceId, String), u64>,
    /// What was known to be not allowed at the start.
    known: BTreeSet<(DeviceId, String)>,
    latest: Timestamp,
    dropped: u64,
}

impl MudWatch {
    pub(crate) fn new(engine: Engine, profiles: Profiles, builder: MudBuilder) -> Self {
        Self {
            engine,
            profiles,
            builder,
            devices: BTreeMap::new(),
            changed: BTreeSet::new(),
            reported: BTreeMap::new(),
            known: BTreeSet::new(),
            latest: Timestamp::MIN,
            dropped: 0,
        }
    }

    /// What these findings say of profiles was reported by an earlier reading.
    pub(crate) fn know(&mut self, findings: &BTreeSet<(DeviceId, String, String)>) {
        let of_profiles = findings.iter().filter(|(_, rule, _)| rule == MUD_RULE);
        self.known.extend(of_profiles.map(|(device, _, seen)| (*device, seen.clone())));
    }

    /// Flows that were not looked at.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes in a flow that ended.
    pub(crate) fn flow(&mut self, device: DeviceId, flow: &Flow<Heard>) {
        let known = self.devices.len();
        if flow.is_missing_syn {
            return;
        }
        if known >= MOST_DEVICES && !self.devices.contains_key(&device) {
            self.dropped += 1;
            return;
        }
        let next = DeviceIndex::new(u32::try_from(known).unwrap_or(u32::MAX));
        let index = *self.devices.entry(device).or_insert(next);
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
            let Some(index) = self.devices.get(&device) else { continue };
            let Some(given) = self.profiles.of(device, label.as_ref(), false) else { continue };
            let report = self.builder.check(*index, &given.profile);
            let verdict = Verdict { file: given.path.display().to_string(), report };
            for finding in verdict.findings() {
                let flows = finding.flows;
                let reported = self.reported.entry((device, finding.seen.clone())).or_default();
                let before = std::mem::replace(reported, flows);
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
}
