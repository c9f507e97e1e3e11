use serde::{Deserialize, Serialize};

/// Bytes of a file that it is known by: they hold the time of its first packet in every usual capture.
pub(super) const HEAD_BYTES: usize = 512;

/// What a capture begins with, uncompressed: how many bytes, and their hash (FNV-1a).
///
/// Nothing secret depends on the hash: who can write captures into the folder can as well write wrong ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    bytes: u32,
    hash: u64,
}

impl Head {
    pub(super) fn of(start: &[u8]) -> Self {
        let start = start.get(..HEAD_BYTES).unwrap_or(start);
        let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = start.iter().fold(0xcbf2_9ce4_8422_2325, fold);
        Self { bytes: u32::try_from(start.len()).unwrap_or(u32::MAX), hash }
    }

    /// Whether a file that begins with `start` began with this before it grew.
    pub(super) fn is_start_of(&self, start: &[u8]) -> bool {
        start.get(..self.bytes as usize).is_some_and(|start| Self::of(start) == *self)
    }

    /// Whether both may be of one file, of which one may have been longer.
    pub(super) const fn may_be(&self, other: &Self) -> bool {
        self.bytes != other.bytes || self.hash == other.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv() {
        // From the reference of the authors: 64-bit FNV-1a of "" and "foobar".
        assert_eq!(Head::of(b""), Head { bytes: 0, hash: 0xcbf2_9ce4_8422_2325 });
        assert_eq!(Head::of(b"foobar"), Head { bytes: 6, hash: 0x8594_4171_f739_67e8 });
    }
}
