use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Kind, Parsed, Sink, Target};
use crate::delivery::{Delivery, Failure};
use crate::error::NotifyError;
use crate::options::NotifyOptions;

/// `file:PATH`: JSON lines at the end of a file. It is opened again after something moved it away, as logrotate does.
pub(crate) const KIND: Kind = Kind { forms: &["file:PATH"], parse };

fn parse(text: &str) -> Option<Parsed> {
    let path = text.strip_prefix("file:")?;
    if path.is_empty() {
        return Some(Err(NotifyError::bad_sink(text, "it names no file; write file:PATH")));
    }
    // `file:///var/log/x` is a URL, and means the same.
    let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
    Some(Ok(Arc::new(FileTarget { path: PathBuf::from(path) })))
}

struct FileTarget {
    path: PathBuf,
}

impl fmt::Display for FileTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file:{}", self.path.display())
    }
}

impl Target for FileTarget {
    fn open(&self, _options: &mut NotifyOptions) -> Result<Box<dyn Sink>, NotifyError> {
        let file = open(&self.path).map_err(|error| self.unusable(&error))?;
        Ok(Box::new(Lines { path: self.path.clone(), file: Some(file), has_torn_line: false }))
    }

    fn check(&self, _options: &mut NotifyOptions) -> Result<(), NotifyError> {
        let checked = if self.path.exists() { open(&self.path).map(drop) } else { check_folder(&self.path) };
        checked.map_err(|error| self.unusable(&error))
    }
}

impl FileTarget {
    fn unusable(&self, error: &io::Error) -> NotifyError {
        let problem = format!("{error}; create its folder, or give a file that may be written");
        NotifyError::bad_sink(self.to_string(), problem)
    }
}

/// Whether the folder of a file is there.
fn check_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if fs::metadata(folder)?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

struct Lines {
    path: PathBuf,
    file: Option<File>,
    /// Whether the file ends with a part of a line that could not be taken back.
    has_torn_line: bool,
}

impl Lines {
    /// The file that has the name now.
    fn current(&mut self) -> io::Result<&mut File> {
        if self.file.as_ref().is_some_and(|file| !is_at(file, &self.path)) {
            self.file = None;
        }
        let file = self.file.take().map_or_else(|| open(&self.path), Ok)?;
        Ok(self.file.insert(file))
    }

    /// Writes a line whole or not at all, as far as the system lets us.
    fn write(&mut self, line: &str) -> io::Result<()> {
        let start = if self.has_torn_line { "\n" } else { "" };
        let file = self.current()?;
        let before = file.metadata()?.len();
        match file.write_all(format!("{start}{line}").as_bytes()) {
            Ok(()) => {
                self.has_torn_line = false;
                Ok(())
            }
            Err(error) => {
                self.has_torn_line |= file.set_len(before).is_err();
                Err(error)
            }
        }
    }
}

impl Sink for Lines {
    fn deliver(&mut self, delivery: &Delivery, _limit: Duration) -> Result<(), Failure> {
        let line = delivery.json() + "\n";
        self.write(&line).map_err(|error| Failure::later(format!("write '{}': {error}", self.path.display())))
    }

    fn reopen(&mut self) {
        self.file = None;
    }
}

/// Opens a file to write at its end. A pipe would hold the thread until somebody reads it.
fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // What devices do is for the owner alone; who is to read it as well is let in by the mode of the file that is there.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether the open file is the one that has the name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let (Ok(open), Ok(named)) = (file.metadata(), fs::metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    fs::metadata(path).is_ok()
}
