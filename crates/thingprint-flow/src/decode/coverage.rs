use std::collections::BTreeMap;
use std::ops::Range;

/// Which bytes of a row are there: disjoint ranges, none touching another.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage {
    /// Start of each range, with its end.
    ranges: BTreeMap<usize, usize>,
}

impl Coverage {
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
