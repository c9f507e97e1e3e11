use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, MacAddr, Packet, Timestamp};

/// Pairs of a capture and a device that are remembered, those with most packets; one takes some 60 bytes.
const MOST_PAIRS: usize = 1 << 18;

/// From when to when each capture has packets, of all and of each device.
#[derive(Clone, Debug, Default)]
pub struct CaptureSpans {
    captures: BTreeMap<usize, Span>,
    devices: BTreeMap<(usize, MacAddr), Seen>,
}

/// Packets of a device in a capture.
#[derive(Clone, Copy, Debug)]
struct Seen {
    span: Span,
    packets: u64,
}

/// The earliest and the latest of some times.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: Timestamp,
    last: Timestamp,
}

impl CaptureSpans {
    /// Takes a packet of the capture at this place.
    pub fn see(&mut self, capture: usize, packet: &Packet<'_>) {
        let span = Span { first: packet.time, last: packet.time };
        self.captures.entry(capture).or_insert(span).add(packet.time);
        for address in [packet.src_mac, packet.dst_mac].into_iter().flatten().filter(|mac| mac.is_host()) {
            let key = (capture, address);
            if let Some(seen) = self.devices.get_mut(&key) {
                seen.span.add(packet.time);
                seen.packets += 1;
            } else {
                if self.devices.len() >= MOST_PAIRS {
                    self.make_room();
                }
                self.devices.insert(key, Seen { span, packets: 1 });
            }
        }
    }

    /// Forgets half of the pairs: those with the fewest packets, and of these the ones that were silent for longest.
    fn make_room(&mut self) {
        let mut order: Vec<_> =
            self.devices.iter().map(|(key, seen)| (seen.packets, seen.span.last, *key)).collect();
        order.sort_unstable();
        order.truncate(MOST_PAIRS / 2);
        for (_, _, key) in order {
            self.devices.remove(&key);
        }
    }

    /// The place of the capture that a device's packet of this time is in; `None` where it could be in several.
    pub fn capture_of(&self, device: DeviceId, time: Timestamp) -> Option<usize> {
        let all = self.captures.iter().map(|(capture, span)| (*capture, *span));
        let all: Vec<usize> = all.filter(|(_, span)| span.has(time)).map(|(capture, _)| capture).collect();
        let (DeviceId::Mac(address), [_, _, ..]) = (device, all.as_slice()) else { return only(&all) };
        let is_of_device =
            |capture: &usize| self.devices.get(&(*capture, address)).is_some_and(|seen| seen.span.has(time));
        let of_device: Vec<usize> = all.into_iter().filter(is_of_device).collect();
        only(&of_device)
    }
}

impl Span {
    fn add(&mut self, time: Timestamp) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }

    fn has(self, time: Timestamp) -> bool {
        (self.first..=self.last).contains(&time)
    }
}

fn only(captures: &[usize]) -> Option<usize> {
    match captures {
        [one] => Some(*one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{DeviceId, MacAddr, Packet, Timestamp};

    use super::CaptureSpans;

    const LAMP: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);
    const LOCK: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 2]);

    #[test]
    fn the_capture_of_a_time_is_told_where_one_alone_has_the_device_then() {
        let mut spans = CaptureSpans::default();
        for (capture, address, at_s) in
            [(0, LAMP, 0), (0, LAMP, 10), (1, LOCK, 5), (1, LOCK, 20), (2, LOCK, 30)]
        {
            let time = Timestamp::from_seconds(at_s);
            let (src_mac, dst_mac) = (Some(address), None);
            spans.see(capture, &Packet { time, src_mac, dst_mac, wire_bytes: 60, ip: None, other: None });
        }
        let check = |address: MacAddr, at_s: i64, expected: Option<usize>| {
            let found = spans.capture_of(DeviceId::Mac(address), Timestamp::from_seconds(at_s));
            assert_eq!(found, expected, "{at_s}");
        };
        check(LAMP, 2, Some(0));
        check(LAMP, 7, Some(0));
        check(LOCK, 7, Some(1));
        check(LOCK, 15, Some(1));
        check(LOCK, 30, Some(2));
        check(LOCK, 25, None);
    }

    #[test]
    fn made_up_addresses_hide_no_device() {
        let mut spans = CaptureSpans::default();
        let mut see = |capture: usize, address: MacAddr| {
            let (time, src_mac) = (Timestamp::from_seconds(1), Some(address));
            spans.see(
                capture,
                &Packet { time, src_mac, dst_mac: None, wire_bytes: 60, ip: None, other: None },
            );
        };
        (0..9).for_each(|_| see(1, LAMP));
        for number in 0..600_000_u32 {
            let [a, b, c, d] = number.to_be_bytes();
            see(0, MacAddr::new([6, 0, a, b, c, d]));
        }
        (0..2).for_each(|_| see(1, LOCK));
        assert!(spans.devices.len() <= super::MOST_PAIRS);
        for address in [LAMP, LOCK] {
            assert_eq!(spans.capture_of(DeviceId::Mac(address), Timestamp::from_seconds(1)), Some(1));
        }
    }
}
