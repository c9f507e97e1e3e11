use std::collections::VecDeque;

use thingprint_flow::Timestamp;

/// A time in which no flow of a device was active, between two active ones.
pub(crate) type Gap = (Timestamp, Timestamp);

/// When a device was active: the first and the last time, and the gaps between them that are long enough to count.
///
/// A gap is only sure once no flow can any more have a packet on each side of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity {
    span: Option<(Timestamp, Timestamp)>,
    gaps: VecDeque<Gap>,
    min_gap_ns: i64,
}

impl Activity {
    pub(crate) fn new(min_gap_ns: u64) -> Self {
        Self { min_gap_ns: i64::try_from(min_gap_ns).unwrap_or(i64::MAX).max(1), ..Self::default() }
    }

    pub(crate) const fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// Some flow was active from one time to the other.
    #[inline]
    pub(crate) fn extend(&mut self, from: Timestamp, to: Timestamp) {
        let Some((first, last)) = &mut self.span else {
            self.span = Some((from, to));
            return;
        };
        if from <= *last && *last <= to && self.gaps.back().is_none_or(|(_, end)| *end <= from) {
            *last = to;
            *first = from.min(*first);
            return;
        }
        self.extend_slowly(from, to);
    }

    fn extend_slowly(&mut self, from: Timestamp, to: Timestamp) {
        let Some((first, last)) = self.span else { return };
        if last < from {
            self.push(last, from);
        } else if to < first {
            if first.nanos_since(to) >= self.min_gap_ns {
                self.gaps.push_front((to, first));
            }
        } else {
            self.cover(from, to);
        }
        self.span = Some((first.min(from), last.max(to)));
    }

    fn push(&mut self, start: Timestamp, end: Timestamp) {
        if end.nanos_since(start) >= self.min_gap_ns {
            self.gaps.push_back((start, end));
        }
    }

    /// Takes what lies between `from` and `to` out of the gaps.
    fn cover(&mut self, from: Timestamp, to: Timestamp) {
        let begin = self.gaps.partition_point(|(_, end)| *end <= from);
        let end = self.gaps.partition_point(|(start, _)| *start < to).max(begin);
        // An instant inside a gap touches it as well.
        let end =
            if from == to { self.gaps.partition_point(|(start, _)| *start <= to).max(begin) } else { end };
        if begin == end {
            return;
        }
        let after = self.gaps.split_off(end);
        let touched = self.gaps.split_off(begin);
        for (start, end) in touched {
            self.push(start, from.min(end));
            self.push(to.max(start), end);
        }
        self.gaps.extend(after);
    }

    /// Takes out the gaps that begin before `horizon`.
    pub(crate) fn settle(&mut self, horizon: Timestamp) -> impl Iterator<Item = Gap> + '_ {
        let count = self.gaps.partition_point(|(start, _)| *start < horizon);
        self.gaps.drain(..count)
    }
}
