//! The files below a folder, and what of it could not be looked at.

use std::fs;
use std::path::{Path, PathBuf};

use crate::messages::{Say, counted};

/// What is below folders.
#[derive(Debug, Default)]
pub(crate) struct FolderWalk {
    /// The files, folder by folder, in the order of paths.
    pub(crate) files: Vec<PathBuf>,
    /// What could not be read, each with the reason.
    pub(crate) unreadable: Vec<String>,
    /// Folders that are links, which are not followed: they may lead back.
    links: Vec<PathBuf>,
    /// What is neither file nor folder, such as a pipe or a socket: reading one could wait for ever.
    special: Vec<PathBuf>,
}

/// What was found below folders and is not read.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// Files that are something else than what is looked for.
    pub(crate) files: Vec<PathBuf>,
    links: Vec<PathBuf>,
    special: Vec<PathBuf>,
}

impl FolderWalk {
    /// Everything below a folder. What cannot be read is noted, and the rest is there.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut walk = Self::default();
        walk.add(folder);
        walk
    }

    fn add(&mut self, folder: &Path) {
        let entries = fs::read_dir(folder).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        });
        let mut paths = match entries {
            Ok(paths) => paths,
            Err(error) => {
                return self.unreadable.push(format!("failed to read {}: {error}", folder.display()));
            }
        };
        paths.sort();
        for path in paths {
            match path.symlink_metadata() {
                Ok(kind) if kind.is_dir() => self.add(&path),
                Ok(kind) if kind.is_symlink() && path.is_dir() => self.links.push(path),
                Ok(_) if path.is_file() => self.files.push(path),
                Ok(_) => self.special.push(path),
                Err(error) => self.unreadable.push(format!("failed to read {}: {error}", path.display())),
            }
        }
    }

    /// Takes what is not looked into: folders that are links, pipes and the like.
    pub(crate) fn take_skipped(&mut self, skipped: &mut Skipped) {
        skipped.links.append(&mut self.links);
        skipped.special.append(&mut self.special);
    }
}

impl Skipped {
    /// Says how many files and folders were passed over; `kind` is what the files are not. With `--verbose`, each is named.
    pub(crate) fn report(&self, kind: &str, messages: impl Say) {
        let mut counts = Vec::new();
        if !self.files.is_empty() {
            let files = counted(self.files.len() as u64, "file that is", "files that are");
            counts.push(format!("{files} no {kind}"));
        }
        if !self.links.is_empty() {
            counts.push(counted(self.links.len() as u64, "folder that is a link", "folders that are links"));
        }
        if !self.special.is_empty() {
            let special = self.special.len() as u64;
            counts.push(counted(special, "pipe, socket or device", "pipes, sockets and devices"));
        }
        if counts.is_empty() {
            return;
        }
        messages.note(format!("not read: {}; --verbose names them", counts.join(", and ")));
        for path in &self.files {
            messages.detail(format!("{} is no {kind}", path.display()));
        }
        for path in &self.links {
            messages.detail(format!(
                "{} is a link to a folder: name that folder to have it read",
                path.display()
            ));
        }
        for path in &self.special {
            messages.detail(format!(
                "{} is neither a file nor a folder: a pipe is read where it is named itself",
                path.display()
            ));
        }
    }
}
