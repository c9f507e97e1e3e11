/// Fewer keys than this are sorted by comparison.
const RADIX_FROM: usize = 256;

/// The upper half of a key, by which keys are sorted.
pub(super) const fn rank_of(key: u64) -> u32 {
    (key >> 32) as u32
}

/// Sorts keys by rank, equal ranks in no order that matters: by comparison, or where there are many by one byte of the
/// rank after the other, counting how many keys have each. `spare` is working memory.
pub(super) fn sort_by_rank(keys: &mut Vec<u64>, spare: &mut Vec<u64>) {
    if keys.len() < RADIX_FROM {
        keys.sort_unstable();
        return;
    }
    let highest = keys.iter().copied().map(rank_of).max().unwrap_or(0);
    spare.resize(keys.len(), 0);
    let mut shift = 0;
    while shift < u32::BITS && highest >> shift > 0 {
        sort_by_byte(keys, spare, 32 + shift);
        std::mem::swap(keys, spare);
        shift += 8;
    }
}

/// Writes keys to `sorted` by the byte at a shift, otherwise in their order.
fn sort_by_byte(keys: &[u64], sorted: &mut [u64], shift: u32) {
    let byte = |key: u64| ((key >> shift) & 0xff) as usize;
    let mut next = [0_usize; 256];
    for &key in keys {
        next[byte(key)] += 1;
    }
    let mut start = 0;
    for place in &mut next {
        start += std::mem::replace(place, start);
    }
    for &key in keys {
        let place = &mut next[byte(key)];
        sorted[*place] = key;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranks_come_out_ascending_and_no_key_is_lost(
            mut keys in proptest::collection::vec(any::<u64>(), 0..600),
            high_bits in 0..64_u32,
        ) {
            for key in &mut keys {
                *key >>= high_bits;
            }
            let mut sorted = keys.clone();
            sort_by_rank(&mut sorted, &mut Vec::new());
            prop_assert!(sorted.is_sorted_by_key(|&key| rank_of(key)));
            sorted.sort_unstable();
            keys.sort_unstable();
            prop_assert_eq!(sorted, keys);
        }
    }
}
