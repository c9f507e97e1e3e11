use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::wire::{Datagram, Noise};

/// A frame to come.
struct Plan {
    time_ns: i64,
    order: u64,
    content: Content,
}

/// What a planned frame holds.
pub(super) enum Content {
    /// Every byte, as written beforehand.
    Ready(Box<[u8]>),
    /// A datagram, written when it leaves.
    Datagram(Datagram),
}

impl Plan {
    fn place(&self) -> (i64, u64) {
        (self.time_ns, self.order)
    }
}

impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Plan {}

impl PartialOrd for Plan {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Plan {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

/// The frames that a device's events have planned, in time order.
#[derive(Default)]
pub(super) struct Outbox {
    plans: BinaryHeap<Reverse<Plan>>,
    planned: u64,
    /// The moment of the event under way: nothing is planned for before it.
    floor_ns: i64,
    /// The next IPv4 identification of the device.
    id: u16,
}

impl Outbox {
    pub(super) fn begin(&mut self, now_ns: i64) {
        self.floor_ns = now_ns;
    }

    pub(super) fn plan(&mut self, at: i64, content: Content) {
        self.planned += 1;
        let time_ns = at.max(self.floor_ns);
        self.plans.push(Reverse(Plan { time_ns, order: self.planned, content }));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.plans.len()
    }

    pub(super) fn next_time(&self) -> Option<i64> {
        self.plans.peek().map(|Reverse(plan)| plan.time_ns)
    }

    /// Drops what is planned: the device is gone.
    pub(super) fn clear(&mut self) {
        self.plans.clear();
    }

    /// Writes the next frame, no more than `limit` bytes of it; its time and true length.
    pub(super) fn write_next(
        &mut self,
        noise: &Noise,
        limit: usize,
        frame: &mut Vec<u8>,
    ) -> Option<(i64, usize)> {
        let Reverse(plan) = self.plans.pop()?;
        let length = match plan.content {
            Content::Ready(bytes) => {
                frame.clear();
                frame.extend_from_slice(bytes.get(..limit).unwrap_or(&bytes));
                bytes.len()
            }
            Content::Datagram(datagram) => {
                self.id = self.id.wrapping_add(u16::from(datagram.up));
                datagram.write(self.id, noise, limit, frame)
            }
        };
        Some((plan.time_ns, length))
    }
}
