use std::collections::BTreeMap;

use thingprint_flow::{Frame, Timestamp};

/// How far two clocks may be apart that are taken for the same one, in nanoseconds: as far as the times of a capture may
/// jump without being confirmed.
const SAME_NS: i64 = 300_000_000_000;
/// How long a source that stepped back waits for the others, by its own clock, in nanoseconds: who says nothing meanwhile is
/// not asked.
const PATIENCE_NS: i64 = 60_000_000_000;

/// The time of the last frame of each source, to see whether all clocks stepped back or one source is behind.
#[derive(Debug, Default)]
pub(crate) struct SourceTimes {
    /// The highest time since the clock of all stepped back.
    highest: Option<Timestamp>,
    /// What came since a source stepped back and others did not follow.
    split: Option<Split>,
}

#[derive(Debug)]
struct Split {
    /// The source that stepped back first, and the time that it stepped to.
    first: (usize, Timestamp),
    /// The last time of each source that was heard since.
    heard: BTreeMap<usize, Timestamp>,
    sources: usize,
}

impl SourceTimes {
    /// Takes in a frame of one of so many sources; whether the clock of all steps back with it.
    ///
    /// Sources of one machine step together. Until the others did, frames of the first are late, for a minute at most: a
    /// source that is silent, failed or ended holds up nobody. A source of another machine whose clock is behind goes on
    /// beside those that are not, and stays so.
    #[inline]
    pub(crate) fn note(&mut self, source: usize, frame: &Frame<'_>, sources: usize) -> bool {
        if frame.begins_segment && self.split.is_none() {
            let heard = BTreeMap::new();
            self.split = Some(Split { first: (source, frame.time), heard, sources });
        }
        if self.split.is_none() {
            self.highest = self.highest.max(Some(frame.time));
            return false;
        }
        self.follow(source, frame.time)
    }

    fn follow(&mut self, source: usize, time: Timestamp) -> bool {
        let (Some(split), Some(highest)) = (&mut self.split, self.highest) else { return false };
        split.heard.insert(source, time);
        let is_behind = |time: &Timestamp| highest.nanos_since(*time) > SAME_NS;
        if !split.heard.values().all(is_behind) {
            // Somebody goes on as before: the one that stepped back is behind.
            self.highest = Some(highest.max(time));
            if split.first.0 != source && !is_behind(&time) {
                self.split = None;
            }
            return false;
        }
        let (first, since) = split.first;
        let waited = split.heard.get(&first).is_some_and(|now| now.nanos_since(since) >= PATIENCE_NS);
        if split.heard.len() < split.sources && !waited {
            return false;
        }
        (self.highest, self.split) = (Some(time), None);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(seconds: i64, begins_segment: bool) -> Frame<'static> {
        Frame { time: Timestamp::from_seconds(seconds), begins_segment, ..Frame::default() }
    }

    #[test]
    fn one_source_steps_by_itself() {
        let mut times = SourceTimes::default();
        assert!(!times.note(0, &frame(10_000, false), 1));
        assert!(times.note(0, &frame(6400, true), 1));
        assert!(!times.note(0, &frame(6401, false), 1));
    }

    #[test]
    fn the_clock_steps_when_the_last_source_has_followed() {
        let mut times = SourceTimes::default();
        assert!(!times.note(0, &frame(10_000, false), 2));
        assert!(!times.note(1, &frame(10_001, false), 2));
        assert!(!times.note(0, &frame(6400, true), 2));
        assert!(!times.note(0, &frame(6401, false), 2));
        assert!(times.note(1, &frame(6402, true), 2));
        assert!(!times.note(0, &frame(6403, false), 2));
    }

    #[test]
    fn a_source_that_is_silent_holds_up_nobody() {
        let mut times = SourceTimes::default();
        times.note(1, &frame(10_000, false), 2);
        times.note(0, &frame(10_001, false), 2);
        assert!(!times.note(0, &frame(5000, true), 2));
        assert!(!times.note(0, &frame(5059, false), 2));
        assert!(times.note(0, &frame(5060, false), 2));
        // When it is heard again, its clock has stepped as well.
        assert!(!times.note(1, &frame(5061, true), 2) || times.split.is_none());
    }

    #[test]
    fn a_source_that_is_behind_moves_no_clock() {
        let mut times = SourceTimes::default();
        times.note(0, &frame(10_000, false), 2);
        assert!(!times.note(1, &frame(100, true), 2));
        assert!(!times.note(0, &frame(10_001, false), 2));
        assert!(!times.note(1, &frame(101, false), 2));
        assert!(!times.note(0, &frame(10_002, false), 2));
    }
}
