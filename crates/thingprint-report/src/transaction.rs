//! Results that appear together or not at all, and what it takes from the file system.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "files that appear together or not at all are a matter of the file system"
)]

mod destination;
mod file_lock;
mod placement;
mod staged_file;
mod staged_folder;
mod temporary;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::ReportError;
use crate::file_id::FileId;
use destination::{Destination, folder_of};
use file_lock::FileLock;
use placement::Placement;
use temporary::{Temporary, remove, sweep};

pub use staged_file::StagedFile;
pub use staged_folder::StagedFolder;

/// The results of a run, which appear together or not at all.
///
/// Each file and folder is written beside its place, under a temporary name. [`commit`](Self::commit) puts what is finished
/// into place by renaming; where one cannot be put there, those before it go and what they replaced comes back. What is
/// dropped before leaves no trace, and [`abandon`](Self::abandon) takes everything away when a signal ends the run. A run
/// that was killed leaves its temporary names behind, unlocked: whoever begins the same result again takes them away.
///
/// Clones are of the same transaction.
#[derive(Clone, Debug, Default)]
pub struct Transaction(Arc<Mutex<Journal>>);

/// What has been begun and is not in its place yet.
#[derive(Debug, Default)]
struct Journal {
    next: u64,
    /// Temporary names by number.
    begun: BTreeMap<u64, PathBuf>,
    /// Places that have a result already.
    targets: BTreeSet<PathBuf>,
    /// Files that no result may replace.
    inputs: BTreeSet<FileId>,
    finished: Vec<Finished>,
    /// Locks by the numbers of their files' names.
    locks: Vec<(u64, FileLock)>,
    /// Folders that were made for results, the outer ones first.
    made: Vec<PathBuf>,
}

/// A result that only has to be put into its place.
#[derive(Debug)]
enum Finished {
    File(Temporary),
    Folder {
        temporary: Temporary,
        /// Names in the place that are to go.
        stale: BTreeSet<PathBuf>,
    },
}

impl Transaction {
    /// Notes a file that is read, which no result may replace from now on.
    pub fn reads(&self, input: FileId) {
        self.journal().inputs.insert(input);
    }

    /// Begins to write a file. Fails when its folder is missing or cannot be written to, when it is a folder itself, when it
    /// is a file that is [read](Self::reads), and when another result has the same place.
    ///
    /// A symbolic link stays, and what it leads to is replaced or made. A name that is no regular file, such as a named
    /// pipe, cannot be replaced and is written to as it is.
    pub fn file(&self, path: &Path) -> Result<StagedFile, ReportError> {
        StagedFile::create(self, path)
    }

    /// Begins to write files into a folder, which is made in the end if it is not there.
    pub fn folder(&self, path: &Path) -> Result<StagedFolder, ReportError> {
        StagedFolder::create(self, path)
    }

    /// Makes a folder for files of the transaction, with those that it is in; without such files it goes again.
    pub fn make_folder(&self, path: &Path) -> Result<(), ReportError> {
        let make = || self.journal().make_folder(&Destination::of_folder(path)?.path);
        make().map_err(|source| ReportError::Output { path: path.to_owned(), source })
    }

    /// Keeps other runs from locking a file too, until the next commit or roll-back. Calls `wait` where another run has it,
    /// and waits.
    ///
    /// The lock is a file beside it, so that it holds for a file that is not there yet and for one that is replaced
    /// meanwhile. Whoever names the file by a link has the same lock.
    pub fn lock(&self, path: &Path, wait: impl FnOnce()) -> Result<(), ReportError> {
        let lock = FileLock::take(path, wait)?;
        let mut journal = self.journal();
        let number = journal.begin(lock.path().to_owned());
        journal.locks.push((number, lock));
        Ok(())
    }

    /// Takes away what killed runs left in a folder, whatever their results were called; live ones keep theirs.
    pub fn sweep(folder: &Path) {
        sweep(folder, None);
    }

    /// Whether some file or folder has been begun and is not in its place.
    pub fn is_under_way(&self) -> bool {
        !self.journal().targets.is_empty()
    }

    /// Puts what is finished into its place: everything, or nothing.
    pub fn commit(&self) -> Result<(), ReportError> {
        let mut journal = self.journal();
        let finished = std::mem::take(&mut journal.finished);
        let mut placement = Placement::default();
        let placed = finished.iter().try_for_each(|result| placement.put(result));
        if placed.is_ok() {
            placement.keep();
            journal.made.clear();
            journal.unlock();
        } else {
            placement.undo();
        }
        // What is dropped has to be able to lock the journal.
        drop(journal);
        drop(finished);
        if placed.is_err() {
            self.roll_back();
        }
        placed
    }

    /// Takes away what is finished and not in its place; says whether there was anything.
    pub fn roll_back(&self) -> bool {
        let finished = std::mem::take(&mut self.journal().finished);
        let is_any = !finished.is_empty();
        drop(finished);
        let mut journal = self.journal();
        journal.remove_made();
        journal.unlock();
        is_any
    }

    /// Takes away everything that is not in its place, and calls `end`, which ends the process. Meanwhile nothing else is
    /// begun, put into place or taken away; a commit in progress is waited for.
    pub fn abandon(&self, end: impl FnOnce()) {
        let mut journal = self.journal();
        journal.begun.values().for_each(|path| remove(path));
        journal.remove_made();
        end();
        drop(journal);
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal {
    /// Notes a temporary name.
    fn begin(&mut self, path: PathBuf) -> u64 {
        self.next += 1;
        self.begun.insert(self.next, path);
        self.next
    }

    fn unlock(&mut self) {
        for (number, lock) in self.locks.drain(..) {
            self.begun.remove(&number);
            drop(lock);
        }
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        self.make_folder(folder_of(path))?;
        fs::create_dir(path)?;
        self.made.push(path.to_owned());
        Ok(())
    }

    /// Removes the folders that were made, where nothing is in them.
    fn remove_made(&mut self) {
        for path in self.made.drain(..).rev() {
            let _ = fs::remove_dir(path);
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.finished.clear();
        self.remove_made();
    }
}
