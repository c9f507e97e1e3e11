use std::collections::BTreeMap;

use thingprint_flow::{
    DeviceIndex, Finished, FiveTuple, FlowOptions, GatewayEvidence, Packet, Timestamp, TrackCounts, Tracker,
};
use thingprint_protocol::{Detector, Engine, Losses};

use crate::instance_observer::InstanceObserver;
use crate::options::InstanceOptions;
use crate::part::{DevicePart, Part, PartId};

/// Makes a [`Part`] of a capture, packet by packet.
#[derive(Debug)]
pub struct Builder {
    tracker: Tracker<Detector<InstanceObserver>>,
    gateways: GatewayEvidence,
}

impl Builder {
    /// A builder that has seen nothing; `engine` finds the messages.
    pub fn new(options: InstanceOptions, engine: &Engine) -> Self {
        // What a part says of a device must not depend on how long it was silent.
        let flow = FlowOptions { forget_after_ns: None, ..options.flow.clone() };
        let observer = Detector::new(engine, InstanceObserver::keeping(options));
        Self { tracker: Tracker::new(flow, observer), gateways: GatewayEvidence::default() }
    }

    /// Takes the next frame of the trace.
    #[inline]
    pub fn push(&mut self, packet: &Packet<'_>) {
        self.gateways.observe(packet);
        self.tracker.push(packet);
    }

    /// Ends the part; `name` is the capture's, where windows are whole captures. `None` when there was no frame.
    pub fn finish(self, id: PartId, name: Option<String>) -> (Option<Part>, BuildCounts) {
        let mut part = Part::new(id, name, self.gateways);
        let counts = part.add(self.tracker.finish());
        (part.is_begun().then_some(part), counts)
    }
}

/// What was dropped while building, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuildCounts {
    /// Counted by the flow table.
    pub track: TrackCounts,
    /// Counted by the protocol engine.
    pub losses: Losses,
    /// Words beyond the most that one bag holds.
    pub words_dropped: u64,
    /// Flows at the start of a part that are not remembered, for want of room, in case an earlier part has their
    /// beginning.
    pub heads_dropped: u64,
}

impl BuildCounts {
    /// Adds what another tracker of the same trace dropped.
    pub const fn merge(&mut self, other: Self) {
        self.track.merge(other.track);
        self.losses.merge(other.losses);
        self.words_dropped += other.words_dropped;
        self.heads_dropped += other.heads_dropped;
    }

    /// What a tracker dropped.
    pub fn of(finished: &Finished<Detector<InstanceObserver>>) -> Self {
        let observer = finished.observer.observer();
        Self {
            track: finished.counts,
            losses: finished.observer.losses(),
            words_dropped: observer.words_dropped(),
            heads_dropped: observer.heads_dropped(),
        }
    }
}

impl Part {
    /// Adds the devices of a tracker that shared the capture with others, with an observer that kept everything.
    pub fn add(&mut self, mut finished: Finished<Detector<InstanceObserver>>) -> BuildCounts {
        let counts = BuildCounts::of(&finished);
        self.extend(finished.span);
        let mut last_packets: BTreeMap<DeviceIndex, Vec<(FiveTuple, Timestamp)>> = BTreeMap::new();
        for (device, tuple, last) in finished.open_flows {
            last_packets.entry(device).or_default().push((tuple, last));
        }
        let parts = finished.observer.observer_mut().take_devices();
        let devices = finished.devices.into_iter().zip(parts).enumerate();
        self.devices.extend(devices.map(|(at, (id, part))| {
            let index = u32::try_from(at).map(DeviceIndex::new);
            let last_packets = index.ok().and_then(|index| last_packets.remove(&index)).unwrap_or_default();
            (id, DevicePart { last_packets, ..part })
        }));
        self.devices.sort_unstable_by_key(|(id, _)| *id);
        counts
    }
}
