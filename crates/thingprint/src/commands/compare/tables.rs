//! The result as tables for people and as rows for programs.

use thingprint_flow::Timestamp;
use thingprint_table::{Bag, Cell, Column, Table, Type};

use super::Compared;
use super::row::{Kind, Row};

/// Every row, for programs.
pub(super) fn rows(rows: &[Row]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::texts("severity"),
        Column::texts("kind"),
        Column::texts("device"),
        Column::texts("label"),
        Column::texts("what"),
        Column::texts("before"),
        Column::texts("after"),
        Column::texts("usual"),
        Column::new("unusual", Type::Real),
        Column::count("windows"),
        Column::new("first_seen", Type::Time),
        Column::new("last_seen", Type::Time),
        Column::new("words", Type::Bag),
    ]);
    for row in rows {
        let words: Bag = row.words.iter().cloned().collect();
        table.push([
            Cell::from(row.severity.to_string()),
            Cell::from(row.kind.name()),
            Cell::from(row.device.map(|device| device.to_string())),
            Cell::from(row.label.clone()),
            Cell::from(row.what.as_str()),
            Cell::from(row.before.clone()),
            Cell::from(row.after.clone()),
            Cell::from(row.usual.clone()),
            Cell::from(row.unusual),
            Cell::from(row.windows),
            Cell::from(row.first_seen),
            Cell::from(row.last_seen),
            Cell::from((!words.is_empty()).then_some(words)),
        ])?;
    }
    Ok(table)
}

/// Tables for people, each with its heading; those without a row are left out.
pub(super) fn sections(compared: &Compared) -> Vec<(String, Table)> {
    let sections = [
        ("Devices", devices(compared)),
        ("Changes: other classes, then the most unusual", changes(compared)),
        ("Findings", findings(compared)),
        ("Network", network(compared)),
    ];
    let filled = sections.into_iter().filter(|(_, table)| table.rows() > 0);
    filled.map(|(heading, table)| (heading.to_owned(), table)).collect()
}

/// Devices that came, went or fell silent.
pub(super) fn devices(compared: &Compared) -> Table {
    let mut table = Table::new([
        Column::texts("device"),
        Column::texts("label"),
        Column::texts("state"),
        Column::texts("before"),
        Column::texts("after"),
        Column::new("first seen", Type::Time),
        Column::new("last seen", Type::Time),
    ]);
    let kinds = [Kind::NewDevice, Kind::GoneDevice, Kind::SilentDevice];
    for row in compared.rows.iter().filter(|row| kinds.contains(&row.kind)) {
        table.add([
            device(row),
            Cell::from(row.label.clone()),
            Cell::from(row.kind.name().trim_end_matches("-device")),
            Cell::from(row.before.clone()),
            Cell::from(row.after.clone()),
            Cell::from(row.first_seen),
            Cell::from(row.last_seen),
        ]);
    }
    without_empty(table)
}

/// What devices of both sides do in another way.
pub(super) fn changes(compared: &Compared) -> Table {
    let mut table = Table::new([
        Column::texts("device"),
        Column::texts("label"),
        Column::texts("change"),
        Column::texts("what"),
        Column::decimals("unusual", 1)
            .help("multiple of the most that the device's own earlier time explains"),
        Column::texts("before"),
        Column::texts("after"),
        Column::texts("usual"),
        Column::new("since", Type::Time),
    ]);
    let kinds = [Kind::New, Kind::Gone, Kind::OutsideRange, Kind::Passing, Kind::Explained, Kind::Verdict];
    for row in compared.rows.iter().filter(|row| kinds.contains(&row.kind)) {
        table.add([
            device(row),
            Cell::from(row.label.clone()),
            Cell::from(row.kind.name()),
            Cell::from(row.title.as_ref().unwrap_or(&row.what).as_str()),
            Cell::from(row.unusual),
            Cell::from(row.before.clone()),
            Cell::from(row.after.clone()),
            Cell::from(row.usual.clone()),
            Cell::from(since(row)),
        ]);
    }
    without_empty(table)
}

/// Findings that only one side has.
pub(super) fn findings(compared: &Compared) -> Table {
    let mut table = Table::new([
        Column::texts("severity"),
        Column::texts("device"),
        Column::texts("label"),
        Column::texts("change"),
        Column::texts("rule"),
        Column::texts("seen"),
    ]);
    let is_meant = |row: &&Row| row.kind == Kind::NewFinding || row.kind.is_gone_finding();
    for row in compared.rows.iter().filter(is_meant) {
        table.add([
            Cell::from(row.severity.to_string()),
            device(row),
            Cell::from(row.label.clone()),
            Cell::from(row.kind.of_finding()),
            Cell::from(row.what.as_str()),
            Cell::from(seen_of(row)),
        ]);
    }
    without_empty(table)
}

/// What was seen of a finding; of one that is gone, what was seen before, and why nobody knows more.
fn seen_of(row: &Row) -> Option<String> {
    match (&row.before, &row.after) {
        (Some(before), Some(why)) if row.kind.is_gone_finding() => Some(format!("{before}; {why}")),
        (before, after) => after.clone().or_else(|| before.clone()),
    }
}

/// Windows in which many devices did something new at once.
pub(super) fn network(compared: &Compared) -> Table {
    let mut table = Table::new([
        Column::new("window", Type::Time),
        Column::texts("what"),
        Column::texts("measures"),
        Column::texts("devices"),
    ]);
    for row in compared.rows.iter().filter(|row| row.kind == Kind::NetworkEvent) {
        let devices: Vec<&str> = row.words.iter().map(|(device, _)| device.as_str()).collect();
        table.add([
            Cell::from(row.first_seen),
            Cell::from(row.after.clone()),
            Cell::from(row.what.as_str()),
            Cell::from(devices.join(", ")),
        ]);
    }
    table
}

fn device(row: &Row) -> Cell {
    Cell::from(row.device.map(|device| device.to_string()))
}

/// When it began, for what came; when it ended, for what went.
fn since(row: &Row) -> Option<Timestamp> {
    if row.kind == Kind::Gone { row.last_seen } else { row.first_seen }
}

fn without_empty(mut table: Table) -> Table {
    if table.rows() > 0 {
        table.drop_empty_columns();
    }
    table
}
