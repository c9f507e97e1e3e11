use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use thingprint_flow::{
    DeviceId, DeviceIndex, DeviceLosses, DeviceNumbers, Flow, GatewayReason, Gateways, LossKind, Timestamp,
};
use thingprint_profile::{Fingerprints, MudBuilder, Vantage};
use thingprint_protocol::schema::Model;
use thingprint_protocol::{DhcpMessage, Engine, Heard, Protocol};

use super::both_ends::BothEnds;
use super::{DoubtfulGateway, Profiles, Verdict};
use crate::{Audit, Auditor, DeviceAudit, Policy};

/// Devices of which anything is remembered; addresses that nobody answered give way to others. Whoever reads for an audit needs no more
/// of them in its flow tables.
pub const MOST_DEVICES: usize = 16 << 10;
/// Values that a policy does not accept.
const FINDINGS: LossKind = LossKind::new("findings");
/// Values that devices show of themselves.
const FINGERPRINT_VALUES: LossKind = LossKind::new("fingerprint_values");
/// Flows whose contacts are in no MUD profile.
const MUD_FLOWS: LossKind = LossKind::new("mud_flows");
/// Names of addresses that devices were told.
const MUD_NAMES: LossKind = LossKind::new("mud_names");
/// Addresses of controllers that devices were told.
const MUD_CONTROLLERS: LossKind = LossKind::new("mud_controllers");
/// Flows from addresses that are not known as those of the device.
const MUD_ADDRESS_FLOWS: LossKind = LossKind::new("mud_address_flows");

/// What was seen of the devices of captures, as far as a report needs it.
#[derive(Debug)]
pub struct Observations {
    /// The findings of rules.
    pub audit: Audit,
    /// What devices show of themselves.
    pub fingerprints: Fingerprints,
    /// Whom devices talk to, where MUD profiles are checked or written.
    pub mud: MudBuilder,
    /// The devices, by index.
    pub devices: BTreeMap<DeviceIndex, DeviceId>,
    /// Labels of devices.
    pub labels: BTreeMap<DeviceId, String>,
    /// The gateways, of which nothing is judged that they forward.
    pub gateways: Gateways,
    /// Those of them of which it is doubtful that they are some, where that was looked at.
    pub doubtful_gateways: Vec<DoubtfulGateway>,
    /// Time of the earliest and of the latest frame.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Messages that were left out, by device and protocol: too many in one flow, or too many bytes of all.
    pub messages_dropped: BTreeMap<DeviceId, BTreeMap<Protocol, u64>>,
    /// What caps left out, by device: here, and where the captures were read.
    pub left_out: DeviceLosses,
    /// What the captures can show at all, where that was looked at.
    pub vantage: Option<Vantage>,
    /// Flows that are counted at both of their ends, since both are devices or gateways that are audited.
    pub flows_at_both_ends: u64,
}

/// How much was left out because it was too much.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Dropped {
    devices: u64,
    messages: u64,
    /// By the flow; none of them more severe than what was kept.
    findings: u64,
    fingerprint_values: u64,
    mud_flows: u64,
    mud_names: u64,
    mud_controllers: u64,
    mud_address_flows: u64,
}

/// Messages of one device and protocol that were left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessagesLeftOut {
    device: String,
    label: Option<String>,
    protocol: Protocol,
    messages: u64,
}

impl fmt::Display for MessagesLeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, label, protocol, messages } = self;
        let name = label.as_deref().map_or_else(|| device.clone(), |label| format!("{label} ({device})"));
        let protocol = protocol_name(*protocol);
        write!(
            f,
            "{name}: {messages} messages of {protocol} were left out, more than 1,024 in a flow or too many bytes in all: "
        )?;
        f.write_str(match protocol.as_str() {
            "dns" => "answers are kept apart for MUD profiles, so that no name is lost",
            _ => "what these alone say is missing from findings and fingerprints; names of MUD profiles are not",
        })
    }
}

/// What MUD profiles of a device lack.
fn mud_losses(mud: &MudBuilder, device: DeviceIndex) -> [(LossKind, u64); 4] {
    [
        (MUD_FLOWS, mud.dropped_flows(device)),
        (MUD_NAMES, mud.dropped_names(device)),
        (MUD_CONTROLLERS, mud.dropped_controllers(device)),
        (MUD_ADDRESS_FLOWS, mud.dropped_addresses(device)),
    ]
}

/// What a protocol is called in JSON.
fn protocol_name(protocol: Protocol) -> String {
    serde_json::to_value(protocol).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Judges flows as they come, and remembers what devices show.
///
/// Flows may come from several trackers: a device is known by its identity, not by an index of theirs.
pub struct ObservationsBuilder<'a> {
    engine: &'a Engine,
    auditor: Auditor,
    fingerprints: Fingerprints,
    mud: Option<MudBuilder>,
    numbers: DeviceNumbers,
    /// What caps left out.
    log: DeviceLosses,
    /// Those with flows that they may have forwarded.
    forwarders: BTreeSet<DeviceId>,
    both_ends: BothEnds,
    messages_dropped: BTreeMap<DeviceId, BTreeMap<Protocol, u64>>,
}

impl<'a> ObservationsBuilder<'a> {
    /// Judges by a policy what the protocols of an engine detect, and remembers whom devices talk to where a builder for
    /// MUD profiles is given.
    pub fn new(engine: &'a Engine, policy: &Policy, mud: Option<MudBuilder>) -> Self {
        Self {
            engine,
            auditor: Auditor::new(policy.clone()),
            fingerprints: Fingerprints::default(),
            mud,
            numbers: DeviceNumbers::new(MOST_DEVICES),
            log: DeviceLosses::default(),
            forwarders: BTreeSet::new(),
            both_ends: BothEnds::default(),
            messages_dropped: BTreeMap::new(),
        }
    }

    /// Adds a flow of a device, with its messages. If the device turns out to be a gateway, it may have forwarded the flow,
    /// and nothing of it is judged.
    pub fn flow(&mut self, device: DeviceId, flow: Flow<Heard>) {
        self.forwarders.insert(device);
        self.own_flow(device, flow);
    }

    /// Adds a flow of a host that ends at an address of its own: what a gateway says there is judged as well.
    pub fn own_flow(&mut self, device: DeviceId, flow: Flow<Heard>) {
        let flow = Flow { device: self.see(device, flow.is_established), ..flow };
        self.both_ends.note(&flow);
        self.auditor.flow(self.engine, &flow);
        self.fingerprints.hear(&flow);
        for (protocol, messages) in &flow.state.dropped {
            let of_device = self.messages_dropped.entry(device).or_default();
            *of_device.entry(*protocol).or_default() += messages;
        }
        if let Some(mud) = &mut self.mud {
            let model = flow.state.model.and_then(|model| self.engine.models().model(model));
            mud.hear(&flow, model.map(Model::name));
        }
    }

    /// Adds a DHCP message of a device that a relay passed on. Devices without flows are left out.
    pub fn relayed_dhcp(&mut self, device: DeviceId, message: &DhcpMessage) {
        if let Some(index) = self.numbers.of(device) {
            self.fingerprints.hear_of(index, message);
        }
    }

    /// The devices that had flows, in order.
    pub fn devices(&self) -> impl Iterator<Item = DeviceId> {
        self.numbers.iter().map(|(device, _)| device)
    }

    /// The observations of devices, and what gateways say for themselves; some of these may only be known now.
    pub fn finish(
        mut self,
        labels: BTreeMap<DeviceId, String>,
        gateways: Gateways,
        span: Option<(Timestamp, Timestamp)>,
    ) -> Observations {
        let reason = |device: &DeviceId| -> Option<GatewayReason> {
            let DeviceId::Mac(mac) = device else { return None };
            gateways.0.get(mac).copied()
        };
        // What a gateway shows beside is no evidence of devices, and would make values of theirs less than unique.
        for (_, index) in self.numbers.iter().filter(|(device, _)| reason(device).is_some()) {
            self.fingerprints.forget(index);
        }
        let mut audit = self.auditor.finish(self.numbers.ids(), &labels);
        for device in &mut audit.devices {
            device.gateway = reason(&device.device);
        }
        audit.devices.retain(|audit| audit.gateway.is_none() || !self.forwarders.contains(&audit.device));
        let devices = self.numbers.iter().filter(|(device, _)| reason(device).is_none());
        let mut seen = Observations {
            audit,
            fingerprints: self.fingerprints,
            mud: self.mud.unwrap_or_default(),
            devices: devices.map(|(device, index)| (index, device)).collect(),
            labels,
            gateways,
            doubtful_gateways: Vec::new(),
            span,
            messages_dropped: self.messages_dropped,
            left_out: self.log,
            vantage: None,
            flows_at_both_ends: self.both_ends.flows(),
        };
        seen.note_losses();
        seen
    }

    /// The number of a device that has a flow.
    fn see(&mut self, device: DeviceId, is_established: bool) -> DeviceIndex {
        let mut forgotten = Vec::new();
        let index = self.numbers.see(device, &mut forgotten);
        for (index, device) in forgotten {
            self.forget(index, device);
        }
        if is_established {
            self.numbers.establish(index);
            self.auditor.establish(index);
            self.fingerprints.establish(index);
            if let Some(mud) = &mut self.mud {
                mud.establish(index);
            }
        }
        index
    }

    /// Leaves out a device for which there is no room any more.
    fn forget(&mut self, index: DeviceIndex, device: DeviceId) {
        self.log.add_other(LossKind::DEVICES, 1);
        self.log.add_other(FINDINGS, self.auditor.forget(index));
        self.log.add_other(FINGERPRINT_VALUES, self.fingerprints.dropped(index));
        self.fingerprints.forget(index);
        if let Some(mud) = &mut self.mud {
            for (kind, count) in mud_losses(mud, index) {
                self.log.add_other(kind, count);
            }
            mud.forget(index);
        }
        self.forwarders.remove(&device);
        self.messages_dropped.remove(&device);
    }
}

impl Observations {
    /// Adds the devices among these of which there is no flow, so that an audit lists whom an inventory lists.
    pub fn add_silent(
        &mut self,
        seen: impl IntoIterator<Item = DeviceId>,
        label: impl Fn(DeviceId) -> Option<String>,
    ) {
        let audited: BTreeSet<DeviceId> = self.audit.devices.iter().map(|audit| audit.device).collect();
        let is_gateway = |device| matches!(device, DeviceId::Mac(mac) if self.gateways.contains(mac));
        let silent = seen.into_iter().filter(|device| !audited.contains(device) && !is_gateway(*device));
        let silent: Vec<DeviceAudit> =
            silent.map(|device| DeviceAudit::without_flows(device, label(device))).collect();
        self.audit.devices.extend(silent);
        self.audit.devices.sort_by_key(|audit| audit.device);
    }

    /// Forgets what devices show of themselves and whom they talk to: what is left are findings, and what is known of the reading.
    pub fn keep_audit_alone(&mut self) {
        self.fingerprints = Fingerprints::default();
        self.mud = MudBuilder::default();
    }

    /// What a device is called: its label, else its id.
    pub fn name(&self, device: DeviceId) -> String {
        self.labels.get(&device).cloned().unwrap_or_else(|| device.to_string())
    }

    /// Notes what caps of findings, fingerprints and profiles left out.
    fn note_losses(&mut self) {
        let Self { audit, fingerprints, mud, devices, left_out, .. } = self;
        for device in &audit.devices {
            left_out.add(device.device, FINDINGS, device.dropped);
        }
        for (index, device) in devices {
            left_out.add(*device, FINGERPRINT_VALUES, fingerprints.dropped(*index));
            for (kind, count) in mud_losses(mud, *index) {
                left_out.add(*device, kind, count);
            }
        }
    }

    /// Keeps the devices of these labels or addresses; the first one that is nobody's is the error. What others show still
    /// counts where values of the kept ones are unique.
    pub fn keep(&mut self, wanted: &[String]) -> Result<(), String> {
        let is_of = |device: DeviceId, label: Option<&String>, name: &String| {
            label == Some(name) || device.to_string().eq_ignore_ascii_case(name)
        };
        let all: BTreeSet<DeviceId> = self
            .devices
            .values()
            .copied()
            .chain(self.audit.devices.iter().map(|audit| audit.device))
            .collect();
        let labels = &self.labels;
        let fits = |device: &DeviceId| wanted.iter().any(|name| is_of(*device, labels.get(device), name));
        let is_known = |name: &&String| all.iter().any(|device| is_of(*device, labels.get(device), name));
        if let Some(unknown) = wanted.iter().find(|name| !is_known(name)) {
            return Err(unknown.clone());
        }
        self.flows_at_both_ends = 0;
        self.devices.retain(|_, device| fits(device));
        self.audit.devices.retain(|audit| fits(&audit.device));
        Ok(())
    }

    /// What caps left out.
    pub fn dropped(&self) -> Dropped {
        let all = self.left_out.totals();
        let of = |kind: LossKind| all.get(&kind).copied().unwrap_or(0);
        Dropped {
            messages: self.messages_dropped.values().flat_map(BTreeMap::values).sum(),
            findings: of(FINDINGS),
            devices: of(LossKind::DEVICES),
            fingerprint_values: of(FINGERPRINT_VALUES),
            mud_flows: of(MUD_FLOWS),
            mud_names: of(MUD_NAMES),
            mud_controllers: of(MUD_CONTROLLERS),
            mud_address_flows: of(MUD_ADDRESS_FLOWS),
        }
    }

    /// The messages that were left out, by device and protocol; of gateways without rows, nothing.
    pub fn messages_left_out(&self) -> Vec<MessagesLeftOut> {
        let audited: BTreeSet<DeviceId> = self.audit.devices.iter().map(|audit| audit.device).collect();
        let kept = self.messages_dropped.iter().filter(|(device, _)| audited.contains(device));
        let messages = kept.flat_map(|(device, messages)| messages.iter().map(move |of| (device, of)));
        let left_out = messages.map(|(device, (protocol, messages))| MessagesLeftOut {
            device: device.to_string(),
            label: self.labels.get(device).cloned(),
            protocol: *protocol,
            messages: *messages,
        });
        left_out.collect()
    }

    /// Checks the devices against the profiles that are theirs.
    pub fn check(&self, profiles: &Profiles) -> BTreeMap<DeviceId, Verdict> {
        let is_alone = self.devices.len() == 1;
        let check = |(index, device): (&DeviceIndex, &DeviceId)| {
            let given = profiles.of(*device, self.labels.get(device), is_alone)?;
            let report = self.mud.check(*index, &given.profile);
            Some((*device, Verdict { file: given.path.display().to_string(), report }))
        };
        self.devices.iter().filter_map(check).collect()
    }
}
