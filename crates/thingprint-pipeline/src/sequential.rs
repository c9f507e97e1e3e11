use thingprint_flow::{Frame, SharedPacket, Timestamp};
use thingprint_protocol::Detector;

use crate::pending::Pending;
use crate::pipeline::{Inner, Outcome};
use crate::router::{Routed, SHARDS};
use crate::shard::{Shard, finish};
use crate::source::PacketReader;
use crate::stage::Stage;

/// Frames between two looks at the progress.
const PROGRESS_FRAMES: u64 = 1 << 16;
/// Rows leave at least this often, in nanoseconds of the trace.
const RELEASE_NS: i64 = 1_000_000_000;

/// Sees each frame with the observer of each shard that it went to.
pub trait FrameTap<O, R, E> {
    /// A frame went to a shard.
    fn frame(&mut self, frame: &Frame<'_>, observer: &mut O) -> Result<(), E>;
}

/// For those who do not want to see frames.
pub(crate) struct NoTap;

impl<O, R, E> FrameTap<O, R, E> for NoTap {
    #[inline]
    fn frame(&mut self, _: &Frame<'_>, _: &mut O) -> Result<(), E> {
        Ok(())
    }
}

/// All shards on one thread.
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
        self.touched = u64::MAX;
        self.deadline = Timestamp::MAX;
        for shard in &mut self.all {
            shard.tick(clock);
            self.deadline = self.deadline.min(shard.deadline());
        }
    }

    fn begin_segment(&mut self, ended: Timestamp, clock: Timestamp) {
        self.all.iter_mut().for_each(|shard| shard.begin_segment(ended, clock));
        self.tick(clock);
    }

    fn take_rows<E>(&mut self, stage: &S, pending: &mut Pending<'_, S, E>) {
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

/// Reads everything on this thread.
pub(crate) fn run<S: Stage, R: PacketReader, E, T: FrameTap<S::Observer, S::Row, E>>(
    inner: Inner<'_, S, R>,
    mut pending: Pending<'_, S, E>,
    tap: &mut T,
) -> Result<Outcome<S>, E> {
    let Inner { stage, shards, mut reader, mut router, progress } = inner;
    let mut shards = Shards::<S> { all: shards, deadline: Timestamp::MAX, touched: 0 };
    let mut release_at = Timestamp::MIN;
    while let Some(next) = reader.next_packet() {
        let (frame, packet) = (&next.frame, &next.packet);
        let Routed { devices, number, clock, ended } = router.route(next.capture, frame, packet);
        if let Some(ended) = ended {
            shards.begin_segment(ended, clock);
            shards.take_rows(stage, &mut pending);
            pending.flush()?;
            release_at = Timestamp::MIN;
        }
        if number == 1 || clock >= shards.deadline {
            shards.tick(clock);
        }
        for (at, ends) in devices.by_shard().into_iter().flatten() {
            let shard = shards.share(at, &SharedPacket { packet, ends, number, clock });
            tap.frame(frame, Detector::observer_mut(shard.observer_mut()))?;
        }
        if router.gateways.is_due(number, clock) {
            shards.take_rows(stage, &mut pending);
            pending.release(clock)?;
            pending.decide(router.gateways.decide(clock));
        }
        if clock >= release_at {
            release_at = clock.plus_nanos(RELEASE_NS);
            shards.take_rows(stage, &mut pending);
            pending.release(clock)?;
        }
        if number.is_multiple_of(PROGRESS_FRAMES) {
            progress.read(reader.bytes_read());
        }
    }
    router.read.end(reader.end());
    let left = shards.all.into_iter().map(|shard| finish(stage, shard, router.clock)).collect();
    Outcome::of(router, left, pending)
}
