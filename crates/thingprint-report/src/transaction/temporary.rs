use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, Weak};

use tempfile::Builder;

use super::destination::Destination;
use super::{Journal, Transaction};
use crate::file_id::FileId;

/// What stands between the name of a result and the letters that make a temporary name the only one.
const MARK: &str = ".thingprint-";
/// How many of these letters there are.
const LETTERS: usize = 6;
/// End of the temporary name of a result that is not in its place yet.
const PART: &str = ".part";
/// End of the temporary name of what a result replaced, until all results are in their places.
const OLD: &str = ".old";
/// Bytes of a result's name that its temporary names repeat; file systems allow 255 in all.
const MOST_NAME_BYTES: usize = 200;
/// How often a temporary name is tried that somebody takes away as soon as it is made.
const TRIES: u32 = 100;

/// A temporary name of a result, which goes when it is dropped.
///
/// Its file or folder is locked as long as this run lives. So whoever sweeps knows it from those that killed runs left,
/// whatever numbers processes have and on whichever machine they run.
#[derive(Debug)]
pub(super) struct Temporary {
    journal: Weak<Mutex<Journal>>,
    number: u64,
    /// The temporary name.
    pub(super) path: PathBuf,
    /// The place of the result.
    pub(super) target: PathBuf,
    /// The result as the caller named it.
    pub(super) named: PathBuf,
    /// Holds the lock.
    lock: File,
}

impl Temporary {
    /// A new file for a result; sweeps what killed runs left of it.
    pub(super) fn file(transaction: &Transaction, named: &Path, place: Destination) -> io::Result<Self> {
        Self::make(transaction, named, place, |builder, folder| {
            let (file, path) = builder.make_in(folder, create)?.keep().map_err(|error| error.error)?;
            Ok((file, path))
        })
    }

    /// A new folder for a result; sweeps what killed runs left of it.
    pub(super) fn folder(transaction: &Transaction, named: &Path, place: Destination) -> io::Result<Self> {
        Self::make(transaction, named, place, |builder, folder| {
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
            let path = builder.tempdir_in(folder)?.keep();
            Ok((File::open(&path)?, path))
        })
    }

    fn make(
        transaction: &Transaction,
        named: &Path,
        place: Destination,
        make: impl Fn(&mut Builder<'_, '_>, &Path) -> io::Result<(File, PathBuf)>,
    ) -> io::Result<Self> {
        let folder = place.staging_folder().to_owned();
        let prefix = prefix_of(place.name());
        sweep(&folder, Some(&prefix));
        // A signal finds every temporary name in the journal.
        let mut journal = transaction.journal();
        for _ in 0..TRIES {
            let (lock, path) =
                make(Builder::new().prefix(&prefix).suffix(PART).rand_bytes(LETTERS), &folder)?;
            if !holds(&lock, &path) {
                continue;
            }
            let number = journal.begin(path.clone());
            journal.targets.insert(place.path.clone());
            let journal = std::sync::Arc::downgrade(&transaction.0);
            return Ok(Self { journal, number, path, target: place.path, named: named.to_owned(), lock });
        }
        Err(io::Error::other(format!("temporary names in {} do not stay", folder.display())))
    }

    /// The file, to write to.
    pub(super) const fn open(&self) -> &File {
        &self.lock
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let journal = self.journal.upgrade();
        let mut journal =
            journal.as_ref().map(|journal| journal.lock().unwrap_or_else(PoisonError::into_inner));
        remove(&self.path);
        if let Some(journal) = &mut journal {
            journal.begun.remove(&self.number);
            journal.targets.remove(&self.target);
        }
    }
}

/// Gives what has a name a second, temporary one, by which it can come back, and locks it.
pub(super) fn set_aside(
    target: &Path,
    by: impl Fn(&Path) -> io::Result<()>,
) -> io::Result<(PathBuf, Option<File>)> {
    let prefix = prefix_of(target.file_name().unwrap_or_default());
    let folder = super::destination::folder_of(target);
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(OLD).rand_bytes(LETTERS);
    let ((), path) = builder.make_in(folder, |path| by(path))?.keep().map_err(|error| error.error)?;
    let lock = File::open(&path).ok().filter(|file| file.try_lock().is_ok());
    Ok((path, lock))
}

/// Removes a file, or a folder with all that is in it, if it is there.
pub(super) fn remove(path: &Path) {
    let Ok(there) = path.symlink_metadata() else { return };
    if !there.is_dir() {
        let _ = fs::remove_file(path);
        return;
    }
    // Under another name nobody writes into it any more.
    let gone = path.with_extension("old");
    let path = if fs::rename(path, &gone).is_ok() { &gone } else { path };
    let _ = fs::remove_dir_all(path);
}

fn create(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create_new(true).open(path)
}

/// Locks what was just made; false where somebody took it for a leftover in between, and takes it away.
fn holds(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => false,
        // Where nothing can be locked, nobody sweeps either.
        Err(TryLockError::Error(_)) => true,
        Ok(()) => match (FileId::of_open(file), FileId::of(path)) {
            (Some(open), there) => Some(open) == there,
            (None, _) => true,
        },
    }
}

/// How the temporary names of a result begin.
fn prefix_of(name: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    let text = name.to_string_lossy();
    if name.len() <= MOST_NAME_BYTES {
        prefix.push(name);
    } else {
        prefix.push(text.get(..text.floor_char_boundary(MOST_NAME_BYTES)).unwrap_or_default());
    }
    prefix.push(MARK);
    prefix
}

/// Takes away the temporary names that killed runs left in a folder: those of one result, or all.
pub(super) fn sweep(folder: &Path, prefix: Option<&OsStr>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_plain = entry.file_type().is_ok_and(|kind| kind.is_file() || kind.is_dir());
        if !is_plain || !is_temporary(&entry.file_name(), prefix) {
            continue;
        }
        let path = entry.path();
        // Whoever is alive holds the lock.
        let lock = File::open(&path).ok().filter(|file| file.try_lock().is_ok());
        if lock.is_some() {
            remove(&path);
        }
    }
}

/// Whether a name is a temporary one, of any result or of one.
fn is_temporary(name: &OsStr, prefix: Option<&OsStr>) -> bool {
    let name = name.as_encoded_bytes();
    let stem = name.strip_suffix(PART.as_bytes()).or_else(|| name.strip_suffix(OLD.as_bytes()));
    let Some((beginning, letters)) =
        stem.and_then(|stem| stem.split_at_checked(stem.len().checked_sub(LETTERS)?))
    else {
        return false;
    };
    let is_ours = match prefix {
        Some(prefix) => beginning == prefix.as_encoded_bytes(),
        None => beginning.starts_with(b".") && beginning.ends_with(MARK.as_bytes()),
    };
    is_ours && letters.iter().all(u8::is_ascii_alphanumeric)
}
