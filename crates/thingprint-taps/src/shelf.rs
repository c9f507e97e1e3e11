use std::fmt::Debug;
use std::path::{Path, PathBuf};

use crate::durable::{self, UNDER_WAY};
use crate::error::TapsError;

/// Where a collector keeps what arrived: a folder of its own, or a place that it shares with others.
pub trait Shelf: Debug + Send + Sync {
    /// Keeps something under a name. When this returns, it is on a disk.
    fn put(&self, name: &str, content: &[u8]) -> Result<(), TapsError>;

    /// What is kept under a name; `None` where nothing is.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, TapsError>;

    /// The names that end like this, in order.
    fn names(&self, ending: &str) -> Result<Vec<String>, TapsError>;

    /// Takes away what is kept under a name, if it is there.
    fn remove(&self, name: &str) -> Result<(), TapsError>;
}

/// A folder, which is made when something is put there.
#[derive(Clone, Debug)]
pub(crate) struct FolderShelf(pub(crate) PathBuf);

impl FolderShelf {
    /// Takes away what a process was writing when it was killed.
    pub(crate) fn clear(folder: &Path) -> Result<(), TapsError> {
        for name in durable::names(folder, UNDER_WAY)? {
            durable::remove(&folder.join(name))?;
        }
        Ok(())
    }
}

impl Shelf for FolderShelf {
    fn put(&self, name: &str, content: &[u8]) -> Result<(), TapsError> {
        durable::make_folder(&self.0)?;
        durable::write(&self.0, name, content)
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, TapsError> {
        let path = self.0.join(name);
        if path.exists() { durable::read(&path).map(Some) } else { Ok(None) }
    }

    fn names(&self, ending: &str) -> Result<Vec<String>, TapsError> {
        durable::names(&self.0, ending)
    }

    fn remove(&self, name: &str) -> Result<(), TapsError> {
        durable::remove(&self.0.join(name))
    }
}
