use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

use super::block::Block;
use super::doubt::{Doubtful, is_near, judge};
use super::edge::TimeEdges;
use super::hash::ContentHash;
use super::reader::Reader;
use super::source::Capture;
use super::timed::{TimedReader, Times, Unconfirmed};
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
    /// The highest time of this segment that was confirmed.
    clock: Timestamp,
    /// Frames whose captures ended before their times were confirmed, and that are believed; the first one is handed out,
    /// before that of the current capture.
    believed: VecDeque<Doubtful>,
}

/// Frames at the ends of captures that wait for a decision together; captures have few.
const MOST_DOUBTFUL: usize = 4096;

/// How captures are read.
pub(super) struct ReadOptions {
    /// Grows with the bytes read.
    pub(super) count: Arc<AtomicU64>,
    /// Whether to hash what is read.
    pub(super) hash: bool,
    /// Whether frames are sorted later, so that no time has to be confirmed.
    pub(super) is_sorted: bool,
    /// Whether frames at the ends of the trace that wait for others are kept apart.
    pub(super) keeps_edges: bool,
}

impl ReadOptions {
    /// How the times of a capture are looked at, which is the first of the trace or not.
    fn times(&self, is_first: bool) -> Times {
        match (self.is_sorted, self.keeps_edges && is_first) {
            (true, _) => Times::Sorted,
            (false, true) => Times::Part,
            (false, false) => Times::Whole,
        }
    }
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
    /// What is kept apart at the ends of the trace.
    pub(super) edges: TimeEdges,
}

/// A frame, and where it is from.
pub(super) struct Merged<'a> {
    /// Place of the capture in what was given.
    pub(super) capture: usize,
    /// Place of the capture in the order of first frames.
    pub(super) rank: usize,
    pub(super) frame: Frame<'a>,
    /// The block that its bytes lie in, if others may keep it.
    pub(super) block: Option<&'a Block>,
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
            believed: VecDeque::new(),
        }
    }

    /// The frame that was moved to; `None` when every capture has ended.
    #[inline]
    pub(super) fn frame(&self) -> Option<Merged<'_>> {
        if let Some(Doubtful { index, rank, held, .. }) = self.believed.front() {
            return Some(Merged { capture: *index, rank: *rank, frame: held.frame(), block: None });
        }
        let Active { index, rank, reader, .. } = self.current.as_ref()?;
        // Of captures that overlap, each batch of packets would keep a block.
        let block = if self.open.is_empty() { reader.block() } else { None };
        Some(Merged { capture: *index, rank: *rank, frame: reader.frame()?, block })
    }

    /// Bytes read so far from all captures, as they lie in the files.
    pub(super) fn bytes_read(&self) -> u64 {
        self.options.count.load(Memory::Relaxed)
    }

    /// Moves to the next frame whose time nothing contradicts.
    #[inline]
    pub(super) fn advance(&mut self, log: &mut Log) {
        if self.believed.is_empty() || self.believed.pop_front().is_none() {
            self.step(log);
            if !self.is_near() {
                self.decide(log);
            }
        }
        if self.believed.is_empty() {
            self.note_time();
        }
    }

    /// Moves past the frame handed out last and chooses the capture to go on with.
    fn step(&mut self, log: &mut Log) {
        let end = match self.current.as_mut().map(|active| (active.reader.advance(), active)) {
            Some((Ok(Some(time)), active)) => {
                active.time = time;
                if self.rival.is_none_or(|rival| active.key() < rival) {
                    return;
                }
                None
            }
            Some((Ok(None), _)) => Some(Ok(())),
            Some((Err(error), _)) => Some(Err(error)),
            None => None,
        };
        self.choose(end, log);
    }

    /// Chooses the capture to go on with, where the current one has ended or another comes before it; `end` is the end of the
    /// current one, with what was wrong.
    #[inline(never)]
    fn choose(&mut self, end: Option<Result<(), CaptureError>>, log: &mut Log) {
        match (self.current.take(), end) {
            (Some(active), Some(end)) => log.close(active.index, active.reader, end.err()),
            (Some(active), None) => self.open.push(Reverse(active)),
            (None, _) => {}
        }
        self.begin_waiting(log);
        self.current = self.open.pop().map(|Reverse(active)| active);
        self.rival = self.best_open().into_iter().chain(self.best_waiting()).min();
    }

    /// Whether the time of the frame that was moved to needs no confirmation.
    #[inline]
    fn is_near(&self) -> bool {
        self.current.as_ref().is_none_or(|active| is_near(active.time, self.clock))
    }

    /// The clock is that of the frame that was moved to.
    #[inline]
    fn note_time(&mut self) {
        let Some(active) = &self.current else { return };
        if active.time > self.clock || active.reader.begins_segment() {
            self.clock = active.time;
        }
    }

    /// Decides about frames whose captures ended before their times were confirmed: by the frame that follows them.
    #[inline(never)]
    fn decide(&mut self, log: &mut Log) {
        let mut doubtful = Vec::new();
        while let Some(active) = self.current.as_mut().filter(|active| !is_near(active.time, self.clock))
            && doubtful.len() < MOST_DOUBTFUL
            && let Some(Unconfirmed { held, end }) = active.reader.take_unconfirmed()
        {
            let (index, rank, name) = (active.index, active.rank, active.reader.name().to_owned());
            doubtful.push(Doubtful { index, rank, held, end, name });
            self.step(log);
        }
        let next = self.current.as_ref().map(|active| active.time);
        if self.options.keeps_edges && next.is_none() {
            // What another part has behind them decides.
            log.edges.tail.extend(doubtful.into_iter().map(|frame| frame.held.into_edge()));
            return;
        }
        let judged = judge(doubtful, self.clock, next);
        log.wrongly_timed += judged.contradicted;
        for frame in judged.believed.iter().filter(|frame| frame.held.begins_segment) {
            log.note_step_back(&frame.name);
        }
        self.believed.extend(judged.believed);
    }

    /// Begins every capture that comes before all that are open.
    fn begin_waiting(&mut self, log: &mut Log) {
        while let Some(waiting) = self.next_waiting() {
            let Waiting { index, rank, start, .. } = waiting;
            let begun = match start {
                Start::Closed(capture) => {
                    let times = self.options.times(rank == 0);
                    read_first(capture, (&self.options, times), index, log)
                }
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
        self.edges.end_capture(reader.edges());
        if let Some(slot) = self.hashes.get_mut(index) {
            *slot = reader.content_hash();
        }
        self.problems.extend(problem);
    }

    fn note_step_back(&mut self, name: &str) {
        match self.steps_back.iter_mut().find(|(capture, _)| capture == name) {
            Some((_, steps)) => *steps += 1,
            None => self.steps_back.push((name.to_owned(), 1)),
        }
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
        let first = peek_time(&mut capture, options.times(false)).unwrap_or(Timestamp::MIN);
        return Some((first, Start::Closed(capture)));
    }
    let (reader, time) = read_first(capture, (options, options.times(false)), index, log)?;
    Some((time, Start::Begun(reader, time)))
}

fn peek_time(capture: &mut Capture, times: Times) -> Option<Timestamp> {
    let reader = Reader::open(capture, Arc::default(), false).ok()?;
    TimedReader::new(reader, times).advance().ok()?
}

/// Opens a capture and reads its first packet; `None` if there is none, with the reason noted.
fn read_first(
    mut capture: Capture,
    (options, times): (&ReadOptions, Times),
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
    let mut reader = Box::new(TimedReader::new(reader, times));
    match reader.advance() {
        Ok(Some(time)) => Some((reader, time)),
        end => {
            log.close(index, reader, end.err());
            None
        }
    }
}
