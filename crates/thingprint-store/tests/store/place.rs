//! Stores in files of SQLite.

use std::path::PathBuf;

use tempfile::TempDir;
use thingprint_store::{Reader, Store};

/// A folder with the name of a store in it, which is not there yet.
pub(crate) struct Place {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    /// Whether what was pruned is given back to the file system at once.
    pub(crate) const SHRINKS: bool = true;

    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { path: folder.path().join("net.db"), _folder: folder }
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.path).unwrap()
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.path).unwrap()
    }

    /// All bytes of the file and of its log.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = std::fs::read(&self.path).unwrap();
        let log = format!("{}-wal", self.path.display());
        bytes.extend(std::fs::read(log).unwrap_or_default());
        bytes
    }
}
