use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, MacAddr, Packet, Timestamp};

/// Pairs of a capture and a device that are remembered, those with most packets; one takes some 60 bytes.
const MOST_PAIRS: usize = 1 << 18;

/// Places for pairs whose packets are counted beside the map, since their next packet is likely to come soon: a power of two.
const RECENT_PLACES: usize = 256;

/// From when to when each capture has packets, of all and of each device.
#[derive(Clone, Debug, Default)]
pub struct CaptureSpans {
    /// By the place of the capture.
    captures: Vec<Option<Span>>,
    devices: BTreeMap<Pair, Seen>,
    /// What the latest packets add to `devices`, at places that follow from the pairs; empty before the first packet.
    recent: Vec<Option<(Pair, Seen)>>,
}

/// A capture and a device in it.
type Pair = (usize, MacAddr);

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
    #[inline]
    pub fn see(&mut self, capture: usize, packet: &Packet<'_>) {
        let span = Span { first: packet.time, last: packet.time };
        match self.captures.get_mut(capture) {
            Some(Some(known)) => known.add(span),
            _ => self.begin_capture(capture, span),
        }
        for address in [packet.src_mac, packet.dst_mac].into_iter().flatten().filter(|mac| mac.is_host()) {
            self.see_device((capture, address), span);
        }
    }

    #[cold]
    fn begin_capture(&mut self, capture: usize, span: Span) {
        if self.captures.len() <= capture {
            self.captures.resize(capture + 1, None);
        }
        if let Some(place) = self.captures.get_mut(capture) {
            *place = Some(span);
        }
    }

    #[inline]
    fn see_device(&mut self, pair: Pair, span: Span) {
        match self.recent.get_mut(place(pair)) {
            Some(Some((known, seen))) if *known == pair => seen.add(Seen { span, packets: 1 }),
            _ => self.enter(pair, Seen { span, packets: 1 }),
        }
    }

    /// Gives a pair the place of another one, of which the map has everything then.
    #[inline(never)]
    fn enter(&mut self, pair: Pair, seen: Seen) {
        if self.recent.is_empty() {
            self.recent.resize(RECENT_PLACES, None);
        }
        let before = self.recent.get_mut(place(pair)).and_then(|place| place.replace((pair, seen)));
        let Some((pair, seen)) = before else { return };
        if let Some(known) = self.devices.get_mut(&pair) {
            known.add(seen);
            return;
        }
        if self.devices.len() >= MOST_PAIRS {
            self.make_room();
        }
        self.devices.insert(pair, seen);
    }

    /// From when to when a device has packets in a capture.
    fn span_of(&self, pair: Pair) -> Option<Span> {
        let recent = self.recent.get(place(pair)).copied().flatten();
        let recent = recent.filter(|(known, _)| *known == pair).map(|(_, seen)| seen.span);
        let mut span = self.devices.get(&pair).map(|seen| seen.span).or(recent)?;
        if let Some(recent) = recent {
            span.add(recent);
        }
        Some(span)
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
        let all =
            self.captures.iter().enumerate().filter(|(_, span)| span.is_some_and(|span| span.has(time)));
        let all: Vec<usize> = all.map(|(capture, _)| capture).collect();
        let (DeviceId::Mac(address), [_, _, ..]) = (device, all.as_slice()) else { return only(&all) };
        let is_of_device =
            |capture: &usize| self.span_of((*capture, address)).is_some_and(|span| span.has(time));
        let of_device: Vec<usize> = all.into_iter().filter(is_of_device).collect();
        only(&of_device)
    }
}

/// The place of a pair among the recent ones.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the upper bits that are left are few")]
fn place((capture, address): Pair) -> usize {
    let mut bytes = [0; 8];
    bytes[2..].copy_from_slice(&address.octets());
    let bits = u64::from_be_bytes(bytes) ^ (capture as u64) << 48;
    // The golden ratio in 64 bits: neighbouring addresses have places that are far apart.
    (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - RECENT_PLACES.trailing_zeros())) as usize
}

impl Seen {
    #[inline]
    fn add(&mut self, other: Self) {
        self.span.add(other.span);
        self.packets += other.packets;
    }
}

impl Span {
    #[inline]
    fn add(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
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
