use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_watch::{DeviceRecord, Event, Sighting, WindowRecord};

use crate::cell::{Cells, whole};
use crate::error::Problem;
use crate::record_rows;
use crate::sql::{Connection, SqlResult, params};
use crate::store::{FINAL_UNTIL, NEXT_EVENT};

/// Devices that a reading goes on from: those that were seen last. A flood of addresses leaves more in a store, and they would
/// take the memory of what is on the network now.
pub const MOST_DEVICES: usize = 65_536;

/// Windows that a reading goes on from, of the devices that were seen last: 24 of some 10,000 devices, in about 100 MB. The
/// verdict on a device beyond that begins anew.
const MOST_WINDOWS: usize = 250_000;

/// Windows of a device that a verdict looks back on.
const LAST_WINDOWS: usize = 24;

/// Open events that a reading goes on counting. Older ones stay in the store, and what happens again is a new event then:
/// a network on which nobody acknowledges anything must not fill the memory.
const MOST_OPEN_EVENTS: usize = 100_000;

/// Findings that a reading knows to be there already, for the same reason.
const MOST_FINDINGS: usize = 100_000;

/// What a reading needs to go on where the last one ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resume {
    /// The devices with what was seen of them, their labels, verdicts and whether they are muted, in order; the last
    /// [`MOST_DEVICES`] that were seen. Windows under way and counts of what is open are left out.
    pub devices: Vec<DeviceRecord>,
    /// Devices beyond these. They are in the store, and are new to the reading where they are seen again.
    pub devices_left_out: u64,
    /// The last 24 final windows of each device that has some, with answers and distributions, the latest first; without
    /// instances.
    pub windows: BTreeMap<DeviceId, Vec<WindowRecord>>,
    /// The number of the next event: one that no event had, also none that was pruned or forgotten since.
    pub next_event: u64,
    /// The events that nobody acknowledged, by number; the last 100,000.
    pub open_events: Vec<Event>,
    /// The findings that are known: device, rule, who said it, what was said; the last 100,000.
    pub findings: BTreeSet<FindingKey>,
    /// Every window that ends by this time is final; `None` where nothing was final yet.
    pub final_until: Option<Timestamp>,
}

/// What distinguishes a finding from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingKey {
    /// The device.
    pub device: DeviceId,
    /// Id of the rule.
    pub rule: String,
    /// Who said it.
    pub by: String,
    /// What was said.
    pub seen: String,
}

impl Resume {
    pub(crate) fn read(connection: &Connection) -> Result<Self, Problem> {
        let snapshot = connection.snapshot()?;
        let (devices, devices_left_out) = devices(&snapshot)?;
        Ok(Self {
            windows: last_windows(&snapshot, &devices)?,
            devices,
            devices_left_out,
            next_event: next_event(&snapshot)?,
            open_events: open_events(&snapshot)?,
            findings: findings(&snapshot)?,
            final_until: final_until(&snapshot)?,
        })
    }

    /// The number of the piece of a device's window that is stored next: 0 where none is.
    pub fn next_part(&self, device: DeviceId, window_start: Timestamp) -> u32 {
        let windows = self.windows.get(&device).into_iter().flatten();
        let parts = windows.filter(|window| window.window_start == window_start).map(|window| window.part);
        parts.max().map_or(0, |part| part.saturating_add(1))
    }

    /// The devices that were gateways.
    pub fn gateways(&self) -> BTreeSet<DeviceId> {
        let gateways = self.devices.iter().filter(|record| record.sighting.gateway.is_some());
        gateways.map(|record| record.sighting.device).collect()
    }

    /// The devices whose events stay on the page.
    pub fn muted(&self) -> BTreeSet<DeviceId> {
        let muted = self.devices.iter().filter(|record| record.is_muted);
        muted.map(|record| record.sighting.device).collect()
    }
}

/// The devices that were seen last, in the order of their addresses, and how many there are beside.
fn devices(connection: &Connection) -> SqlResult<(Vec<DeviceRecord>, u64)> {
    let all = connection.one("SELECT count(*) FROM devices", params![], |row| Cells(row).count(0))?;
    let most = whole(MOST_DEVICES as u64);
    let sql = format!(
        "{} WHERE d.device IN (SELECT device FROM devices ORDER BY last_seen DESC, device LIMIT ?1)",
        record_rows::DEVICE
    );
    let mut records = connection.rows(&sql, params![most], record_rows::device)?;
    records.sort_by_key(|record| record.sighting.device);
    let left_out = all.saturating_sub(records.len() as u64);
    Ok((records, left_out))
}

/// The last windows of each device, of those that were seen last first. Most devices of a flood have none, and cost nothing.
fn last_windows(
    connection: &Connection,
    devices: &[DeviceRecord],
) -> SqlResult<BTreeMap<DeviceId, Vec<WindowRecord>>> {
    let sql = format!(
        "SELECT {}, distribution FROM windows WHERE device = ?1 ORDER BY window_start DESC, part DESC LIMIT ?2",
        record_rows::WINDOW
    );
    let mut statement = connection.prepare(&sql)?;
    let mut with_windows: Vec<&Sighting> =
        devices.iter().filter(|record| record.windows > 0).map(|record| &record.sighting).collect();
    with_windows.sort_by_key(|sighting| (Reverse(sighting.last_seen), sighting.device));
    let (mut windows, mut left) = (BTreeMap::new(), MOST_WINDOWS);
    for Sighting { device, .. } in with_windows {
        let limit = whole(left.min(LAST_WINDOWS) as u64);
        let rows = statement.rows(params![device.to_string(), limit], record_rows::judged_window)?;
        left = left.saturating_sub(rows.len());
        windows.insert(*device, rows);
    }
    Ok(windows)
}

/// The number behind the last event that there ever was.
fn next_event(connection: &Connection) -> SqlResult<u64> {
    let last =
        connection.one("SELECT coalesce(max(id), 0) FROM events", params![], |row| Cells(row).count(0))?;
    let sql = "SELECT value FROM state WHERE name = ?1 AND device = ''";
    let noted = connection.row(sql, params![NEXT_EVENT], |row| Cells(row).count(0))?;
    Ok(noted.unwrap_or(1).max(last + 1))
}

fn open_events(connection: &Connection) -> SqlResult<Vec<Event>> {
    let sql = format!(
        "SELECT {} FROM events WHERE acknowledged_at IS NULL ORDER BY id DESC LIMIT ?1",
        record_rows::EVENT
    );
    let most = whole(MOST_OPEN_EVENTS as u64);
    let mut events = connection.rows(&sql, params![most], record_rows::event)?;
    events.reverse();
    Ok(events)
}

fn findings(connection: &Connection) -> SqlResult<BTreeSet<FindingKey>> {
    let sql = "SELECT device, rule, said_by, seen FROM findings ORDER BY id DESC LIMIT ?1";
    let rows = connection.rows(sql, params![whole(MOST_FINDINGS as u64)], |row| {
        Ok(FindingKey {
            device: Cells(row).parsed(0)?,
            rule: row.get(1)?,
            by: row.get(2)?,
            seen: row.get(3)?,
        })
    })?;
    Ok(rows.into_iter().collect())
}

/// Until when windows are final.
pub(crate) fn final_until(connection: &Connection) -> SqlResult<Option<Timestamp>> {
    let sql = "SELECT value FROM state WHERE name = ?1 AND device = ''";
    connection.row(sql, params![FINAL_UNTIL], |row| Cells(row).time(0))
}
