use std::collections::BTreeMap;
use std::convert::Infallible;

use thingprint_flow::{Frame, Timestamp, WindowLength};
use thingprint_instance::{Instance, InstanceObserver, InstanceOptions};

use crate::first_packets::{FirstPacket, FirstPacketStage, FirstPackets};
use crate::live::LiveShard;
use crate::pipeline::{Pipeline, Run};
use crate::progress::NoProgress;
use crate::sequential::FrameTap;
use crate::sharding::Sharding;
use crate::source::Source;
use crate::stages::InstanceStage;

const NANOS_A_SECOND: i64 = 1_000_000_000;

/// A window of a device as it was some time after the device's first packet in it.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowSoFar {
    /// Seconds after the first packet; the window's end where that came before.
    pub after_s: u32,
    /// The instance as it would be if nothing more came; `None` where nothing had come that makes one, as of a device that
    /// had only asked for an address of the network.
    pub instance: Option<Instance>,
    /// What was kept of the device.
    pub kept: Kept,
}

/// What a reading keeps of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Flows that are open.
    pub open_flows: u64,
    /// Bytes of open flows.
    pub flow_bytes: u64,
    /// Bytes of windows that are not final: at most, since words count with the room that they may take.
    pub window_bytes: u64,
}

type LookStage = (InstanceStage, FirstPacketStage);

impl Pipeline {
    /// Reads a source once on one thread, as [`Self::run`] does, and gives each window of each device as it was so many
    /// seconds after the device's first packet in it, in the order of these times.
    ///
    /// Where the window ends before, it is given as it was at its end. A window that was cut by a clock that steps back
    /// is given for the times before alone.
    pub fn windows_so_far(
        &self,
        source: &impl Source,
        (options, after_s): (&InstanceOptions, &[u32]),
        take: impl FnMut(WindowSoFar),
    ) -> Run<()> {
        let stage = (InstanceStage::new(options.clone()), FirstPacketStage);
        let flow = &options.flow;
        let mut looks =
            Looks { after_s, window: flow.window, lateness_ns: flow.lateness_ns, due: BTreeMap::new(), take };
        let run = self.run_tapped(source, &stage, |_| Ok::<_, Infallible>(()), (&mut looks, &NoProgress));
        let Ok(Run { rests, summary }) = run;
        Run { rests: rests.into_iter().map(|_| ()).collect(), summary }
    }
}

/// Looks at windows under way.
struct Looks<'s, F> {
    after_s: &'s [u32],
    window: WindowLength,
    lateness_ns: i64,
    due: BTreeMap<Timestamp, Vec<(u32, FirstPacket)>>,
    take: F,
}

impl<F: FnMut(WindowSoFar)> Looks<'_, F> {
    fn schedule(&mut self, first: FirstPacket) {
        let end = self.window.end_of(first.window);
        let end = if end == Timestamp::MAX { end } else { end.plus_nanos(self.lateness_ns) };
        for after_s in self.after_s {
            let at = first.time.plus_nanos(i64::from(*after_s) * NANOS_A_SECOND).min(end);
            self.due.entry(at).or_default().push((*after_s, first));
        }
    }
}

impl<F: FnMut(WindowSoFar)> FrameTap<LookStage, Infallible> for Looks<'_, F> {
    #[inline]
    fn frame(
        &mut self,
        _: &Frame<'_>,
        (_, first): &mut (InstanceObserver, FirstPackets),
    ) -> Result<(), Infallible> {
        for first in first.take() {
            self.schedule(first);
        }
        Ok(())
    }

    #[inline]
    fn next_look(&self) -> Timestamp {
        self.due.first_key_value().map_or(Timestamp::MAX, |(at, _)| *at)
    }

    fn look(&mut self, (shards, sharding): (&[LiveShard<LookStage>], Sharding)) -> Result<(), Infallible> {
        let looks = self.due.pop_first().map(|(_, looks)| looks).unwrap_or_default();
        for (after_s, first) in looks {
            let Some(shard) = shards.get(sharding.shard_of(first.device)) else { continue };
            // Another device may have its index by now.
            if shard.devices().get(first.index.as_usize()) == Some(&first.device) {
                (self.take)(window_so_far(shard, after_s, first));
            }
        }
        Ok(())
    }

    fn step_back(&mut self) {
        self.due.clear();
    }
}

fn window_so_far(shard: &LiveShard<LookStage>, after_s: u32, first: FirstPacket) -> WindowSoFar {
    let FirstPacket { index, window, .. } = first;
    let open = shard.open_flows(|device| device == index);
    let (instances, _) = shard.observer().observer();
    let kept = Kept {
        open_flows: open.len() as u64,
        flow_bytes: shard.kept_bytes(index),
        window_bytes: instances.kept_bytes(index),
    };
    WindowSoFar { after_s, instance: instances.provisional(index, window, &open), kept }
}
