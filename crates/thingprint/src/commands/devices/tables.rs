use thingprint_flow::GatewayReason;
use thingprint_instance::DeviceEntry;
use thingprint_report::Labels;
use thingprint_table::{Cell, Table, Type};

/// What helps most to recognise devices, for people: their labels where there are some, else what they speak.
pub(super) fn overview(devices: &[DeviceEntry], labels: &Labels) -> anyhow::Result<Table> {
    let last = if labels.is_empty() { ("services", Type::Bag) } else { ("label", Type::Text) };
    let mut table = Table::new([
        ("device", Type::Text),
        ("addresses", Type::List),
        ("host_name", Type::Text),
        ("names", Type::Bag),
        ("packets", Type::Unsigned),
        last,
    ]);
    for entry in devices {
        let last = if labels.is_empty() {
            Cell::from(entry.services.clone())
        } else {
            Cell::from(label_of(entry, labels))
        };
        table.push([
            Cell::from(entry.device.to_string()),
            addresses(entry),
            Cell::from(entry.host_name.clone()),
            Cell::from(entry.names.clone()),
            Cell::from(entry.packets_up + entry.packets_down),
            last,
        ])?;
    }
    Ok(table)
}

/// What helps most to recognise gateways, for people: why they are some, and what they serve.
pub(super) fn gateway_overview(gateways: &[DeviceEntry]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("device", Type::Text),
        ("class", Type::Text),
        ("gateway_reason", Type::Text),
        ("addresses", Type::List),
        ("served_services", Type::Bag),
        ("packets", Type::Unsigned),
    ]);
    for entry in gateways {
        table.push([
            Cell::from(entry.device.to_string()),
            Cell::from(class(entry)),
            Cell::from(entry.gateway.map(GatewayReason::as_str)),
            addresses(entry),
            Cell::from(entry.served_services.clone()),
            Cell::from(entry.packets_up + entry.packets_down),
        ])?;
    }
    Ok(table)
}

/// All that is known of devices and gateways.
pub(super) fn table<'a>(
    entries: impl Iterator<Item = &'a DeviceEntry>,
    labels: &Labels,
) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("device", Type::Text),
        ("class", Type::Text),
        ("gateway_reason", Type::Text),
        ("label", Type::Text),
        ("randomised", Type::Flag),
        ("addresses", Type::List),
        ("host_name", Type::Text),
        ("vendor_class", Type::Text),
        ("names", Type::Bag),
        ("server_ports", Type::Bag),
        ("served_ports", Type::Bag),
        ("services", Type::Bag),
        ("served_services", Type::Bag),
        ("first_seen", Type::Time),
        ("last_seen", Type::Time),
        ("packets_up", Type::Unsigned),
        ("packets_down", Type::Unsigned),
    ]);
    for entry in entries {
        table.push([
            Cell::from(entry.device.to_string()),
            Cell::from(class(entry)),
            Cell::from(entry.gateway.map(GatewayReason::as_str)),
            Cell::from(label_of(entry, labels)),
            Cell::from(entry.is_randomised),
            addresses(entry),
            Cell::from(entry.host_name.clone()),
            Cell::from(entry.vendor_class.clone()),
            Cell::from(entry.names.clone()),
            Cell::from(entry.server_ports.clone()),
            Cell::from(entry.served_ports.clone()),
            Cell::from(entry.services.clone()),
            Cell::from(entry.served_services.clone()),
            Cell::from(entry.first_seen),
            Cell::from(entry.last_seen),
            Cell::from(entry.packets_up),
            Cell::from(entry.packets_down),
        ])?;
    }
    Ok(table)
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
