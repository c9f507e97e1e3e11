use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::{CommandFactory, Parser};

use super::expand;
use crate::Cli;
use crate::exit::Usage;

/// The configuration that a command runs with, to be held against the file when it is read again.
#[derive(Debug)]
pub(crate) struct Running {
    typed: Vec<OsString>,
    /// `None` where the file went away since the command began.
    expanded: Option<Vec<OsString>>,
    /// Files that the arguments name and the command reads once.
    files: Vec<(PathBuf, Stamp)>,
}

/// When a file was written last and how long it is; `None` where it is not there.
type Stamp = Option<(SystemTime, u64)>;

impl Running {
    /// What this process was started with.
    pub(crate) fn from_environment() -> Self {
        let typed: Vec<OsString> = std::env::args_os().collect();
        let expanded = expand(typed.clone(), &Cli::command()).ok();
        Self { typed, expanded, files: Vec::new() }
    }

    /// Looks at these files as well, when the configuration is read again.
    pub(crate) fn look_at(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        self.files = files.into_iter().map(|path| (path.clone(), stamp(&path))).collect();
    }

    /// Reads the configuration again. `None` where it and the files say the same; else the command as it would begin now,
    /// after its arguments were checked.
    pub(crate) fn reread(&self) -> anyhow::Result<Option<Successor>> {
        let expanded = expand(self.typed.clone(), &Cli::command())?;
        let have_files_changed = self.files.iter().any(|(path, before)| stamp(path) != *before);
        if Some(&expanded) == self.expanded.as_ref() && !have_files_changed {
            return Ok(None);
        }
        let cli = Cli::try_parse_from(&expanded).map_err(|error| Usage(first_line(&error.to_string())))?;
        cli.command.verify(&cli.global)?;
        Ok(Some(Successor { arguments: self.typed.clone() }))
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// The same command with the configuration as it is now.
#[derive(Debug)]
pub(crate) struct Successor {
    arguments: Vec<OsString>,
}

impl Successor {
    /// Takes the place of this process, under the same number: who watches over the process sees no end of it. Gives the
    /// error where that cannot be done.
    #[cfg(unix)]
    pub(crate) fn take_over(self) -> io::Error {
        use std::os::unix::process::CommandExt;

        let mut arguments = self.arguments.into_iter();
        let name = arguments.next().unwrap_or_default();
        // An upgrade may have put another file in the place of the one that runs.
        let program = std::env::current_exe().ok().filter(|path| path.exists());
        std::process::Command::new(program.unwrap_or_else(|| PathBuf::from(name))).args(arguments).exec()
    }

    /// Takes the place of this process.
    #[cfg(not(unix))]
    pub(crate) fn take_over(self) -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, "this system cannot do that")
    }
}
