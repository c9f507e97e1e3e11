use thingprint_flow::GatewayReason;
use thingprint_identity::{Field, Identity, Statements};
use thingprint_instance::DeviceEntry;
use thingprint_report::Labels;
use thingprint_table::{Cell, Table, Type};

use crate::identities::{Identities, contradictions, in_short, reasons, values};
use crate::output::Output;
use crate::row_output::RowEvent;

/// Rows that are written at once.
const ROWS_AT_ONCE: usize = 1024;

/// The devices and gateways of a network.
#[derive(Debug)]
pub(super) struct NetworkDevices {
    /// The name; `None` where all captures are of one.
    pub(super) name: Option<String>,
    pub(super) devices: Vec<DeviceEntry>,
    pub(super) gateways: Vec<DeviceEntry>,
    /// Who they are by what they say.
    pub(super) identities: Identities,
}

impl NetworkDevices {
    /// The devices, each with who it is by what it says.
    pub(super) fn identified(&self) -> impl Iterator<Item = (&DeviceEntry, Option<&Identity>)> {
        self.devices.iter().map(|entry| (entry, self.identities.identity(entry.device)))
    }

    /// The devices, each with what it said.
    pub(super) fn said(&self) -> impl Iterator<Item = (&DeviceEntry, &Statements)> {
        self.devices.iter().filter_map(|entry| Some((entry, self.identities.statements(entry.device)?)))
    }

    /// The cell of the name, where there is one.
    fn cell(&self) -> Option<Cell> {
        self.name.clone().map(Cell::from)
    }
}

/// Devices, then gateways.
fn entries_of(network: &NetworkDevices) -> impl Iterator<Item = &DeviceEntry> {
    network.devices.iter().chain(&network.gateways)
}

/// The column of the network's name, where there are several.
fn network_column(networks: &[NetworkDevices]) -> Option<(&'static str, Type)> {
    networks.iter().any(|network| network.name.is_some()).then_some(("network", Type::Text))
}

/// What helps most to recognise devices, for people: who they are by what they say, and their labels where there are some,
/// else what they look up.
pub(super) fn overview(
    networks: &[NetworkDevices],
    labels: &Labels,
    output: &Output,
) -> anyhow::Result<Table> {
    let last = if labels.is_empty() { ("names", Type::Bag) } else { ("label", Type::Text) };
    let network = network_column(networks);
    let columns = [
        ("device", Type::Text),
        ("addresses", Type::List),
        ("identity", Type::Text),
        ("name", Type::Text),
        ("packets", Type::Unsigned),
        last,
    ];
    let mut table = Table::new(network.into_iter().chain(columns));
    for (network, entry) in
        networks.iter().flat_map(|network| network.devices.iter().map(move |entry| (network, entry)))
    {
        let last = if labels.is_empty() {
            Cell::from(entry.names.clone())
        } else {
            Cell::from(label_of(entry, labels))
        };
        let identity = network.identities.identity(entry.device);
        let name = identity.and_then(|identity| identity.value(Field::Name));
        let cells = [
            Cell::from(entry.device.to_string()),
            addresses(entry),
            Cell::from(identity.and_then(in_short)),
            Cell::from(name.map(|name| output.published_name(name))),
            Cell::from(entry.packets_up + entry.packets_down),
            last,
        ];
        table.push(network.cell().into_iter().chain(cells))?;
    }
    Ok(table)
}

/// What helps most to recognise gateways, for people: why they are some, and what they serve; `None` without gateways.
pub(super) fn gateway_overview(networks: &[NetworkDevices]) -> anyhow::Result<Option<Table>> {
    if networks.iter().all(|network| network.gateways.is_empty()) {
        return Ok(None);
    }
    let network = network_column(networks);
    let columns = [
        ("device", Type::Text),
        ("class", Type::Text),
        ("gateway_reason", Type::Text),
        ("addresses", Type::List),
        ("served_services", Type::Bag),
        ("packets", Type::Unsigned),
    ];
    let mut table = Table::new(network.into_iter().chain(columns));
    for (network, entry) in
        networks.iter().flat_map(|network| network.gateways.iter().map(move |entry| (network, entry)))
    {
        let cells = [
            Cell::from(entry.device.to_string()),
            Cell::from(class(entry)),
            Cell::from(entry.gateway.map(GatewayReason::as_str)),
            addresses(entry),
            Cell::from(entry.served_services.clone()),
            Cell::from(entry.packets_up + entry.packets_down),
        ];
        table.push(network.cell().into_iter().chain(cells))?;
    }
    Ok(Some(table))
}

/// Writes all that is known of devices and gateways, some rows at a time: all of them would take as much again as what is known.
pub(super) fn write_rows(
    networks: &[NetworkDevices],
    labels: &Labels,
    output: &Output,
) -> anyhow::Result<()> {
    let network = network_column(networks);
    let columns = [
        ("device", Type::Text),
        ("class", Type::Text),
        ("gateway_reason", Type::Text),
        ("label", Type::Text),
        ("same_as", Type::Text),
        ("vendor", Type::Text),
        ("model", Type::Text),
        ("type", Type::Text),
        ("name", Type::Text),
        ("os", Type::Text),
        ("identity_reasons", Type::List),
        ("identity_contradictions", Type::List),
        ("randomised", Type::Flag),
        ("addresses", Type::List),
        ("host_name", Type::Text),
        ("vendor_class", Type::Text),
        ("contradictions", Type::List),
        ("names", Type::Bag),
        ("server_ports", Type::Bag),
        ("served_ports", Type::Bag),
        ("services", Type::Bag),
        ("served_services", Type::Bag),
        ("first_seen", Type::Time),
        ("last_seen", Type::Time),
        ("packets_up", Type::Unsigned),
        ("packets_down", Type::Unsigned),
    ];
    let columns = Table::new(network.into_iter().chain(columns));
    let with_entries = |network| entries_of(network).map(move |entry| (network, entry));
    let mut entries = networks.iter().flat_map(with_entries);
    output.rows(&columns, true, |give| {
        loop {
            let mut rows = columns.emptied();
            for (network, entry) in entries.by_ref().take(ROWS_AT_ONCE) {
                rows.push(row(network, entry, (labels, output)))?;
            }
            if rows.rows() == 0 {
                return Ok(());
            }
            give(RowEvent::Rows(rows))?;
        }
    })
}

/// The row of a device or gateway, in the order of the columns.
fn row(network: &NetworkDevices, entry: &DeviceEntry, (labels, output): (&Labels, &Output)) -> Vec<Cell> {
    let identity = network.identities.identity(entry.device);
    let named = [
        Cell::from(entry.device.to_string()),
        Cell::from(class(entry)),
        Cell::from(entry.gateway.map(GatewayReason::as_str)),
        Cell::from(label_of(entry, labels)),
        Cell::from(labels.same_as(entry.device).map(|same| same.to_string())),
    ];
    let said = values(identity, &|name| output.published_name(name));
    let why = [Cell::from(identity.map(reasons)), Cell::from(identity.map(contradictions))];
    let cells = [
        Cell::from(entry.is_randomised),
        addresses(entry),
        Cell::from(entry.host_name.clone()),
        Cell::from(entry.vendor_class.clone()),
        Cell::from(entry.contradictions.clone()),
        Cell::from(entry.names.clone()),
        Cell::from(entry.server_ports.clone()),
        Cell::from(entry.served_ports.clone()),
        Cell::from(entry.services.clone()),
        Cell::from(entry.served_services.clone()),
        Cell::from(entry.first_seen),
        Cell::from(entry.last_seen),
        Cell::from(entry.packets_up),
        Cell::from(entry.packets_down),
    ];
    let cells = named.into_iter().chain(said).chain(why).chain(cells);
    network.cell().into_iter().chain(cells).collect()
}

const fn class(entry: &DeviceEntry) -> &'static str {
    if entry.gateway.is_some() { "gateway" } else { "device" }
}

fn label_of(entry: &DeviceEntry, labels: &Labels) -> Option<String> {
    labels.label_of(entry.device, None).map(|label| label.class.clone())
}

fn addresses(entry: &DeviceEntry) -> Cell {
    let addresses: Vec<String> = entry.addresses.keys().map(ToString::to_string).collect();
    Cell::from(addresses)
}
