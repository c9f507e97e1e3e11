use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thingprint_flow::{Capture, FrameReader, SourceClocks, Timestamp, decompress, is_capture, is_compressed};

use super::candidate::{Candidate, still_for};
use super::head::Head;
use super::listing::{Listed, Listing};
use super::progress::{FolderProgress, Lying, ReadFile};
use crate::printable;

/// Bytes of a file that are looked at to see what it is and when it begins.
const LOOK_BYTES: u64 = 4 * 1024;
/// Bytes that are looked at where the first packet is longer.
const LONG_LOOK_BYTES: u64 = 256 * 1024;
/// Fewer bytes do not show whether a file is a capture: it is looked at again when it has more.
const SHOWING_BYTES: usize = 24;
/// A compressed file is read when it was still for so long: what compresses it writes all the time.
const COMPRESSED_STILL: Duration = Duration::from_secs(5);
/// A file that could not be opened is tried again after this.
const RETRY_AFTER: Duration = Duration::from_mins(1);
/// Why a folder in the folder is left out, and what to do.
const WITHIN: &str = "a folder, whose files are not read: name it as a source of its own";
/// Names of files that a message has; the number says how many there are.
const MOST_NAMED: usize = 3;

/// Which files of a folder have something to read.
#[derive(Debug)]
pub(crate) struct Catalog {
    folder: PathBuf,
    progress: FolderProgress,
    /// What was found of each file that lies there.
    seen: BTreeMap<PathBuf, Seen>,
    /// Files that are known under another name now.
    renamed: Vec<ReadFile>,
    /// Files that are left out, with why; those that were said already are in `told`.
    left_out: BTreeMap<PathBuf, String>,
    told: BTreeSet<PathBuf>,
    not_files: u64,
}

/// A file as it was looked at.
#[derive(Clone, Debug)]
struct Seen {
    file: Listed,
    since: Instant,
    looked: Instant,
    finding: Finding,
}

/// What a look at a file found.
#[derive(Clone, Debug)]
enum Finding {
    /// It has something to read.
    Due(Candidate),
    /// It was read.
    Done,
    /// It is too short to show what it is, or still being compressed.
    TooEarly,
    /// It is not a capture.
    Foreign,
    /// It cannot be opened.
    Unreadable,
}

impl Catalog {
    pub(crate) fn new(folder: PathBuf, progress: FolderProgress) -> Self {
        Self {
            folder,
            progress,
            seen: BTreeMap::new(),
            renamed: Vec::new(),
            left_out: BTreeMap::new(),
            told: BTreeSet::new(),
            not_files: 0,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files that have something to read now, in the order of their first packets.
    pub(crate) fn due(&mut self) -> io::Result<Vec<Candidate>> {
        let listing = Listing::of(&self.folder)?;
        self.not_files = listing.left_out;
        let mut before = std::mem::take(&mut self.seen);
        self.left_out.clear();
        let folders = listing.folders.into_iter().map(|path| (path, WITHIN.to_owned()));
        self.left_out.extend(folders);
        for file in listing.files {
            let seen = self.look(before.remove(&file.path), file);
            self.seen.insert(seen.file.path.clone(), seen);
        }
        let (left_out, told) = (&self.left_out, &mut self.told);
        told.retain(|path| left_out.contains_key(path));
        let mut due: Vec<Candidate> = self.seen.values().filter_map(Seen::candidate).cloned().collect();
        due.sort_by(|a, b| a.key().cmp(&b.key()));
        Ok(due)
    }

    /// Looks at a file again that had something to read when it was listed: by now it may be gone, or known by another
    /// name, or as the same file compressed.
    pub(crate) fn again(&mut self, candidate: &Candidate) -> Option<Candidate> {
        let file = Listed::of(candidate.path())?;
        let since = self.seen.remove(candidate.path()).map_or_else(Instant::now, |seen| seen.since);
        let finding = self.find(&file, since);
        let seen = Seen { file, since, looked: Instant::now(), finding };
        let candidate = seen.candidate().cloned();
        self.seen.insert(seen.file.path.clone(), seen);
        candidate
    }

    /// Notes that a file was read.
    pub(crate) fn note(&mut self, path: &Path, file: ReadFile) {
        self.progress.note(file);
        // It is looked at anew, in case it grew meanwhile.
        self.seen.remove(path);
    }

    /// Files that have another name now, since this was called last.
    pub(crate) fn take_renamed(&mut self) -> Vec<ReadFile> {
        std::mem::take(&mut self.renamed)
    }

    /// Files that are left out, and were not told yet, each with why.
    pub(crate) fn newly_left_out(&mut self) -> Vec<String> {
        let new: Vec<(&PathBuf, &String)> =
            self.left_out.iter().filter(|(path, _)| !self.told.contains(*path)).collect();
        let lines = new
            .iter()
            .map(|(path, why)| {
                let path = printable(&path.to_string_lossy());
                format!("{path}: left out: {why}")
            })
            .collect();
        self.told = self.left_out.keys().cloned().collect();
        lines
    }

    /// How many files cannot be opened.
    pub(crate) fn unreadable(&self) -> u64 {
        self.seen.values().filter(|seen| matches!(seen.finding, Finding::Unreadable)).count() as u64
    }

    /// How many files are left out, and a sentence about them.
    pub(crate) fn left_out(&self) -> (u64, Option<String>) {
        let count = self.left_out.len() as u64;
        let name = |path: &PathBuf| printable(&path.file_name().unwrap_or_default().to_string_lossy());
        let mut names: Vec<String> = self.left_out.keys().take(MOST_NAMED).map(name).collect();
        if self.left_out.len() > MOST_NAMED {
            names.push("...".to_owned());
        }
        let mut parts = Vec::new();
        if count > 0 {
            parts.push(format!(
                "left out, a folder, not a capture or not readable: {count} ({})",
                names.join(", ")
            ));
        }
        if self.not_files > 0 {
            parts.push(format!("left out, hidden, not a file or beyond the limit: {}", self.not_files));
        }
        (count + self.not_files, (!parts.is_empty()).then(|| parts.join("; ")))
    }

    /// Looks at a file, if it is not as it was.
    fn look(&mut self, before: Option<Seen>, file: Listed) -> Seen {
        let now = Instant::now();
        let since = before.as_ref().filter(|seen| seen.file == file).map(|seen| seen.since);
        let finding = match before {
            Some(seen) if since.is_some() && !seen.is_to_be_looked_at() => {
                self.note_left_out(&file.path, &seen.finding);
                return seen;
            }
            _ => self.find(&file, since.unwrap_or(now)),
        };
        self.note_left_out(&file.path, &finding);
        Seen { file, since: since.unwrap_or(now), looked: now, finding }
    }

    fn note_left_out(&mut self, path: &Path, finding: &Finding) {
        let why = match finding {
            Finding::Foreign => "not a capture",
            Finding::Unreadable => "it cannot be read; check its owner and its mode",
            Finding::Due(_) | Finding::Done | Finding::TooEarly => return,
        };
        self.left_out.insert(path.to_owned(), why.to_owned());
    }

    fn find(&mut self, file: &Listed, since: Instant) -> Finding {
        let Ok(start) = Start::of(&file.path, LOOK_BYTES) else { return Finding::Unreadable };
        let is_still = still_for(file.modified, since) >= COMPRESSED_STILL;
        if start.is_compressed && !is_still {
            return Finding::TooEarly;
        }
        if !start.is_capture() {
            let is_early = start.bytes.len() < SHOWING_BYTES && !start.is_compressed;
            return if is_early { Finding::TooEarly } else { Finding::Foreign };
        }
        let lying = Lying { name: &file.name, inode: file.inode, start: &start.bytes };
        let known = self.progress.find(lying).cloned();
        if let Some(known) = &known {
            self.note_name(known, file);
            if !known.has_more(file, start.is_compressed) {
                return Finding::Done;
            }
        }
        Finding::Due(Candidate {
            file: file.clone(),
            head: Head::of(&start.bytes),
            is_compressed: start.is_compressed,
            packets_before: known.as_ref().map_or(0, |known| known.packets),
            last_before: known.and_then(|known| known.last_packet),
            first: start.first().or_else(|| Start::of(&file.path, LONG_LOOK_BYTES).ok()?.first()),
        })
    }

    /// A file that was read has another name, or is the same file compressed.
    fn note_name(&mut self, known: &ReadFile, file: &Listed) {
        // A file that lies there under both names keeps the first.
        let is_there =
            || Listed::of(&self.folder.join(&known.name)).is_some_and(|there| there.inode == file.inode);
        if known.name != file.name && known.inode() == file.inode && !is_there() {
            let renamed = ReadFile { name: file.name.clone(), ..known.clone() };
            self.progress.note(renamed.clone());
            self.renamed.push(renamed);
        }
    }
}

impl Seen {
    fn candidate(&self) -> Option<&Candidate> {
        match &self.finding {
            Finding::Due(candidate) => Some(candidate),
            _ => None,
        }
    }

    /// Whether a file that did not change is looked at again.
    fn is_to_be_looked_at(&self) -> bool {
        match self.finding {
            Finding::TooEarly => true,
            Finding::Unreadable => self.looked.elapsed() >= RETRY_AFTER,
            Finding::Due(_) | Finding::Done | Finding::Foreign => false,
        }
    }
}

impl ReadFile {
    /// Whether the file that lies there has more than what was read of it.
    fn has_more(&self, file: &Listed, is_compressed: bool) -> bool {
        if self.is_damaged {
            return false;
        }
        // What was compressed after it was read has the same packets.
        self.is_compressed == is_compressed && file.bytes > self.bytes
    }
}

/// The first bytes of a file, uncompressed.
struct Start {
    bytes: Vec<u8>,
    is_compressed: bool,
}

impl Start {
    fn of(path: &Path, length: u64) -> io::Result<Self> {
        let mut raw = Vec::new();
        File::open(path)?.take(length).read_to_end(&mut raw)?;
        let is_compressed = is_compressed(&raw);
        if !is_compressed {
            return Ok(Self { bytes: raw, is_compressed });
        }
        let mut bytes = Vec::new();
        // A part of a compressed file ends in an error, behind the bytes that are there.
        let _ = decompress(Box::new(Cursor::new(raw)))
            .and_then(|stream| stream.take(length).read_to_end(&mut bytes));
        Ok(Self { bytes, is_compressed })
    }

    fn is_capture(&self) -> bool {
        self.bytes.len() >= SHOWING_BYTES && is_capture(Box::new(Cursor::new(self.bytes.clone())))
    }

    /// The time of the first packet.
    fn first(&self) -> Option<Timestamp> {
        let capture = Capture::once("", Box::new(Cursor::new(self.bytes.clone())));
        let mut reader = FrameReader::open(capture).ok()?;
        let mut clocks = SourceClocks::trusted();
        Some(reader.next_frame(&mut clocks).ok()??.time)
    }
}
