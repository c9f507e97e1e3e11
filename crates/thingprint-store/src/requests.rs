//! What a person asks for on the page, in the tables.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_watch::EventKind;

use crate::cell::{Cells, whole};
use crate::error::Problem;

/// Characters that a label may have, as the request says.
const MOST_LABEL_CHARACTERS: usize = 200;

/// What a classifier answers where no class fits, which is no class.
const UNKNOWN: &str = "unknown";

/// Sets or takes back the label of a device.
pub(crate) fn label(
    connection: &Connection,
    device: DeviceId,
    label: Option<&str>,
    at: Timestamp,
) -> Result<(), Problem> {
    check_device(connection, device)?;
    let device = device.to_string();
    let Some(label) = label.map(str::trim).filter(|label| !label.is_empty()) else {
        connection.execute("DELETE FROM labels WHERE device = ?1", [device])?;
        return Ok(());
    };
    let found = label.chars().count();
    if found > MOST_LABEL_CHARACTERS {
        return Err(Problem::LongLabel { found, most: MOST_LABEL_CHARACTERS });
    }
    if label.eq_ignore_ascii_case(UNKNOWN) {
        return Err(Problem::ReservedLabel);
    }
    connection.execute(
        "INSERT OR REPLACE INTO labels (device, label, at) VALUES (?1, ?2, ?3)",
        params![device, label, at.as_nanos()],
    )?;
    Ok(())
}

/// Acknowledges an event, unless it is, and the open findings of its device by the rule that it names.
pub(crate) fn acknowledge(connection: &Connection, event: u64, at: Timestamp) -> Result<(), Problem> {
    let sql = "SELECT kind, device, subject, evidence FROM events WHERE id = ?1";
    let found = connection.query_row(sql, [whole(event)], |row| {
        let cells = Cells(row);
        let device: Option<String> = row.get(1)?;
        Ok((cells.parsed::<EventKind>(0)?, device, row.get::<_, String>(2)?, cells.json(3)?))
    });
    let (kind, device, subject, evidence) = found.optional()?.ok_or(Problem::NoEvent(event))?;
    connection.execute(
        "UPDATE events SET acknowledged_at = ?2 WHERE id = ?1 AND acknowledged_at IS NULL",
        params![whole(event), at.as_nanos()],
    )?;
    if matches!(kind, EventKind::Finding | EventKind::MudViolation) {
        connection.execute(
            "UPDATE findings SET acknowledged_at = ?3
             WHERE device = ?1 AND rule = ?2 AND acknowledged_at IS NULL",
            params![device, rule_of(&evidence, &subject), at.as_nanos()],
        )?;
    }
    Ok(())
}

/// Mutes a device, or lets it be heard.
pub(crate) fn mute(connection: &Connection, device: DeviceId, is_muted: bool) -> Result<(), Problem> {
    let sql = "UPDATE devices SET is_muted = ?2 WHERE device = ?1";
    match connection.execute(sql, params![device.to_string(), is_muted])? {
        0 => Err(Problem::NoDevice(device)),
        _ => Ok(()),
    }
}

/// Fails where a device is not known.
pub(crate) fn check_device(connection: &Connection, device: DeviceId) -> Result<(), Problem> {
    let sql = "SELECT 1 FROM devices WHERE device = ?1";
    let found = connection.query_row(sql, [device.to_string()], |_| Ok(())).optional()?;
    found.ok_or(Problem::NoDevice(device))
}

/// The rule of the audit that an event is about.
fn rule_of<'a>(evidence: &'a Map<String, Value>, subject: &'a str) -> &'a str {
    evidence.get("rule").and_then(Value::as_str).unwrap_or(subject)
}
