use thingprint_flow::{Ends, FlowOptions, Frame, Identifier, Ip, Packet, Repeat, Timestamp};

use crate::capture_spans::CaptureSpans;
use crate::gateway_ends::GatewayEnds;
use crate::gateways::GatewayWatch;
use crate::recent::{Addresses, Recent};
use crate::sharding::Sharding;
use crate::summary::ReadSummary;
use crate::unowned::{Owner, Unowned};

/// Number of shards among which devices are shared, whatever the number of threads: so that no result depends on it.
pub(crate) const SHARDS: usize = 64;

/// Says of each packet which devices it belongs to, and sums up what the source gave.
#[derive(Debug)]
pub(crate) struct Router {
    identifier: Identifier,
    recent: Recent<Known>,
    pub(crate) sharding: Sharding,
    pub(crate) gateways: GatewayWatch,
    /// Which packets are a gateway's own, where that is wanted.
    pub(crate) gateway_ends: Option<GatewayEnds>,
    pub(crate) spans: Option<CaptureSpans>,
    pub(crate) read: ReadSummary,
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// The highest time of the segment so far.
    pub(crate) clock: Timestamp,
}

/// What all packets between the same addresses have in common.
#[derive(Clone, Copy, Debug)]
struct Known {
    devices: Devices,
    owner: Owner,
    repeat: Option<Repeat>,
}

/// The devices that sent and that received a packet, with the shard of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Devices {
    ends: Ends,
    shards: [u8; 2],
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routed {
    pub(crate) devices: Devices,
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
            recent: Recent::default(),
            sharding: Sharding::default(),
            gateways,
            gateway_ends: None,
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
        if self.read.frames == 0 {
            self.sharding = Sharding::of_first(frame);
        }
        self.read.look_at(packet, frame.bytes.len());
        if let Some(spans) = &mut self.spans {
            spans.see(capture, packet);
        }
        let mut devices = if let Some(ip) = &packet.ip {
            self.look_up(packet, ip)
        } else {
            self.gateways.observe(packet);
            Devices::of(self.identifier.ends_of(packet), self.sharding)
        };
        if let Some(gateways) = &mut self.gateway_ends {
            let mut ends = devices.ends;
            gateways.add_to(&mut ends, packet);
            if ends != devices.ends {
                devices = Devices::of(ends, self.sharding);
            }
        }
        Routed { devices, number: self.read.frames, clock, ended }
    }

    /// The devices of an IP packet; whatever else follows from its addresses is counted.
    #[inline]
    fn look_up(&mut self, packet: &Packet<'_>, ip: &Ip<'_>) -> Devices {
        let slot = self.recent.slot(Addresses::of(packet, ip));
        if let Some(known) = slot.get()
            && self.gateways.observe_again(known.repeat, ip)
        {
            self.read.count(packet, ip, known.owner);
            return known.devices;
        }
        let devices = Devices::of(self.identifier.ends_of(packet), self.sharding);
        let owner = self.read.unowned.owner_of(packet, ip);
        self.read.count(packet, ip, owner);
        slot.set(Known { devices, owner, repeat: self.gateways.observe(packet) });
        devices
    }
}

impl Devices {
    #[inline]
    fn of(ends: Ends, sharding: Sharding) -> Self {
        let shard = |device| u8::try_from(sharding.shard_of(device)).unwrap_or(0);
        Self { ends, shards: ends.map(|end| end.map_or(0, shard)) }
    }

    /// Whether the packet is of no device.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.ends, [None, None])
    }

    /// The shards that the packet goes to, each with the ends that are in it.
    #[inline]
    pub(crate) fn by_shard(&self) -> [Option<(usize, Ends)>; 2] {
        let Self { ends: [sender, receiver], shards } = *self;
        let [from, to] = shards.map(usize::from);
        match (sender, receiver) {
            (None, None) => [None, None],
            (Some(_), None) => [Some((from, [sender, None])), None],
            (None, Some(_)) => [Some((to, [None, receiver])), None],
            (Some(_), Some(_)) if from == to => [Some((from, [sender, receiver])), None],
            (Some(_), Some(_)) => [Some((from, [sender, None])), Some((to, [None, receiver]))],
        }
    }

    /// The ends that are in a shard.
    #[inline]
    pub(crate) fn ends_in(&self, shard: usize) -> Ends {
        let Self { ends: [sender, receiver], shards } = *self;
        let [from, to] = shards.map(usize::from);
        [sender.filter(|_| from == shard), receiver.filter(|_| to == shard)]
    }
}
