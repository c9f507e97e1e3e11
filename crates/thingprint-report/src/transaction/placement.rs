use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::Finished;
use super::destination::{Destination, folder_of};
use super::temporary::{Temporary, set_aside};
use crate::error::ReportError;

/// Results that are put into their places, with the way back.
#[derive(Debug, Default)]
pub(super) struct Placement(Vec<Step>);

/// What was done, from which its opposite follows.
#[derive(Debug)]
enum Step {
    /// A file was put where none was.
    New(PathBuf),
    /// What was there has another name as long as it may have to come back.
    Replaced { target: PathBuf, old: PathBuf, _lock: Option<File> },
    /// A folder got its name.
    Renamed { from: PathBuf, to: PathBuf },
    /// A folder was made.
    Made(PathBuf),
}

impl Placement {
    /// Puts a result into its place.
    pub(super) fn put(&mut self, result: &Finished) -> Result<(), ReportError> {
        let (temporary, put) = match result {
            Finished::File(temporary) => (temporary, self.put_file(&temporary.path, &temporary.target)),
            Finished::Folder { temporary, stale } => {
                let put = self.put_folder(temporary);
                let put = put
                    .and_then(|()| stale.iter().try_for_each(|name| self.take(&temporary.target.join(name))));
                (temporary, put)
            }
        };
        put.map_err(|source| ReportError::Output { path: temporary.named.clone(), source })
    }

    /// Forgets what was replaced.
    pub(super) fn keep(self) {
        for step in self.0 {
            if let Step::Replaced { old, .. } = step {
                // It would do no harm, and the next run takes it away.
                let _ = fs::remove_file(old);
            }
        }
    }

    /// Goes all the way back, as far as it can.
    pub(super) fn undo(self) {
        for step in self.0.into_iter().rev() {
            let _ = match step {
                Step::New(path) => fs::remove_file(path),
                // Two names of one file stay both when one is renamed to the other.
                Step::Replaced { target, old, .. } => {
                    fs::rename(&old, target).and_then(|()| fs::remove_file(&old))
                }
                Step::Renamed { from, to } => fs::rename(to, from),
                Step::Made(path) => fs::remove_dir(path),
            };
        }
    }

    fn put_file(&mut self, from: &Path, target: &Path) -> io::Result<()> {
        match target.symlink_metadata() {
            Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(there) => {
                if there.is_file() {
                    fs::set_permissions(from, there.permissions())?;
                }
                let link = |old: &Path| fs::hard_link(target, old);
                match set_aside(target, link) {
                    Ok((old, lock)) => {
                        self.0.push(Step::Replaced { target: target.to_owned(), old, _lock: lock });
                    }
                    // There are file systems without hard links.
                    Err(_) => self.take(target)?,
                }
                fs::rename(from, target)
            }
            Err(_) => {
                fs::rename(from, target)?;
                self.0.push(Step::New(target.to_owned()));
                Ok(())
            }
        }
    }

    /// Takes away what is in a place, if anything is.
    fn take(&mut self, target: &Path) -> io::Result<()> {
        if target.symlink_metadata().is_err() {
            return Ok(());
        }
        let (old, lock) = set_aside(target, |old| {
            if old.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(target, old)
        })?;
        self.0.push(Step::Replaced { target: target.to_owned(), old, _lock: lock });
        Ok(())
    }

    /// Gives a folder its name, or moves what is in it into the one that has the name.
    fn put_folder(&mut self, temporary: &Temporary) -> io::Result<()> {
        let Temporary { path: from, target: to, .. } = temporary;
        if !to.is_dir() {
            self.make_folders(folder_of(to))?;
            fs::rename(from, to)?;
            self.0.push(Step::Renamed { from: from.clone(), to: to.clone() });
            return Ok(());
        }
        let mut names = fs::read_dir(from)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        names.iter().try_for_each(|name| {
            let place = Destination::of_file(&to.join(name))?;
            self.put_file(&from.join(name), &place.path)
        })
    }

    fn make_folders(&mut self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        self.make_folders(folder_of(folder))?;
        fs::create_dir(folder)?;
        self.0.push(Step::Made(folder.to_owned()));
        Ok(())
    }
}
