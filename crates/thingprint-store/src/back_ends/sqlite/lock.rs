use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::Problem;

/// Digits that a process number may have, and room for the end of the line.
const PID_BYTES: u64 = 16;

/// The right to write a store, which one process has at a time.
///
/// It is a lock on a file beside the store. The system takes it back when the process ends, however it ends, so that no
/// stale lock is left behind. The file stays: removing it would let two processes lock two files of one name.
#[derive(Debug)]
pub(crate) struct StoreLock {
    /// Holds the lock as long as it is open.
    _file: File,
}

impl StoreLock {
    /// Takes the lock of a store. Its file lies beside the file that a link leads to: links are other names of one store.
    pub(crate) fn take(store: &Path) -> Result<Self, Problem> {
        let mut file = open(&beside(&real(store)?, ".lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Problem::Locked { pid: pid_in(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

/// The process that has the right to write a store; `None` where nobody has. Nothing is made for it.
pub(crate) fn holder(store: &Path) -> Result<Option<Problem>, Problem> {
    let mut file = match File::open(beside(&real(store)?, ".lock")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(Problem::Locked { pid: pid_in(&mut file) })),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// The path of a store without links; one that is not there yet is in a folder that is.
fn real(store: &Path) -> Result<PathBuf, io::Error> {
    match store.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !store.is_symlink() => {
            let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or_else(|| Path::new(".")).canonicalize()?;
            Ok(store.file_name().map_or_else(|| store.to_owned(), |name| folder.join(name)))
        }
        found => found,
    }
}

/// The file that has the store's name with something behind it.
pub(crate) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes a file that only its owner reads, unless it is there.
pub(crate) fn open(path: &Path) -> Result<File, std::io::Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn pid_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(PID_BYTES).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
