//! Rows of the tables as records.

use thingprint_watch::{
    DeviceRecord, Event, FindingRecord, GivenLabel, Severities, Sighting, Standing, StandingChange,
    WindowAnswer, WindowRecord,
};

use crate::cell::Cells;
use crate::instance_blob::unpack_numbers;
use crate::sql::{Row, SqlResult};

/// Columns of a window, without what lists leave out.
pub(crate) const WINDOW: &str = "device, window_start, part, window_s, is_cut, packets_up, packets_down, bytes_up, \
     bytes_down, flows, sleep_time_s, class, best_guess, confidence, likeness, reason";

/// A window of a row with the columns of [`WINDOW`].
pub(crate) fn window(row: Row<'_>) -> SqlResult<WindowRecord> {
    let cells = Cells(row);
    Ok(WindowRecord {
        device: cells.parsed(0)?,
        window_start: cells.time(1)?,
        window_s: row.get(3)?,
        part: row.get(2)?,
        is_cut: row.get(4)?,
        provisional_after_s: None,
        packets_up: cells.count(5)?,
        packets_down: cells.count(6)?,
        bytes_up: cells.count(7)?,
        bytes_down: cells.count(8)?,
        flows: cells.count(9)?,
        sleep_time_s: row.get(10)?,
        answer: answer(row)?,
        instance: None,
    })
}

/// The same with the distribution behind these columns.
pub(crate) fn judged_window(row: Row<'_>) -> SqlResult<WindowRecord> {
    let mut window = window(row)?;
    let numbers: Option<Vec<u8>> = row.get(16)?;
    if let Some(answer) = &mut window.answer {
        answer.distribution = numbers.as_deref().map(unpack_numbers).unwrap_or_default();
    }
    Ok(window)
}

/// A window under way, of a row with the columns of [`WINDOW`] and how far it is.
pub(crate) fn provisional(row: Row<'_>) -> SqlResult<WindowRecord> {
    Ok(WindowRecord { provisional_after_s: row.get(16)?, ..window(row)? })
}

fn answer(row: Row<'_>) -> SqlResult<Option<WindowAnswer>> {
    let best_guess: Option<String> = row.get(12)?;
    let Some(best_guess) = best_guess else { return Ok(None) };
    Ok(Some(WindowAnswer {
        class: row.get(11)?,
        best_guess,
        confidence: row.get::<Option<f64>>(13)?.unwrap_or_default(),
        likeness: row.get(14)?,
        reason: row.get(15)?,
        distribution: Vec::new(),
    }))
}

/// Columns of a device with its label, its verdict and counts of what is open.
pub(crate) const DEVICE: &str = "SELECT d.device, d.gateway, d.is_randomised, d.addresses, d.host_name, d.vendor_class, \
     d.names, d.server_ports, d.served_ports, d.services, d.first_seen, d.last_seen, d.packets_up, d.packets_down, \
     d.identity, d.windows, d.is_muted, l.label, v.class, v.best_guess, v.confidence, v.likeness, v.reason, v.family, v.windows, \
     v.since FROM devices d LEFT JOIN labels l USING (device) LEFT JOIN verdicts v USING (device)";

/// What was seen of one device.
pub(crate) const SIGHTING: &str = "SELECT device, gateway, is_randomised, addresses, host_name, vendor_class, names, \
     server_ports, served_ports, services, first_seen, last_seen, packets_up, packets_down, identity FROM devices WHERE device = ?1";

/// A device of a row that [`DEVICE`] selects; what is open, and the window under way, come from other tables.
pub(crate) fn device(row: Row<'_>) -> SqlResult<DeviceRecord> {
    let cells = Cells(row);
    Ok(DeviceRecord {
        sighting: sighting(row)?,
        windows: cells.count(15)?,
        is_muted: row.get(16)?,
        label: row.get(17)?,
        verdict: standing(row, 18)?,
        provisional: None,
        findings: Severities::default(),
        open_events: 0,
        is_new: false,
    })
}

/// What was seen of a device, of a row that begins as [`SIGHTING`] selects it.
pub(crate) fn sighting(row: Row<'_>) -> SqlResult<Sighting> {
    let cells = Cells(row);
    Ok(Sighting {
        device: cells.parsed(0)?,
        gateway: row.get(1)?,
        is_randomised: row.get(2)?,
        addresses: cells.json(3)?,
        host_name: row.get(4)?,
        vendor_class: row.get(5)?,
        names: cells.json(6)?,
        server_ports: cells.json(7)?,
        served_ports: cells.json(8)?,
        services: cells.json(9)?,
        first_seen: cells.time(10)?,
        last_seen: cells.time(11)?,
        packets_up: cells.count(12)?,
        packets_down: cells.count(13)?,
        identity: cells.some_json(14)?,
    })
}

fn standing(row: Row<'_>, at: usize) -> SqlResult<Option<Standing>> {
    let best_guess: Option<String> = row.get(at + 1)?;
    let Some(best_guess) = best_guess else { return Ok(None) };
    Ok(Some(Standing {
        class: row.get(at)?,
        best_guess,
        confidence: row.get(at + 2)?,
        likeness: row.get(at + 3)?,
        reason: row.get(at + 4)?,
        family: row.get(at + 5)?,
        windows: Cells(row).count(at + 6)?,
        since: Cells(row).time(at + 7)?,
    }))
}

/// Columns of a change of the verdict.
pub(crate) const CHANGE: &str = "device, at, from_class, to_class, confidence";

/// A change of a row with the columns of [`CHANGE`].
pub(crate) fn change(row: Row<'_>) -> SqlResult<StandingChange> {
    let cells = Cells(row);
    Ok(StandingChange {
        device: cells.parsed(0)?,
        at: cells.time(1)?,
        from: row.get(2)?,
        to: row.get(3)?,
        confidence: row.get(4)?,
    })
}

/// Columns of a finding.
pub(crate) const FINDING: &str = "device, rule, severity, said_by, flows, seen, expected, reference, remediation, \
     first_seen, last_seen, example, acknowledged_at";

/// A finding of a row with the columns of [`FINDING`].
pub(crate) fn finding(row: Row<'_>) -> SqlResult<FindingRecord> {
    let cells = Cells(row);
    Ok(FindingRecord {
        device: cells.parsed(0)?,
        rule: row.get(1)?,
        severity: cells.parsed(2)?,
        by: row.get(3)?,
        flows: cells.count(4)?,
        seen: row.get(5)?,
        expected: row.get(6)?,
        reference: row.get(7)?,
        remediation: row.get(8)?,
        first_seen: cells.time(9)?,
        last_seen: cells.time(10)?,
        example: row.get(11)?,
        acknowledged_at: cells.some_time(12)?,
    })
}

/// Columns of an event.
pub(crate) const EVENT: &str =
    "id, at, kind, severity, device, subject, text, evidence, times, acknowledged_at";

/// An event of a row with the columns of [`EVENT`].
pub(crate) fn event(row: Row<'_>) -> SqlResult<Event> {
    let cells = Cells(row);
    Ok(Event {
        id: cells.count(0)?,
        at: cells.time(1)?,
        kind: cells.parsed(2)?,
        severity: cells.parsed(3)?,
        device: cells.some_parsed(4)?,
        subject: row.get(5)?,
        text: row.get(6)?,
        evidence: cells.json(7)?,
        times: cells.count(8)?,
        acknowledged_at: cells.some_time(9)?,
    })
}

/// A label of a row with device, label and time.
pub(crate) fn label(row: Row<'_>) -> SqlResult<GivenLabel> {
    let cells = Cells(row);
    Ok(GivenLabel { device: cells.parsed(0)?, label: row.get(1)?, at: cells.time(2)? })
}
