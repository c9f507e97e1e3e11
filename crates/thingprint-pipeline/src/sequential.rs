use thingprint_flow::{DeviceLosses, Frame, PlacedPacket, SharedPacket, Timestamp};
use thingprint_protocol::Detector;

use crate::live::LiveShard;
use crate::pending::{Pending, Sink, hand_out};
use crate::pipeline::{Inner, Outcome};
use crate::router::{Routed, Router, SHARDS};
use crate::shard::{Shard, finish};
use crate::sharding::Sharding;
use crate::source::{PacketReader, ReadEnd};
use crate::stage::Stage;

/// Frames between two looks at the progress.
const PROGRESS_FRAMES: u64 = 1 << 16;
/// Rows leave at least this often, in nanoseconds of the trace.
const RELEASE_NS: i64 = 1_000_000_000;

/// Sees each frame with the observer of each shard that it went to, and looks at the shards at times of its own.
pub trait FrameTap<S: Stage, E> {
    /// A frame went to a shard.
    fn frame(&mut self, frame: &Frame<'_>, observer: &mut S::Observer) -> Result<(), E>;

    /// When it wants to look at the shards; the end of time where it does not.
    #[inline]
    fn next_look(&self) -> Timestamp {
        Timestamp::MAX
    }

    /// Looks at the shards, whose clock has come to the time of the look, or to the end of the trace; the next look is
    /// later. The sharding says which device is in which.
    fn look(&mut self, shards: (&[LiveShard<S>], Sharding)) -> Result<(), E> {
        let _ = shards;
        Ok(())
    }

    /// The clock stepped back: looks of the time before are not to be had any more.
    fn step_back(&mut self) {}
}

/// For those who do not want to see frames.
pub(crate) struct NoTap;

impl<S: Stage, E> FrameTap<S, E> for NoTap {
    #[inline]
    fn frame(&mut self, _: &Frame<'_>, _: &mut S::Observer) -> Result<(), E> {
        Ok(())
    }
}

/// All shards on one thread, with what shares packets among them: packets and times are given, and rows are taken.
pub(crate) struct Sequential<'a, S: Stage> {
    stage: &'a S,
    shards: Shards<S>,
    router: Router,
    pending: Pending<'a, S>,
    /// Rows that may leave.
    ready: Vec<S::Row>,
    /// When rows are looked for next.
    release_at: Timestamp,
}

struct Shards<S: Stage> {
    all: Vec<Shard<S>>,
    /// The earliest deadline of any shard.
    deadline: Timestamp,
    /// The shards that may have rows, by bit.
    touched: u64,
}

const _: () = assert!(SHARDS == u64::BITS as usize, "a bit for each shard");

impl<S: Stage> Shards<S> {
    fn tick(&mut self, clock: Timestamp) {
        self.deadline = Timestamp::MAX;
        for (at, shard) in self.all.iter_mut().enumerate() {
            // Before its deadline nothing happens in a shard without a packet.
            self.touched |= u64::from(shard.deadline() <= clock) << at;
            shard.tick(clock);
            self.deadline = self.deadline.min(shard.deadline());
        }
    }

    fn begin_segment(&mut self, ended: Timestamp, clock: Timestamp) {
        self.all.iter_mut().for_each(|shard| shard.begin_segment(ended, clock));
        self.touched = u64::MAX;
        self.tick(clock);
    }

    fn take_rows(&mut self, stage: &S, pending: &mut Pending<'_, S>) {
        let touched = std::mem::take(&mut self.touched);
        let shards = self.all.iter_mut().enumerate();
        for (_, shard) in shards.filter(|(at, _)| touched & (1 << at) != 0) {
            pending.add(stage.take(Detector::observer_mut(shard.observer_mut())));
        }
    }

    #[inline]
    fn share(&mut self, at: usize, shared: &SharedPacket<'_, '_>) -> &mut Shard<S> {
        let tracker = &mut self.all[at];
        tracker.share(shared);
        self.touched |= 1 << at;
        self.deadline = self.deadline.min(tracker.deadline());
        tracker
    }
}

impl<'a, S: Stage> Sequential<'a, S> {
    pub(crate) fn new(stage: &'a S, shards: Vec<Shard<S>>, router: Router, pending: Pending<'a, S>) -> Self {
        let shards = Shards { all: shards, deadline: Timestamp::MAX, touched: 0 };
        Self { stage, shards, router, pending, ready: Vec::new(), release_at: Timestamp::MIN }
    }

    /// Takes a packet, and gives its number.
    #[inline]
    pub(crate) fn packet<E>(
        &mut self,
        next: &PlacedPacket<'_>,
        tap: &mut impl FrameTap<S, E>,
    ) -> Result<u64, E> {
        let (frame, packet) = (&next.frame, &next.packet);
        while frame.time >= tap.next_look() {
            self.tick(tap.next_look());
            tap.look((&self.shards.all, self.router.sharding))?;
        }
        let Routed { devices, number, clock, ended } = self.router.route(next.capture, frame, packet);
        if let Some(ended) = ended {
            self.begin_segment(ended, clock);
            tap.step_back();
        }
        if number == 1 || clock >= self.shards.deadline {
            self.shards.tick(clock);
        }
        for (at, ends) in devices.by_shard().into_iter().flatten() {
            let shard = self.shards.share(at, &SharedPacket { packet, ends, number, clock });
            tap.frame(frame, Detector::observer_mut(shard.observer_mut()))?;
        }
        if self.router.gateways.is_due(number, clock) {
            self.decide(clock);
        }
        if clock >= self.release_at {
            self.release(clock);
        }
        Ok(number)
    }

    /// Moves the clock without a packet.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        // Before the first packet nothing waits for a time.
        if self.router.span.is_none() || now <= self.router.clock {
            return;
        }
        self.router.clock = now;
        if now >= self.shards.deadline {
            self.shards.tick(now);
        }
        if self.router.gateways.is_due(0, now) {
            self.decide(now);
        }
        if now >= self.release_at {
            self.release(now);
        }
    }

    /// The rows that became final since they were taken last, in order.
    #[inline]
    pub(crate) fn take_rows(&mut self) -> Vec<S::Row> {
        std::mem::take(&mut self.ready)
    }

    pub(crate) const fn router(&self) -> &Router {
        &self.router
    }

    pub(crate) fn shards(&self) -> &[Shard<S>] {
        &self.shards.all
    }

    pub(crate) fn shards_mut(&mut self) -> &mut [Shard<S>] {
        &mut self.shards.all
    }

    /// What caps left out so far, by device.
    pub(crate) fn left_out(&self) -> DeviceLosses {
        let mut all = self.router.read.relayed.left_out().clone();
        for shard in &self.shards.all {
            all.merge(shard.left_out().clone());
            all.merge(shard.observer().left_out().clone());
            all.merge(self.stage.left_out(shard.observer().observer()));
        }
        all
    }

    /// Ends everything; `source` is what is known at its end. The last rows are among those of the outcome.
    pub(crate) fn finish(mut self, source: ReadEnd) -> (Outcome<S>, Vec<S::Row>) {
        self.router.read.end(source);
        let Self { stage, shards, router, pending, mut ready, .. } = self;
        let left = shards.all.into_iter().map(|shard| finish(stage, shard, router.clock)).collect();
        let (outcome, rows) = Outcome::of(router, left, pending);
        ready.extend(rows);
        (outcome, ready)
    }

    #[cold]
    fn begin_segment(&mut self, ended: Timestamp, clock: Timestamp) {
        self.shards.begin_segment(ended, clock);
        self.shards.take_rows(self.stage, &mut self.pending);
        self.ready.extend(self.pending.flush());
        self.release_at = Timestamp::MIN;
    }

    #[cold]
    fn decide(&mut self, clock: Timestamp) {
        self.release(clock);
        self.pending.decide(self.router.gateways.decide(clock));
        // Rows that waited for the first decision leave at once.
        self.release_at = clock;
    }

    #[cold]
    fn release(&mut self, clock: Timestamp) {
        self.release_at = clock.plus_nanos(RELEASE_NS);
        self.shards.take_rows(self.stage, &mut self.pending);
        self.ready.extend(self.pending.release(clock));
    }
}

/// Reads everything on this thread.
pub(crate) fn run<S: Stage, R: PacketReader, E, T: FrameTap<S, E>>(
    inner: Inner<'_, S, R>,
    (pending, sink): (Pending<'_, S>, &mut Sink<'_, S::Row, E>),
    tap: &mut T,
) -> Result<Outcome<S>, E> {
    let Inner { stage, shards, mut reader, router, progress } = inner;
    let mut shards = Sequential::new(stage, shards, router, pending);
    while let Some(next) = reader.next_packet() {
        let number = shards.packet(&next, tap)?;
        hand_out(sink, shards.take_rows())?;
        if number.is_multiple_of(PROGRESS_FRAMES) {
            progress.read(reader.bytes_read());
        }
    }
    while tap.next_look() < Timestamp::MAX {
        tap.look((&shards.shards.all, shards.router.sharding))?;
    }
    let (outcome, rows) = shards.finish(reader.end());
    hand_out(sink, rows)?;
    Ok(outcome)
}
