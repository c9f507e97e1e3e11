//! Files that are on the disk when they are said to be.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use crate::error::TapsError;

/// What a file is called while it is written.
pub(crate) const UNDER_WAY: &str = ".partial";

/// Longest file that is read: what a file of parts may have.
const MOST_PARCEL_BYTES: u64 = 4 << 30;

/// Makes a folder that only its owner reads, with those above it.
pub(crate) fn make_folder(folder: &Path) -> Result<(), TapsError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(TapsError::file("make the folder", folder))
}

/// Writes a file beside its place, and moves it there when it is on the disk: it is there whole or not at all.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), TapsError> {
    let place = folder.join(name);
    let beside = folder.join(format!("{name}{UNDER_WAY}"));
    let written = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &place)?;
        sync_folder(folder)
    };
    written().map_err(|error| {
        // What is under way is no file of ours yet.
        let _ = fs::remove_file(&beside);
        TapsError::file("write", &place)(error)
    })
}

/// Takes a file away; one that is not there is away.
pub(crate) fn remove(path: &Path) -> Result<(), TapsError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(TapsError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Names of the files of a folder that end like this, in order; none where there is no folder.
pub(crate) fn names(folder: &Path, ending: &str) -> Result<Vec<String>, TapsError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(TapsError::file("read the folder", folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(TapsError::file("read the folder", folder))?;
        names.extend(entry.file_name().into_string().ok().filter(|name| name.ends_with(ending)));
    }
    names.sort_unstable();
    Ok(names)
}

/// Bytes of a file, of which there may be as many as a parcel has.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TapsError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(TapsError::file("read", path))?;
    let read = file.take(MOST_PARCEL_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(TapsError::file("read", path))?;
    if bytes.len() as u64 > MOST_PARCEL_BYTES {
        let source =
            std::io::Error::new(std::io::ErrorKind::FileTooLarge, "longer than 4 GiB: no parcel of a tap");
        return Err(TapsError::file("read", path)(source));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The right to use a folder, which one process has at a time: a lock that the system takes back when the process ends.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    pub(crate) fn take(folder: &Path) -> Result<Self, TapsError> {
        let path = folder.join("lock");
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(TapsError::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(TapsError::InUse(folder.to_owned())),
            Err(fs::TryLockError::Error(error)) => Err(TapsError::file("lock", &path)(error)),
        }
    }
}
