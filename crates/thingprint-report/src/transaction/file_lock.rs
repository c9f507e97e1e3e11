use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::destination::Destination;
use crate::error::ReportError;
use crate::file_id::FileId;

/// A file beside another that nobody else locks meanwhile; it goes with the lock.
#[derive(Debug)]
pub(super) struct FileLock {
    path: PathBuf,
    _file: File,
}

impl FileLock {
    pub(super) fn take(path: &Path, wait: impl FnOnce()) -> Result<Self, ReportError> {
        let lock = || -> io::Result<Self> {
            let place = Destination::of_file(path)?;
            let mut name = OsString::from(".");
            name.push(place.name());
            name.push(".lock");
            let path = place.path.with_file_name(name);
            Ok(Self { _file: acquire(&path, wait)?, path })
        };
        lock().map_err(|source| ReportError::Output { path: path.to_owned(), source })
    }

    /// The file that is locked.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Whoever waits for it looks whether it is still there, and makes another.
        let _ = fs::remove_file(&self.path);
    }
}

fn acquire(path: &Path, wait: impl FnOnce()) -> io::Result<File> {
    let mut wait = Some(wait);
    loop {
        let file = File::options().write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                if let Some(wait) = wait.take() {
                    wait();
                }
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let open = FileId::of_open(&file);
        if open.is_none() || open == FileId::of(path) {
            return Ok(file);
        }
    }
}
