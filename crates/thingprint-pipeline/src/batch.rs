use std::ops::Range;

use thingprint_flow::{Gateways, Ip, NonIp, Packet, SharedPacket, Timestamp};

use crate::router::{Devices, Routed, SHARDS};

/// A batch is full with so many packets, or bytes.
const MOST_PACKETS: usize = 4096;
const MOST_BYTES: usize = 1 << 20;

/// Packets on their way from the thread that read them to those that follow flows.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    items: Vec<Item>,
    /// The places of each shard's packets among the items.
    lists: Vec<Vec<u32>>,
    /// The time of the trace's first frame, in the first batch.
    pub(crate) begins: Option<Timestamp>,
    /// Where it begins a segment, the times at which the one before ended and this one begins.
    pub(crate) begins_segment: Option<(Timestamp, Timestamp)>,
    /// The time of the trace at the batch's end.
    pub(crate) clock: Timestamp,
    /// The gateways as they were decided at the batch's end.
    pub(crate) decision: Option<Gateways>,
}

#[derive(Debug)]
struct Item {
    /// Without its payload.
    packet: Packet<'static>,
    payload: Range<usize>,
    devices: Devices,
    number: u64,
    clock: Timestamp,
}

impl Batch {
    /// Empties the batch, keeping its memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        self.lists.resize_with(SHARDS, Vec::new);
        self.lists.iter_mut().for_each(Vec::clear);
        self.clock = Timestamp::MIN;
        self.begins = None;
        self.begins_segment = None;
        self.decision = None;
    }

    /// A batch with the first packet of a segment.
    pub(crate) fn of_segment(packet: &Packet<'_>, routed: &Routed) -> Self {
        let mut batch = Self::default();
        batch.clear();
        batch.push(packet, routed);
        batch.begins_segment = routed.ended.map(|ended| (ended, routed.clock));
        batch
    }

    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= MOST_PACKETS || self.bytes.len() >= MOST_BYTES
    }

    /// Adds a packet with a copy of its payload; one of no device only moves the clock.
    #[inline]
    pub(crate) fn push(&mut self, packet: &Packet<'_>, routed: &Routed) {
        let Routed { devices, number, clock, .. } = *routed;
        self.clock = clock;
        if devices.is_empty() {
            return;
        }
        let payload = match (&packet.ip, &packet.other) {
            (Some(ip), _) => ip.payload,
            (None, Some(other)) => other.payload,
            (None, None) => &[],
        };
        let from = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        let at = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        for (shard, _) in devices.by_shard().into_iter().flatten() {
            self.lists[shard].push(at);
        }
        let packet = Packet {
            ip: packet.ip.map(|ip| Ip { payload: &[], ..ip }),
            other: packet.other.map(|other| NonIp { payload: &[], ..other }),
            ..*packet
        };
        self.items.push(Item { packet, payload: from..self.bytes.len(), devices, number, clock });
    }

    /// Whether the trace or a segment of it begins here, which every shard has to hear of.
    pub(crate) const fn begins_anything(&self) -> bool {
        self.begins.is_some() || self.begins_segment.is_some()
    }

    /// Whether a shard has packets here.
    pub(crate) fn has(&self, shard: usize) -> bool {
        self.lists.get(shard).is_some_and(|list| !list.is_empty())
    }

    /// Gives the packets of a shard to `each`.
    #[inline]
    pub(crate) fn for_each(&self, shard: usize, mut each: impl FnMut(&SharedPacket<'_, '_>)) {
        for &at in self.lists.get(shard).into_iter().flatten() {
            let Some(item) = self.items.get(at as usize) else { continue };
            let payload = self.bytes.get(item.payload.clone()).unwrap_or_default();
            let packet = Packet {
                ip: item.packet.ip.map(|ip| Ip { payload, ..ip }),
                other: item.packet.other.map(|other| NonIp { payload, ..other }),
                ..item.packet
            };
            let ends = item.devices.ends_in(shard);
            each(&SharedPacket { packet: &packet, ends, number: item.number, clock: item.clock });
        }
    }
}
