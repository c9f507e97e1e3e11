use rusqlite::{Connection, Transaction, params};
use thingprint_flow::DeviceId;

use crate::cell::SqlResult;
use crate::error::{Problem, StoreError};
use crate::instance_blob;
use crate::mentions::Mentions;
use crate::requests::check_device;
use crate::store::Store;

/// The tables that have rows of a device.
const TABLES: [&str; 10] = [
    "windows",
    "provisional",
    "verdicts",
    "changes",
    "findings",
    "events",
    "labels",
    "addresses",
    "host_names",
    "devices",
];

/// The texts of other rows that may name a device: table, its key, column.
const TEXTS: [(&str, &str, &str); 9] = [
    ("events", "id", "subject"),
    ("events", "id", "text"),
    ("events", "id", "evidence"),
    ("findings", "id", "seen"),
    ("findings", "id", "example"),
    ("devices", "device", "names"),
    ("devices", "device", "server_ports"),
    ("devices", "device", "served_ports"),
    ("labels", "device", "label"),
];

/// What a store has forgotten with a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows of the device, in all tables.
    pub rows: u64,
    /// Texts of others that named it, and name it no more.
    pub mentions: u64,
    /// Names of the state that was thrown away, since it speaks of the device.
    pub state: Vec<String>,
    /// Whether a reader kept the log from being emptied: its bytes are there until that reader ends, and a writer
    /// begins and ends.
    pub is_log_left: bool,
}

impl Store {
    /// Forgets everything about a device: its rows, and where other rows name it by its MAC address, by an IP address or by a
    /// host name that only it had. Then the file is written anew, so that its bytes are gone.
    ///
    /// Takes about as much free space as the store has, for as long as it runs. Fails where the device is not known.
    pub fn forget(&mut self, device: DeviceId) -> Result<Forgotten, StoreError> {
        self.try_forget(device).map_err(|problem| self.database.error(problem))
    }

    fn try_forget(&mut self, device: DeviceId) -> Result<Forgotten, Problem> {
        check_device(&self.database.connection, device)?;
        let mentions = mentions(&self.database.connection, device)?;
        self.database.connection.pragma_update(None, "secure_delete", true)?;
        let transaction = self.database.connection.transaction()?;
        let mut forgotten = Forgotten::default();
        for table in TABLES {
            let sql = format!("DELETE FROM {table} WHERE device = ?1");
            forgotten.rows += transaction.execute(&sql, [device.to_string()])? as u64;
        }
        forgotten.state = forget_state(&transaction, device, &mentions)?;
        for (table, key, column) in TEXTS {
            forgotten.mentions += forget_texts(&transaction, (table, key, column), &mentions)?;
        }
        forgotten.mentions += forget_instances(&transaction, &mentions)?;
        transaction.commit()?;
        let connection = &self.database.connection;
        connection.execute_batch("VACUUM")?;
        let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(truncate)", [], |row| row.get(0))?;
        forgotten.is_log_left = busy != 0;
        Ok(forgotten)
    }
}

/// What names a device: addresses and names that others had as well are not its own.
fn mentions(connection: &Connection, device: DeviceId) -> Result<Mentions, Problem> {
    let mut words: Vec<String> = Vec::new();
    for (table, column) in [("addresses", "address"), ("host_names", "host_name")] {
        let sql = format!(
            "SELECT {column} FROM {table} WHERE device = ?1
             AND {column} NOT IN (SELECT {column} FROM {table} WHERE device <> ?1)"
        );
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([device.to_string()], |row| row.get(0))?;
        words.extend(rows.collect::<SqlResult<Vec<String>>>()?);
    }
    Ok(Mentions::of(device, words))
}

/// Throws away the state that is about a device, or that contains its name as text.
fn forget_state(
    transaction: &Transaction<'_>,
    device: DeviceId,
    mentions: &Mentions,
) -> Result<Vec<String>, Problem> {
    let mut statement = transaction.prepare(
        "SELECT rowid, name, device, value FROM state WHERE typeof(value) = 'blob' ORDER BY name, device",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let mut names = Vec::new();
    for row in rows {
        let (id, name, of, value): (i64, String, String, Vec<u8>) = row?;
        if of == device.to_string() || mentions.are_in(&value) {
            transaction.execute("DELETE FROM state WHERE rowid = ?1", [id])?;
            names.push(name);
        }
    }
    Ok(names)
}

/// Replaces what names a device in a column of texts; how many texts did.
fn forget_texts(
    transaction: &Transaction<'_>,
    (table, key, column): (&str, &str, &str),
    mentions: &Mentions,
) -> Result<u64, Problem> {
    let mut statement = transaction.prepare(&format!("SELECT {key}, {column} FROM {table}"))?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, rusqlite::types::Value>(0)?, row.get(1)?)))?;
    // Two texts of one key may become equal, and then are one.
    let update = format!("UPDATE OR REPLACE {table} SET {column} = ?2 WHERE {key} = ?1");
    let mut count = 0;
    for row in rows {
        let (id, text): (_, String) = row?;
        if let Some(text) = mentions.replaced(&text) {
            transaction.execute(&update, params![id, text])?;
            count += 1;
        }
    }
    Ok(count)
}

/// Replaces what names a device in instances of other devices; how many did.
fn forget_instances(transaction: &Transaction<'_>, mentions: &Mentions) -> Result<u64, Problem> {
    let mut statement = transaction.prepare("SELECT id, instance FROM windows WHERE instance IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut count = 0;
    for row in rows {
        let (id, packed): (i64, Vec<u8>) = row?;
        let line = instance_blob::line(&packed)?;
        if let Some(line) = mentions.replaced(&String::from_utf8_lossy(&line)) {
            let packed = instance_blob::pack_line(line.as_bytes())?;
            transaction.execute("UPDATE windows SET instance = ?2 WHERE id = ?1", params![id, packed])?;
            count += 1;
        }
    }
    Ok(count)
}
