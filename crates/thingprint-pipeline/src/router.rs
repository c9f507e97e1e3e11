use thingprint_flow::{DeviceId, Ends, FlowOptions, Frame, Identifier, Packet, Timestamp};

use crate::capture_spans::CaptureSpans;
use crate::gateways::GatewayWatch;
use crate::summary::ReadSummary;
use crate::unowned::Unowned;

/// Number of shards among which devices are shared, whatever the number of threads: so that no result depends on it.
pub(crate) const SHARDS: usize = 64;

/// Says of each packet which devices it belongs to, and sums up what the source gave.
#[derive(Debug)]
pub(crate) struct Router {
    identifier: Identifier,
    pub(crate) gateways: GatewayWatch,
    pub(crate) spans: Option<CaptureSpans>,
    pub(crate) read: ReadSummary,
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// The highest time of the segment so far.
    pub(crate) clock: Timestamp,
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routed {
    pub(crate) ends: Ends,
    /// Number of the frame, from 1.
    pub(crate) number: u64,
    /// The highest time of the segment up to this packet.
    pub(crate) clock: Timestamp,
    /// The time at which the segment before ended, where the clock stepped back before it.
    pub(crate) ended: Option<Timestamp>,
}

impl Router {
    pub(crate) fn new(flow: &FlowOptions, gateways: GatewayWatch, wants_spans: bool) -> Self {
        Self {
            identifier: Identifier::new(flow),
            gateways,
            spans: wants_spans.then(CaptureSpans::default),
            read: ReadSummary {
                unowned: Unowned::with_local_nets(flow.local_nets.clone()),
                ..ReadSummary::default()
            },
            span: None,
            clock: Timestamp::MIN,
        }
    }

    #[inline]
    pub(crate) fn route(&mut self, capture: usize, frame: &Frame<'_>, packet: &Packet<'_>) -> Routed {
        let (first, last) = self.span.get_or_insert((packet.time, packet.time));
        *first = (*first).min(packet.time);
        *last = (*last).max(packet.time);
        let ended = frame.begins_segment.then_some(self.clock);
        let silence_ns = packet.time.nanos_since(self.clock);
        if silence_ns > self.read.silence_ns && self.clock > Timestamp::MIN {
            self.read.silence_ns = silence_ns;
        }
        if ended.is_some() {
            self.clock = packet.time;
            self.gateways.begin_segment();
        }
        self.clock = self.clock.max(packet.time);
        let clock = self.clock;
        self.gateways.observe(packet);
        self.read.look_at(packet);
        if let Some(spans) = &mut self.spans {
            spans.see(capture, packet);
        }
        Routed { ends: self.identifier.ends_of(packet), number: self.read.frames, clock, ended }
    }
}

/// The shard of a device: a hash of its address that is the same in every run.
#[inline]
pub(crate) fn shard_of(device: DeviceId) -> usize {
    let bits = match device {
        DeviceId::Mac(mac) => {
            let mut bytes = [0; 8];
            bytes[2..].copy_from_slice(&mac.octets());
            u64::from_be_bytes(bytes)
        }
        DeviceId::Ip(std::net::IpAddr::V4(addr)) => u64::from(addr.to_bits()),
        DeviceId::Ip(std::net::IpAddr::V6(addr)) => addr
            .segments()
            .into_iter()
            .fold(0, |bits: u64, segment| bits.rotate_left(16) ^ u64::from(segment)),
    };
    // The golden ratio in 64 bits: neighbouring addresses go to different shards.
    (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize
}

/// The shards that a packet goes to, each with the ends that are in it.
#[inline]
pub(crate) fn shards_of([sender, receiver]: Ends) -> [Option<(usize, Ends)>; 2] {
    match (sender, receiver) {
        (None, None) => [None, None],
        (Some(one), None) | (None, Some(one)) => [Some((shard_of(one), [sender, receiver])), None],
        (Some(from), Some(to)) => match (shard_of(from), shard_of(to)) {
            (at, other) if at == other => [Some((at, [sender, receiver])), None],
            (at, other) => [Some((at, [sender, None])), Some((other, [None, receiver]))],
        },
    }
}

/// The ends of a packet that are in one shard.
#[inline]
pub(crate) fn ends_in(shard: usize, [sender, receiver]: Ends) -> Ends {
    let is_in = |id: &DeviceId| shard_of(*id) == shard;
    [sender.filter(is_in), receiver.filter(is_in)]
}
