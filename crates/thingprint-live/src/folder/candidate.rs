use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use thingprint_flow::Timestamp;

use super::head::Head;
use super::listing::Listed;
use super::progress::ReadFile;

/// A file that has something to read.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(super) file: Listed,
    /// What it begins with, uncompressed.
    pub(super) head: Head,
    pub(crate) is_compressed: bool,
    /// Packets of it that were read before, and the highest time of these.
    pub(crate) packets_before: u64,
    pub(crate) last_before: Option<Timestamp>,
    /// The time of its first packet, if there is one.
    pub(super) first: Option<Timestamp>,
}

impl Candidate {
    #[cfg(test)]
    pub(crate) fn for_test(path: &str) -> Self {
        let file = Listed { path: path.into(), name: path.to_owned(), inode: None, bytes: 0, modified: None };
        let head = Head::of(&[]);
        Self { file, head, is_compressed: false, packets_before: 0, last_before: None, first: None }
    }

    /// Where it lies.
    pub(crate) const fn path(&self) -> &PathBuf {
        &self.file.path
    }

    /// What is noted of it, before it was read.
    pub(crate) fn unread(&self) -> ReadFile {
        let (device, inode) = self.file.inode.unzip();
        ReadFile {
            name: self.file.name.clone(),
            device,
            inode,
            head: self.head,
            bytes: self.file.bytes,
            is_compressed: self.is_compressed,
            packets: 0,
            last_packet: None,
            is_damaged: false,
        }
    }

    /// Where it comes in the order of reading: by its first packet; without one, by when it was written last.
    pub(super) fn key(&self) -> (Timestamp, &PathBuf) {
        let written = self.file.modified.map_or(Timestamp::MAX, timestamp);
        (self.first.unwrap_or(written), &self.file.path)
    }
}

/// How long a file has not grown: by its own time, and by how long it was watched, since clocks of file servers differ.
pub(super) fn still_for(modified: Option<SystemTime>, seen_since: Instant) -> Duration {
    let by_time = modified.and_then(|modified| SystemTime::now().duration_since(modified).ok());
    by_time.unwrap_or_default().max(seen_since.elapsed())
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
