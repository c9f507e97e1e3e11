//! Packets with a short header (RFC 9000 §17.3): nothing in them but the destination's connection id stays the same.
use crate::Sender;
use crate::parser::Memo;

/// The form and fixed bits of a short header, and what they have to be.
const FORM: u8 = 0xc0;
const SHORT: u8 = 0x40;
/// RFC 9000 §10.3: the shortest packet that can be told from a stateless reset.
const LEAST_BYTES: usize = 21;
/// Bytes of a connection id that are compared, and how many of them differ in a random one.
const ID_BYTES: usize = 8;
const LEAST_DISTINCT: usize = 6;
/// Further packets with the id of the first, each with other protected bits (RFC 9001 §5.4.1) than the one before.
const LEAST_REPEATS: u8 = 2;

/// What is remembered of the packets of one side: a hash of their id, and in one byte who sends them, how often the id came
/// again, and the protected bits of the last one. With no hash, but a count, it is the side to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Trail {
    id_hash: u16,
    is_peer: bool,
    repeats: u8,
    protected: u8,
}

/// The memo after a payload, and whether it is certain that the flow is QUIC.
pub(super) fn follow(memo: Memo, sender: Sender, payload: &[u8]) -> (Memo, bool) {
    let Some((first, id)) = short_header(payload) else { return (memo, false) };
    let is_peer = sender == Sender::Peer;
    let protected = first & 0x1f;
    let seen = Trail { id_hash: hash(id), is_peer, repeats: 0, protected };
    let trail = match Trail::from(memo) {
        Trail { id_hash: 0, repeats: 0, .. } => seen,
        trail if trail.is_peer != is_peer => trail,
        Trail { id_hash: 0, .. } => seen,
        // This side sends to one without an id, so that the id to look for is that of the other direction.
        trail if trail.id_hash != seen.id_hash => {
            Trail { id_hash: 0, is_peer: !is_peer, repeats: 1, protected: 0 }
        }
        trail if trail.protected == protected => trail,
        trail => Trail { repeats: trail.repeats + 1, protected, ..trail },
    };
    (trail.into(), trail.repeats >= LEAST_REPEATS)
}

/// The first byte of a packet with a short header, and the beginning of what may be a connection id.
fn short_header(payload: &[u8]) -> Option<(u8, [u8; ID_BYTES])> {
    let (first, rest) = payload.split_first()?;
    let id: [u8; ID_BYTES] = *rest.first_chunk()?;
    let distinct =
        id.iter().enumerate().filter(|(at, byte)| !id.iter().take(*at).any(|other| other == *byte));
    let is_id = distinct.count() >= LEAST_DISTINCT && !id.iter().all(u8::is_ascii);
    (first & FORM == SHORT && payload.len() >= LEAST_BYTES && is_id).then_some((*first, id))
}

/// Sixteen bits of FNV-1a, never 0.
fn hash(id: [u8; ID_BYTES]) -> u16 {
    let hash =
        id.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [one, two, three, four] = hash.to_be_bytes();
    u16::from_be_bytes([one ^ three, two ^ four]).max(1)
}

impl From<Memo> for Trail {
    fn from(Memo([high, low, rest]): Memo) -> Self {
        Self {
            id_hash: u16::from_be_bytes([high, low]),
            is_peer: rest & 0x80 != 0,
            repeats: rest >> 5 & 3,
            protected: rest & 0x1f,
        }
    }
}

impl From<Trail> for Memo {
    fn from(trail: Trail) -> Self {
        let [high, low] = trail.id_hash.to_be_bytes();
        Self([high, low, u8::from(trail.is_peer) << 7 | trail.repeats.min(3) << 5 | trail.protected])
    }
}

#[cfg(test)]
mod tests {
    use super::follow;
    use crate::Sender;
    use crate::parser::Memo;

    const ID: [u8; 8] = [0x01, 0xdf, 0xc0, 0xfe, 0x62, 0xc6, 0x40, 0x77];

    fn packet(first: u8, id: [u8; 8]) -> Vec<u8> {
        [&[first][..], &id, &[first; 20]].concat()
    }

    /// How many packets it takes.
    fn needed(packets: &[(Sender, Vec<u8>)]) -> Option<usize> {
        let mut memo = Memo::default();
        packets.iter().position(|(sender, payload)| {
            let (next, is_certain) = follow(memo, *sender, payload);
            memo = next;
            is_certain
        })
    }

    #[test]
    fn an_id_that_comes_again_behind_changing_bits_is_quic() {
        let (device, peer) = (Sender::Device, Sender::Peer);
        let sent = |first| (device, packet(first, ID));
        assert_eq!(needed(&[sent(0x53), sent(0x4f), sent(0x45)]), Some(2));
        assert_eq!(needed(&[sent(0x53), sent(0x53), sent(0x4f), sent(0x4f), sent(0x45)]), Some(4));
        // The other side has no id, and its bytes change.
        let other = |first: u8| (peer, packet(first, [first, 0x81, 2, 3, 4, 5, 6, 7]));
        let mixed = [other(0x44), other(0x45), sent(0x53), other(0x46), sent(0x4f), sent(0x45)];
        assert_eq!(needed(&mixed), Some(5));
    }

    #[test]
    fn other_payloads_are_not() {
        let all = |payloads: &[Vec<u8>]| {
            let packets: Vec<_> = payloads.iter().map(|payload| (Sender::Device, payload.clone())).collect();
            needed(&packets)
        };
        assert_eq!(all(&[packet(0x53, ID), packet(0x53, ID), packet(0x53, ID), packet(0x53, ID)]), None);
        assert_eq!(all(&[packet(0x13, ID), packet(0x0f, ID), packet(0x05, ID)]), None);
        assert_eq!(all(&[0x41_u8, 0x42, 0x43].map(|first| packet(first, *b"abcdefgh"))), None);
        assert_eq!(all(&[0x41_u8, 0x42, 0x43].map(|first| packet(first, [0, 0, 0, 1, 0, 0, 0, 0xff]))), None);
        assert_eq!(all(&[0x41_u8, 0x42, 0x43].map(|first| packet(first, ID)[..20].to_vec())), None);
    }
}
