use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::destination::{Destination, explained};
use super::temporary::Temporary;
use super::{Finished, Transaction};
use crate::error::ReportError;

/// Files that are written beside their folder.
///
/// They appear with the [commit](Transaction::commit) after it was [finished](Self::finish): where the folder is not there,
/// it appears with them, else they are moved into it and replace those of the same names. Dropped before, it leaves no
/// trace.
#[derive(Debug)]
pub struct StagedFolder {
    transaction: Transaction,
    temporary: Temporary,
    stale: BTreeSet<PathBuf>,
}

impl StagedFolder {
    pub(super) fn create(transaction: &Transaction, path: &Path) -> Result<Self, ReportError> {
        let make = || -> io::Result<Temporary> {
            let place = Destination::of_folder(path)?;
            let folder = place.staging_folder().to_owned();
            Temporary::folder(transaction, path, place).map_err(|error| explained(&folder, error))
        };
        let temporary = make().map_err(|source| ReportError::Output { path: path.to_owned(), source })?;
        Ok(Self { transaction: transaction.clone(), temporary, stale: BTreeSet::new() })
    }

    /// Where the files are written for now; there are no folders among them.
    pub fn path(&self) -> &Path {
        &self.temporary.path
    }

    /// Writes a file of the folder, whose bytes reach the disk.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
        let write = || -> io::Result<()> {
            let mut file = File::create(self.path().join(name))?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|source| ReportError::Output { path: self.temporary.named.join(name), source })
    }

    /// Has a file of this name go that is in the folder, when the others get their places.
    pub fn take_away(&mut self, name: &Path) {
        self.stale.insert(name.to_owned());
    }

    /// Ends the folder, which gets its place with the next commit.
    pub fn finish(self) {
        let Self { transaction, temporary, stale } = self;
        transaction.journal().finished.push(Finished::Folder { temporary, stale });
    }
}
