//! From what is typed (files, folders, globs, `-`) to captures and bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use thingprint_flow::{Capture, is_capture};

use crate::exit::Outcome;
use crate::messages::Messages;

/// Where something is read from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Input {
    /// The name that messages and labels know it by.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "-".to_owned(),
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
            Self::File(path) => match File::open(path) {
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

    /// All its bytes.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::File(path) => File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
            Self::Stdin => io::stdin().read_to_end(&mut bytes),
        }
        .with_context(|| format!("failed to read {}", self.name()))?;
        Ok(bytes)
    }
}

/// The captures that arguments stand for: files as named, folders with every capture in them, globs. A file that
/// is named twice is read once. With several arguments, one that names nothing is a warning as long as another
/// names something; the input is partial then.
pub(crate) fn expand(arguments: &[String], messages: Messages) -> anyhow::Result<(Vec<Input>, Outcome)> {
    let (mut inputs, mut seen, mut missing) = (Vec::new(), BTreeSet::new(), Vec::new());
    for argument in arguments {
        match expand_one(argument) {
            Ok(found) => {
                inputs.extend(found.into_iter().filter(|input| seen.insert(identity(input))));
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
        messages.warn(text);
    }
    Ok((inputs, if missing.is_empty() { Outcome::Done } else { Outcome::Partial }))
}

/// The files that arguments stand for: files as named, globs, `-`; all of them must be there.
pub(crate) fn expand_files(arguments: &[String]) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            inputs.push(Input::Stdin);
        } else if path.is_dir() {
            bail!("failed to read {argument}: it is a folder");
        } else if path.exists() {
            inputs.push(Input::File(path.to_owned()));
        } else if argument.contains(['*', '?', '[']) {
            inputs.extend(matches_of(argument)?);
        } else {
            bail!("failed to read {argument}: no such file");
        }
    }
    Ok(inputs)
}

/// Takes out the files that are copies of earlier ones: a capture given twice is one part of a trace, not two.
/// Gives the names of each copy and its original.
pub(crate) fn take_out_copies(inputs: &mut Vec<Input>) -> Vec<(String, String)> {
    let mut by_length: BTreeMap<u64, Vec<Input>> = BTreeMap::new();
    let mut copies = Vec::new();
    inputs.retain(|input| {
        let Some(length) = input.length() else { return true };
        let alike = by_length.entry(length).or_default();
        if let Some(original) = alike.iter().find(|original| is_same_content(original, input)) {
            copies.push((input.name(), original.name()));
            return false;
        }
        alike.push(input.clone());
        true
    });
    copies
}

fn is_same_content(a: &Input, b: &Input) -> bool {
    let (Input::File(a), Input::File(b)) = (a, b) else { return false };
    let (Ok(a), Ok(b)) = (File::open(a), File::open(b)) else { return false };
    let (mut a, mut b) = (BufReader::new(a), BufReader::new(b));
    loop {
        let (Ok(left), Ok(right)) = (a.fill_buf(), b.fill_buf()) else { return false };
        let length = left.len().min(right.len());
        if left.get(..length) != right.get(..length) || left.is_empty() != right.is_empty() {
            return false;
        }
        if length == 0 {
            return true;
        }
        a.consume(length);
        b.consume(length);
    }
}

/// Whether an input is a capture, by content; standard input, which cannot be looked at twice, is one.
pub(crate) fn is_capture_input(input: &Input) -> bool {
    match input {
        Input::File(path) => {
            !input.is_rewindable() || File::open(path).is_ok_and(|file| is_capture(Box::new(file)))
        }
        Input::Stdin => true,
    }
}

fn identity(input: &Input) -> Input {
    match input {
        Input::File(path) => Input::File(path.canonicalize().unwrap_or_else(|_| path.clone())),
        Input::Stdin => Input::Stdin,
    }
}

fn expand_one(argument: &str) -> anyhow::Result<Vec<Input>> {
    if argument == "-" {
        return Ok(vec![Input::Stdin]);
    }
    let path = Path::new(argument);
    if path.is_dir() {
        let found = captures_in(path)?;
        if found.is_empty() {
            bail!("failed to read {argument}: there is no capture in this folder");
        }
        return Ok(found);
    }
    if path.exists() {
        return Ok(vec![Input::File(path.to_owned())]);
    }
    if argument.contains(['*', '?', '[']) {
        return matches_of(argument);
    }
    bail!("failed to read {argument}: no such file or folder")
}

fn matches_of(pattern: &str) -> anyhow::Result<Vec<Input>> {
    let paths =
        glob::glob(pattern).with_context(|| format!("failed to read {pattern}: the glob is malformed"))?;
    let mut found = Vec::new();
    for path in paths.filter_map(Result::ok) {
        if path.is_dir() {
            found.extend(captures_in(&path)?);
        } else {
            found.push(Input::File(path));
        }
    }
    if found.is_empty() {
        bail!("failed to read {pattern}: nothing matches this glob");
    }
    Ok(found)
}

/// Every capture below a folder, by content, in the order of paths. Folders that are links are not followed.
fn captures_in(folder: &Path) -> anyhow::Result<Vec<Input>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .with_context(|| format!("failed to read {}", folder.display()))?;
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let Ok(kind) = path.symlink_metadata() else { continue };
        if kind.is_dir() {
            found.extend(captures_in(&path)?);
        } else if path.is_file() && File::open(&path).is_ok_and(|file| is_capture(Box::new(file))) {
            found.push(Input::File(path));
        }
    }
    Ok(found)
}
