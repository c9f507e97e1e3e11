use crate::chance::{Chance, mix};
use crate::wire::Sum;

/// A supply of bytes without meaning, for what is encrypted or does not matter.
///
/// A slice of it costs no drawing of numbers, and its checksum is a difference of two sums known beforehand, so that
/// a frame cut short at capture still carries the checksum of all its bytes at no cost.
pub(crate) struct Noise {
    bytes: Vec<u8>,
    /// The sum of all words before each even place.
    sums: Vec<Sum>,
}

impl Noise {
    /// How many places a slice may begin at.
    const STARTS: usize = 32_768;
    /// The longest slice.
    const LONGEST: usize = 16_384;

    pub(crate) fn new(seed: u64) -> Self {
        let mut bytes = vec![0; 2 * Self::STARTS + Self::LONGEST];
        Chance::new(seed, "noise").fill(&mut bytes);
        let mut sum = Sum::default();
        let mut sums = vec![sum];
        for word in bytes.as_chunks::<2>().0 {
            sum = sum.bytes(word);
            sums.push(sum);
        }
        Self { bytes, sums }
    }

    /// The bytes that belong to `key`, the same for the same key. No more than 16,384.
    pub(crate) fn slice(&self, key: u32, length: usize) -> &[u8] {
        let start = Self::start(key);
        self.bytes.get(start..start + length).unwrap_or_default()
    }

    /// The sum of [`Self::slice`].
    pub(crate) fn sum(&self, key: u32, length: usize) -> Sum {
        let start = Self::start(key);
        let sum_before = |place: usize| self.sums.get(place / 2).copied().unwrap_or_default();
        let even = sum_before(start + length).since(sum_before(start));
        let last = if length % 2 == 1 { self.bytes.get(start + length - 1..start + length) } else { None };
        even.bytes(last.unwrap_or_default())
    }

    fn start(key: u32) -> usize {
        let spread = mix(u64::from(key)) >> 48;
        2 * (usize::try_from(spread).unwrap_or(0) % Self::STARTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_sum_is_the_sum_of_the_bytes() {
        let noise = Noise::new(1);
        for (key, length) in [(0, 0), (1, 1), (2, 2), (3, 1459), (4, 1460), (u32::MAX, 16_384)] {
            let slice = noise.slice(key, length);
            assert_eq!(slice.len(), length);
            assert_eq!(
                noise.sum(key, length).finish(),
                Sum::default().bytes(slice).finish(),
                "{key} {length}"
            );
        }
    }
}
