//! From what is typed (files, folders, globs, `-`) to captures and bytes.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use thingprint_flow::{Capture, ForeignFile, foreign_file, is_capture, is_compressed};
use thingprint_report::FileId;

use crate::exit::{Outcome, Usage};
use crate::folder_walk::{FolderWalk, Skipped};
use crate::messages::{Messages, Say};
use crate::opened::open;

/// What is read of a file at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// Where something is read from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Input {
    /// Its name without folders.
    pub(crate) fn file_name(&self) -> String {
        match self {
            Self::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Stdin => "-".to_owned(),
        }
    }

    /// The name that messages and labels know it by.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "-".to_owned(),
        }
    }

    /// The place of the file.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stdin => None,
        }
    }

    /// Bytes of the file; `None` for what has no end to see.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::File(path) => {
                std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|m| m.len())
            }
            Self::Stdin => None,
        }
    }

    /// The input as a capture.
    pub(crate) fn capture(&self) -> Capture {
        match self {
            Self::File(path) if self.length().is_some() => {
                let path = path.clone();
                Capture::new(self.name(), move || Ok(Box::new(File::open(&path)?)))
            }
            // A named pipe gives its bytes once.
            Self::File(path) => match open(path) {
                Ok(file) => Capture::once(self.name(), Box::new(file)),
                Err(error) => {
                    let (kind, text) = (error.kind(), error.to_string());
                    Capture::new(self.name(), move || Err(io::Error::new(kind, text.clone())))
                }
            },
            Self::Stdin => Capture::once("-", Box::new(io::stdin())),
        }
    }

    /// Whether it can be read more than once.
    pub(crate) fn is_rewindable(&self) -> bool {
        self.length().is_some()
    }

    /// The same for every way to name the same file.
    pub(crate) fn identity(&self) -> Self {
        match self {
            Self::File(path) => Self::File(path.canonicalize().unwrap_or_else(|_| path.clone())),
            Self::Stdin => Self::Stdin,
        }
    }

    /// Its bytes, from the first on.
    pub(crate) fn open(&self) -> anyhow::Result<Box<dyn BufRead>> {
        Ok(match self {
            Self::File(path) => {
                let file = open(path).with_context(|| format!("failed to read {}", self.name()))?;
                Box::new(BufReader::with_capacity(BUFFER_BYTES, file))
            }
            Self::Stdin => Box::new(io::stdin().lock()),
        })
    }

    /// The file that it is, also of standard input; `None` for what is no file, such as a pipe.
    pub(crate) fn file_id(&self) -> Option<FileId> {
        match self {
            Self::File(path) => path.is_file().then(|| FileId::of(path)).flatten(),
            Self::Stdin => {
                let stdin = standard_input().ok()?;
                stdin.metadata().is_ok_and(|there| there.is_file()).then(|| FileId::of_open(&stdin)).flatten()
            }
        }
    }

    /// Its name for people, who did not type that of standard input.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
        }
    }
}

/// The captures that arguments stand for: files as named, folders with every capture in them, globs. A file that
/// is named twice is read once. With several arguments, one that names nothing is a warning as long as another
/// names something; the input is partial then.
pub(crate) fn expand(arguments: &[OsString], messages: impl Say) -> anyhow::Result<(Vec<Input>, Outcome)> {
    check_files(arguments)?;
    let (mut inputs, mut seen, mut missing) = (Vec::new(), BTreeSet::new(), Vec::new());
    for argument in arguments {
        match expand_one(argument) {
            Ok(found) => {
                inputs.extend(found.captures.into_iter().filter(|input| seen.insert(input.identity())));
                missing.extend(found.missing);
                found.skipped.report("capture", messages);
            }
            Err(error) => missing.push(format!("{error:#}")),
        }
    }
    if inputs.is_empty() {
        bail!("{}", missing.join("; "));
    }
    if inputs.contains(&Input::Stdin) && io::stdin().is_terminal() {
        bail!("failed to read standard input: it is a terminal; pipe a capture into it");
    }
    for text in &missing {
        messages.missing(text);
    }
    Ok((inputs, if missing.is_empty() { Outcome::Done } else { Outcome::Partial }))
}

/// The files that arguments stand for: files as named, globs, `-`; all of them must be there.
pub(crate) fn expand_files(arguments: &[OsString], messages: Messages) -> anyhow::Result<Vec<Input>> {
    check_files(arguments)?;
    let (mut inputs, mut seen) = (Vec::new(), BTreeSet::new());
    for argument in arguments {
        let path = Path::new(argument);
        let text = argument.to_string_lossy();
        let found = if argument == "-" {
            vec![Input::Stdin]
        } else if path.is_dir() {
            bail!("failed to read {text}: it is a folder");
        } else if path.exists() {
            vec![Input::File(path.to_owned())]
        } else if is_glob(argument) {
            matches_of(&text)?.captures
        } else {
            bail!("failed to read {text}: no such file");
        };
        for input in found {
            if seen.insert(input.identity()) {
                inputs.push(input);
            } else {
                messages.warn(format!("{} is given more than once, and is read once", input.name()));
            }
        }
    }
    Ok(inputs)
}

/// Arguments as messages name them, without secrets.
pub(crate) fn named(arguments: &[OsString]) -> String {
    let shown = |argument: &OsString| thingprint_store::shown(Path::new(argument)).display().to_string();
    arguments.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Refuses the address of a store on a server where files are read.
fn check_files(arguments: &[OsString]) -> Result<(), Usage> {
    let Some(store) = arguments.iter().map(Path::new).find(|name| thingprint_store::is_shared(name)) else {
        return Ok(());
    };
    let shown = thingprint_store::shown(store);
    Err(Usage(format!(
        "{}: expected a file, and this is a store on a server; 'thingprint store ADDRESS export' writes a file of it",
        shown.display()
    )))
}

fn is_glob(argument: &OsStr) -> bool {
    argument.to_string_lossy().contains(['*', '?', '['])
}

/// Standard input as an open file.
#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Other systems do not say which file it is.
#[cfg(not(unix))]
fn standard_input() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether a file is a capture, by its content.
pub(crate) fn is_capture_file(path: &Path) -> bool {
    begins_as_capture(path)
}

/// What a file is that could not be read as what it was given for, to stand behind its name; nothing where that is unknown.
pub(crate) fn kind_in_brackets(path: &Path) -> String {
    if begins_as_capture(path) {
        return " (a capture)".to_owned();
    }
    let found = path.is_file().then(|| File::open(path).ok()).flatten();
    let found = found.and_then(|file| foreign_file(Box::new(file)));
    found.map_or_else(String::new, |ForeignFile { name, advice, .. }| format!(" ({name}: {advice})"))
}

/// Whether an input is a capture, by content or, so that a broken one is reported as such, by name; what cannot be looked
/// at twice, such as a named pipe, is one.
pub(crate) fn is_capture_input(input: &Input) -> bool {
    match input {
        Input::File(path) => !input.is_rewindable() || is_named_capture(path) || begins_as_capture(path),
        // What is looked at stays in the buffer that all readers of standard input share.
        Input::Stdin => match io::stdin().lock().fill_buf() {
            // Of a compressed stream there may be too little to see what is inside; tables are not compressed.
            Ok(start) => is_compressed(start) || is_capture(Box::new(io::Cursor::new(start.to_vec()))),
            Err(_) => true,
        },
    }
}

/// What an argument stands for.
#[derive(Debug, Default)]
struct Found {
    captures: Vec<Input>,
    /// What there is to say of archives, in which captures may be, and of folders that could not be read.
    missing: Vec<String>,
    skipped: Skipped,
}

impl Found {
    fn one(input: Input) -> Self {
        Self { captures: vec![input], ..Self::default() }
    }

    /// Adds every capture below a folder, in the order of paths: what begins as one, and what is named as one, so that a
    /// broken capture is not passed over. Folders that are links are not followed.
    fn add_folder(&mut self, folder: &Path) {
        let mut walk = FolderWalk::of(folder);
        walk.take_skipped(&mut self.skipped);
        self.missing.append(&mut walk.unreadable);
        walk.files.into_iter().for_each(|path| self.add_file(path));
    }

    fn add_file(&mut self, path: PathBuf) {
        if is_named_capture(&path) || begins_as_capture(&path) {
            self.captures.push(Input::File(path));
        } else if let Some(ForeignFile { name, advice, .. }) = archive(&path) {
            self.missing.push(format!("{} is {name}, and was not read: {advice}", path.display()));
        } else {
            self.skipped.files.push(path);
        }
    }
}

fn archive(path: &Path) -> Option<ForeignFile> {
    let file = File::open(path).ok()?;
    foreign_file(Box::new(file)).filter(|file| file.is_archive)
}

fn expand_one(argument: &OsStr) -> anyhow::Result<Found> {
    if argument == "-" {
        return Ok(Found::one(Input::Stdin));
    }
    let (path, text) = (Path::new(argument), argument.to_string_lossy());
    if path.is_dir() {
        let mut found = Found::default();
        found.add_folder(path);
        if found.captures.is_empty() {
            let found = [vec!["there is no capture in this folder".to_owned()], found.missing].concat();
            bail!("failed to read {text}: {}", found.join("; "));
        }
        return Ok(found);
    }
    if path.exists() {
        return Ok(Found::one(Input::File(path.to_owned())));
    }
    if is_glob(argument) {
        return matches_of(&text);
    }
    bail!("failed to read {text}: no such file or folder")
}

fn matches_of(pattern: &str) -> anyhow::Result<Found> {
    let paths =
        glob::glob(pattern).with_context(|| format!("failed to read {pattern}: the glob is malformed"))?;
    let mut found = Found::default();
    for path in paths.filter_map(Result::ok) {
        if path.is_dir() {
            found.add_folder(&path);
        } else {
            found.captures.push(Input::File(path));
        }
    }
    if found.captures.is_empty() {
        bail!("failed to read {pattern}: nothing matches this glob");
    }
    Ok(found)
}

fn begins_as_capture(path: &Path) -> bool {
    // A pipe that was read would wait for somebody who writes to it again.
    path.is_file() && File::open(path).is_ok_and(|file| is_capture(Box::new(file)))
}

/// Whether a file's name says that it is a capture, compressed or not.
fn is_named_capture(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let compressed = [".gz", ".zst", ".bz2", ".xz", ".lz4"];
    let name = compressed.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    [".pcap", ".pcapng", ".cap"].iter().any(|end| name.ends_with(end))
}
