use std::collections::VecDeque;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use thingprint_flow::Timestamp;
use thingprint_protocol::Detector;

use crate::batch::Batch;
use crate::pending::{Pending, Sink, hand_out};
use crate::pipeline::{Inner, Outcome};
use crate::progress::Progress;
use crate::router::{Routed, Router, SHARDS};
use crate::shard::{Left, Shard, finish};
use crate::source::PacketReader;
use crate::stage::Stage;

/// Batches that are read and not done with.
const MOST_BATCHES: usize = 16;
/// Below this number of batches, reading comes first: the other threads must not run out of work.
const FEW_BATCHES: usize = 3;
/// Batches that a thread takes through a shard at a time.
const AT_ONCE: usize = 4;
/// A stream's batch ends after so much time of the trace, in nanoseconds, however few packets there were.
const STREAM_NS: i64 = 1_000_000_000;

/// The work that threads share. Each piece of it (the reader, a shard) is with one thread at a time, and goes through
/// the batches in their order: so it does not matter which thread does what. Rows are handed out by the thread that
/// asked for them, since what takes them need not be able to move to another.
struct Work<S: Stage, R> {
    reader: Option<Box<Reading<R>>>,
    is_read: bool,
    shards: Vec<Place<S>>,
    /// The batches that are not done with, from `base` on.
    batches: VecDeque<InWork<S>>,
    base: u64,
    /// Whether a thread panicked, or nobody wants the rows any more.
    is_aborted: bool,
    spare: Vec<Batch>,
}

/// A shard that nobody works on, and where it is.
struct Place<S: Stage> {
    shard: Option<Box<Shard<S>>>,
    /// The next batch to take through it.
    next: u64,
    deadline: Timestamp,
}

struct InWork<S: Stage> {
    batch: Arc<Batch>,
    /// Shards that are not through with it.
    waiting: usize,
    rows: Rows<S::Row>,
}

/// The rows that a batch gave.
struct Rows<R> {
    /// Those of the segment that ended before it.
    before: Vec<R>,
    rows: Vec<R>,
}

struct Reading<R> {
    reader: R,
    router: Router,
    is_stream: bool,
    /// The batch that comes next, with the first packet of a segment.
    next: Option<(Batch, Routed)>,
}

/// What a thread does next.
enum Step<S: Stage, R> {
    HandOut(InWork<S>),
    Follow(usize, Box<Shard<S>>, Vec<Arc<Batch>>),
    Read(Box<Reading<R>>, Batch),
    Wait,
    End,
}

struct Shared<'a, S: Stage, R> {
    stage: &'a S,
    progress: &'a dyn Progress,
    work: Mutex<Work<S, R>>,
    changed: Condvar,
}

/// Where the rows go of the thread that asked for them.
struct Way<'w, 'a, 's, S: Stage, E> {
    pending: &'w mut Pending<'a, S>,
    sink: &'w mut Sink<'s, S::Row, E>,
}

/// Reads everything on so many threads.
pub(crate) fn run<'a, S: Stage, R: PacketReader, E>(
    inner: Inner<'a, S, R>,
    (mut pending, sink): (Pending<'a, S>, &mut Sink<'_, S::Row, E>),
    (threads, is_stream): (NonZeroUsize, bool),
) -> Result<Outcome<S>, E> {
    let Inner { stage, shards, reader, router, progress } = inner;
    let place = |shard: Shard<S>| Place { shard: Some(Box::new(shard)), next: 0, deadline: Timestamp::MAX };
    let work = Work {
        reader: Some(Box::new(Reading { reader, router, is_stream, next: None })),
        is_read: false,
        shards: shards.into_iter().map(place).collect(),
        batches: VecDeque::new(),
        base: 0,
        is_aborted: false,
        spare: Vec::new(),
    };
    let shared = Shared { stage, progress, work: Mutex::new(work), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 1..threads.get() {
            scope.spawn(|| {
                let Ok(()) = shared.work(None::<&mut Way<'_, '_, '_, S, Infallible>>, true);
            });
        }
        // Whoever waits for a slow stream cannot hand out what is there.
        shared.work(Some(&mut Way { pending: &mut pending, sink: &mut *sink }), !is_stream)
    })?;
    let work = shared.work.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Some(reading) = work.reader else { unreachable!("every thread gave back what it worked on") };
    let Reading { reader, mut router, .. } = *reading;
    router.read.end(reader.end());
    let shards = work.shards.into_iter().filter_map(|place| place.shard);
    let left = finish_all(stage, shards.collect(), (router.clock, threads));
    let (outcome, rows) = Outcome::of(router, left, pending);
    hand_out(sink, rows)?;
    Ok(outcome)
}

/// Ends the shards on so many threads; what they left comes in their order.
fn finish_all<S: Stage>(
    stage: &S,
    shards: Vec<Box<Shard<S>>>,
    (clock, threads): (Timestamp, NonZeroUsize),
) -> Vec<Left<S>> {
    let waiting = Mutex::new(shards.into_iter().enumerate());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let finish_some = || {
        let mut left = Vec::new();
        while let Some((at, shard)) = next() {
            left.push((at, finish(stage, *shard, clock)));
        }
        left
    };
    let mut left = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.get()).map(|_| scope.spawn(finish_some)).collect();
        let mut left = finish_some();
        for other in others {
            left.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        left
    });
    left.sort_by_key(|(at, _)| *at);
    left.into_iter().map(|(_, left)| left).collect()
}

impl<S: Stage, R: PacketReader> Shared<'_, S, R> {
    fn lock(&self) -> MutexGuard<'_, Work<S, R>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until everything is done; with a `sink`, hands out rows.
    fn work<E>(&self, mut sink: Option<&mut Way<'_, '_, '_, S, E>>, may_read: bool) -> Result<(), E> {
        let _guard = AbortOnPanic(self);
        let mut work = self.lock();
        loop {
            match work.next_step(sink.is_some(), may_read) {
                Step::End => {
                    self.changed.notify_all();
                    return Ok(());
                }
                Step::Wait => {
                    work = self.changed.wait(work).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                Step::HandOut(done) => {
                    drop(work);
                    let (mut spare, handed_out) = done_with(sink.as_deref_mut(), done);
                    // The blocks that it kept are free for what is read next.
                    spare.iter_mut().for_each(Batch::clear);
                    work = self.lock();
                    work.spare.extend(spare);
                    work.is_aborted |= handed_out.is_err();
                    if handed_out.is_err() {
                        self.changed.notify_all();
                        return handed_out;
                    }
                }
                Step::Follow(at, shard, batches) => {
                    drop(work);
                    work = self.follow(at, shard, &batches);
                }
                Step::Read(reading, batch) => {
                    drop(work);
                    work = self.read(reading, batch);
                }
            }
            self.changed.notify_all();
        }
    }

    /// Takes batches through a shard.
    fn follow(
        &self,
        at: usize,
        mut shard: Box<Shard<S>>,
        batches: &[Arc<Batch>],
    ) -> MutexGuard<'_, Work<S, R>> {
        let through = |batch: &Arc<Batch>| {
            if let Some(begins) = batch.begins {
                shard.tick(begins);
            }
            let mut before = Vec::new();
            if let Some((ended, begins)) = batch.begins_segment {
                shard.begin_segment(ended, begins);
                before = self.stage.take(Detector::observer_mut(shard.observer_mut()));
            }
            batch.for_each(at, |shared| shard.share(shared));
            shard.tick(batch.clock);
            Rows { before, rows: self.stage.take(Detector::observer_mut(shard.observer_mut())) }
        };
        let rows: Vec<Rows<S::Row>> = batches.iter().map(through).collect();
        let mut work = self.lock();
        work.give_back(at, shard, rows);
        work
    }

    /// Reads a batch.
    fn read(&self, mut reading: Box<Reading<R>>, mut batch: Batch) -> MutexGuard<'_, Work<S, R>> {
        let is_end = reading.fill(&mut batch);
        self.progress.read(reading.reader.bytes_read());
        let mut work = self.lock();
        work.is_read = is_end;
        work.reader = Some(reading);
        work.batches.push_back(InWork {
            batch: Arc::new(batch),
            waiting: SHARDS,
            rows: Rows { before: Vec::new(), rows: Vec::new() },
        });
        work
    }
}

/// Hands out the rows of a batch that every shard is through with; gives back the batch for another use.
fn done_with<S: Stage, E>(
    way: Option<&mut Way<'_, '_, '_, S, E>>,
    done: InWork<S>,
) -> (Option<Batch>, Result<(), E>) {
    let batch = Arc::try_unwrap(done.batch).ok();
    let Some(way) = way else { return (batch, Ok(())) };
    let pending = &mut *way.pending;
    pending.add(done.rows.before);
    let is_next_segment = batch.as_ref().is_some_and(|batch| batch.begins_segment.is_some());
    let mut rows = if is_next_segment { pending.flush() } else { Vec::new() };
    pending.add(done.rows.rows);
    if let Some(batch) = &batch {
        rows.extend(pending.release(batch.clock));
    }
    if let Some(decision) = batch.as_ref().and_then(|batch| batch.decision.clone()) {
        pending.decide(decision);
    }
    (batch, hand_out(way.sink, rows))
}

impl<R: PacketReader> Reading<R> {
    /// Fills a batch; whether that was the end of the source.
    fn fill(&mut self, batch: &mut Batch) -> bool {
        batch.clear();
        batch.clock = self.router.clock;
        let mut first = None;
        if let Some((next, routed)) = self.next.take() {
            *batch = next;
            if self.is_complete(batch, &routed, &mut first) {
                return false;
            }
        }
        while !batch.is_full() {
            let Some(next) = self.reader.next_packet() else { return true };
            let routed = self.router.route(next.capture, &next.frame, &next.packet);
            if routed.ended.is_some() {
                self.next = Some((Batch::of_segment(&next, &routed), routed));
                return false;
            }
            if routed.number == 1 {
                batch.begins = Some(routed.clock);
            }
            batch.push(&next, &routed);
            if self.is_complete(batch, &routed, &mut first) {
                return false;
            }
        }
        false
    }

    /// Whether a batch ends with the packet that was added last; `first` is the time of its first one.
    #[inline]
    fn is_complete(&mut self, batch: &mut Batch, routed: &Routed, first: &mut Option<Timestamp>) -> bool {
        let &Routed { number, clock, .. } = routed;
        if self.router.gateways.is_due(number, clock) {
            batch.decision = Some(self.router.gateways.decide(clock));
            return true;
        }
        let begins = *first.get_or_insert(clock);
        self.is_stream && clock.nanos_since(begins) >= STREAM_NS
    }
}

impl<S: Stage, R> Work<S, R> {
    fn next_step(&mut self, may_hand_out: bool, may_read: bool) -> Step<S, R> {
        if self.is_aborted {
            return Step::End;
        }
        self.pass_idle_shards();
        if may_hand_out
            && self.batches.front().is_some_and(|batch| batch.waiting == 0)
            && let Some(done) = self.batches.pop_front()
        {
            self.base += 1;
            return Step::HandOut(done);
        }
        if may_read
            && self.batches.len() < FEW_BATCHES
            && let Some(step) = self.step_to_read()
        {
            return step;
        }
        let step = self.step_to_follow().or_else(|| if may_read { self.step_to_read() } else { None });
        step.unwrap_or(if self.is_read && self.batches.is_empty() { Step::End } else { Step::Wait })
    }

    fn step_to_read(&mut self) -> Option<Step<S, R>> {
        if self.is_read || self.batches.len() >= MOST_BATCHES {
            return None;
        }
        let reading = self.reader.take()?;
        Some(Step::Read(reading, self.spare.pop().unwrap_or_default()))
    }

    /// The shard that is furthest behind.
    fn step_to_follow(&mut self) -> Option<Step<S, R>> {
        let end = self.base + self.batches.len() as u64;
        let places = self.shards.iter().enumerate();
        let (at, next) = places
            .filter(|(_, place)| place.shard.is_some() && place.next < end)
            .map(|(at, place)| (at, place.next))
            .min_by_key(|(_, next)| *next)?;
        let shard = self.shards.get_mut(at)?.shard.take()?;
        let from = usize::try_from(next.saturating_sub(self.base)).ok()?;
        let batches = self.batches.iter().skip(from).take(AT_ONCE).map(|work| Arc::clone(&work.batch));
        Some(Step::Follow(at, shard, batches.collect()))
    }

    /// Takes shards past the batches that have nothing for them.
    fn pass_idle_shards(&mut self) {
        for (at, place) in self.shards.iter_mut().enumerate() {
            if place.shard.is_none() {
                continue;
            }
            let from = usize::try_from(place.next.saturating_sub(self.base)).unwrap_or(usize::MAX);
            for work in self.batches.iter_mut().skip(from) {
                let is_idle =
                    !work.batch.has(at) && !work.batch.begins_anything() && place.deadline > work.batch.clock;
                if !is_idle {
                    break;
                }
                place.next += 1;
                work.waiting -= 1;
            }
        }
    }

    fn give_back(&mut self, at: usize, shard: Box<Shard<S>>, rows: Vec<Rows<S::Row>>) {
        let Some(place) = self.shards.get_mut(at) else { return };
        for rows in rows {
            let from = usize::try_from(place.next.saturating_sub(self.base)).unwrap_or(usize::MAX);
            if let Some(work) = self.batches.get_mut(from) {
                work.waiting -= 1;
                work.rows.before.extend(rows.before);
                work.rows.rows.extend(rows.rows);
            }
            place.next += 1;
        }
        place.deadline = shard.deadline();
        place.shard = Some(shard);
    }
}

/// Lets the other threads end when one panics, which would leave them waiting for what it holds.
struct AbortOnPanic<'s, 'a, S: Stage, R>(&'s Shared<'a, S, R>);

impl<S: Stage, R> Drop for AbortOnPanic<'_, '_, S, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.work.lock().unwrap_or_else(PoisonError::into_inner).is_aborted = true;
            self.0.changed.notify_all();
        }
    }
}
