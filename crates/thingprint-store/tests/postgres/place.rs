//! Stores in databases of one server.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use thingprint_store::{Reader, Store};

use crate::server::Server;

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of its own, or a file where there is no server.
pub(crate) struct Place {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    /// Whether what was pruned is given back to the file system at once.
    pub(crate) const SHRINKS: bool = false;

    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let server = SERVER.get_or_init(Server::new);
        let path = server.as_ref().map_or_else(
            || folder.path().join("net.db"),
            |server| {
                let name = format!("net{}", DATABASES.fetch_add(1, Ordering::Relaxed));
                server.sql("postgres", &format!("CREATE DATABASE {name}"));
                server.url(&name).into()
            },
        );
        Self { path, _folder: folder }
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.path).unwrap()
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.path).unwrap()
    }
}
