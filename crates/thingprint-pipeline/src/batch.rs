use std::ops::Range;

use thingprint_flow::{Block, Gateways, Ip, NonIp, Packet, PlacedPacket, SharedPacket, Timestamp};

use crate::router::{Devices, Routed, SHARDS};

/// A batch is full with so many packets, bytes of payloads, or blocks that these lie in: where few packets are of devices, most
/// of a block is none of theirs.
const MOST_PACKETS: usize = 4096;
const MOST_BYTES: usize = 1 << 20;
const MOST_BLOCKS: usize = 8;

/// Packets on their way from the thread that read them to those that follow flows.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// What was read, as it was read.
    blocks: Vec<Block>,
    /// Payloads that lie in no block.
    bytes: Vec<u8>,
    /// Bytes of all payloads.
    payload_bytes: usize,
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
    payload: Place,
    devices: Devices,
    number: u64,
    clock: Timestamp,
}

/// Where a payload lies.
#[derive(Debug)]
enum Place {
    /// In a block, by its number.
    Block(u8, Range<u32>),
    /// Among the bytes that lie in no block.
    Bytes(Range<usize>),
}

impl Batch {
    /// Empties the batch, keeping its memory.
    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
        self.bytes.clear();
        self.payload_bytes = 0;
        self.items.clear();
        self.lists.resize_with(SHARDS, Vec::new);
        self.lists.iter_mut().for_each(Vec::clear);
        self.clock = Timestamp::MIN;
        self.begins = None;
        self.begins_segment = None;
        self.decision = None;
    }

    /// A batch with the first packet of a segment.
    pub(crate) fn of_segment(next: &PlacedPacket<'_>, routed: &Routed) -> Self {
        let mut batch = Self::default();
        batch.clear();
        batch.push(next, routed);
        batch.begins_segment = routed.ended.map(|ended| (ended, routed.clock));
        batch
    }

    pub(crate) fn is_full(&self) -> bool {
        let is_long = self.payload_bytes >= MOST_BYTES || self.blocks.len() >= MOST_BLOCKS;
        is_long || self.items.len() >= MOST_PACKETS
    }

    /// Adds a packet, whose payload is copied where it lies in no block; one of no device only moves the clock.
    #[inline]
    pub(crate) fn push(&mut self, next: &PlacedPacket<'_>, routed: &Routed) {
        let packet = &next.packet;
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
        let payload = self.place(payload, next.block);
        let at = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        for (shard, _) in devices.by_shard().into_iter().flatten() {
            self.lists[shard].push(at);
        }
        let packet = Packet {
            ip: packet.ip.map(|ip| Ip { payload: &[], ..ip }),
            other: packet.other.map(|other| NonIp { payload: &[], ..other }),
            ..*packet
        };
        self.items.push(Item { packet, payload, devices, number, clock });
    }

    /// Keeps a payload, and gives its place.
    #[inline]
    fn place(&mut self, payload: &[u8], block: Option<&Block>) -> Place {
        self.payload_bytes += payload.len();
        if let Some(place) = block.and_then(|block| self.place_in(block, payload)) {
            return place;
        }
        let from = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        Place::Bytes(from..self.bytes.len())
    }

    #[inline]
    fn place_in(&mut self, block: &Block, payload: &[u8]) -> Option<Place> {
        let Range { start, end } = block.range_of(payload)?;
        let range = u32::try_from(start).ok()?..u32::try_from(end).ok()?;
        if !self.blocks.last().is_some_and(|last| last.is(block)) {
            self.blocks.push(block.clone());
        }
        Some(Place::Block(u8::try_from(self.blocks.len() - 1).ok()?, range))
    }

    fn payload(&self, place: &Place) -> &[u8] {
        match place {
            Place::Block(number, range) => {
                let range = range.start as usize..range.end as usize;
                self.blocks.get(usize::from(*number)).map_or(&[], |block| block.bytes(range))
            }
            Place::Bytes(range) => self.bytes.get(range.clone()).unwrap_or_default(),
        }
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
            let payload = self.payload(&item.payload);
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
