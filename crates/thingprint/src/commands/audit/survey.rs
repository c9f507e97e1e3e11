use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use thingprint_audit::{Audit, Auditor, Policy};
use thingprint_flow::{
    DeviceId, DeviceIndex, Finished, Flow, FlowOptions, Identity, MacAddr, Timestamp, TrackCounts, Tracker,
    elect_gateway,
};
use thingprint_profile::{Fingerprints, MudBuilder};
use thingprint_protocol::schema::Model;
use thingprint_protocol::{Engine, Heard, Listener, Losses};
use thingprint_report::Labels;

use super::spans::Spans;
use crate::inputs::Input;
use crate::messages::Messages;
use crate::progress::Progress;
use crate::reading::{Followed, follow_captures, guess_gateway, labelled_macs, report_losses, total_length};

/// Frames between two looks for flows that are over.
const SWEEP_FRAMES: u64 = 1 << 16;

/// Captures that are to be judged.
pub(super) struct Surveying<'a> {
    pub(super) inputs: &'a [Input],
    pub(super) options: FlowOptions,
    pub(super) sort: bool,
    pub(super) engine: &'a Engine,
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
    pub(super) gateway: Option<MacAddr>,
    /// Time of the earliest and of the latest frame.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    /// When each capture has packets.
    pub(super) spans: Spans,
    pub(super) followed: Followed,
    losses: Losses,
    counts: TrackCounts,
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

/// What listens to the flows.
struct Ears<'e> {
    engine: &'e Engine,
    auditor: Auditor,
    fingerprints: Fingerprints,
    mud: Option<MudBuilder>,
    heard: BTreeSet<DeviceIndex>,
    messages_dropped: u64,
}

impl Surveying<'_> {
    /// Hears the captures by a policy.
    ///
    /// Who the gateway is is guessed from the first frames, and checked at the end: a wrong guess costs a second
    /// reading. In what cannot be read twice it is a device until the end, and left out then.
    pub(super) fn survey(mut self, policy: &Policy) -> Survey {
        let labelled = labelled_macs(self.labels);
        let given = self.options.gateway;
        let is_by_mac = self.options.identity == Identity::Mac;
        if given.is_none() && is_by_mac && !self.sort && self.inputs.iter().all(Input::is_rewindable) {
            self.options.gateway = guess_gateway(self.inputs, &labelled);
        }
        let (mut survey, elected) = self.hear(policy, &labelled);
        let elected = given.or(elected).filter(|_| is_by_mac);
        if self.options.gateway.is_some() && self.options.gateway != elected {
            self.messages.detail("the gateway is not who it seemed to be at first: reading again");
            self.options.gateway = elected;
            survey = self.hear(policy, &labelled).0;
        }
        survey.gateway = elected;
        if elected.is_none() && is_by_mac && survey.devices.len() > 1 {
            self.messages.note(
                "no gateway was found, since no device passes on traffic from the Internet: if one of these is the \
                 gateway, name it with --gateway, or it is judged as a device",
            );
        }
        if let Some(gateway) = elected {
            survey.leave_out(DeviceId::Mac(gateway));
        }
        survey
    }

    fn hear(&self, policy: &Policy, labelled: &BTreeSet<MacAddr>) -> (Survey, Option<MacAddr>) {
        let mut ears = Ears {
            engine: self.engine,
            auditor: Auditor::new(policy.clone()),
            fingerprints: Fingerprints::default(),
            mud: self.wants_mud.then(MudBuilder::default),
            heard: BTreeSet::new(),
            messages_dropped: 0,
        };
        let listener = Detector::collecting(self.engine, |flow: Flow<Heard>| ears.hear(&flow));
        let mut tracker = Tracker::new(self.options.clone(), listener);
        let progress = Progress::bytes("reading", total_length(self.inputs), self.messages.is_quiet());
        let (mut frames, mut spans) = (0_u64, Spans::default());
        let followed = follow_captures(self.inputs, self.sort, Some(&progress), |capture, packet| {
            spans.see(capture, packet);
            tracker.push(packet);
            frames += 1;
            if frames.is_multiple_of(SWEEP_FRAMES) {
                tracker.close_idle();
            }
        });
        progress.finish();
        let Finished { observer, devices, votes, span, counts, .. } = tracker.finish();
        let losses = observer.losses();
        let labels = self.labels_of(&devices);
        let by_index = |index: DeviceIndex| Some((index, *devices.get(index.as_usize())?));
        let survey = Survey {
            audit: ears.auditor.finish(&devices, &labels),
            fingerprints: ears.fingerprints,
            devices: ears.heard.into_iter().filter_map(by_index).collect(),
            mud: ears.mud.unwrap_or_default(),
            labels,
            gateway: None,
            span,
            spans,
            followed,
            losses,
            counts,
            messages_dropped: ears.messages_dropped,
        };
        (survey, elect_gateway(&votes, labelled))
    }

    fn labels_of(&self, devices: &[DeviceId]) -> BTreeMap<DeviceId, String> {
        let label = |device: &DeviceId| Some((*device, self.labels.label_of(*device, None)?.class.clone()));
        devices.iter().filter_map(label).collect()
    }
}

impl Ears<'_> {
    fn hear(&mut self, flow: &Flow<Heard>) {
        self.heard.insert(flow.device);
        self.auditor.flow(self.engine, flow);
        self.fingerprints.hear(flow);
        self.messages_dropped += flow.state.messages_dropped;
        if let Some(mud) = &mut self.mud {
            let model = flow.state.model.and_then(|model| self.engine.models().model(model));
            mud.hear(flow, model.map(Model::name));
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
        report_losses(self.counts, self.losses, messages);
        let lost = self.dropped().in_words();
        for (count, what) in lost.into_iter().filter(|(count, _)| *count > 0) {
            messages.warn(format!("{count} {what}"));
        }
    }

    fn leave_out(&mut self, gateway: DeviceId) {
        self.audit.devices.retain(|device| device.device != gateway);
        let found = self.devices.iter().find(|(_, device)| **device == gateway).map(|(index, _)| *index);
        if let Some(index) = found {
            self.devices.remove(&index);
            self.fingerprints.forget(index);
        }
    }
}
