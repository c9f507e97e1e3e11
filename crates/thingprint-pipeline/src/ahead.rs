use std::collections::VecDeque;

use thingprint_flow::{FlowOptions, Frame, Ip, NonIp, Packet, PlacedPacket};

use crate::first_frames::FirstFrames;
use crate::gateways::{GUESS_FRAMES, first_close};
use crate::source::{PacketReader, ReadEnd};

/// Most bytes of frames that are kept.
const MOST_BYTES: usize = 32 << 20;
/// Two-way conversations that decide where rows need not wait for the gateways.
const ENOUGH_CONVERSATIONS: u64 = 32;

/// Reads what can be read only once, and can look at its first packets before it gives them.
#[derive(Debug)]
pub(crate) struct Ahead<R> {
    reader: R,
    kept: VecDeque<Kept>,
    current: Option<Kept>,
}

/// A packet with the bytes that it refers to.
#[derive(Debug)]
struct Kept {
    capture: usize,
    /// Without its bytes, which follow.
    frame: Frame<'static>,
    bytes: Box<[u8]>,
    /// Without its payload, which follows.
    packet: Packet<'static>,
    payload: Box<[u8]>,
}

impl<R: PacketReader> Ahead<R> {
    pub(crate) const fn new(reader: R) -> Self {
        Self { reader, kept: VecDeque::new(), current: None }
    }

    /// What the first packets show: those before the gateways are decided, or as many as it takes
    /// where they are known.
    pub(crate) fn look_ahead(&mut self, flow: &FlowOptions, is_settled: bool) -> FirstFrames {
        let (mut first, mut bytes, mut end) = (FirstFrames::default(), 0, None);
        while let Some(next) = self.reader.next_packet() {
            first.observe(&next);
            let time = next.packet.time;
            let kept = Kept::of(&next);
            bytes += kept.bytes.len() + kept.payload.len();
            self.kept.push_back(kept);
            let is_full = self.kept.len() as u64 >= GUESS_FRAMES || bytes >= MOST_BYTES;
            let is_clear = is_settled && first.two_way() >= ENOUGH_CONVERSATIONS;
            if is_full || is_clear || time >= *end.get_or_insert_with(|| first_close(flow, time)) {
                break;
            }
        }
        first
    }
}

impl<R: PacketReader> PacketReader for Ahead<R> {
    #[inline]
    fn next_packet(&mut self) -> Option<PlacedPacket<'_>> {
        if self.kept.is_empty() {
            return self.reader.next_packet();
        }
        self.next_kept()
    }

    fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    fn end(self) -> ReadEnd {
        self.reader.end()
    }
}

impl<R> Ahead<R> {
    #[cold]
    fn next_kept(&mut self) -> Option<PlacedPacket<'_>> {
        self.current = self.kept.pop_front();
        self.current.as_ref().map(Kept::get)
    }
}

impl Kept {
    fn of(next: &PlacedPacket<'_>) -> Self {
        let PlacedPacket { capture, frame, packet, .. } = *next;
        let payload = packet.ip.map(|ip| ip.payload).or_else(|| packet.other.map(|other| other.payload));
        Self {
            capture,
            frame: Frame { bytes: &[], ..frame },
            bytes: frame.bytes.into(),
            packet: Packet {
                ip: packet.ip.map(|ip| Ip { payload: &[], ..ip }),
                other: packet.other.map(|other| NonIp { payload: &[], ..other }),
                ..packet
            },
            payload: payload.unwrap_or_default().into(),
        }
    }

    fn get(&self) -> PlacedPacket<'_> {
        let payload = &*self.payload;
        let packet = Packet {
            ip: self.packet.ip.map(|ip| Ip { payload, ..ip }),
            other: self.packet.other.map(|other| NonIp { payload, ..other }),
            ..self.packet
        };
        let frame = Frame { bytes: &self.bytes, ..self.frame };
        PlacedPacket { capture: self.capture, frame, packet, block: None }
    }
}
