/// A one's-complement sum under way, RFC 1071. Each part added begins at an even place of the whole.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sum(u64);

impl Sum {
    /// Adds bytes; an odd last one counts as followed by a zero.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let (words, last) = bytes.as_chunks::<2>();
        let sum: u64 = words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum();
        Self(self.0 + sum + last.first().map_or(0, |byte| u64::from(*byte) << 8))
    }

    /// Adds a 16-bit number.
    pub(crate) fn word(self, word: u16) -> Self {
        Self(self.0 + u64::from(word))
    }

    /// Adds a part that was summed on its own.
    pub(crate) fn part(self, part: Self) -> Self {
        Self(self.0 + part.0)
    }

    /// This part as it counts when it begins at an odd place: the bytes of its sum change places (RFC 1071 §2.B).
    pub(crate) fn swapped(self) -> Self {
        Self(u64::from(self.folded().swap_bytes()))
    }

    /// The difference to an earlier stage of the same sum.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self(self.0 - earlier.0)
    }

    /// The checksum: the complement of the folded sum.
    pub(crate) fn finish(self) -> u16 {
        !self.folded()
    }

    /// The checksum of UDP, where 0 would mean none (RFC 768).
    pub(crate) fn finish_udp(self) -> u16 {
        match self.finish() {
            0 => u16::MAX,
            checksum => checksum,
        }
    }

    fn folded(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::try_from(sum).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let sum = Sum::default().bytes(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.finish(), !0xddf2);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..300) {
            let whole = Sum::default().bytes(&bytes);
            let (front, back) = bytes.split_at(cut.min(bytes.len()));
            let back_sum = Sum::default().bytes(back);
            let back_sum = if front.len() % 2 == 1 { back_sum.swapped() } else { back_sum };
            prop_assert_eq!(Sum::default().bytes(front).part(back_sum).finish(), whole.finish());
        }

        #[test]
        fn a_message_with_its_checksum_sums_to_nothing(bytes in proptest::collection::vec(any::<u8>(), 1..300)) {
            let mut even = bytes;
            if even.len() % 2 == 1 {
                even.push(0);
            }
            let checksum = Sum::default().bytes(&even).finish();
            prop_assert_eq!(Sum::default().bytes(&even).word(checksum).finish(), 0);
        }
    }
}
