use std::path::{Path, PathBuf};

use crate::back_ends::{BackEnd, Open};
use crate::error::{Problem, StoreError};
use crate::sql::{Connection, SqlResult, params};

/// Whether a text is the address of a store that several processes share, and no file.
pub fn is_shared(store: &Path) -> bool {
    BackEnd::of(store).share.is_some()
}

/// Fails where the name of a store is a malformed address. Nothing is connected to.
pub fn check_name(store: &Path) -> Result<(), StoreError> {
    (BackEnd::of(store).check)(store).map_err(|problem| problem.at(&shown(store)))
}

/// A store as messages and reports name it: an address without its password.
pub fn shown(store: &Path) -> PathBuf {
    (BackEnd::of(store).shown)(store)
}

/// Parcels of taps that wait in a shared store until the windows that they are for are in it. Any number of processes put them
/// there and take them, also beside the one that writes the store.
///
/// A connection that was lost is opened again when it is needed.
#[derive(Debug)]
pub struct Shelf {
    store: PathBuf,
    name: PathBuf,
    share: Open,
    connection: Option<Connection>,
}

impl Shelf {
    /// The shelf of a store; `None` where the store is a file, which one process writes. What is in it is connected to
    /// when it is used.
    pub fn of(store: &Path) -> Option<Self> {
        let back_end = BackEnd::of(store);
        let (share, name) = (back_end.share?, (back_end.shown)(store));
        Some(Self { store: store.to_owned(), name, share, connection: None })
    }

    /// Keeps something under a name, unless it is there. When this returns, it is on the disk of the server.
    pub fn put(&mut self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO parcels (name, content) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
        self.with(|connection| connection.execute(sql, params![name, content]).map(drop))
    }

    /// What is kept under a name; `None` where nothing is.
    pub fn get(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT content FROM parcels WHERE name = ?1";
        self.with(|connection| connection.row(sql, params![name], |row| row.get(0)))
    }

    /// All names, in order.
    pub fn names(&mut self) -> Result<Vec<String>, StoreError> {
        self.with(|connection| {
            connection.rows("SELECT name FROM parcels ORDER BY name", params![], |row| row.get(0))
        })
    }

    /// Takes away what is kept under a name, if it is there.
    pub fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM parcels WHERE name = ?1";
        self.with(|connection| connection.execute(sql, params![name]).map(drop))
    }

    /// What the writer of the store keeps under a name; `None` where nothing is.
    pub fn state(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT value FROM state WHERE name = ?1 AND device = ''";
        self.with(|connection| connection.row(sql, params![name], |row| row.get(0)))
    }

    fn with<T>(&mut self, act: impl FnOnce(&Connection) -> SqlResult<T>) -> Result<T, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => (self.share)(&self.store).map_err(|problem| problem.at(&self.name))?,
        };
        // One on which something failed is not used again.
        let done = act(&connection).map_err(|error| Problem::from(error).at(&self.name))?;
        self.connection = Some(connection);
        Ok(done)
    }
}
