use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use thingprint_flow::{CaptureWriter, Frame, LinkType};
use thingprint_pipeline::FlowId;
use thingprint_report::{FileId, StagedFolder, Transaction};

use crate::exit::Usage;
use crate::messages::{Messages, counted};

/// Bytes of one flow that are kept in memory before they are written.
const MOST_OF_FLOW: usize = 64 << 10;
/// Bytes of all flows together that are kept in memory before they are written.
const MOST_OF_ALL: usize = 64 << 20;

/// A folder with a capture for each flow.
///
/// The folder appears when all flows are written. In it, a capture grows under another name and gets its own when its flow
/// ends. No file stays open: bytes wait in memory, up to a limit, and are appended.
#[derive(Debug)]
pub(super) struct Split {
    folder: PathBuf,
    staged: StagedFolder,
    open: BTreeMap<FlowId, FlowCapture>,
    /// Flows that were begun.
    begun: u64,
    held_bytes: usize,
    captures: u64,
    /// Frames of a link type that the capture of their flow does not have.
    foreign_frames: u64,
}

#[derive(Debug)]
struct FlowCapture {
    /// From 1, in the order of first packets.
    number: u64,
    link: LinkType,
    writer: CaptureWriter<Spool>,
}

/// Bytes on their way into a file.
#[derive(Debug)]
struct Spool {
    path: PathBuf,
    waiting: Vec<u8>,
}

impl Split {
    /// A split into a folder, which is made if it is not there, and has to be empty.
    pub(super) fn into_folder(folder: &Path, results: &Transaction) -> anyhow::Result<Self> {
        let context = || format!("failed to write captures into {}", folder.display());
        // Takes away what a killed run has left, which is no content.
        let staged = results.folder(folder).with_context(context)?;
        let is_other =
            |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| !is_same(&entry.path(), staged.path()));
        if folder.is_dir() && fs::read_dir(folder).with_context(context)?.any(is_other) {
            return Err(Usage(format!("--split: folder {} is not empty", folder.display())).into());
        }
        let folder = folder.to_owned();
        let open = BTreeMap::new();
        Ok(Self { folder, staged, open, begun: 0, held_bytes: 0, captures: 0, foreign_frames: 0 })
    }

    /// Ends the folder, whose captures are whole.
    pub(super) fn close(self) {
        for mut capture in self.open.into_values() {
            // What was never written is not there to be taken away.
            let _ = fs::remove_file(&capture.writer.get_mut().path);
        }
        self.staged.finish();
    }

    /// Adds a frame to the captures of these flows.
    pub(super) fn write(&mut self, flows: Vec<FlowId>, frame: &Frame<'_>) -> anyhow::Result<()> {
        for flow in flows {
            let (before, after) = self.write_one(flow, frame).with_context(|| self.context())?;
            self.held_bytes = (self.held_bytes + after).saturating_sub(before);
        }
        if self.held_bytes > MOST_OF_ALL {
            let written = self.open.values_mut().try_for_each(|capture| capture.writer.get_mut().flush());
            written.with_context(|| self.context())?;
            self.held_bytes = 0;
        }
        Ok(())
    }

    /// Ends the capture of a flow, and gives it a name with its number and `outline`.
    pub(super) fn finish(&mut self, flow: FlowId, outline: &str) -> anyhow::Result<()> {
        let Some(mut capture) = self.open.remove(&flow) else { return Ok(()) };
        self.held_bytes = self.held_bytes.saturating_sub(capture.writer.get_mut().waiting.len());
        let target = self.staged.path().join(format!("{:06}-{}.pcap", capture.number, plain(outline)));
        let rename = |spool: Spool| fs::rename(&spool.path, &target);
        capture.writer.finish().and_then(rename).with_context(|| self.context())?;
        self.captures += 1;
        Ok(())
    }

    /// Says what was written and what was not.
    pub(super) fn report(&self, fragments: u64, messages: Messages) {
        let captures = counted(self.captures, "capture", "captures");
        messages.note(format!("{captures} in {}", self.folder.display()));
        if self.foreign_frames > 0 {
            let count = self.foreign_frames;
            messages.warn(format!("{count} frames are in no capture: their flow began on another link type"));
        }
        if fragments > 0 {
            messages.warn(format!(
                "{fragments} frames with fragments are in no capture: only the one that completes its datagram is"
            ));
        }
    }

    /// Writes a frame, and says how many bytes of its flow waited before and wait after.
    fn write_one(&mut self, flow: FlowId, frame: &Frame<'_>) -> io::Result<(usize, usize)> {
        let capture = match self.open.entry(flow) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                self.begun += 1;
                let number = self.begun;
                let path = self.staged.path().join(format!(".{number:06}.part"));
                let spool = Spool { path, waiting: Vec::new() };
                let writer = CaptureWriter::with_link(spool, frame.link)?;
                entry.insert(FlowCapture { number, link: frame.link, writer })
            }
        };
        let before = capture.writer.get_mut().waiting.len();
        if capture.link == frame.link {
            capture.writer.write(frame.time, frame.bytes, frame.wire_bytes)?;
        } else {
            self.foreign_frames += 1;
        }
        Ok((before, capture.writer.get_mut().waiting.len()))
    }

    fn context(&self) -> String {
        format!("failed to write captures into {}", self.folder.display())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() > MOST_OF_FLOW {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            let mut file = File::options().create(true).append(true).open(&self.path)?;
            file.write_all(&self.waiting)?;
            self.waiting = Vec::new();
        }
        Ok(())
    }
}

fn is_same(a: &Path, b: &Path) -> bool {
    FileId::of(a).is_some_and(|a| FileId::of(b) == Some(a))
}

/// A text that can be part of a file's name anywhere: colons of IPv6 and whatever else is odd become `_`.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}
