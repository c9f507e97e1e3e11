//! Files that a command is to write, checked before it reads anything.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use thingprint_report::AtomicFile;

use crate::exit::Usage;

/// Files with the options that name them.
#[derive(Debug, Default)]
pub(crate) struct Destinations<'a> {
    files: Vec<(&'static str, &'a Path)>,
    /// Files that are read, so that no result may take their place.
    read: BTreeSet<PathBuf>,
    /// A file that is read and may be replaced by the result of one option.
    renewed: Option<(&'static str, PathBuf)>,
}

impl<'a> Destinations<'a> {
    /// Adds a file, where one is asked for. What is there and is no file, such as a pipe, may take several results, and
    /// opening it would be seen on its other side.
    pub(crate) fn add(&mut self, option: &'static str, path: Option<&'a Path>) -> &mut Self {
        let is_special =
            |path: &&Path| path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir());
        self.files.extend(path.filter(|path| !is_special(path)).map(|path| (option, path)));
        self
    }

    /// Notes a file that is read, or a folder of which the files are.
    pub(crate) fn read(&mut self, path: Option<&Path>) -> &mut Self {
        if let Some(path) = path {
            self.read.insert(identity(path));
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            self.read.extend(entries.map(|entry| identity(&entry.path())));
        }
        self
    }

    /// Notes a file that is read and that the result of an option may replace.
    pub(crate) fn renews(&mut self, option: &'static str, path: Option<&Path>) -> &mut Self {
        self.renewed = path.map(|path| (option, identity(path)));
        self
    }

    /// Refuses a result in the place of something that is read.
    pub(crate) fn check_replaced(&self, option: &str, path: &Path) -> Result<(), Usage> {
        let place = identity(path);
        let is_renewed = self.renewed.as_ref().is_some_and(|(by, file)| *by != option && *file == place);
        if is_renewed || self.read.contains(&place) {
            let name = path.display();
            return Err(Usage(format!(
                "{option}: the result would replace an input: {name}; choose another file"
            )));
        }
        Ok(())
    }

    /// Refuses two results in one file, one in the place of what is read, and a file that could not be written. A folder that
    /// a command fills with `*.json` comes with its option.
    pub(crate) fn check(&self, folder: Option<(&'static str, &Path)>) -> anyhow::Result<()> {
        self.check_names(folder)?;
        if let Some((option, folder)) = folder {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to write {option}: {}", folder.display()))?;
            check_writable(option, &folder.join("profile.json"))?;
        }
        self.files.iter().try_for_each(|(option, path)| check_writable(option, path))
    }

    /// The same without a look at whether files could be written; creates nothing.
    pub(crate) fn check_names(&self, folder: Option<(&'static str, &Path)>) -> Result<(), Usage> {
        let mut seen: BTreeMap<PathBuf, &str> = BTreeMap::new();
        for (option, path) in &self.files {
            let name = path.display();
            self.check_replaced(option, path)?;
            if let Some(other) = seen.insert(identity(path), option) {
                return Err(Usage(format!(
                    "{other} and {option} name the same file: {name}; choose two files"
                )));
            }
            let within = folder.filter(|(_, folder)| is_json_in(path, folder));
            if let Some((other, _)) = within {
                return Err(Usage(format!(
                    "{option}: {name} is in the folder of {other}, which writes such files; choose another folder"
                )));
            }
        }
        Ok(())
    }
}

/// Creates a temporary file next to the place and removes it.
fn check_writable(option: &str, path: &Path) -> anyhow::Result<()> {
    AtomicFile::create(path).map(drop).with_context(|| format!("failed to write {option}"))
}

/// The same for every way to name a file, also one that is not there yet, in a folder that is not.
fn identity(path: &Path) -> PathBuf {
    let beyond = || {
        let (name, folder) = (path.file_name()?, path.parent()?);
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Some(identity(folder).join(name))
    };
    path.canonicalize().ok().or_else(beyond).unwrap_or_else(|| path.to_owned())
}

fn is_json_in(path: &Path, folder: &Path) -> bool {
    path.extension() == Some(OsStr::new("json")) && identity(path).parent() == Some(&identity(folder))
}
