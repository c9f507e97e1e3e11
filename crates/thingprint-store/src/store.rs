use std::path::Path;
use std::time::Duration;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::ExtractionRecipe;
use thingprint_watch::{Account, Request};

use crate::account_writer::{AccountWriter, Written};
use crate::database::Database;
use crate::error::{Problem, StoreError};
use crate::merge::Bases;
use crate::requests;
use crate::resume::Resume;
use crate::sql::{SqlResult, params};

/// Name of the state that says until when windows are final.
pub(crate) const FINAL_UNTIL: &str = "final_until";

/// Name of the state that has the number of the next event.
pub(crate) const NEXT_EVENT: &str = "next_event";

/// Name of the state that has what was read of folders. It must not be ahead of the windows that are kept.
pub(crate) const PROGRESS: &str = "folders";

/// A store that this process writes, and no other as long as this lives.
#[derive(Debug)]
pub struct Store {
    pub(crate) database: Database,
    recipe: Option<i64>,
    /// What was known of devices before this reading saw them.
    pub(crate) bases: Bases,
}

/// What a source or a detector keeps, to go on from it after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateValue {
    /// What it is.
    pub name: String,
    /// The device that it is about, and with which it is forgotten. A value without a device is thrown away when a device
    /// is forgotten whose address it contains as text.
    pub device: Option<DeviceId>,
    /// The value; `None` takes it away.
    pub value: Option<Vec<u8>>,
}

impl Store {
    /// Opens a store, and makes it where there is no file. What an older program made is brought to the present schema.
    ///
    /// Fails when another process writes it, when a newer program or another one made the file, when it is damaged, and when
    /// the file system keeps no write-ahead log.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { database: Database::create(path)?, recipe: None, bases: Bases::new() })
    }

    /// Fails where another process writes this store now; nothing is made, and nothing is held.
    pub fn check_free(path: &Path) -> Result<(), StoreError> {
        Database::check_free(path)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.database.name
    }

    /// How long a statement waits for another program that holds the store.
    pub(crate) fn wait_for_others(&self, time: Duration) -> SqlResult<()> {
        self.database.connection.session().wait_for_others(time)
    }

    /// How the instances of the windows that are written from now on were made.
    pub fn set_recipe(&mut self, recipe: &ExtractionRecipe) -> Result<(), StoreError> {
        let (text, evidence) = (recipe.without_evidence(), recipe.evidence().to_string());
        let add = || -> SqlResult<i64> {
            let connection = &self.database.connection;
            let sql =
                "INSERT INTO recipes (recipe, evidence) VALUES (?1, ?2) ON CONFLICT (recipe) DO NOTHING";
            connection.execute(sql, params![text.as_str(), evidence])?;
            let sql = "SELECT id FROM recipes WHERE recipe = ?1";
            connection.one(sql, params![text.as_str()], |row| row.get(0))
        };
        self.recipe = Some(add().map_err(|error| self.database.error(error))?);
        Ok(())
    }

    /// Keeps what an account says, all of it or nothing. When this returns, it is on the disk.
    ///
    /// All accounts that a store is given from its opening on are of one reading, which counts packets from its begin: they
    /// are added to what the store knew of a device before.
    pub fn write(&mut self, account: &Account) -> Result<Written, StoreError> {
        self.write_with(account, &[])
    }

    /// Keeps an account together with what sources and detectors know when they have given it: both or nothing.
    pub fn write_with(&mut self, account: &Account, state: &[StateValue]) -> Result<Written, StoreError> {
        self.try_write(account, state).map_err(|problem| self.database.error(problem))
    }

    /// A server undoes a whole transaction for one value that it refuses. That is rare, so only then each update is written so
    /// that it can be left out.
    fn try_write(&mut self, account: &Account, state: &[StateValue]) -> Result<Written, Problem> {
        match self.write_once(account, state, false) {
            Err(problem) if problem.is_of_value() => self.write_once(account, state, true),
            written => written,
        }
    }

    fn write_once(
        &mut self,
        account: &Account,
        state: &[StateValue],
        is_careful: bool,
    ) -> Result<Written, Problem> {
        let transaction = self.database.connection.transaction()?;
        let writer = AccountWriter::new(&transaction, &mut self.bases, self.recipe);
        let mut writer = if is_careful { writer.careful() } else { writer };
        let written = writer.account(account)?;
        drop(writer);
        for StateValue { name, device, value } in state {
            let device = device.map_or_else(String::new, |device| device.to_string());
            match value {
                Some(value) => transaction.execute(
                    "INSERT INTO state (name, device, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT (name, device) DO UPDATE SET value = excluded.value",
                    params![name, device, value],
                ),
                None => transaction
                    .execute("DELETE FROM state WHERE name = ?1 AND device = ?2", params![name, device]),
            }?;
        }
        transaction.commit()?;
        Ok(written)
    }

    /// The bytes that the file may grow to; what it has already stays. `None` for as many as the disk has.
    pub fn set_most_bytes(&mut self, most: Option<u64>) -> Result<(), StoreError> {
        let limited = self.database.connection.session().set_most_bytes(most);
        limited.map_err(|error| self.database.error(error))
    }

    /// What was kept under a name; `None` where nothing was.
    pub fn state(&self, name: &str, device: Option<DeviceId>) -> Result<Option<Vec<u8>>, StoreError> {
        let device = device.map_or_else(String::new, |device| device.to_string());
        let sql = "SELECT value FROM state WHERE name = ?1 AND device = ?2";
        let value = self.database.connection.row(sql, params![name, device], |row| row.get(0));
        value.map_err(|error| self.database.error(error))
    }

    /// What a reading needs to go on where the last one ended.
    pub fn resume(&self) -> Result<Resume, StoreError> {
        Resume::read(&self.database.connection).map_err(|problem| self.database.error(problem))
    }

    /// Carries out what a person asks for at a time: a label, acknowledgements, muting. Other requests are not the
    /// store's, and are left alone.
    ///
    /// Fails where the device, an event or a finding is not known, and for a label of more than 200 characters.
    pub fn request(&mut self, request: &Request, at: Timestamp) -> Result<(), StoreError> {
        let carried_out = match request {
            Request::Label { device, label } => self.try_label(*device, label.as_deref(), at),
            Request::Acknowledge { event } => self.try_acknowledge(&[*event], at),
            Request::AcknowledgeAll { events } => self.try_acknowledge(events, at),
            Request::AcknowledgeFinding { device, rule } => {
                self.try_acknowledge_finding(*device, rule, at).map(drop)
            }
            Request::Mute { device, is_muted } => self.try_mute(*device, *is_muted),
            Request::Train | Request::Decide(_) => Ok(()),
        };
        carried_out.map_err(|problem| self.database.error(problem))
    }

    /// Says what a device is; `None` takes the label back.
    pub fn label(&mut self, device: DeviceId, label: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
        self.try_label(device, label, at).map_err(|problem| self.database.error(problem))
    }

    /// Acknowledges an event, with the findings of its device that it is about.
    pub fn acknowledge(&mut self, event: u64, at: Timestamp) -> Result<(), StoreError> {
        self.try_acknowledge(&[event], at).map_err(|problem| self.database.error(problem))
    }

    /// Acknowledges these events, each as [`acknowledge`](Self::acknowledge) does: all of them or none.
    pub fn acknowledge_many(&mut self, events: &[u64], at: Timestamp) -> Result<(), StoreError> {
        self.try_acknowledge(events, at).map_err(|problem| self.database.error(problem))
    }

    /// Acknowledges the open findings of a device by a rule, with the events about them; how many findings were open.
    pub fn acknowledge_finding(
        &mut self,
        device: DeviceId,
        rule: &str,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.try_acknowledge_finding(device, rule, at).map_err(|problem| self.database.error(problem))
    }

    /// Keeps the events of a device on the page alone, or not any more.
    pub fn mute(&mut self, device: DeviceId, is_muted: bool) -> Result<(), StoreError> {
        self.try_mute(device, is_muted).map_err(|problem| self.database.error(problem))
    }

    fn try_label(&mut self, device: DeviceId, label: Option<&str>, at: Timestamp) -> Result<(), Problem> {
        requests::label(&self.database.connection, device, label, at)
    }

    fn try_acknowledge(&mut self, events: &[u64], at: Timestamp) -> Result<(), Problem> {
        let transaction = self.database.connection.transaction()?;
        for event in events {
            requests::acknowledge(&transaction, *event, at)?;
        }
        Ok(transaction.commit()?)
    }

    fn try_acknowledge_finding(
        &mut self,
        device: DeviceId,
        rule: &str,
        at: Timestamp,
    ) -> Result<u64, Problem> {
        let transaction = self.database.connection.transaction()?;
        let findings = requests::acknowledge_finding(&transaction, device, rule, at)?;
        transaction.commit()?;
        Ok(findings)
    }

    fn try_mute(&mut self, device: DeviceId, is_muted: bool) -> Result<(), Problem> {
        requests::mute(&self.database.connection, device, is_muted)
    }
}
