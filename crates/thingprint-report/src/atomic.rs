#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a file that appears whole or not at all is a matter of the file system"
)]

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::ReportError;

/// A file that appears under its name whole, or not at all.
///
/// Bytes go to a temporary file in the same folder; [`commit`](Self::commit) renames it over whatever has the name, and
/// a file that is dropped before leaves no trace. A name that is no regular file, such as `/dev/stdout` or a named pipe,
/// cannot be replaced and is written to as it is.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    sink: BufWriter<Sink>,
}

#[derive(Debug)]
enum Sink {
    /// Renamed to `target` in the end.
    Beside { file: NamedTempFile, target: PathBuf },
    /// Written in place.
    Direct(File),
}

impl AtomicFile {
    /// Begins to write a file. Fails when its folder is missing or cannot be written to, and when it is a folder itself.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let sink = open(path).map_err(|source| failed(path, source))?;
        Ok(Self { path: path.to_owned(), sink: BufWriter::new(sink) })
    }

    /// Puts the file in its place, after its bytes have reached the disk.
    pub fn commit(self) -> Result<(), ReportError> {
        let Self { path, sink } = self;
        let put = || match sink.into_inner().map_err(io::IntoInnerError::into_error)? {
            Sink::Beside { file, target } => {
                file.as_file().sync_all()?;
                file.persist(target).map(drop).map_err(|error| error.error)
            }
            Sink::Direct(mut file) => file.flush(),
        };
        put().map_err(|source| failed(&path, source))
    }

    /// The file as the caller named it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Beside { file, .. } => file.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Beside { file, .. } => file.flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

fn failed(path: &Path, source: io::Error) -> ReportError {
    ReportError::Output { path: path.to_owned(), source }
}

fn open(path: &Path) -> io::Result<Sink> {
    let existing = match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match existing {
        Some(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // A symbolic link stays; what it points to is replaced.
        Some(metadata) if metadata.is_file() => beside(fs::canonicalize(path)?, Some(metadata.permissions())),
        Some(_) => File::options().write(true).open(path).map(Sink::Direct),
        None => beside(path.to_owned(), None),
    }
}

/// A temporary file in the folder of `target`, with the permissions of the file that it replaces, or those that any new
/// file gets.
fn beside(target: PathBuf, permissions: Option<fs::Permissions>) -> io::Result<Sink> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Some(name) = target.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no file name"));
    };
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder).map_err(|error| explained(folder, &error))?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok(Sink::Beside { file, target })
}

/// Says which folder is missing, instead of that some temporary name is.
fn explained(folder: &Path, error: &io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::NotFound {
        // Some folders take no new file, and say so as if they were not there.
        if folder.is_dir() {
            let reason = format!("no file can be made in {}", folder.display());
            return io::Error::new(io::ErrorKind::PermissionDenied, reason);
        }
        return io::Error::new(error.kind(), format!("there is no folder {}", folder.display()));
    }
    io::Error::from(error.kind())
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_only_when_committed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.csv");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.flush().unwrap();
        assert!(!path.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["results.csv"]);
    }

    #[test]
    fn a_file_that_is_not_committed_leaves_the_old_one_and_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home.model");
        fs::write(&path, b"old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["home.model"]);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = AtomicFile::create(&missing.join("x.csv")).unwrap_err();
        assert_eq!(error.to_string(), format!("write {}", missing.join("x.csv").display()));
        let source = error.source().unwrap().to_string();
        assert_eq!(source, format!("there is no folder {}", missing.display()));
    }

    #[test]
    fn a_folder_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(folder.path()).unwrap_err();
        assert_eq!(error.source().unwrap().to_string(), "is a directory");
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_permissions_and_its_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        let mut file = AtomicFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        AtomicFile::create(&ours).unwrap().commit().unwrap();
        File::create(&plain).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_stays_a_device() {
        let null = Path::new("/dev/null");
        let mut file = AtomicFile::create(null).unwrap();
        file.write_all(b"gone").unwrap();
        file.commit().unwrap();
        assert!(!fs::metadata(null).unwrap().is_file());
    }
}
