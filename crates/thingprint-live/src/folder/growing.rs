use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::candidate::{Candidate, still_for};
use super::catalog::Catalog;
use super::head::{HEAD_BYTES, Head};
use super::listing::{LISTING_SHARE, inode};
use crate::collector::Collector;
use crate::outlet::Stopped;
use crate::stop::Stop;

/// A file behind which there is another one is over when it was still for this long: who rotates writes its rest first.
const OVER_AFTER: Duration = Duration::from_secs(2);
/// The newest file is over when it was still for this long; it is opened again if it grows.
const STILL: Duration = Duration::from_mins(1);

/// A file that may still be written: its end is waited for.
pub(crate) struct Growing {
    path: PathBuf,
    file: File,
    inode: Option<(u64, u64)>,
    catalog: Arc<Mutex<Catalog>>,
    collector: Collector,
    watch: Watch,
    end: GrowingEnd,
    grown: Instant,
    /// Whether another file waited when the folder was listed last, and when it is listed next.
    has_other: bool,
    list_again: Instant,
}

/// How a growing file is watched.
#[derive(Clone)]
pub(crate) struct Watch {
    /// Ends it.
    pub(crate) stop: Stop,
    /// How often it is looked at.
    pub(crate) poll: Duration,
    /// Whether other files are known to wait.
    pub(crate) has_next: bool,
}

/// How far a growing file was read; can be asked while its stream is read elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrowingEnd(Arc<Mutex<ReadSoFar>>);

#[derive(Debug, Default)]
struct ReadSoFar {
    bytes: u64,
    start: Vec<u8>,
}

impl GrowingEnd {
    /// Bytes that were read.
    pub(crate) fn bytes(&self) -> u64 {
        self.locked().bytes
    }

    /// What the file begins with, as far as it is there by now.
    pub(crate) fn head(&self) -> Head {
        Head::of(&self.locked().start)
    }

    fn add(&self, bytes: &[u8]) {
        let mut read = self.locked();
        read.bytes += bytes.len() as u64;
        let missing = HEAD_BYTES.saturating_sub(read.start.len());
        read.start.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
    }

    fn locked(&self) -> MutexGuard<'_, ReadSoFar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Growing {
    /// Opens a file, whose frames come to the collector.
    pub(crate) fn open(
        candidate: &Candidate,
        catalog: &Arc<Mutex<Catalog>>,
        collector: &Collector,
        watch: Watch,
    ) -> io::Result<(Self, GrowingEnd)> {
        let file = File::open(candidate.path())?;
        let end = GrowingEnd::default();
        let growing = Self {
            path: candidate.path().clone(),
            inode: inode(&file.metadata()?),
            file,
            catalog: Arc::clone(catalog),
            collector: collector.clone(),
            watch,
            end: end.clone(),
            grown: Instant::now(),
            has_other: false,
            list_again: Instant::now(),
        };
        Ok((growing, end))
    }

    /// Whether the file is over, at its present end.
    fn is_over(&mut self) -> io::Result<bool> {
        let metadata = self.file.metadata()?;
        if metadata.len() < self.end.bytes() {
            return Err(io::Error::other(
                "the file was cut off while it was read; what it has now is read anew",
            ));
        }
        let lies_there = fs::metadata(&self.path).ok().map(|metadata| inode(&metadata));
        let still = still_for(metadata.modified().ok(), self.grown);
        // One that has another name now, or none, is a file that the rotation left behind.
        let is_last = lies_there == Some(self.inode) && !self.has_next();
        Ok(still >= if is_last { STILL } else { OVER_AFTER })
    }

    /// Whether another file waits, as far as the last listing shows: one that takes long is made less often.
    fn has_next(&mut self) -> bool {
        let begun = Instant::now();
        if !self.watch.has_next && begun >= self.list_again {
            let due = self.catalog.lock().unwrap_or_else(PoisonError::into_inner).due();
            self.has_other = due.is_ok_and(|due| due.iter().any(|other| *other.path() != self.path));
            self.list_again = Instant::now() + begun.elapsed() * LISTING_SHARE;
        }
        self.watch.has_next || self.has_other
    }
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.watch.stop.is_set() {
                return Err(io::Error::other(Stopped));
            }
            let read = self.file.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                self.end.add(buffer.get(..read).unwrap_or_default());
                self.grown = Instant::now();
                return Ok(read);
            }
            self.collector.flush().map_err(io::Error::other)?;
            if self.is_over()? {
                return Ok(0);
            }
            self.watch.stop.sleep(self.watch.poll);
        }
    }
}
