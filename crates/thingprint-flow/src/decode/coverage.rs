use std::collections::BTreeMap;
use std::ops::Range;

/// Which bytes of a row are there: disjoint ranges, none touching another.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage {
    /// Start of each range, with its end.
    ranges: BTreeMap<usize, usize>,
}

impl Coverage {
    /// Nothing is there.
    pub(super) const fn new() -> Self {
        Self { ranges: BTreeMap::new() }
    }

    /// Adds a range and returns the parts of it that were not there before, in order.
    pub(super) fn add(&mut self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut missing = Vec::new();
        let mut merged = range.clone();
        let mut at = range.start;
        for (start, end) in self.touching(&range) {
            if at < start {
                missing.push(at..start);
            }
            at = at.max(end);
            merged = merged.start.min(start)..merged.end.max(end);
            self.ranges.remove(&start);
        }
        if at < range.end {
            missing.push(at..range.end);
        }
        if !merged.is_empty() {
            self.ranges.insert(merged.start, merged.end);
        }
        missing
    }

    /// Bytes that are there from the start of the row up to the first hole.
    pub(super) fn prefix(&self) -> usize {
        self.ranges.get(&0).copied().unwrap_or(0)
    }

    /// End of the last byte that is there.
    pub(super) fn end(&self) -> usize {
        self.ranges.last_key_value().map_or(0, |(_, end)| *end)
    }

    /// Ranges that overlap the given one or border on it.
    fn touching(&self, range: &Range<usize>) -> Vec<(usize, usize)> {
        let before = self.ranges.range(..range.start).next_back().filter(|(_, end)| **end >= range.start);
        let within = self.ranges.range(range.start..=range.end);
        before.into_iter().chain(within).map(|(start, end)| (*start, *end)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_that_touch_become_one() {
        let mut coverage = Coverage::default();
        coverage.add(0..8);
        coverage.add(16..24);
        assert_eq!((coverage.prefix(), coverage.end()), (8, 24));
        coverage.add(8..16);
        assert_eq!((coverage.prefix(), coverage.ranges.len()), (24, 1));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_row_of_flags(ranges in proptest::collection::vec((0..64_usize, 0..24_usize), 0..40)) {
            let mut coverage = Coverage::default();
            let mut flags = [false; 88];
            for (start, length) in ranges {
                let missing: Vec<usize> = coverage.add(start..start + length).into_iter().flatten().collect();
                let expected: Vec<usize> = (start..start + length).filter(|at| !flags[*at]).collect();
                prop_assert_eq!(missing, expected);
                flags[start..start + length].fill(true);
                let prefix = flags.iter().take_while(|flag| **flag).count();
                let end = flags.iter().rposition(|flag| *flag).map_or(0, |last| last + 1);
                prop_assert_eq!((coverage.prefix(), coverage.end()), (prefix, end));
            }
        }
    }
}
