//! What a person asks for on the page, in the tables.

use serde_json::{Map, Value};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_watch::EventKind;

use crate::cell::{Cells, whole};
use crate::error::Problem;
use crate::sql::{Connection, SqlResult, params};

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
        connection.execute("DELETE FROM labels WHERE device = ?1", params![device])?;
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
        "INSERT INTO labels (device, label, at) VALUES (?1, ?2, ?3)
         ON CONFLICT (device) DO UPDATE SET label = excluded.label, at = excluded.at",
        params![device, label, at.as_nanos()],
    )?;
    Ok(())
}

/// Acknowledges an event, unless it is, and the open findings of its device by the rule that it names.
pub(crate) fn acknowledge(connection: &Connection, event: u64, at: Timestamp) -> Result<(), Problem> {
    let sql = "SELECT kind, device, subject, evidence FROM events WHERE id = ?1";
    let found = connection.row(sql, params![whole(event)], |row| {
        let cells = Cells(row);
        let device: Option<String> = row.get(1)?;
        Ok((cells.parsed::<EventKind>(0)?, device, row.get::<String>(2)?, cells.json(3)?))
    });
    let (kind, device, subject, evidence) = found?.ok_or(Problem::NoEvent(event))?;
    connection.execute(
        "UPDATE events SET acknowledged_at = ?2 WHERE id = ?1 AND acknowledged_at IS NULL",
        params![whole(event), at.as_nanos()],
    )?;
    if matches!(kind, EventKind::Finding | EventKind::MudViolation) {
        close_findings(connection, device.as_deref(), rule_of(&evidence, &subject), at)?;
    }
    Ok(())
}

/// Acknowledges the findings of a device by a rule that are open, and the events about them; how many findings were open.
/// Fails where the device has no finding by the rule.
pub(crate) fn acknowledge_finding(
    connection: &Connection,
    device: DeviceId,
    rule: &str,
    at: Timestamp,
) -> Result<u64, Problem> {
    let name = device.to_string();
    let sql = "SELECT 1 FROM findings WHERE device = ?1 AND rule = ?2 LIMIT 1";
    let found = connection.row(sql, params![name, rule], |_| Ok(()))?;
    found.ok_or_else(|| Problem::NoFinding { device, rule: rule.to_owned() })?;
    let closed = close_findings(connection, Some(&name), rule, at)?;
    for event in events_about(connection, &name, rule)? {
        acknowledge(connection, event, at)?;
    }
    Ok(closed)
}

fn close_findings(
    connection: &Connection,
    device: Option<&str>,
    rule: &str,
    at: Timestamp,
) -> Result<u64, Problem> {
    let closed = connection.execute(
        "UPDATE findings SET acknowledged_at = ?3
         WHERE device = ?1 AND rule = ?2 AND acknowledged_at IS NULL",
        params![device, rule, at.as_nanos()],
    )?;
    Ok(closed)
}

/// Open events about findings of a device by a rule.
fn events_about(connection: &Connection, device: &str, rule: &str) -> SqlResult<Vec<u64>> {
    let sql = "SELECT id, subject, evidence FROM events
               WHERE device = ?1 AND kind IN (?2, ?3) AND acknowledged_at IS NULL ORDER BY id";
    let kinds = params![device, EventKind::Finding.as_str(), EventKind::MudViolation.as_str()];
    let rows: Vec<(bool, u64)> = connection.rows(sql, kinds, |row| {
        let (subject, evidence): (String, Map<String, Value>) = (row.get(1)?, Cells(row).json(2)?);
        let is_about = rule_of(&evidence, &subject) == rule;
        Ok((is_about, Cells(row).count(0)?))
    })?;
    Ok(rows.into_iter().filter(|(is_about, _)| *is_about).map(|(_, event)| event).collect())
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
    let found = connection.row(sql, params![device.to_string()], |_| Ok(()))?;
    found.ok_or(Problem::NoDevice(device))
}

/// The rule of the audit that an event is about.
fn rule_of<'a>(evidence: &'a Map<String, Value>, subject: &'a str) -> &'a str {
    evidence.get("rule").and_then(Value::as_str).unwrap_or(subject)
}
