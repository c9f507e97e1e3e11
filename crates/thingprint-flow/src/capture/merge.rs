use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

use super::clock::STEP_NS;
use super::hash::ContentHash;
use super::reader::Reader;
use super::source::Capture;
use super::timed::TimedReader;
use crate::decode::Frame;
use crate::{CaptureError, Timestamp};

/// Several captures as one sequence of frames.
///
/// The capture whose next frame is the earliest goes first; a tie goes to the capture that begins first, then to
/// the lower name. Only captures that overlap are open at the same time.
pub(super) struct Merge {
    options: ReadOptions,
    /// Captures not begun yet, in the order of their first frames.
    waiting: VecDeque<Waiting>,
    /// Captures begun, without the current one.
    open: BinaryHeap<Reverse<Active>>,
    /// The capture whose frame was handed out last.
    current: Option<Active>,
    /// The best key among the others: while the current capture stays below it, it goes on.
    rival: Option<Key>,
    /// The highest time handed out that was confirmed.
    clock: Timestamp,
}

/// How captures are read.
pub(super) struct ReadOptions {
    /// Grows with the bytes read.
    pub(super) count: Arc<AtomicU64>,
    /// Whether to hash what is read.
    pub(super) hash: bool,
    /// Whether frames are sorted later, so that no time has to be confirmed.
    pub(super) is_sorted: bool,
}

/// What was noted while captures were read.
#[derive(Default)]
pub(super) struct Log {
    /// Captures that could not be read to their end.
    pub(super) problems: Vec<CaptureError>,
    /// By the place of the capture in what was given.
    pub(super) hashes: Vec<Option<ContentHash>>,
    /// Frames that were left out, since their times lie alone in the future.
    pub(super) wrongly_timed: u64,
    /// Steps back of the clock, by the name of the capture.
    pub(super) steps_back: Vec<(String, u64)>,
}

/// A frame, and where it is from.
pub(super) struct Merged<'a> {
    /// Place of the capture in what was given.
    pub(super) capture: usize,
    /// Place of the capture in the order of first frames.
    pub(super) rank: usize,
    pub(super) frame: Frame<'a>,
}

/// Time of a capture's next frame, then the capture's place by first frame and name.
type Key = (Timestamp, usize);

struct Waiting {
    index: usize,
    rank: usize,
    first: Timestamp,
    start: Start,
}

enum Start {
    Closed(Capture),
    Begun(Box<TimedReader>, Timestamp),
}

struct Active {
    index: usize,
    rank: usize,
    time: Timestamp,
    reader: Box<TimedReader>,
}

impl Merge {
    /// Looks at where each capture begins, and puts them into order.
    pub(super) fn new(captures: Vec<Capture>, options: ReadOptions, log: &mut Log) -> Self {
        log.hashes = vec![None; captures.len()];
        let alone = captures.len() == 1;
        let mut begins: Vec<(Timestamp, String, Waiting)> = Vec::with_capacity(captures.len());
        for (index, capture) in captures.into_iter().enumerate() {
            let name = capture.name().to_owned();
            let begun = if alone {
                Some((Timestamp::MIN, Start::Closed(capture)))
            } else {
                begin(capture, &options, index, log)
            };
            let Some((first, start)) = begun else { continue };
            begins.push((first, name, Waiting { index, rank: 0, first, start }));
        }
        begins.sort_by(|a, b| (a.0, &a.1, a.2.index).cmp(&(b.0, &b.1, b.2.index)));
        let ranked = begins.into_iter().enumerate().map(|(rank, (.., waiting))| Waiting { rank, ..waiting });
        Self {
            options,
            waiting: ranked.collect(),
            open: BinaryHeap::new(),
            current: None,
            rival: None,
            clock: Timestamp::MIN,
        }
    }

    /// The frame that was moved to; `None` when every capture has ended.
    #[inline]
    pub(super) fn frame(&self) -> Option<Merged<'_>> {
        let Active { index, rank, reader, .. } = self.current.as_ref()?;
        Some(Merged { capture: *index, rank: *rank, frame: reader.frame()? })
    }

    /// Bytes read so far from all captures, as they lie in the files.
    pub(super) fn bytes_read(&self) -> u64 {
        self.options.count.load(Memory::Relaxed)
    }

    /// Moves to the next frame whose time nothing contradicts.
    #[inline]
    pub(super) fn advance(&mut self, log: &mut Log) {
        self.step(log);
        while self.is_contradicted() {
            log.wrongly_timed += 1;
            self.step(log);
        }
    }

    /// Moves past the frame handed out last and chooses the capture to go on with.
    fn step(&mut self, log: &mut Log) {
        if let Some(mut active) = self.current.take() {
            match active.reader.advance() {
                Ok(Some(time)) => {
                    active.time = time;
                    if self.rival.is_none_or(|rival| active.key() < rival) {
                        self.current = Some(active);
                        return;
                    }
                    self.open.push(Reverse(active));
                }
                Ok(None) => log.close(active.index, active.reader, None),
                Err(error) => log.close(active.index, active.reader, Some(error)),
            }
        }
        self.begin_waiting(log);
        self.current = self.open.pop().map(|Reverse(active)| active);
        self.rival = self.best_open().into_iter().chain(self.best_waiting()).min();
    }

    /// Whether the frame that was moved to ended its capture alone in the future, and other captures went on behind that
    /// end: they contradict it.
    #[inline]
    fn is_contradicted(&mut self) -> bool {
        let Some(active) = &self.current else { return false };
        if active.time.nanos_since(self.clock) <= STEP_NS {
            self.clock = self.clock.max(active.time);
            return false;
        }
        match active.reader.unconfirmed_since() {
            None => {
                self.clock = active.time;
                false
            }
            Some(end) => self.clock > end,
        }
    }

    /// Begins every capture that comes before all that are open.
    fn begin_waiting(&mut self, log: &mut Log) {
        while let Some(waiting) = self.next_waiting() {
            let Waiting { index, rank, start, .. } = waiting;
            let begun = match start {
                Start::Closed(capture) => read_first(capture, &self.options, index, log),
                Start::Begun(reader, time) => Some((reader, time)),
            };
            if let Some((reader, time)) = begun {
                self.open.push(Reverse(Active { index, rank, time, reader }));
            }
        }
    }

    fn next_waiting(&mut self) -> Option<Waiting> {
        let due = self.best_waiting()?;
        if self.best_open().is_none_or(|open| due < open) { self.waiting.pop_front() } else { None }
    }

    fn best_open(&self) -> Option<Key> {
        self.open.peek().map(|Reverse(active)| active.key())
    }

    fn best_waiting(&self) -> Option<Key> {
        self.waiting.front().map(|waiting| (waiting.first, waiting.rank))
    }
}

impl Log {
    fn close(&mut self, index: usize, mut reader: Box<TimedReader>, problem: Option<CaptureError>) {
        let flaws = reader.flaws();
        self.wrongly_timed += flaws.wrongly_timed;
        if flaws.steps_back > 0 {
            self.steps_back.push((reader.name().to_owned(), flaws.steps_back));
        }
        if let Some(slot) = self.hashes.get_mut(index) {
            *slot = reader.content_hash();
        }
        self.problems.extend(problem);
    }
}

impl Active {
    fn key(&self) -> Key {
        (self.time, self.rank)
    }
}

impl PartialEq for Active {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Active {}

impl PartialOrd for Active {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Active {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// Finds out when a capture begins. One that can be opened again is closed meanwhile; one that cannot be read or
/// has no packets comes first, so that this is told before anything else.
fn begin(
    mut capture: Capture,
    options: &ReadOptions,
    index: usize,
    log: &mut Log,
) -> Option<(Timestamp, Start)> {
    if capture.is_reopenable() {
        let first = peek_time(&mut capture, options.is_sorted).unwrap_or(Timestamp::MIN);
        return Some((first, Start::Closed(capture)));
    }
    let (reader, time) = read_first(capture, options, index, log)?;
    Some((time, Start::Begun(reader, time)))
}

fn peek_time(capture: &mut Capture, is_sorted: bool) -> Option<Timestamp> {
    let reader = Reader::open(capture, Arc::default(), false).ok()?;
    TimedReader::new(reader, is_sorted).advance().ok()?
}

/// Opens a capture and reads its first packet; `None` if there is none, with the reason noted.
fn read_first(
    mut capture: Capture,
    options: &ReadOptions,
    index: usize,
    log: &mut Log,
) -> Option<(Box<TimedReader>, Timestamp)> {
    let reader = match Reader::open(&mut capture, Arc::clone(&options.count), options.hash) {
        Ok(reader) => reader,
        Err(error) => {
            log.problems.push(error);
            return None;
        }
    };
    let mut reader = Box::new(TimedReader::new(reader, options.is_sorted));
    match reader.advance() {
        Ok(Some(time)) => Some((reader, time)),
        end => {
            log.close(index, reader, end.err());
            None
        }
    }
}
