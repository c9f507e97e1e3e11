use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thingprint_flow::{
    DeviceId, DeviceLosses, FlowEdges, GatewayEvidence, TimeEdges, Timestamp, WindowIndex,
};

use crate::activity::Gap;
use crate::bursts::Bursts;
use crate::instance_observer::WORDS;
use crate::share::Share;
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
/// What no part before or after it can change is summed up by windows. What one may still change stands by itself:
/// the flows near its ends, the gaps that such flows may cover, the first and last bursts of queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub(crate) id: PartId,
    pub(crate) name: Option<String>,
    /// Who saw it, where several places see one network at the same time; `None` where one does.
    pub(crate) tap: Option<String>,
    /// Time of the earliest and of the latest frame; `None` before there is one.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    pub(crate) gateways: GatewayEvidence,
    /// Datagrams that waited for fragments at its end.
    pub(crate) datagrams_cut: u64,
    /// What caps left out, without words: windows count these.
    pub(crate) left_out: DeviceLosses,
    pub(crate) devices: Vec<(DeviceId, DevicePart)>,
    /// Frames at its ends that are in no device yet, since the parts before and after it decide whether they count.
    pub(crate) times: TimeEdges,
    /// Whether it was made of such frames.
    #[serde(skip)]
    pub(crate) is_edge: bool,
}

impl Part {
    /// What the part is known by.
    pub const fn id(&self) -> PartId {
        self.id
    }

    /// A part without any device yet. `name` is that of its first capture, by which parts of the same times are put
    /// in order; where windows are whole captures, instances have it.
    pub fn new(id: PartId, name: Option<String>, gateways: GatewayEvidence) -> Self {
        Self {
            id,
            name,
            tap: None,
            span: None,
            gateways,
            datagrams_cut: 0,
            left_out: DeviceLosses::default(),
            devices: Vec::new(),
            times: TimeEdges::default(),
            is_edge: false,
        }
    }

    /// The same part as one of several places that see the network at the same time saw it. A device that goes from one
    /// place to another is joined in the order in which they saw it.
    #[must_use]
    pub fn seen_by(self, tap: String) -> Self {
        Self { tap: Some(tap), ..self }
    }

    /// Who saw it, where several places see one network at the same time.
    pub fn tap(&self) -> Option<&str> {
        self.tap.as_deref()
    }

    /// What bears on which addresses are gateways.
    pub const fn gateways(&self) -> &GatewayEvidence {
        &self.gateways
    }

    /// A part of frames at the edges of others, which lies between them.
    pub fn of_edge(number: usize, gateways: GatewayEvidence) -> Self {
        let id = PartId::of_text(&format!("edge {number}"));
        Self { is_edge: true, ..Self::new(id, None, gateways) }
    }

    /// The same part, at whose ends frames wait for its neighbours.
    #[must_use]
    pub fn with_times(self, times: TimeEdges) -> Self {
        Self { times, ..self }
    }

    /// The frames at its ends that wait for its neighbours.
    pub const fn times(&self) -> &TimeEdges {
        &self.times
    }

    /// The same part, at whose end so many datagrams waited for fragments.
    #[must_use]
    pub fn with_datagrams_cut(self, datagrams_cut: u64) -> Self {
        Self { datagrams_cut, ..self }
    }

    /// The same part, which lacks what caps left out.
    #[must_use]
    pub fn with_left_out(self, left_out: DeviceLosses) -> Self {
        Self { left_out: left_out.without(&WORDS), ..self }
    }

    /// The order of parts in a trace.
    pub(crate) fn place(&self) -> (Timestamp, Timestamp, Option<&str>, PartId) {
        (self.times.begin().unwrap_or(self.start()), self.end(), self.name.as_deref(), self.id)
    }

    /// The name of its first capture.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
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
        self.devices.extend(devices.devices);
        self.devices.sort_unstable_by_key(|(id, _)| *id);
    }

    pub(crate) fn keep_share(&mut self, share: Share) {
        self.devices.retain(|(id, _)| share.has(*id));
        if !share.is_first() {
            self.datagrams_cut = 0;
            self.left_out = DeviceLosses::default();
        }
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
pub struct PartDevices {
    pub(crate) devices: Vec<(DeviceId, DevicePart)>,
}

/// One device's share of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DevicePart {
    pub(crate) windows: BTreeMap<WindowIndex, Box<WindowTally>>,
    pub(crate) active: Option<(Timestamp, Timestamp)>,
    /// Gaps that a flow reaching into or out of this part may cover.
    pub(crate) open_gaps: Vec<Gap>,
    /// Flows that reach into or out of this part; no window counts them.
    pub(crate) flows: FlowEdges,
    /// First and last bursts of each number that is an interval between bursts.
    pub(crate) bursts: Box<[Bursts]>,
}
