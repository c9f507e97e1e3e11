use super::key::DevicePacket;
use crate::{Ip, Transport};

/// The last packet of each direction, to recognise one that the device received and sends again: a router on one link
/// has each packet of others twice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passages {
    up: Passage,
    down: Passage,
}

#[derive(Clone, Copy, Debug, Default)]
struct Passage {
    mark: u64,
    total_bytes: u32,
    /// Whether the device was the sender by link addresses.
    was_sender: bool,
}

impl Passages {
    /// Those of a flow that begins with this packet.
    pub(super) fn begin(view: &DevicePacket<'_, '_>) -> Self {
        let mut passages = Self::default();
        passages.passes_on(view, view.is_sent);
        passages
    }

    /// Whether a packet is the one before of its direction, which went the other way by link addresses.
    #[inline]
    pub(super) fn passes_on(&mut self, view: &DevicePacket<'_, '_>, was_sender: bool) -> bool {
        let last = if view.is_sent { &mut self.up } else { &mut self.down };
        let (mark, total_bytes) = (mark(view.ip), view.ip.total_bytes);
        if last.was_sender != was_sender && (last.mark, last.total_bytes) == (mark, total_bytes) {
            return true;
        }
        *last = Passage { mark, total_bytes, was_sender };
        false
    }
}

/// What sets a packet apart from the one before: the numbers of TCP, else the beginning of the payload.
#[inline]
fn mark(ip: &Ip<'_>) -> u64 {
    match ip.transport {
        Transport::Tcp(segment) => u64::from(segment.seq) << 32 | u64::from(segment.ack),
        Transport::Udp | Transport::Other(_) => {
            ip.payload.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
        }
    }
}
