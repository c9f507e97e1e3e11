use std::collections::VecDeque;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::frame::Frame;
use super::link::{Content, Link};
use crate::Timestamp;

/// Copies come closer to each other, in nanoseconds; what is sent again takes at least as long.
const NEAR_NS: i64 = 10_000_000;
/// Frames that are remembered; on a full gigabit link, 10 ms have some 8,000 large ones.
const MOST_FRAMES: usize = 1 << 16;
const TCP: u8 = 6;

/// Recognises frames that were captured more than once within 10 ms, such as those of a mirror port that copies both
/// directions, or with and without a VLAN tag: link addresses and IP packet are the same to the last byte.
///
/// Hosts send some packets twice themselves, those without an identification: pure acknowledgements, and all of IPv6.
/// Each of these has one copy at most, and they do not count for the share.
#[derive(Debug, Default)]
pub struct Copies {
    seen: HashMap<u64, Seen, RandomState>,
    order: VecDeque<(Timestamp, u64)>,
    hasher: RandomState,
    counted: u64,
    found: u64,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Timestamp,
    has_copy: bool,
}

/// What is compared of an IP packet.
struct Datagram<'a> {
    bytes: &'a [u8],
    /// Whether a host never sends two of these.
    is_unique: bool,
}

impl Copies {
    /// Takes a frame; whether it is a copy of one before.
    pub fn is_copy(&mut self, frame: &Frame<'_>) -> bool {
        let Link { src_mac, dst_mac, content } = Link::of(frame.link, frame.bytes);
        let Some(Datagram { bytes, is_unique }) = datagram(content) else { return false };
        let hash = self.hasher.hash_one((src_mac, dst_mac, bytes));
        let is_copy = self.note(hash, frame.time, is_unique);
        self.counted += u64::from(is_unique);
        self.found += u64::from(is_unique && is_copy);
        is_copy
    }

    /// The copies, and the packets of which they are a part.
    pub const fn share(&self) -> (u64, u64) {
        (self.found, self.counted)
    }

    fn note(&mut self, hash: u64, at: Timestamp, is_unique: bool) -> bool {
        let is_near = |seen: &Seen| at.nanos_since(seen.at).unsigned_abs() < NEAR_NS.unsigned_abs();
        if let Some(seen) = self.seen.get_mut(&hash).filter(|seen| is_near(seen))
            && (is_unique || !seen.has_copy)
        {
            seen.has_copy = true;
            return true;
        }
        self.forget(at);
        self.seen.insert(hash, Seen { at, has_copy: false });
        self.order.push_back((at, hash));
        false
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((at, hash)) = self.order.front().copied() {
            if now.nanos_since(at) <= NEAR_NS && self.order.len() < MOST_FRAMES {
                return;
            }
            self.order.pop_front();
            if self.seen.get(&hash).is_some_and(|seen| seen.at == at) {
                self.seen.remove(&hash);
            }
        }
    }
}

fn datagram(content: Content<'_>) -> Option<Datagram<'_>> {
    match content {
        Content::Ipv4(bytes) => ipv4(bytes),
        Content::AnyIp(bytes) if bytes.first()? >> 4 == 4 => ipv4(bytes),
        Content::Ipv6(bytes) | Content::AnyIp(bytes) => Some(Datagram { bytes, is_unique: false }),
        _ => None,
    }
}

/// An IPv4 packet without link padding (RFC 791 §3.1).
fn ipv4(bytes: &[u8]) -> Option<Datagram<'_>> {
    let [first, _, t0, t1, i0, i1, _, _, _, protocol, ..] = *bytes.first_chunk::<20>()?;
    let total = usize::from(u16::from_be_bytes([t0, t1]));
    let header = usize::from(first & 0x0f) * 4;
    let data_offset = bytes.get(header + 12).map_or(0, |byte| usize::from(byte >> 4) * 4);
    let is_bare = protocol == TCP && total <= header + data_offset;
    let bytes = if total == 0 { bytes } else { bytes.get(..total).unwrap_or(bytes) };
    Some(Datagram { bytes, is_unique: (i0, i1) != (0, 0) && !is_bare })
}

#[cfg(test)]
mod tests {
    use super::Copies;
    use crate::Timestamp;
    use crate::decode::Frame;

    /// A frame with a segment of one byte, with an identification.
    fn frame(id: u8, tag: Option<u8>, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        bytes.extend(tag.into_iter().flat_map(|vlan| [0x81, 0, 0, vlan]));
        let total = u8::try_from(40 + payload.len()).unwrap();
        bytes.extend([8, 0, 0x45, 0, 0, total, 0, id, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend([0, 80, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0, 0, 0, 0, 0, 0]);
        bytes.extend(payload);
        bytes
    }

    /// Whether each frame, with its time in microseconds, is a copy.
    fn copies(frames: &[(i64, Vec<u8>)]) -> (Vec<bool>, (u64, u64)) {
        let mut copies = Copies::default();
        let is_copy = frames.iter().map(|(at_us, bytes)| {
            let time = Timestamp::from_nanos(at_us * 1000);
            copies.is_copy(&Frame { time, bytes, ..Frame::default() })
        });
        let found = is_copy.collect();
        (found, copies.share())
    }

    #[test]
    fn equal_frames_within_10_ms_are_copies_with_and_without_a_tag() {
        let mut padded = frame(1, None, b"x");
        padded.extend([0; 5]);
        let story = [
            (0, frame(1, None, b"x")),
            (10, frame(1, Some(7), b"x")),
            (20, padded),
            (30, frame(2, None, b"x")),
            (9999, frame(1, None, b"x")),
            (10_000, frame(1, None, b"x")),
        ];
        assert_eq!(copies(&story), (vec![false, true, true, false, true, false], (3, 6)));
    }

    #[test]
    fn what_hosts_repeat_themselves_has_one_copy_and_counts_for_no_share() {
        let ack = || frame(9, None, b"");
        let story: Vec<_> = (0..4).map(|at| (at, ack())).collect();
        assert_eq!(copies(&story), (vec![false, true, false, true], (0, 0)));
        let unnumbered: Vec<_> = (0..3).map(|at| (at, frame(0, None, b"x"))).collect();
        assert_eq!(copies(&unnumbered), (vec![false, true, false], (0, 0)));
    }

    #[test]
    fn frames_between_other_hosts_are_no_copies() {
        let mut other = frame(1, None, b"x");
        other[5] = 9;
        assert_eq!(copies(&[(0, frame(1, None, b"x")), (1, other)]), (vec![false, false], (0, 2)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut copies = Copies::default();
        let bytes = frame(1, None, b"x");
        for number in 0..200_000_u32 {
            let mut bytes = bytes.clone();
            bytes[26..30].copy_from_slice(&number.to_be_bytes());
            copies.is_copy(&Frame { bytes: &bytes, ..Frame::default() });
        }
        assert!(copies.order.len() <= super::MOST_FRAMES && copies.seen.len() <= super::MOST_FRAMES);
    }
}
