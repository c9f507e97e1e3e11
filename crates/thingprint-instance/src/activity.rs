use std::collections::BTreeMap;

use thingprint_flow::Timestamp;

/// A time in which no flow of a device was active, between two active ones.
pub(crate) type Gap = (Timestamp, Timestamp);

/// When a device was active: the first and the last time, and the gaps between them that are long enough to count.
///
/// A gap is only sure once no flow can any more have a packet on each side of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity {
    span: Option<(Timestamp, Timestamp)>,
    /// Ends of gaps by their starts; they do not overlap.
    gaps: BTreeMap<Timestamp, Timestamp>,
    latest_end: Option<Timestamp>,
    min_gap_ns: i64,
}

impl Activity {
    pub(crate) fn new(min_gap_ns: u64) -> Self {
        Self { min_gap_ns: i64::try_from(min_gap_ns).unwrap_or(i64::MAX).max(1), ..Self::default() }
    }

    pub(crate) const fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// Takes in what a part of a trace knows: it was active from the first to the last time, but for some gaps in their
    /// order.
    pub(crate) fn extend_around(&mut self, (first, last): (Timestamp, Timestamp), gaps: &[Gap]) {
        let mut from = first;
        for (start, end) in gaps {
            self.extend(from, *start);
            from = *end;
        }
        self.extend(from, last);
    }

    /// The gaps that are not settled.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.gaps.iter().map(|(start, end)| (*start, *end))
    }

    /// Whether there are gaps that are not settled.
    pub(crate) fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// Some flow was active from one time to the other.
    #[inline]
    pub(crate) fn extend(&mut self, from: Timestamp, to: Timestamp) {
        let Some((first, last)) = &mut self.span else {
            self.span = Some((from, to));
            return;
        };
        if from <= *last && *last <= to && self.latest_end.is_none_or(|end| end <= from) {
            *last = to;
            *first = from.min(*first);
            return;
        }
        self.extend_slowly(from, to);
    }

    fn extend_slowly(&mut self, from: Timestamp, to: Timestamp) {
        let Some((first, last)) = self.span else { return };
        if last < from {
            self.open(last, from);
        } else if to < first {
            self.open(to, first);
        } else {
            self.cover(from, to);
        }
        self.span = Some((first.min(from), last.max(to)));
        self.latest_end = self.gaps.last_key_value().map(|(_, end)| *end);
    }

    fn open(&mut self, start: Timestamp, end: Timestamp) {
        if end.nanos_since(start) >= self.min_gap_ns {
            self.gaps.insert(start, end);
        }
    }

    /// Takes what lies between `from` and `to` out of the gaps; an instant inside a gap splits it.
    fn cover(&mut self, from: Timestamp, to: Timestamp) {
        while let Some((&start, &end)) = self.gaps.range(..to).next_back() {
            if end <= from {
                return;
            }
            self.gaps.remove(&start);
            self.open(start, from);
            self.open(to, end);
        }
    }

    /// Takes out the gaps that begin before `horizon` and end by `end`.
    pub(crate) fn settle(&mut self, horizon: Timestamp, end: Timestamp) -> Vec<Gap> {
        let mut settled = Vec::new();
        while let Some(gap) = self.gaps.first_entry() {
            if *gap.key() >= horizon || *gap.get() > end {
                break;
            }
            settled.push(gap.remove_entry());
        }
        self.latest_end = self.gaps.last_key_value().map(|(_, end)| *end);
        settled
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gaps of at least two units between the times that a few spans leave, found one unit at a time.
    fn by_hand(spans: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let is_active = |time: i64| spans.iter().any(|(from, to)| (*from..=*to).contains(&time));
        let active: Vec<i64> = (0..100).filter(|time| is_active(*time)).collect();
        let inside = |a: i64, b: i64| spans.iter().any(|(from, to)| *from <= a && b <= *to);
        active
            .windows(2)
            .filter_map(|pair| if let [a, b] = *pair { Some((a, b)) } else { None })
            .filter(|(a, b)| b - a >= 2 && !inside(*a, *b))
            .collect()
    }

    proptest! {
        /// Spans in any order leave the gaps that they leave in the order of time, and settling loses none.
        #[test]
        fn gaps_do_not_depend_on_the_order(spans in proptest::collection::vec((0_i64..90, 0_i64..10), 1..20)) {
            let spans: Vec<(i64, i64)> = spans.into_iter().map(|(from, length)| (from, from + length)).collect();
            let mut activity = Activity::new(2);
            for (from, to) in &spans {
                activity.extend(Timestamp::from_nanos(*from), Timestamp::from_nanos(*to));
            }
            let mut gaps = activity.settle(Timestamp::from_nanos(40), Timestamp::from_nanos(50));
            gaps.extend(activity.settle(Timestamp::from_nanos(i64::MAX), Timestamp::from_nanos(i64::MAX)));
            let gaps: Vec<_> = gaps.into_iter().map(|(a, b)| (a.as_nanos(), b.as_nanos())).collect();
            prop_assert_eq!(gaps, by_hand(&spans));
            prop_assert!(!activity.has_gaps());
        }
    }
}
