use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Links that are followed at most, as by Linux (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// Where a name leads, over all links.
#[derive(Debug)]
pub(super) struct Destination {
    /// The place, in a folder that is there.
    pub(super) path: PathBuf,
    /// What is there.
    pub(super) existing: Option<Metadata>,
}

impl Destination {
    /// Where the name of a file leads; its folder has to be there.
    pub(super) fn of_file(path: &Path) -> io::Result<Self> {
        let path = follow(path)?;
        let existing = existing(&path)?;
        let Some(name) = path.file_name() else {
            // `..` and `/` are folders.
            return Err(io::ErrorKind::IsADirectory.into());
        };
        let folder = folder_of(&path);
        let folder = folder.canonicalize().map_err(|error| explained(folder, error))?;
        Ok(Self { path: folder.join(name), existing })
    }

    /// Where the name of a folder leads, of which any number of folders may be missing.
    pub(super) fn of_folder(path: &Path) -> io::Result<Self> {
        let path = follow(path)?;
        let existing = existing(&path)?;
        if existing.as_ref().is_some_and(|existing| !existing.is_dir()) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let parent = nearest(&path);
        let missing = path.strip_prefix(parent).unwrap_or(&path);
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        Ok(Self { path: parent.canonicalize()?.join(missing), existing })
    }

    /// The folder in which temporary names can be renamed to the place: its own for a file, itself for a folder that is
    /// there, else the nearest one above.
    pub(super) fn staging_folder(&self) -> &Path {
        match &self.existing {
            Some(existing) if existing.is_dir() => &self.path,
            _ => nearest(folder_of(&self.path)),
        }
    }

    /// The last part of its name.
    pub(super) fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Says which folder is missing, instead of that some temporary name is.
pub(super) fn explained(folder: &Path, error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::NotFound {
        return error;
    }
    // Some folders take no new file, and say so as if they were not there.
    if folder.is_dir() {
        let reason = format!("no file can be made in {}", folder.display());
        return io::Error::new(io::ErrorKind::PermissionDenied, reason);
    }
    io::Error::new(error.kind(), format!("there is no folder {}", folder.display()))
}

/// The path without links in its last part, also where the last one leads nowhere.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let is_link = path.symlink_metadata().is_ok_and(|there| there.is_symlink());
        if !is_link {
            return Ok(path);
        }
        path = folder_of(&path).join(fs::read_link(&path)?);
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

fn existing(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The nearest folder at or above a path that is there.
fn nearest(path: &Path) -> &Path {
    let is_there = |path: &&Path| path.as_os_str().is_empty() || path.is_dir();
    path.ancestors().find(is_there).unwrap_or(Path::new("/"))
}
