use thingprint_flow::{Finished, FlowOptions, Timestamp, Tracker};
use thingprint_protocol::{Detector, Engine, Limits};

use crate::router::SHARDS;
use crate::stage::{End, Stage};

/// The part of a cap over all devices that one shard has: more than its even share, since a home has few devices and
/// they are not spread evenly.
pub(crate) const FLOW_SHARE: usize = 16;
/// A third more than the even share: where there are so many devices that it counts, they are spread nearly evenly, and each
/// takes some kilobytes.
const DEVICE_SHARE: usize = SHARDS / 4 * 3;
const BYTES_SHARE: usize = 16;

/// The flow table of a shard, with what observes it.
pub(crate) type Shard<S> = Tracker<Detector<<S as Stage>::Observer>>;

/// What a shard left.
pub(crate) type Left<S> = (Vec<<S as Stage>::Row>, <S as Stage>::Rest, End);

/// The shards of a run.
pub(crate) fn shards<S: Stage>(stage: &S, flow: &FlowOptions, engine: &Engine) -> Vec<Shard<S>> {
    let share = |all: usize, share: usize| all.div_ceil(share);
    let flow = FlowOptions {
        max_flows: share(flow.max_flows, FLOW_SHARE),
        max_devices: share(flow.max_devices, DEVICE_SHARE),
        ..flow.clone()
    };
    let limits = engine.limits();
    let engine = engine.limited(Limits {
        buffered_bytes: share(limits.buffered_bytes, BYTES_SHARE),
        message_bytes: share(limits.message_bytes, BYTES_SHARE),
        ..limits
    });
    let new = |_| Tracker::new(flow.clone(), Detector::new(&engine, stage.observer(&engine)));
    (0..SHARDS).map(new).collect()
}

/// Ends a shard at the clock of the trace, which its own may be behind.
pub(crate) fn finish<S: Stage>(stage: &S, mut shard: Shard<S>, clock: Timestamp) -> Left<S> {
    if shard.span().is_some() {
        shard.tick(clock);
    }
    let Finished { observer, devices, carried, span, counts, mut left_out } = shard.finish();
    let losses = observer.losses();
    left_out.merge(observer.left_out().clone());
    let mut observer = observer.into_observer();
    let rows = stage.take(&mut observer);
    left_out.merge(stage.left_out(&observer));
    let end = End { devices, carried, span, counts, losses, left_out };
    let rest = stage.finish(observer, &end);
    (rows, rest, end)
}
