use std::collections::BTreeMap;

use thingprint_flow::{Frame, Timestamp};

/// How far two clocks may be apart that are taken for the same one, in nanoseconds: as far as the times of a capture may
/// jump without being confirmed.
const SAME_NS: i64 = 300_000_000_000;

/// The time of the last frame of each source, to see whether all clocks stepped back or one source is behind.
#[derive(Debug, Default)]
pub(crate) struct SourceTimes {
    last: BTreeMap<usize, Timestamp>,
    /// The highest time since the clock of all stepped back.
    highest: Option<Timestamp>,
    /// Whether a source stepped back, and others did not follow yet.
    is_split: bool,
}

impl SourceTimes {
    /// Takes in a frame; whether the clock of all sources steps back with it.
    ///
    /// Sources of one machine step together. Until the last of them did, frames of the others are late; a source of another
    /// machine whose clock is behind stays so.
    #[inline]
    pub(crate) fn note(&mut self, source: usize, frame: &Frame<'_>) -> bool {
        self.last.insert(source, frame.time);
        self.highest = self.highest.max(Some(frame.time));
        self.is_split |= frame.begins_segment;
        self.is_split && self.all_follow()
    }

    fn all_follow(&mut self) -> bool {
        let (Some(before), Some(now)) = (self.highest, self.last.values().max()) else { return false };
        let all_follow = before.nanos_since(*now) > SAME_NS;
        if all_follow {
            (self.highest, self.is_split) = (Some(*now), false);
        }
        all_follow
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
        assert!(!times.note(0, &frame(10_000, false)));
        assert!(times.note(0, &frame(6400, true)));
        assert!(!times.note(0, &frame(6401, false)));
    }

    #[test]
    fn the_clock_steps_when_the_last_source_has_followed() {
        let mut times = SourceTimes::default();
        assert!(!times.note(0, &frame(10_000, false)));
        assert!(!times.note(1, &frame(10_001, false)));
        assert!(!times.note(0, &frame(6400, true)));
        assert!(!times.note(0, &frame(6401, false)));
        assert!(times.note(1, &frame(6402, true)));
        assert!(!times.note(0, &frame(6403, false)));
    }

    #[test]
    fn a_source_that_is_behind_moves_no_clock() {
        let mut times = SourceTimes::default();
        times.note(0, &frame(10_000, false));
        assert!(!times.note(1, &frame(100, true)));
        assert!(!times.note(0, &frame(10_001, false)));
    }
}
