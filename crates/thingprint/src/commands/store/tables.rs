use thingprint_store::{Held, StoreInfo};
use thingprint_table::{Bag, Cell, Column, Format, Json, Table, Type};
use thingprint_watch::{
    DeviceRecord, Event, FindingRecord, GivenLabel, Sighting, StandingChange, WindowRecord, WordCount,
};

/// Kind of the labels that are given on the page, which asks for none.
const KIND: &str = "iot";

/// Decimals of a confidence.
const DECIMALS: usize = 3;

/// What is in a store: one row; for people a line for each number.
pub(super) fn info(info: &StoreInfo, format: Format) -> Table {
    let counts = [
        ("bytes", info.bytes),
        ("free_bytes", info.free_bytes),
        ("log_bytes", info.log_bytes),
        ("devices", info.devices),
        ("windows", info.windows),
        ("cut_windows", info.cut_windows),
        ("changes", info.changes),
        ("findings", info.findings),
        ("open_findings", info.open_findings),
        ("events", info.events),
        ("open_events", info.open_events),
        ("labels", info.labels),
    ];
    let mut columns = vec![Column::new("schema", vec![i64::from(info.schema)])];
    columns.extend(counts.map(|(name, count)| Column::new(name, vec![count])));
    let times = [
        ("first_window", info.first_window),
        ("last_window", info.last_window),
        ("final_until", info.final_until),
    ];
    columns.extend(times.map(|(name, time)| Column::new(name, vec![time])));
    if format != Format::Table {
        return Table::of(columns);
    }
    let names: Vec<String> = columns.iter().map(|column| column.name().to_owned()).collect();
    let values: Vec<String> = columns.iter().map(|column| column.text(0)).collect();
    Table::of(vec![Column::new("what", names), Column::new("value", values)])
}

/// Devices; for people what fits a screen.
pub(super) fn devices(records: &[DeviceRecord], format: Format, wide: bool) -> anyhow::Result<Table> {
    if format == Format::Table && !wide {
        return overview(records);
    }
    let mut table = Table::new([
        Column::texts("device"),
        Column::texts("gateway"),
        Column::new("is_randomised", Type::Flag),
        Column::texts("label"),
        Column::texts("class"),
        Column::texts("best_guess"),
        Column::decimals("confidence", DECIMALS),
        Column::decimals("likeness", DECIMALS),
        Column::texts("reason"),
        Column::texts("family"),
        Column::new("since", Type::Time),
        Column::new("addresses", Type::List),
        Column::texts("host_name"),
        Column::texts("vendor_class"),
        Column::texts("identity"),
        Column::new("identity_contradictions", Type::List),
        Column::new("names", Type::Bag),
        Column::new("server_ports", Type::Bag),
        Column::new("served_ports", Type::Bag),
        Column::new("services", Type::Bag),
        Column::new("first_seen", Type::Time),
        Column::new("last_seen", Type::Time),
        Column::count("packets_up"),
        Column::count("packets_down"),
        Column::count("windows"),
        Column::count("errors"),
        Column::count("warnings"),
        Column::count("notes"),
        Column::count("open_events"),
        Column::new("is_new", Type::Flag),
        Column::new("is_muted", Type::Flag),
    ]);
    for record in records {
        table.push(device(record))?;
    }
    Ok(table)
}

fn device(record: &DeviceRecord) -> [Cell; 31] {
    let (seen, verdict) = (&record.sighting, record.verdict.as_ref());
    [
        seen.device.to_string().into(),
        seen.gateway.clone().into(),
        seen.is_randomised.into(),
        record.label.clone().into(),
        verdict.and_then(|verdict| verdict.class.clone()).into(),
        verdict.map(|verdict| verdict.best_guess.clone()).into(),
        verdict.map(|verdict| verdict.confidence).into(),
        verdict.and_then(|verdict| verdict.likeness).into(),
        verdict.and_then(|verdict| verdict.reason.clone()).into(),
        verdict.and_then(|verdict| verdict.family.clone()).into(),
        verdict.map(|verdict| verdict.since).into(),
        addresses(record),
        seen.host_name.clone().into(),
        seen.vendor_class.clone().into(),
        said(seen).into(),
        contradictions(seen).into(),
        bag(&seen.names),
        bag(&seen.server_ports),
        bag(&seen.served_ports),
        bag(&seen.services),
        seen.first_seen.into(),
        seen.last_seen.into(),
        seen.packets_up.into(),
        seen.packets_down.into(),
        record.windows.into(),
        record.findings.error.into(),
        record.findings.warning.into(),
        record.findings.note.into(),
        record.open_events.into(),
        record.is_new.into(),
        record.is_muted.into(),
    ]
}

/// Who a device says it is, in a few words.
fn said(seen: &Sighting) -> Option<String> {
    seen.identity.as_ref()?.summary.in_short()
}

/// What a device says of itself that does not fit its class.
fn contradictions(seen: &Sighting) -> Vec<String> {
    let identity = seen.identity.iter();
    identity.flat_map(|identity| &identity.contradictions).map(ToString::to_string).collect()
}

fn overview(records: &[DeviceRecord]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::texts("device"),
        Column::texts("is"),
        Column::texts("label"),
        Column::texts("says_it_is"),
        Column::texts("class"),
        Column::percent("confidence", 1),
        Column::texts("host_name"),
        Column::new("addresses", Type::List),
        Column::new("last_seen", Type::Time),
        Column::count("windows"),
        Column::count("findings"),
        Column::count("events"),
    ]);
    for record in records {
        let class = record.verdict.as_ref().map(|verdict| verdict.class.as_deref().unwrap_or("unknown"));
        table.push([
            Cell::from(record.sighting.device.to_string()),
            if record.sighting.gateway.is_some() { "gateway" } else { "device" }.into(),
            record.label.clone().into(),
            said(&record.sighting).into(),
            class.map(str::to_owned).into(),
            record.verdict.as_ref().map(|verdict| verdict.confidence).into(),
            record.sighting.host_name.clone().into(),
            addresses(record),
            record.sighting.last_seen.into(),
            record.windows.into(),
            (record.findings.error + record.findings.warning + record.findings.note).into(),
            record.open_events.into(),
        ])?;
    }
    Ok(table)
}

fn addresses(record: &DeviceRecord) -> Cell {
    record.sighting.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().into()
}

fn bag(words: &[WordCount]) -> Cell {
    words.iter().map(|word| (word.word.clone(), word.count)).collect::<Bag>().into()
}

/// Addresses, then host names.
pub(super) fn history(addresses: &[Held], host_names: &[Held]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("device", Type::Text),
        ("address", Type::Text),
        ("host_name", Type::Text),
        ("first_seen", Type::Time),
        ("last_seen", Type::Time),
    ]);
    let addresses = addresses.iter().map(|held| (held, [Cell::from(held.value.clone()), Cell::Absent]));
    let host_names = host_names.iter().map(|held| (held, [Cell::Absent, Cell::from(held.value.clone())]));
    for (held, [address, host_name]) in addresses.chain(host_names) {
        let device = held.device.to_string().into();
        table.push([device, address, host_name, held.first_seen.into(), held.last_seen.into()])?;
    }
    Ok(table)
}

/// Windows with what the model said of them.
pub(super) fn windows(windows: &[WindowRecord]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::texts("device"),
        Column::new("window_start", Type::Time),
        Column::new("window_s", Type::Real),
        Column::count("part"),
        Column::new("is_cut", Type::Flag),
        Column::texts("class"),
        Column::texts("best_guess"),
        Column::decimals("confidence", DECIMALS),
        Column::decimals("likeness", DECIMALS),
        Column::texts("reason"),
        Column::count("packets_up"),
        Column::count("packets_down"),
        Column::count("bytes_up"),
        Column::count("bytes_down"),
        Column::count("flows"),
        Column::decimals("sleep_time_s", 1),
    ]);
    for window in windows {
        let answer = window.answer.as_ref();
        table.push([
            Cell::from(window.device.to_string()),
            window.window_start.into(),
            window.window_s.into(),
            u64::from(window.part).into(),
            window.is_cut.into(),
            answer.and_then(|answer| answer.class.clone()).into(),
            answer.map(|answer| answer.best_guess.clone()).into(),
            answer.map(|answer| answer.confidence).into(),
            answer.and_then(|answer| answer.likeness).into(),
            answer.and_then(|answer| answer.reason.clone()).into(),
            window.packets_up.into(),
            window.packets_down.into(),
            window.bytes_up.into(),
            window.bytes_down.into(),
            window.flows.into(),
            window.sleep_time_s.into(),
        ])?;
    }
    Ok(table)
}

/// Changes of the verdict on a device.
pub(super) fn changes(changes: &[StandingChange]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        Column::texts("device"),
        Column::new("at", Type::Time),
        Column::texts("from"),
        Column::texts("to"),
        Column::decimals("confidence", DECIMALS),
    ]);
    for change in changes {
        table.push([
            Cell::from(change.device.to_string()),
            change.at.into(),
            change.from.clone().into(),
            change.to.clone().into(),
            change.confidence.into(),
        ])?;
    }
    Ok(table)
}

/// Events; for people what fits a screen.
pub(super) fn events(events: &[Event], format: Format) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("id", Type::Unsigned),
        ("at", Type::Time),
        ("severity", Type::Text),
        ("kind", Type::Text),
        ("device", Type::Text),
        ("subject", Type::Text),
        ("text", Type::Text),
        ("times", Type::Unsigned),
        ("acknowledged_at", Type::Time),
        ("evidence", Type::Json),
    ]);
    for event in events {
        table.push([
            Cell::from(event.id),
            event.at.into(),
            event.severity.as_str().into(),
            event.kind.as_str().into(),
            event.device.map(|device| device.to_string()).into(),
            event.subject.clone().into(),
            event.text.clone().into(),
            event.times.into(),
            event.acknowledged_at.into(),
            Json::of(&event.evidence)?.into(),
        ])?;
    }
    drop_for_people(&mut table, format, &["subject", "evidence"]);
    Ok(table)
}

/// Findings; for people what fits a screen.
pub(super) fn findings(findings: &[FindingRecord], format: Format) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("device", Type::Text),
        ("severity", Type::Text),
        ("rule", Type::Text),
        ("by", Type::Text),
        ("seen", Type::Text),
        ("expected", Type::Text),
        ("flows", Type::Unsigned),
        ("first_seen", Type::Time),
        ("last_seen", Type::Time),
        ("acknowledged_at", Type::Time),
        ("example", Type::Text),
        ("reference", Type::Text),
        ("remediation", Type::Text),
    ]);
    for finding in findings {
        table.push([
            Cell::from(finding.device.to_string()),
            finding.severity.as_str().into(),
            finding.rule.clone().into(),
            finding.by.clone().into(),
            finding.seen.clone().into(),
            finding.expected.clone().into(),
            finding.flows.into(),
            finding.first_seen.into(),
            finding.last_seen.into(),
            finding.acknowledged_at.into(),
            finding.example.clone().into(),
            finding.reference.clone().into(),
            finding.remediation.clone().into(),
        ])?;
    }
    drop_for_people(&mut table, format, &["first_seen", "example", "reference", "remediation"]);
    Ok(table)
}

fn drop_for_people(table: &mut Table, format: Format, columns: &[&str]) {
    if format == Format::Table {
        for column in columns {
            table.drop_column(column);
        }
    }
}

/// Labels with the columns of a label file.
pub(super) fn labels(labels: &[GivenLabel]) -> anyhow::Result<Table> {
    let columns =
        [("mac", Type::Text), ("label", Type::Text), ("kind", Type::Text), ("given_at", Type::Time)];
    let mut table = Table::new(columns);
    for label in labels {
        table.push([
            Cell::from(label.device.to_string()),
            label.label.clone().into(),
            KIND.into(),
            label.at.into(),
        ])?;
    }
    Ok(table)
}
