mod instances;
mod texts;

use thingprint_flow::DeviceId;

use crate::error::{Problem, StoreError};
use crate::mentions::Mentions;
use crate::sql::{Connection, Row, SqlResult, params};
use crate::store::{FINAL_UNTIL, NEXT_EVENT, Store};

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
    /// Parts of taps that the store keeps for windows to come. They may have rows of the device, and windows of it are made
    /// again from them.
    pub parts: u64,
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
        forgotten.parts = self.database.connection.session().parts()?;
        Ok(forgotten)
    }

    /// Takes out the rows, all of them or none.
    fn forget_rows(&mut self, device: DeviceId) -> Result<Forgotten, Problem> {
        let mentions = mentions(&self.database.connection, device)?;
        self.database.connection.session().delete_securely()?;
        let transaction = self.database.connection.transaction()?;
        let state = forget_state(&transaction, device, &mentions)?;
        let mut forgotten = Forgotten { state, ..Forgotten::default() };
        for table in DEVICE_TABLES {
            let sql = format!("DELETE FROM {table} WHERE device = ?1");
            forgotten.rows += transaction.execute(&sql, params![device.to_string()])?;
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
        if connection.one(&sql, params![device.to_string()], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_unfinished(connection: &Connection) -> SqlResult<bool> {
    connection.one("SELECT count(*) > 0 FROM state WHERE name = ?1", params![FORGETTING], |row| row.get(0))
}

fn note_unfinished(connection: &Connection) -> SqlResult<u64> {
    let sql = "INSERT INTO state (name, value) VALUES (?1, ?2)
               ON CONFLICT (name, device) DO UPDATE SET value = excluded.value";
    connection.execute(sql, params![FORGETTING, Vec::<u8>::new()])
}

/// Writes the file anew and empties its log, so that what was deleted is in no byte of both; whether the log could be
/// emptied. It is noted until both are done, so that a later call can finish it.
fn rewrite(connection: &Connection) -> Result<bool, Problem> {
    connection.session().rewrite()?;
    connection.execute("DELETE FROM state WHERE name = ?1", params![FORGETTING])?;
    let is_emptied = connection.session().empty_log()?;
    if !is_emptied {
        note_unfinished(connection)?;
    }
    Ok(is_emptied)
}

/// What names a device: addresses and names that others had as well are not its own.
fn mentions(connection: &Connection, device: DeviceId) -> Result<Mentions, Problem> {
    let own = |table: &str, column: &str| -> SqlResult<Vec<String>> {
        let sql = format!(
            "SELECT {column} FROM {table} WHERE device = ?1
             AND {column} NOT IN (SELECT {column} FROM {table} WHERE device <> ?1)"
        );
        connection.rows(&sql, params![device.to_string()], |row| row.get(0))
    };
    Ok(Mentions::of(device, own("addresses", "address")?, own("host_names", "host_name")?))
}

/// Throws away the state that is about a device, or that contains its name as text.
fn forget_state(
    transaction: &Connection,
    device: DeviceId,
    mentions: &Mentions,
) -> Result<Vec<String>, Problem> {
    let sql = "SELECT name, device, value FROM state WHERE name <> ?1 AND name <> ?2 ORDER BY name, device";
    // What somebody else put there as something else names nobody.
    let read = |row: Row<'_>| {
        let value = row.get::<Vec<u8>>(2).unwrap_or_default();
        Ok((row.get(0)?, row.get(1)?, value))
    };
    let rows = transaction.rows(sql, params![FINAL_UNTIL, NEXT_EVENT], read)?;
    let mut names = Vec::new();
    for (name, of, value) in rows {
        let (name, of): (String, String) = (name, of);
        if of == device.to_string() || of.is_empty() && speaks_of(&name, &value, mentions) {
            let sql = "DELETE FROM state WHERE name = ?1 AND device = ?2";
            transaction.execute(sql, params![name, of])?;
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
