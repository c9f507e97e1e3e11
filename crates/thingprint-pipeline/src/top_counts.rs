use std::collections::BTreeMap;

/// Counts of hosts, as many as a network has at most: when there are more, those with the smallest counts are forgotten, since
/// addresses cost nothing to make up.
#[derive(Clone, Debug)]
pub(crate) struct TopCounts<K> {
    counts: BTreeMap<K, u64>,
    most: usize,
}

impl<K: Ord + Copy> TopCounts<K> {
    /// Nothing counted yet; at most so many are remembered.
    pub(crate) const fn new(most: usize) -> Self {
        Self { counts: BTreeMap::new(), most }
    }

    /// Adds to a count.
    #[inline]
    pub(crate) fn add(&mut self, key: K, count: u64) {
        *self.counts.entry(key).or_default() += count;
        if self.counts.len() > self.most {
            self.make_room();
        }
    }

    /// Adds all counts of another one.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|(key, count)| self.add(*key, *count));
    }

    /// The sum of the counts of some.
    pub(crate) fn sum_of(&self, is_meant: impl Fn(K) -> bool) -> u64 {
        self.counts.iter().filter(|(key, _)| is_meant(**key)).map(|(_, count)| count).sum()
    }

    /// Forgets the half with the smallest counts.
    #[cold]
    fn make_room(&mut self) {
        let mut order: Vec<(u64, K)> = self.counts.iter().map(|(key, count)| (*count, *key)).collect();
        order.sort_unstable();
        order.truncate(order.len().div_ceil(2));
        for (_, key) in order {
            self.counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TopCounts;

    #[test]
    fn who_has_most_stays_however_many_are_made_up() {
        let mut counts = TopCounts::new(8);
        counts.add(7, 3);
        for made_up in 100..1000 {
            counts.add(made_up, 1);
            assert!(counts.counts.len() <= 8);
            counts.add(7, 1);
        }
        assert_eq!(counts.sum_of(|key| key == 7), 903);
        let mut all = TopCounts::new(8);
        all.add(7, 1);
        all.merge(&counts);
        assert_eq!(all.sum_of(|key| key == 7), 904);
    }
}
