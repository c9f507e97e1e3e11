use thingprint_flow::{Finished, FlowOptions, GatewayEvidence, Packet, Timestamp, TrackCounts, Tracker};
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
        let gateways = GatewayEvidence::with_local_nets(flow.local_nets.clone());
        Self { tracker: Tracker::new(flow, observer), gateways }
    }

    /// The clock stepped back before the next frame, whose time is `now`; no flow goes on over the step.
    pub fn begin_segment(&mut self, now: Timestamp) {
        if let Some((_, clock)) = self.tracker.span() {
            self.tracker.begin_segment(clock, now);
        }
    }

    /// Whether there was no frame.
    pub fn is_empty(&self) -> bool {
        self.tracker.span().is_none()
    }

    /// Takes the next frame of the trace.
    #[inline]
    pub fn push(&mut self, packet: &Packet<'_>) {
        self.gateways.observe(packet);
        self.tracker.push(packet);
    }

    /// Ends the part; `name` is the capture's, where windows are whole captures. `None` when there was no frame.
    pub fn finish(self, id: PartId, name: Option<String>) -> (Option<Part>, BuildCounts) {
        let Finished { observer, devices, carried, span, counts, mut left_out } = self.tracker.finish();
        let losses = observer.losses();
        left_out.merge(observer.left_out().clone());
        let observer = observer.into_observer();
        left_out.merge(observer.left_out());
        let counts = BuildCounts { track: counts, losses, words_dropped: observer.words_dropped() };
        let mut part = Part::new(id, name, self.gateways).with_left_out(left_out);
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
