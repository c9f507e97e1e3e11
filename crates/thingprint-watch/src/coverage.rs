use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{Timestamp, WindowIndex, WindowLength};

/// Most windows of one gap that are noted, from its end back: a clock that jumps by years has more, and no device in them.
const MOST_WINDOWS: i64 = 10_000;

/// In which windows packets are missing: the reading began or ended in them, a source failed, or packets were lost.
#[derive(Debug)]
pub(crate) struct Coverage {
    window: WindowLength,
    /// Times without packets, by window.
    missing: BTreeMap<WindowIndex, Vec<(Timestamp, Timestamp)>>,
    /// Windows in which packets were lost at times that nobody knows.
    lossy: BTreeSet<WindowIndex>,
    /// Sources that fail.
    failing: BTreeSet<usize>,
    /// Since when one of them does, by the clock of the packets; `None` before the first packet.
    failing_since: Option<Timestamp>,
}

impl Coverage {
    pub(crate) fn new(window: WindowLength) -> Self {
        Self {
            window,
            missing: BTreeMap::new(),
            lossy: BTreeSet::new(),
            failing: BTreeSet::new(),
            failing_since: None,
        }
    }

    /// Packets are missing from one time to another.
    pub(crate) fn note_missing(&mut self, from: Timestamp, to: Timestamp) {
        let length = self
            .window
            .end_of(self.window.index_of(to))
            .nanos_since(self.window.start_of(self.window.index_of(to)));
        let mut at = from.max(to.plus_nanos(-length.saturating_mul(MOST_WINDOWS)));
        while at < to {
            let window = self.window.index_of(at);
            let end = self.window.end_of(window).min(to);
            self.missing.entry(window).or_default().push((at, end));
            if end <= at {
                return;
            }
            at = end;
        }
    }

    /// Packets were lost about now.
    pub(crate) fn note_loss(&mut self, now: Timestamp) {
        self.lossy.insert(self.window.index_of(now));
    }

    /// A source fails, or does not any more.
    pub(crate) fn set_failing(&mut self, source: usize, is_failing: bool, now: Option<Timestamp>) {
        let was_failing = !self.failing.is_empty();
        if is_failing {
            self.failing.insert(source);
        } else {
            self.failing.remove(&source);
        }
        match (was_failing, self.failing.is_empty()) {
            (false, false) => self.failing_since = now,
            (true, true) => self.pass(now),
            _ => {}
        }
    }

    /// Whether a source fails.
    pub(crate) fn is_failing(&self, source: usize) -> bool {
        self.failing.contains(&source)
    }

    /// The clock is at this time; what failed up to now is noted.
    pub(crate) fn pass(&mut self, now: Option<Timestamp>) {
        let Some(now) = now else { return };
        let since = self.failing_since.take();
        if let Some(since) = since {
            self.note_missing(since, now);
        }
        if !self.failing.is_empty() {
            self.failing_since = Some(now);
        }
    }

    /// The clock of the packets begins, or stepped.
    pub(crate) fn restart(&mut self, now: Timestamp) {
        self.failing_since = (!self.failing.is_empty()).then_some(now);
    }

    /// Whether packets of a window are missing.
    pub(crate) fn is_cut(&self, window: WindowIndex) -> bool {
        self.missing.contains_key(&window) || self.lossy.contains(&window)
    }

    /// The share of a window in which packets were read, from 0 to 1; what was lost at times that nobody knows is not in it.
    pub(crate) fn share(&self, window: WindowIndex) -> f64 {
        let Some(missing) = self.missing.get(&window) else { return 1.0 };
        let (start, end) = (self.window.start_of(window), self.window.end_of(window));
        let mut spans = missing.clone();
        spans.sort_unstable();
        let (mut covered, mut at) = (0, start);
        for (from, to) in spans {
            covered += from.nanos_since(at).max(0);
            at = at.max(to);
        }
        covered += end.nanos_since(at).max(0);
        covered as f64 / (end.nanos_since(start).max(1)) as f64
    }

    /// Forgets windows that ended before a time.
    pub(crate) fn forget_before(&mut self, time: Timestamp) {
        let window = self.window;
        self.missing.retain(|index, _| window.end_of(*index) >= time);
        self.lossy.retain(|index| window.end_of(*index) >= time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(minutes * 60)
    }

    fn check(coverage: &Coverage, hour: i64, expected: f64) {
        let share = coverage.share(WindowLength::default().index_of(at(hour * 60)));
        assert!((share - expected).abs() < 1e-9, "{share}");
    }

    #[test]
    fn gaps_add_up_and_overlap() {
        let mut coverage = Coverage::new(WindowLength::default());
        coverage.note_missing(at(0), at(5));
        coverage.note_missing(at(7), at(60));
        coverage.note_missing(at(50), at(90));
        check(&coverage, 0, 2.0 / 60.0);
        check(&coverage, 1, 0.5);
        check(&coverage, 2, 1.0);
    }

    #[test]
    fn a_source_that_fails_for_hours_cuts_each_of_them() {
        let mut coverage = Coverage::new(WindowLength::default());
        coverage.set_failing(0, true, Some(at(50)));
        coverage.set_failing(1, true, Some(at(60)));
        coverage.pass(Some(at(121)));
        coverage.set_failing(0, false, Some(at(122)));
        coverage.set_failing(1, false, Some(at(190)));
        check(&coverage, 0, 50.0 / 60.0);
        check(&coverage, 1, 0.0);
        check(&coverage, 2, 0.0);
        check(&coverage, 3, 50.0 / 60.0);
    }

    #[test]
    fn a_gap_of_centuries_is_noted_at_its_end() {
        let mut coverage = Coverage::new(WindowLength::default());
        coverage.note_missing(at(0), Timestamp::MAX);
        assert!(coverage.missing.len() <= 10_001);
    }

    #[test]
    fn a_loss_cuts_and_takes_nothing_from_the_share() {
        let mut coverage = Coverage::new(WindowLength::default());
        coverage.note_loss(at(2));
        let window = WindowLength::default().index_of(at(0));
        assert!(coverage.is_cut(window));
        check(&coverage, 0, 1.0);
    }

    #[test]
    fn a_source_that_fails_before_the_first_packet_counts_from_it() {
        let mut coverage = Coverage::new(WindowLength::default());
        coverage.set_failing(0, true, None);
        coverage.restart(at(30));
        coverage.set_failing(0, false, Some(at(60)));
        check(&coverage, 0, 0.5);
    }
}
