//! Files that a command is asked to write, looked at before it reads anything.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use thingprint_report::AtomicFile;

use crate::exit::Usage;

/// Files with the options that name them.
#[derive(Debug, Default)]
pub(crate) struct Destinations<'a> {
    files: Vec<(&'static str, &'a Path)>,
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

    /// Refuses two results in one file, and a file that could not be written. A folder that a command fills with `*.json`
    /// comes with its option.
    pub(crate) fn check(&self, folder: Option<(&'static str, &Path)>) -> anyhow::Result<()> {
        let mut seen: BTreeMap<PathBuf, &str> = BTreeMap::new();
        for (option, path) in &self.files {
            let name = path.display();
            if let Some(other) = seen.insert(identity(path), option) {
                return Err(Usage(format!("{other} and {option} name the same file: {name}")).into());
            }
            let within = folder.filter(|(_, folder)| is_json_in(path, folder));
            if let Some((other, _)) = within {
                return Err(Usage(format!(
                    "{option}: {name} is in the folder of {other}, which writes such files"
                ))
                .into());
            }
        }
        if let Some((option, folder)) = folder {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to write {option}: {}", folder.display()))?;
            check_writable(option, &folder.join("profile.json"))?;
        }
        self.files.iter().try_for_each(|(option, path)| check_writable(option, path))
    }
}

/// Makes the file beside its place, as if to write it, and leaves it.
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
