use std::fmt;
use std::time::Duration;

use thingprint_flow::Timestamp;
use thingprint_table::rfc3339;

use crate::cell::Cells;
use crate::error::StoreError;
use crate::forget::DEVICE_TABLES;
use crate::resume::final_until;
use crate::sql::{Connection, Row, SqlResult, params};
use crate::store::Store;

/// Rows of a table that go in one transaction, so that whoever waits to write waits some milliseconds.
const ROWS_AT_ONCE: u64 = 1000;

/// Nanoseconds without a window that are a jump of the clock and no pause: a day. Devices that sleep at night, or a machine
/// that is begun again, make shorter ones.
const LEAST_HOLE_NS: i64 = 86_400_000_000_000;

/// What was older than the time for which a store keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Windows.
    pub windows: u64,
    /// Changes of verdicts.
    pub changes: u64,
    /// Events that somebody acknowledged.
    pub events: u64,
    /// Devices of which nothing else was left, with their addresses, names and verdicts.
    pub devices: u64,
}

impl Pruned {
    /// Whether there was nothing.
    pub const fn is_empty(self) -> bool {
        self.windows == 0 && self.changes == 0 && self.events == 0 && self.devices == 0
    }

    fn add(&mut self, other: Self) {
        self.windows += other.windows;
        self.changes += other.changes;
        self.events += other.events;
        self.devices += other.devices;
    }
}

/// Most windows would be pruned, since the clock jumped and not since they became old bit by bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Windows that would be pruned.
    pub old: u64,
    /// All windows.
    pub all: u64,
    /// Start of the last window before the hole.
    pub last: Timestamp,
    /// Start of the first window behind the hole; the present time where there is none.
    pub next: Timestamp,
}

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (last, next) = (rfc3339::format(self.last), rfc3339::format(self.next));
        write!(f, "{} of {} windows are too old, since none is between {last} and {next}", self.old, self.all)
    }
}

impl Store {
    /// The time before which nothing is kept: so long before the last final window, by the clock of the packets, so that a
    /// store of old captures does not empty itself; and so long before `now` where that is earlier, so that packets of a wrong
    /// clock do not empty it either. `None` while nothing is final.
    pub fn kept_from(&self, keep: Duration, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let until = final_until(&self.database.connection).map_err(|error| self.database.error(error))?;
        Ok(until.map(|until| before(until.min(now), keep)))
    }

    /// Whether a jump of the clock makes most windows too old: more than half of them, with a hole behind them, while those
    /// that would stay are of less than half of the time for which they are kept. What is so may be a wrong clock, and should
    /// not be pruned unless a person says so; when windows of half of that time are there, it is none any more.
    pub fn jump(&self, keep: Duration, now: Timestamp) -> Result<Option<Jump>, StoreError> {
        let Some(before) = self.kept_from(keep, now)? else { return Ok(None) };
        self.jump_behind(before, keep)
    }

    pub(crate) fn jump_behind(&self, before: Timestamp, keep: Duration) -> Result<Option<Jump>, StoreError> {
        let jump = find_jump(&self.database.connection, before, nanos(keep));
        jump.map_err(|error| self.database.error(error))
    }

    /// Takes out what is of before a time: windows that began, changes of verdicts, and acknowledged events that happened
    /// before it; and devices that were not seen since, have no window, label, finding or open event, and are not muted: those
    /// of a flood of addresses. Gives their space back to the file system.
    pub fn prune(&mut self, before: Timestamp) -> Result<Pruned, StoreError> {
        let mut all = Pruned::default();
        loop {
            let pruned = self.prune_some(before)?;
            all.add(pruned);
            if pruned.is_empty() && !self.shrink_some()? {
                return Ok(all);
            }
        }
    }

    /// The same for so many rows that nobody waits long; nothing when all is done but giving back space.
    pub(crate) fn prune_some(&mut self, before: Timestamp) -> Result<Pruned, StoreError> {
        self.try_prune_some(before).map_err(|error| self.database.error(error))
    }

    fn try_prune_some(&mut self, before: Timestamp) -> SqlResult<Pruned> {
        let transaction = self.database.connection.transaction()?;
        let delete = |table: &str, is_old: &str| {
            let sql = format!(
                "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {is_old} LIMIT {ROWS_AT_ONCE})"
            );
            transaction.execute(&sql, params![before.as_nanos()])
        };
        let mut pruned = Pruned {
            windows: delete("windows", "window_start < ?1")?,
            changes: delete("changes", "at < ?1")?,
            events: delete("events", "at < ?1 AND acknowledged_at IS NOT NULL")?,
            devices: 0,
        };
        let gone = if pruned.is_empty() { forgotten_by_all(&transaction, before)? } else { Vec::new() };
        for device in &gone {
            for table in DEVICE_TABLES {
                transaction.execute(&format!("DELETE FROM {table} WHERE device = ?1"), params![device])?;
            }
        }
        transaction.commit()?;
        pruned.devices = gone.len() as u64;
        // One that comes back is a new one.
        gone.iter()
            .filter_map(|device| device.parse().ok())
            .for_each(|device| _ = self.bases.remove(&device));
        Ok(pruned)
    }

    /// Gives some of the free pages back to the file system; whether there were any.
    pub(crate) fn shrink_some(&mut self) -> Result<bool, StoreError> {
        let is_shrunk = self.database.connection.session().shrink_some();
        is_shrunk.map_err(|error| self.database.error(error))
    }
}

/// Some devices that were not seen since a time, and of which nothing is left that somebody may want.
fn forgotten_by_all(transaction: &Connection, before: Timestamp) -> SqlResult<Vec<String>> {
    let sql = format!(
        "SELECT device FROM devices d WHERE last_seen < ?1 AND windows = 0 AND NOT is_muted
            AND NOT EXISTS (SELECT 1 FROM labels o WHERE o.device = d.device)
            AND NOT EXISTS (SELECT 1 FROM findings o WHERE o.device = d.device)
            AND NOT EXISTS (SELECT 1 FROM events o WHERE o.device = d.device AND o.acknowledged_at IS NULL)
         LIMIT {ROWS_AT_ONCE}"
    );
    transaction.rows(&sql, params![before.as_nanos()], |row| row.get(0))
}

/// The time before which nothing is kept, where so much is kept before a time.
pub(crate) fn before(time: Timestamp, keep: Duration) -> Timestamp {
    time.plus_nanos(-nanos(keep))
}

fn nanos(keep: Duration) -> i64 {
    i64::try_from(keep.as_nanos()).unwrap_or(i64::MAX)
}

fn find_jump(connection: &Connection, before: Timestamp, keep_ns: i64) -> SqlResult<Option<Jump>> {
    let one = |sql: &str| connection.one(sql, params![before.as_nanos()], |row| Cells(row).some_time(0));
    let Some(last) = one("SELECT max(window_start) FROM windows WHERE window_start < ?1")? else {
        return Ok(None);
    };
    let next = one("SELECT min(window_start) FROM windows WHERE window_start >= ?1")?;
    let next = next.unwrap_or_else(|| before.plus_nanos(keep_ns));
    let is_hole = next.nanos_since(last) > LEAST_HOLE_NS.max(keep_ns / 2);
    if !is_hole || next.nanos_since(before) <= keep_ns / 2 {
        return Ok(None);
    }
    let sql = "SELECT count(*) FILTER (WHERE window_start < ?1), count(*) FROM windows";
    let counts = |row: Row<'_>| Ok((Cells(row).count(0)?, Cells(row).count(1)?));
    let (old, all) = connection.one(sql, params![before.as_nanos()], counts)?;
    Ok((old > all / 2).then_some(Jump { old, all, last, next }))
}
