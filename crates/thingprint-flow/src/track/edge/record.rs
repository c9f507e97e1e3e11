use serde::{Deserialize, Serialize};

use super::head::FlowHead;
use crate::Timestamp;
use crate::track::DeviceIndex;
use crate::track::client::Client;
use crate::track::flow::{FlowEnd, OpenFlow, Tally};
use crate::track::key::{FiveTuple, FlowKey};
use crate::track::passages::Passages;
use crate::track::streams::Streams;
use crate::track::window::WindowIndex;

/// What one part keeps of a device's flows that another part may have more of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowEdges {
    /// Flows near its start, in the order of their tuples.
    pub heads: Vec<FlowHead>,
    /// Flows near its end that began inside it; what they count is in nothing else.
    pub open: Vec<FlowRecord>,
    /// Flows that were open at the edge of their window, near its end, and may go on behind it.
    pub carried: Vec<CarriedFlow>,
}

/// A flow at the end of a part, with everything that a flow table knows of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowRecord {
    pub(super) window: WindowIndex,
    pub(super) tuple: FiveTuple,
    first: Timestamp,
    last: Timestamp,
    up: Tally,
    down: Tally,
    ended: Option<(Timestamp, FlowEnd)>,
    local_is_low: bool,
    client: Client,
    /// Whether the device and the other end sent a FIN.
    fins: [bool; 2],
    /// Segments with RST that the device sent.
    resets_up: u64,
    streams: Streams,
    /// Whether a message of it was begun and not complete.
    pub is_mid_message: bool,
}

/// A flow that was open at the edge of its window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CarriedFlow {
    /// The flow's ends.
    pub tuple: FiveTuple,
    /// Time of its last packet.
    pub last: Timestamp,
    pub(in crate::track) streams: Streams,
}

impl FlowRecord {
    /// What is known of an open flow.
    pub(in crate::track) fn of<S>(flow: &OpenFlow<S>, window: WindowIndex) -> Self {
        Self {
            window,
            tuple: flow.key.tuple,
            first: flow.first,
            last: flow.last,
            up: flow.up,
            down: flow.down,
            ended: flow.ended,
            local_is_low: flow.local_is_low,
            client: flow.client,
            fins: [flow.fin_up, flow.fin_down],
            resets_up: flow.resets_up,
            streams: flow.streams,
            is_mid_message: false,
        }
    }

    /// The flow as it was.
    pub(super) fn reopen(&self) -> OpenFlow<()> {
        let [fin_up, fin_down] = self.fins;
        OpenFlow {
            key: FlowKey { device: DeviceIndex::new(0), tuple: self.tuple },
            first: self.first,
            last: self.last,
            up: self.up,
            down: self.down,
            ended: self.ended,
            local_is_low: self.local_is_low,
            client: self.client,
            fin_up,
            fin_down,
            resets_up: self.resets_up,
            streams: self.streams,
            passages: Passages::default(),
            state: (),
        }
    }
}
