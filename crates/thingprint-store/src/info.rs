use thingprint_flow::Timestamp;

use crate::back_ends::Size;
use crate::cell::Cells;
use crate::error::{Problem, StoreError};
use crate::instance_blob;
use crate::reader::Reader;
use crate::resume::final_until;
use crate::sql::{Connection, SqlResult, params};

/// What is in a store, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreInfo {
    /// Version of the schema.
    pub schema: i32,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of it that are free, and are used again.
    pub free_bytes: u64,
    /// Bytes of the write-ahead log beside it.
    pub log_bytes: u64,
    /// Devices.
    pub devices: u64,
    /// Final windows.
    pub windows: u64,
    /// Windows of them in which the reading began or ended.
    pub cut_windows: u64,
    /// Start of the first window.
    pub first_window: Option<Timestamp>,
    /// Start of the last window.
    pub last_window: Option<Timestamp>,
    /// Until when windows are final.
    pub final_until: Option<Timestamp>,
    /// Changes of verdicts.
    pub changes: u64,
    /// Findings.
    pub findings: u64,
    /// Findings that nobody acknowledged.
    pub open_findings: u64,
    /// Events.
    pub events: u64,
    /// Events that nobody acknowledged.
    pub open_events: u64,
    /// Labels.
    pub labels: u64,
}

impl Reader {
    /// Counts what is there.
    pub fn info(&self) -> Result<StoreInfo, StoreError> {
        let counted = counted(&self.database.connection).map_err(|error| self.database.error(error))?;
        Ok(StoreInfo { schema: self.database.schema, ..counted })
    }

    /// What the whole check of the database and a look at every instance find; nothing for a sound store.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        let mut found = match self.database.connection.session().damage() {
            Ok(found) => found,
            Err(Problem::Damaged { what }) => vec![what],
            Err(problem) => return Err(self.database.error(problem)),
        };
        match self.unreadable().map_err(Problem::from) {
            Ok(0) => {}
            Ok(unreadable) => found.push(format!("{unreadable} instances cannot be read")),
            Err(Problem::Damaged { what }) => found.push(format!("windows: {what}")),
            Err(problem) => return Err(self.database.error(problem)),
        }
        Ok(found)
    }

    fn unreadable(&self) -> SqlResult<u64> {
        let sql = "SELECT device, window_start, instance FROM windows WHERE instance IS NOT NULL";
        let mut unreadable = 0;
        self.database.connection.each(sql, params![], |row| {
            let (device, start) = (Cells(row).parsed(0)?, Cells(row).time(1)?);
            let packed: Vec<u8> = row.get(2)?;
            unreadable += u64::from(!matches!(instance_blob::unpack(&packed, device, start), Ok(Some(_))));
            Ok(())
        })?;
        Ok(unreadable)
    }
}

fn counted(connection: &Connection) -> SqlResult<StoreInfo> {
    let snapshot = connection.snapshot()?;
    let number = |sql: &str| snapshot.one(sql, params![], |row| Cells(row).count(0));
    let rows = |of: &str| number(&format!("SELECT count(*) FROM {of}"));
    let Size { bytes, free_bytes, log_bytes } = snapshot.session().size()?;
    let window = |which: &str| {
        let sql = format!("SELECT {which}(window_start) FROM windows");
        snapshot.one(&sql, params![], |row| Cells(row).some_time(0))
    };
    Ok(StoreInfo {
        schema: 0,
        bytes,
        free_bytes,
        log_bytes,
        devices: rows("devices")?,
        windows: rows("windows")?,
        cut_windows: rows("windows WHERE is_cut")?,
        first_window: window("min")?,
        last_window: window("max")?,
        final_until: final_until(&snapshot)?,
        changes: rows("changes")?,
        findings: rows("findings")?,
        open_findings: rows("findings WHERE acknowledged_at IS NULL")?,
        events: rows("events")?,
        open_events: rows("events WHERE acknowledged_at IS NULL")?,
        labels: rows("labels")?,
    })
}
