use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_watch::{
    DeviceRecord, Event, EventFilter, EventKind, FindingRecord, GivenLabel, Records, RecordsError,
    Severities, StandingChange, WindowRecord,
};

use crate::cell::{Cells, whole};
use crate::database::Database;
use crate::error::{Problem, StoreError};
use crate::instance_blob;
use crate::record_rows;
use crate::sql::{Connection, Params, Row, SqlResult, ToCell, params};

/// Reads a store, also while another process or thread writes it, and changes nothing.
#[derive(Debug)]
pub struct Reader {
    pub(crate) database: Database,
}

/// What a device was called or had, with the time for which it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The device.
    pub device: DeviceId,
    /// The address or the name.
    pub value: String,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
}

impl Reader {
    /// Opens a store that is there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { database: Database::read(path)? })
    }

    /// The IP addresses that a device had, or all of all devices, the latest first.
    pub fn addresses(&self, device: Option<DeviceId>) -> Result<Vec<Held>, StoreError> {
        self.held("address", "addresses", device)
    }

    /// The host names that a device had, or all of all devices, the latest first.
    pub fn host_names(&self, device: Option<DeviceId>) -> Result<Vec<Held>, StoreError> {
        self.held("host_name", "host_names", device)
    }

    fn held(&self, column: &str, table: &str, device: Option<DeviceId>) -> Result<Vec<Held>, StoreError> {
        let sql = format!(
            "SELECT device, {column}, first_seen, last_seen FROM {table}
             WHERE CAST(?1 AS TEXT) IS NULL OR device = ?1 ORDER BY last_seen DESC, device, {column}"
        );
        let held = |row: Row<'_>| {
            let cells = Cells(row);
            Ok(Held {
                device: cells.parsed(0)?,
                value: row.get(1)?,
                first_seen: cells.time(2)?,
                last_seen: cells.time(3)?,
            })
        };
        let device = device.map(|device| device.to_string());
        self.named(self.rows(&sql, params![device], held))
    }

    /// How many times there are of which a window of any device is kept.
    pub fn times_with_windows(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(DISTINCT window_start) FROM windows";
        let counted = self.database.connection.one(sql, params![], |row| Cells(row).count(0));
        self.named(counted.map_err(Problem::from))
    }

    /// The final windows of all devices or of one that begin in a span of time, the latest first, without instances; at most
    /// so many.
    pub fn windows_between(
        &self,
        device: Option<DeviceId>,
        (from, to): (Timestamp, Timestamp),
        most: usize,
    ) -> Result<Vec<WindowRecord>, StoreError> {
        let of = device.map_or("", |_| "device = ?4 AND ");
        let sql = format!(
            "SELECT {} FROM windows WHERE {of}window_start >= ?1 AND window_start < ?2
             ORDER BY window_start DESC, device, part DESC LIMIT ?3",
            record_rows::WINDOW
        );
        let device = device.map(|device| device.to_string());
        let (from, to, most) = (from.as_nanos(), to.as_nanos(), whole(most as u64));
        let params: &[&dyn ToCell] = &[&from, &to, &most, &device];
        let used = if device.is_some() { params } else { &params[..3] };
        self.named(self.rows(&sql, Params::Numbered(used), record_rows::window))
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: Params<'_>,
        of: impl FnMut(Row<'_>) -> SqlResult<T>,
    ) -> Result<Vec<T>, Problem> {
        Ok(self.database.connection.rows(sql, params, of)?)
    }

    fn named<T>(&self, result: Result<T, Problem>) -> Result<T, StoreError> {
        result.map_err(|problem| self.database.error(problem))
    }

    fn told<T>(&self, result: Result<T, Problem>) -> Result<T, RecordsError> {
        self.named(result).map_err(|error| RecordsError(format!("failed to {error}")))
    }

    fn with_instances(&self, device: DeviceId, most: usize) -> Result<Vec<WindowRecord>, Problem> {
        let sql = format!(
            "SELECT {}, distribution, instance FROM windows WHERE device = ?1
             ORDER BY window_start DESC, part DESC LIMIT ?2",
            record_rows::WINDOW
        );
        let of = |row: Row<'_>| Ok((record_rows::judged_window(row)?, row.get::<Option<Vec<u8>>>(17)?));
        let rows = self.rows(&sql, params![device.to_string(), whole(most as u64)], of)?;
        let unpack = |(mut window, packed): (WindowRecord, Option<Vec<u8>>)| {
            if let Some(packed) = packed {
                window.instance = instance_blob::unpack(&packed, device, window.window_start)?;
            }
            Ok(window)
        };
        rows.into_iter().map(unpack).collect()
    }
}

impl Records for Reader {
    fn devices(&self) -> Result<Vec<DeviceRecord>, RecordsError> {
        let snapshot = self.database.connection.snapshot();
        self.told(snapshot.map_err(Problem::from).and_then(|snapshot| device_records(&snapshot, None)))
    }

    fn device(&self, device: DeviceId) -> Result<Option<DeviceRecord>, RecordsError> {
        let snapshot = self.database.connection.snapshot();
        let found =
            snapshot.map_err(Problem::from).and_then(|snapshot| device_records(&snapshot, Some(device)));
        self.told(found.map(|mut records| records.pop()))
    }

    fn windows(
        &self,
        device: DeviceId,
        from: Timestamp,
        most: usize,
    ) -> Result<Vec<WindowRecord>, RecordsError> {
        let windows = self.windows_between(Some(device), (from, Timestamp::MAX), most);
        windows.map_err(|error| RecordsError(format!("failed to {error}")))
    }

    fn instances(&self, device: DeviceId, most: usize) -> Result<Vec<WindowRecord>, RecordsError> {
        self.told(self.with_instances(device, most))
    }

    fn changes(&self, device: DeviceId) -> Result<Vec<StandingChange>, RecordsError> {
        let sql = format!("SELECT {} FROM changes WHERE device = ?1 ORDER BY at DESC", record_rows::CHANGE);
        self.told(self.rows(&sql, params![device.to_string()], record_rows::change))
    }

    fn findings(&self, device: Option<DeviceId>) -> Result<Vec<FindingRecord>, RecordsError> {
        let sql = format!(
            "SELECT {} FROM findings WHERE CAST(?1 AS TEXT) IS NULL OR device = ?1
             ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, device, rule, said_by, seen",
            record_rows::FINDING
        );
        let device = device.map(|device| device.to_string());
        self.told(self.rows(&sql, params![device], record_rows::finding))
    }

    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, RecordsError> {
        let (conditions, values) = conditions(filter);
        let sql = format!("SELECT {} FROM events{conditions}", record_rows::EVENT);
        let values: Vec<&dyn ToCell> = values.iter().map(|value| &**value).collect();
        self.told(self.rows(&sql, Params::Numbered(&values), record_rows::event))
    }

    fn labels(&self) -> Result<Vec<GivenLabel>, RecordsError> {
        self.told(self.rows(
            "SELECT device, label, at FROM labels ORDER BY device",
            params![],
            record_rows::label,
        ))
    }
}

/// The condition of a filter with the order and the limit, and the parameters.
fn conditions(filter: &EventFilter) -> (String, Vec<Box<dyn ToCell>>) {
    let mut all = Vec::new();
    let mut values: Vec<Box<dyn ToCell>> = Vec::new();
    let mut limit = |condition: &'static str, value: Box<dyn ToCell>| {
        values.push(value);
        all.push(format!("{condition} ?{}", values.len()));
    };
    if let Some(device) = filter.device {
        limit("device =", Box::new(device.to_string()));
    }
    if let Some(kind) = filter.kind {
        limit("kind =", Box::new(kind.as_str().to_owned()));
    }
    if let Some(since) = filter.since {
        limit("at >=", Box::new(since.as_nanos()));
    }
    if let Some(before) = filter.before {
        limit("id <", Box::new(whole(before)));
    }
    if filter.is_open {
        all.push("acknowledged_at IS NULL".to_owned());
    }
    values.push(Box::new(if filter.most == 0 { i64::MAX } else { whole(filter.most as u64) }));
    let conditions = if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) };
    (format!("{conditions} ORDER BY id DESC LIMIT ?{}", values.len()), values)
}

/// Devices, or one, with all that is known of them, in the order of their addresses.
pub(crate) fn device_records(
    connection: &Connection,
    device: Option<DeviceId>,
) -> Result<Vec<DeviceRecord>, Problem> {
    let (device, only) = (device.map(|device| device.to_string()), " WHERE device = ?1");
    let only = if device.is_some() { only } else { "" };
    let values: Vec<&dyn ToCell> = device.iter().map(|device| device as &dyn ToCell).collect();
    let params = Params::Numbered(&values);
    let sql = format!("{}{only}", record_rows::DEVICE);
    let mut records = connection.rows(&sql, params, record_rows::device)?;
    records.sort_by_key(|record| record.sighting.device);
    let mut open = OpenCounts::read(connection, (only, params))?;
    for record in &mut records {
        let device = record.sighting.device;
        record.findings = open.findings.get(&device).copied().unwrap_or_default();
        record.open_events = open.events.get(&device).copied().unwrap_or_default();
        record.is_new = open.new.contains(&device);
        record.provisional = open.provisional.remove(&device);
    }
    Ok(records)
}

/// What is open of devices.
struct OpenCounts {
    findings: BTreeMap<DeviceId, Severities>,
    events: BTreeMap<DeviceId, u64>,
    new: BTreeSet<DeviceId>,
    provisional: BTreeMap<DeviceId, WindowRecord>,
}

impl OpenCounts {
    fn read(connection: &Connection, (only, params): (&str, Params<'_>)) -> Result<Self, Problem> {
        let and_only = only.replacen(" WHERE ", " AND ", 1);
        let open = format!("acknowledged_at IS NULL AND device IS NOT NULL{and_only}");
        Ok(Self {
            findings: findings_by_device(connection, (&open, params))?,
            events: map(
                connection,
                &format!("SELECT device, count(*) FROM events WHERE {open} GROUP BY device"),
                params,
                |row| Cells(row).count(1),
            )?,
            new: map(
                connection,
                &format!("SELECT device FROM events WHERE {open} AND kind = '{}'", EventKind::NewDevice),
                params,
                |_| Ok(()),
            )?
            .into_keys()
            .collect(),
            provisional: map(
                connection,
                &format!("SELECT {}, provisional_after_s FROM provisional{only}", record_rows::WINDOW),
                params,
                record_rows::provisional,
            )?,
        })
    }
}

/// The rules that devices break, by the severity of the worst value.
fn findings_by_device(
    connection: &Connection,
    (open, params): (&str, Params<'_>),
) -> Result<BTreeMap<DeviceId, Severities>, Problem> {
    let sql = format!(
        "SELECT device, count(*) FILTER (WHERE worst = 2), count(*) FILTER (WHERE worst = 1),
            count(*) FILTER (WHERE worst = 0)
         FROM (SELECT device, rule, max(CASE severity WHEN 'error' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END) AS worst
            FROM findings WHERE {open} GROUP BY device, rule) AS broken
         GROUP BY device"
    );
    map(connection, &sql, params, |row| {
        let cells = Cells(row);
        Ok(Severities { error: cells.count(1)?, warning: cells.count(2)?, note: cells.count(3)? })
    })
}

/// What a query gives for each device, which is the first column.
fn map<T>(
    connection: &Connection,
    sql: &str,
    params: Params<'_>,
    value: impl Fn(Row<'_>) -> SqlResult<T>,
) -> Result<BTreeMap<DeviceId, T>, Problem> {
    let rows = connection.rows(sql, params, |row| Ok((Cells(row).parsed(0)?, value(row)?)))?;
    Ok(rows.into_iter().collect())
}
