use std::time::Duration;

use rusqlite::params;
use thingprint_flow::Timestamp;

use crate::cell::SqlResult;
use crate::error::{Problem, StoreError};
use crate::resume::final_until;
use crate::store::Store;

/// Rows of a table that go in one transaction, so that whoever waits to write waits some milliseconds.
const ROWS_AT_ONCE: u64 = 1000;

/// Pages that are given back to the file system at once: 8 MiB.
const PAGES_AT_ONCE: u32 = 2048;

/// What was older than the time for which a store keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Windows.
    pub windows: u64,
    /// Changes of verdicts.
    pub changes: u64,
    /// Events that somebody acknowledged.
    pub events: u64,
}

impl Pruned {
    /// Whether there was nothing.
    pub const fn is_empty(self) -> bool {
        self.windows == 0 && self.changes == 0 && self.events == 0
    }

    fn add(&mut self, other: Self) {
        self.windows += other.windows;
        self.changes += other.changes;
        self.events += other.events;
    }
}

impl Store {
    /// The time before which nothing is kept: so long before the last final window, by the clock of the packets, so that a
    /// store of old captures does not empty itself. `None` while nothing is final.
    pub fn kept_from(&self, keep: Duration) -> Result<Option<Timestamp>, StoreError> {
        let until = final_until(&self.database.connection).map_err(|error| self.database.error(error))?;
        let keep = i64::try_from(keep.as_nanos()).unwrap_or(i64::MAX);
        Ok(until.map(|until| until.plus_nanos(-keep)))
    }

    /// Takes out what is of before a time: windows that began, changes of verdicts, and acknowledged events that happened
    /// before it. Gives their space back to the file system.
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
            transaction.execute(&sql, params![before.as_nanos()]).map(|rows| rows as u64)
        };
        let pruned = Pruned {
            windows: delete("windows", "window_start < ?1")?,
            changes: delete("changes", "at < ?1")?,
            events: delete("events", "at < ?1 AND acknowledged_at IS NOT NULL")?,
        };
        transaction.commit()?;
        Ok(pruned)
    }

    /// Gives some of the free pages back to the file system; whether there were any.
    pub(crate) fn shrink_some(&mut self) -> Result<bool, StoreError> {
        let shrink = || -> Result<bool, Problem> {
            let connection = &self.database.connection;
            let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
            if free > 0 {
                let mut statement =
                    connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})"))?;
                let mut rows = statement.query([])?;
                while rows.next()?.is_some() {}
            }
            Ok(free > 0)
        };
        shrink().map_err(|problem| self.database.error(problem))
    }
}
