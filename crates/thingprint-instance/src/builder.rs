use thingprint_flow::{Finished, FlowOptions, GatewayEvidence, Packet, TrackCounts, Tracker};
use thingprint_protocol::{Detector, Engine, Losses};

use crate::options::InstanceOptions;
use crate::part::{Part, PartId};
use crate::part_observer::PartObserver;

/// Makes a [`Part`] of a capture, packet by packet.
#[derive(Debug)]
pub struct Builder {
    tracker: Tracker<Detector<PartObserver>>,
    gateways: GatewayEvidence,
}

impl Builder {
    /// A builder that has seen nothing; `engine` finds the messages.
    pub fn new(options: InstanceOptions, engine: &Engine) -> Self {
        // What a part says of a device must not depend on how long it was silent.
        let flow = FlowOptions { forget_after_ns: None, ..options.flow.clone() };
        let observer = Detector::new(engine, PartObserver::new(options));
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
        let Finished { observer, devices, carried, span, counts, .. } = self.tracker.finish();
        let losses = observer.losses();
        let observer = observer.into_observer();
        let counts = BuildCounts { track: counts, losses, words_dropped: observer.words_dropped() };
        let mut part = Part::new(id, name, self.gateways);
        part.add(observer.into_part_devices(&devices, &carried), span);
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
    /// Words that were left out of bags because there was no room.
    pub words_dropped: u64,
}
