mod instances;
mod texts;

use rusqlite::{Connection, Transaction};
use thingprint_flow::DeviceId;

use crate::cell::SqlResult;
use crate::error::{Problem, StoreError};
use crate::mentions::Mentions;
use crate::store::Store;

/// The tables that have rows of a device.
pub(crate) const DEVICE_TABLES: [&str; 11] = [
    "windows",
    "provisional",
    "verdicts",
    "changes",
    "findings",
    "events",
    "labels",
    "addresses",
    "host_names",
    "state",
    "devices",
];

/// State that is never thrown away with a device: the model that was trained on the page, and the file that it took the
/// place of. A model is work of a person; its words are of many windows, and which were of one device is not known.
const KEPT_STATE: [&str; 2] = ["model", "model-in-place-of"];

/// Name of the state that says that rows were forgotten, and that their bytes may still be in the file.
const FORGETTING: &str = "forgetting";

/// What a store has forgotten with a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows of the device, in all tables.
    pub rows: u64,
    /// Texts of others that named it, and name it no more.
    pub mentions: u64,
    /// Names of the state that was thrown away, since it speaks of the device.
    pub state: Vec<String>,
    /// Instances that cannot be read and were thrown away, since they may name it.
    pub damaged: u64,
    /// Whether a reader kept the log from being emptied: its bytes are there until that reader ends, and a writer
    /// begins and ends.
    pub is_log_left: bool,
}

impl Store {
    /// Forgets everything about a device: its rows, and where other rows name it by its MAC address, by an IP address or by a
    /// host name that only it had. Then the file is written anew, so that its bytes are gone.
    ///
    /// Takes about as much free space as the store has, for as long as it runs. Fails where the device is not known, unless
    /// the bytes of one that was forgotten are still to be taken out: then it does that. It fails with
    /// [`Problem::Unfinished`] where the rows are gone and the bytes are not.
    pub fn forget(&mut self, device: DeviceId) -> Result<Forgotten, StoreError> {
        self.try_forget(device).map_err(|problem| self.database.error(problem))
    }

    fn try_forget(&mut self, device: DeviceId) -> Result<Forgotten, Problem> {
        let mut forgotten = if is_known(&self.database.connection, device)? {
            self.forget_rows(device)?
        } else if is_unfinished(&self.database.connection)? {
            Forgotten::default()
        } else {
            return Err(Problem::NoDevice(device));
        };
        let is_emptied = rewrite(&self.database.connection);
        let is_emptied = is_emptied.map_err(|why| Problem::Unfinished { why: Box::new(why) })?;
        forgotten.is_log_left = !is_emptied;
        Ok(forgotten)
    }

    /// Takes out the rows, all of them or none.
    fn forget_rows(&mut self, device: DeviceId) -> Result<Forgotten, Problem> {
        let mentions = mentions(&self.database.connection, device)?;
        self.database.connection.pragma_update(None, "secure_delete", true)?;
        let transaction = self.database.connection.transaction()?;
        let state = forget_state(&transaction, device, &mentions)?;
        let mut forgotten = Forgotten { state, ..Forgotten::default() };
        for table in DEVICE_TABLES {
            let sql = format!("DELETE FROM {table} WHERE device = ?1");
            forgotten.rows += transaction.execute(&sql, [device.to_string()])? as u64;
        }
        forgotten.mentions = texts::forget(&transaction, &mentions)?;
        let (changed, damaged) = instances::forget(&transaction, &mentions)?;
        forgotten.mentions += changed;
        forgotten.damaged = damaged;
        note_unfinished(&transaction)?;
        transaction.commit()?;
        Ok(forgotten)
    }
}

/// Whether a table has a row of the device: others may have said something of one that was never seen itself.
fn is_known(connection: &Connection, device: DeviceId) -> SqlResult<bool> {
    for table in DEVICE_TABLES {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE device = ?1)");
        if connection.query_row(&sql, [device.to_string()], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_unfinished(connection: &Connection) -> SqlResult<bool> {
    connection.query_row("SELECT count(*) > 0 FROM state WHERE name = ?1", [FORGETTING], |row| row.get(0))
}

fn note_unfinished(connection: &Connection) -> SqlResult<usize> {
    connection.execute("INSERT OR REPLACE INTO state (name, value) VALUES (?1, x'')", [FORGETTING])
}

/// Writes the file anew and empties its log, so that what was deleted is in no byte of both; whether the log could be
/// emptied. It is noted until both are done, so that a later call can finish it.
fn rewrite(connection: &Connection) -> Result<bool, Problem> {
    connection.execute_batch("VACUUM")?;
    connection.execute("DELETE FROM state WHERE name = ?1", [FORGETTING])?;
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(truncate)", [], |row| row.get(0))?;
    if busy != 0 {
        note_unfinished(connection)?;
    }
    Ok(busy == 0)
}

/// What names a device: addresses and names that others had as well are not its own.
fn mentions(connection: &Connection, device: DeviceId) -> Result<Mentions, Problem> {
    let own = |table: &str, column: &str| -> SqlResult<Vec<String>> {
        let sql = format!(
            "SELECT {column} FROM {table} WHERE device = ?1
             AND {column} NOT IN (SELECT {column} FROM {table} WHERE device <> ?1)"
        );
        let mut statement = connection.prepare(&sql)?;
        statement.query_map([device.to_string()], |row| row.get(0))?.collect()
    };
    Ok(Mentions::of(device, own("addresses", "address")?, own("host_names", "host_name")?))
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
        if of == device.to_string() || of.is_empty() && speaks_of(&name, &value, mentions) {
            transaction.execute("DELETE FROM state WHERE rowid = ?1", [id])?;
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether a value that is about no device contains its name. JSON is of sources: a word in it that is like the name of a
/// host is one of a path.
fn speaks_of(name: &str, value: &[u8], mentions: &Mentions) -> bool {
    if KEPT_STATE.contains(&name) {
        return false;
    }
    match serde_json::from_slice::<serde_json::Value>(value) {
        Ok(_) => mentions.addresses_are_in(value),
        Err(_) => mentions.are_in(value),
    }
}
