//! Who the devices of captures are by what they say.

use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{DeviceId, Identity as DeviceIdentity};
use thingprint_identity::{Answer, Certainty, Field, Identity, IdentitySummary, Knowledge, Statements};
use thingprint_pipeline::Summary;
use thingprint_table::Cell;

use crate::messages::{Messages, counted};

/// The devices and gateways of captures with what they said, and who they are by that.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    devices: BTreeMap<DeviceId, (Statements, Identity)>,
}

impl Identities {
    /// Those of all shards: of gateways, what they say for themselves; of clients of relays, what these passed on.
    pub(crate) fn of(
        shards: Vec<Vec<(DeviceId, Statements)>>,
        (summary, asked): (&Summary, DeviceIdentity),
        knowledge: &Knowledge,
    ) -> Self {
        let is_gateway =
            |device: DeviceId| matches!(device, DeviceId::Mac(mac) if summary.gateways.contains(mac));
        let mut said: BTreeMap<DeviceId, Statements> = BTreeMap::new();
        for (device, statements) in shards.into_iter().flatten() {
            let statements = if is_gateway(device) { statements.own() } else { statements };
            let known = said.entry(device).or_insert_with(|| knowledge.address_statements(device));
            known.merge(statements);
        }
        // Anybody can write an address into a request and call itself a relay: what a device said itself is not added to.
        let speak: BTreeSet<DeviceId> =
            said.iter().filter(|(_, statements)| statements.has_dhcp()).map(|(device, _)| *device).collect();
        for relayed in summary.read.relayed.believed(&summary.gateways) {
            let Some(device) = summary
                .device_of(relayed, asked)
                .filter(|device| !is_gateway(*device) && !speak.contains(device))
            else {
                continue;
            };
            said.entry(device)
                .or_insert_with(|| knowledge.address_statements(device))
                .hear_of(&relayed.message);
        }
        let identified = |(device, statements): (DeviceId, Statements)| {
            let identity = Identity::of(&statements, knowledge);
            (device, (statements, identity))
        };
        Self { devices: said.into_iter().map(identified).collect() }
    }

    /// The devices in order, each with what it said and who it is.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (DeviceId, &Statements, &Identity)> {
        self.devices.iter().map(|(device, (statements, identity))| (*device, statements, identity))
    }

    /// What a device said.
    pub(crate) fn statements(&self, device: DeviceId) -> Option<&Statements> {
        self.devices.get(&device).map(|(statements, _)| statements)
    }

    /// Who a device is.
    pub(crate) fn identity(&self, device: DeviceId) -> Option<&Identity> {
        self.devices.get(&device).map(|(_, identity)| identity)
    }

    /// Says how many statements found no room.
    pub(crate) fn report_dropped(&self, messages: Messages) {
        let dropped: u64 = self.devices.values().map(|(statements, _)| statements.dropped()).sum();
        if dropped > 0 {
            messages.detail(format!(
                "{} left out: too many of one device",
                counted(dropped, "statement of a device was", "statements of devices were")
            ));
        }
    }
}

/// Who a device is, in the cells of a row: the value of each field.
pub(crate) fn values(identity: Option<&Identity>, named: &dyn Fn(&str) -> String) -> Vec<Cell> {
    let value = |field: Field| identity.and_then(|identity| identity.value(field));
    let cell = |field: Field| match (field, value(field)) {
        (Field::Name, Some(name)) => Cell::from(named(name)),
        (_, value) => Cell::from(value.map(str::to_owned)),
    };
    Field::ALL.into_iter().map(cell).collect()
}

/// Who a device is, in a few words: the vendor with the model, or else with the type.
pub(crate) fn in_short(identity: &Identity) -> Option<String> {
    IdentitySummary::of(identity).in_short()
}

/// The least certain of vendor, model and type: how far all of it is to be trusted.
pub(crate) fn least_certainty(identity: &Identity) -> Option<Certainty> {
    let certainties =
        [Field::Vendor, Field::Model, Field::Type].map(|field| identity.answer(field).certainty);
    certainties.into_iter().flatten().min()
}

/// Why, in words: one text for each field that has a value.
pub(crate) fn reasons(identity: &Identity) -> Vec<String> {
    let reason = |field: Field| {
        let answer = identity.answer(field);
        let certainty = answer.certainty?;
        Some(format!("{field}: {certainty}, by {}", answer.sources().join(" and ")))
    };
    Field::ALL.into_iter().filter_map(reason).collect()
}

/// What speaks against it, in words.
pub(crate) fn contradictions(identity: &Identity) -> Vec<String> {
    let of_field = |field: Field| {
        let Answer { value, reasons, contradictions, .. } = identity.answer(field);
        // Where nothing decides, the first of those that are as certain stands with the reasons.
        let open = reasons.first().filter(|_| value.is_none() && !contradictions.is_empty());
        let mut texts: Vec<String> = open
            .into_iter()
            .chain(contradictions)
            .map(|claim| format!("{field}: {} says {} ({})", claim.source(), claim.value, claim.certainty))
            .collect();
        texts.dedup();
        texts
    };
    Field::ALL.into_iter().flat_map(of_field).collect()
}
