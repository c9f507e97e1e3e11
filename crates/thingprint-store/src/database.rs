use std::path::{Path, PathBuf};

use crate::back_ends::BackEnd;
use crate::error::{Problem, StoreError};
use crate::sql::Connection;

/// A connection with a store.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    /// The store as messages name it, without secrets.
    pub(crate) name: PathBuf,
    /// The version of its schema.
    pub(crate) schema: i32,
}

impl Database {
    /// Opens a store to write it, and makes it where there is none. Nobody else writes it as long as this lives.
    pub(crate) fn create(store: &Path) -> Result<Self, StoreError> {
        let back_end = BackEnd::of(store);
        Self::opened(back_end, store, (back_end.create)(store))
    }

    /// Opens a store to read it, also while another process writes it.
    pub(crate) fn read(store: &Path) -> Result<Self, StoreError> {
        let back_end = BackEnd::of(store);
        Self::opened(back_end, store, (back_end.read)(store))
    }

    /// Fails where another process writes a store now. Nothing is made or kept for it.
    pub(crate) fn check_free(store: &Path) -> Result<(), StoreError> {
        let back_end = BackEnd::of(store);
        let name = (back_end.shown)(store);
        match (back_end.holder)(store).map_err(|problem| problem.at(&name))? {
            Some(problem) => Err(problem.at(&name)),
            None => Ok(()),
        }
    }

    fn opened(
        back_end: &BackEnd,
        store: &Path,
        opened: Result<Connection, Problem>,
    ) -> Result<Self, StoreError> {
        let name = (back_end.shown)(store);
        match opened {
            Ok(connection) => Ok(Self { connection, name, schema: (back_end.schema)() }),
            Err(problem) => Err(problem.at(&name)),
        }
    }

    /// The error of a problem here.
    pub(crate) fn error(&self, problem: impl Into<Problem>) -> StoreError {
        problem.into().at(&self.name)
    }
}
