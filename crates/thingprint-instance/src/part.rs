use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, FiveTuple, GatewayEvidence, Timestamp, WindowIndex};

use crate::activity::Gap;
use crate::bursts::Bursts;
use crate::tally::WindowTally;

/// What a part of a trace is known by: a hash of its capture.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartId(pub [u8; 32]);

impl PartId {
    /// The id of a part whose captures have these hashes, one after another.
    pub fn of_bytes(hashes: &[u8]) -> Self {
        Self(*blake3::hash(hashes).as_bytes())
    }

    /// The id of a part that is known by a text alone, such as the names of its captures.
    pub fn of_text(text: &str) -> Self {
        Self(*blake3::hash(text.as_bytes()).as_bytes())
    }
}

impl fmt::Debug for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map(|byte| format!("{byte:02x}")).concat())
    }
}

/// What one part of a trace, processed by itself, has to say.
///
/// Windows that lie inside the part are summed up; what a part before or after it may still change stands by
/// itself: the gaps near its ends, the flows that begin and end there, the first and last bursts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub(crate) id: PartId,
    pub(crate) name: Option<String>,
    /// Time of the earliest and of the latest frame; `None` before there is one.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    pub(crate) gateways: GatewayEvidence,
    pub(crate) devices: Vec<(DeviceId, DevicePart)>,
}

impl Part {
    /// What the part is known by.
    pub const fn id(&self) -> PartId {
        self.id
    }

    /// A part without any device yet.
    pub fn new(id: PartId, name: Option<String>, gateways: GatewayEvidence) -> Self {
        Self { id, name, span: None, gateways, devices: Vec::new() }
    }

    /// Whether there was a frame.
    pub const fn is_begun(&self) -> bool {
        self.span.is_some()
    }

    /// Time of its earliest and of its latest frame.
    pub const fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// The time of its earliest frame; the earliest time there is for a part without frames.
    pub(crate) fn start(&self) -> Timestamp {
        self.span.map_or(Timestamp::MIN, |(start, _)| start)
    }

    /// The time of its latest frame; the earliest time there is for a part without frames.
    pub(crate) fn end(&self) -> Timestamp {
        self.span.map_or(Timestamp::MIN, |(_, end)| end)
    }

    /// Adds devices that were seen in a span of time.
    pub fn add(&mut self, devices: PartDevices, span: Option<(Timestamp, Timestamp)>) {
        self.extend(span);
        self.devices.extend(devices.0);
        self.devices.sort_unstable_by_key(|(id, _)| *id);
    }

    fn extend(&mut self, span: Option<(Timestamp, Timestamp)>) {
        self.span = match (self.span, span) {
            (Some((start, end)), Some((first, last))) => Some((start.min(first), end.max(last))),
            (own, other) => own.or(other),
        };
    }
}

/// The devices of a part, or of a shard of it.
#[derive(Clone, Debug, Default)]
pub struct PartDevices(pub(crate) Vec<(DeviceId, DevicePart)>);

/// One device's share of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DevicePart {
    pub(crate) windows: BTreeMap<WindowIndex, Box<WindowTally>>,
    pub(crate) active: Option<(Timestamp, Timestamp)>,
    /// Gaps that a flow reaching into or out of this part may cover.
    pub(crate) open_gaps: Vec<Gap>,
    /// Flows that may have begun before the part, with their first packet in it.
    pub(crate) first_packets: Vec<(FiveTuple, Timestamp)>,
    /// Flows that may go on after the part, with their last packet in it.
    pub(crate) last_packets: Vec<(FiveTuple, Timestamp)>,
    /// First and last bursts of each number that is an interval between bursts.
    pub(crate) bursts: Box<[Bursts]>,
}
