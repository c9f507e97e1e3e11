use std::collections::BTreeMap;

use serde::Serialize;
use thingprint_audit::{Audit, Auditor, Policy};
use thingprint_flow::{DeviceId, DeviceIndex, Flow, Identity};
use thingprint_pipeline::{Event, FlowRow, FlowStage, Summary};
use thingprint_profile::{Fingerprints, MudBuilder};
use thingprint_protocol::Engine;
use thingprint_protocol::schema::Model;
use thingprint_report::Labels;

use crate::messages::Messages;
use crate::read_report::{report_late, report_losses};
use crate::reading::Reading;

/// Captures that are to be judged.
pub(super) struct Surveying<'a> {
    pub(super) reading: Reading<'a>,
    pub(super) labels: &'a Labels,
    /// Whether to remember whom devices talk to.
    pub(super) wants_mud: bool,
    pub(super) messages: Messages,
}

/// What was heard in one reading of captures.
pub(super) struct Survey {
    pub(super) audit: Audit,
    pub(super) fingerprints: Fingerprints,
    pub(super) mud: MudBuilder,
    /// By index; the gateway, where it was only found out in the end, is not among them.
    pub(super) devices: BTreeMap<DeviceIndex, DeviceId>,
    /// Labels of devices.
    pub(super) labels: BTreeMap<DeviceId, String>,
    /// What is known of the captures.
    pub(super) summary: Summary,
    messages_dropped: u64,
}

/// How much was left out because it was too much.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Dropped {
    messages: u64,
    /// By the flow; none of them graver than what was kept.
    findings: u64,
    fingerprint_values: u64,
    mud_flows: u64,
    mud_names: u64,
}

/// What judges and remembers flows.
struct Judges<'a> {
    engine: &'a Engine,
    auditor: Auditor,
    fingerprints: Fingerprints,
    mud: Option<MudBuilder>,
    /// The devices of flows, by the index that they have here.
    devices: Vec<DeviceId>,
    indices: BTreeMap<DeviceId, DeviceIndex>,
    messages_dropped: u64,
}

impl Surveying<'_> {
    /// Judges the captures by a policy.
    pub(super) fn survey(self, policy: &Policy) -> anyhow::Result<Survey> {
        let new_judges = || Judges::new(self.reading.engine, policy, self.wants_mud);
        let mut judges = new_judges();
        let stage = FlowStage { has_messages: true, ..FlowStage::default() };
        let run = self.reading.run(&stage, |event| {
            match event {
                Event::Rows(rows) => rows.into_iter().for_each(|row| judges.judge(row)),
                Event::Restart => judges = new_judges(),
            }
            Ok(())
        })?;
        let labels = self.labels_of(&judges.devices);
        let survey = judges.finish(labels, run.summary);
        let is_by_mac = self.reading.flow.identity == Identity::Mac;
        if survey.summary.gateways.is_empty()
            && is_by_mac
            && survey.devices.len() > 1
            && !self.reading.gateways.is_none
        {
            self.messages.note(
                "no gateway was found, since no device passes on traffic from the Internet: if one of these is the \
                 gateway, name it with --gateway, or it is judged as a device",
            );
        }
        Ok(survey)
    }

    fn labels_of(&self, devices: &[DeviceId]) -> BTreeMap<DeviceId, String> {
        let label = |device: &DeviceId| Some((*device, self.labels.label_of(*device, None)?.class.clone()));
        devices.iter().filter_map(label).collect()
    }
}

impl<'a> Judges<'a> {
    fn new(engine: &'a Engine, policy: &Policy, wants_mud: bool) -> Self {
        Self {
            engine,
            auditor: Auditor::new(policy.clone()),
            fingerprints: Fingerprints::default(),
            mud: wants_mud.then(MudBuilder::default),
            devices: Vec::new(),
            indices: BTreeMap::new(),
            messages_dropped: 0,
        }
    }

    fn judge(&mut self, row: FlowRow) {
        let flow = Flow { device: self.index(row.device), ..row.flow };
        self.auditor.flow(self.engine, &flow);
        self.fingerprints.hear(&flow);
        self.messages_dropped += flow.state.messages_dropped;
        if let Some(mud) = &mut self.mud {
            let model = flow.state.model.and_then(|model| self.engine.models().model(model));
            mud.hear(&flow, model.map(Model::name));
        }
    }

    fn index(&mut self, device: DeviceId) -> DeviceIndex {
        let next = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        *self.indices.entry(device).or_insert_with(|| {
            self.devices.push(device);
            DeviceIndex::new(next)
        })
    }

    /// What there is to say; a gateway that was found out late is left out.
    fn finish(mut self, labels: BTreeMap<DeviceId, String>, summary: Summary) -> Survey {
        let is_gateway =
            |device: &DeviceId| matches!(device, DeviceId::Mac(mac) if summary.gateways.contains(*mac));
        for (_, index) in self.indices.iter().filter(|(device, _)| is_gateway(device)) {
            self.fingerprints.forget(*index);
        }
        let mut audit = self.auditor.finish(&self.devices, &labels);
        audit.devices.retain(|device| !is_gateway(&device.device));
        let devices = self.indices.into_iter().filter(|(device, _)| !is_gateway(device));
        Survey {
            audit,
            fingerprints: self.fingerprints,
            mud: self.mud.unwrap_or_default(),
            devices: devices.map(|(device, index)| (index, device)).collect(),
            labels,
            summary,
            messages_dropped: self.messages_dropped,
        }
    }
}

impl Dropped {
    /// Each count with what was left out.
    pub(super) const fn in_words(self) -> [(u64, &'static str); 5] {
        [
            (self.messages, "messages were left out, and not judged: too many in one flow"),
            (
                self.findings,
                "values that no rule accepts were left out: too many different ones, none of them graver than the rest",
            ),
            (self.fingerprint_values, "values were left out of fingerprints: too many, or too long"),
            (
                self.mud_flows,
                "flows were left out of MUD profiles and of checks against them: too many contacts",
            ),
            (self.mud_names, "names of addresses were left out of MUD profiles: too many"),
        ]
    }
}

impl Survey {
    /// What a device is called: its label, else its id.
    pub(super) fn name(&self, device: DeviceId) -> String {
        self.labels.get(&device).cloned().unwrap_or_else(|| device.to_string())
    }

    /// What caps left out.
    pub(super) fn dropped(&self) -> Dropped {
        Dropped {
            messages: self.messages_dropped,
            findings: self.audit.dropped(),
            fingerprint_values: self.fingerprints.dropped(),
            mud_flows: self.devices.keys().map(|device| self.mud.dropped_flows(*device)).sum(),
            mud_names: self.mud.dropped_names(),
        }
    }

    /// Says what caps and gaps left out.
    pub(super) fn report_losses(&self, messages: Messages) {
        report_losses(self.summary.counts, self.summary.losses, messages);
        report_late(&self.summary, messages);
        let lost = self.dropped().in_words();
        for (count, what) in lost.into_iter().filter(|(count, _)| *count > 0) {
            messages.warn(format!("{count} {what}"));
        }
    }
}
