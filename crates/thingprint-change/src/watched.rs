use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::Instance;

use crate::alarm::Excess;
use crate::change::DayChange;
use crate::day::NewWords;
use crate::learner::Learner;
use crate::{Baseline, ChangeOptions, DeviceState, DeviceStatus};

/// A device: its past, and what came of comparing with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Watched {
    past: Past,
    new: NewWords,
    windows: u64,
    alarms: u64,
    last_seen: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Past {
    /// Windows of the past, and none was compared with them yet.
    Learning(Learner),
    /// What later windows are compared with.
    Known(Box<Baseline>),
    /// Too few windows of the past, with their number, and those since where they may become one.
    Short(usize, Learner),
}

impl Watched {
    /// A device of which nothing is known.
    pub(crate) fn new() -> Self {
        Self {
            past: Past::Learning(Learner::default()),
            new: NewWords::default(),
            windows: 0,
            alarms: 0,
            last_seen: None,
        }
    }

    /// Adds a window of the past; one that comes behind the first comparison is left out.
    pub(crate) fn learn(&mut self, window: &Instance) {
        if let Past::Learning(learner) = &mut self.past {
            learner.add(window);
            self.last_seen = self.last_seen.max(Some(window.window_start));
        }
    }

    /// The past is over: what there is of it becomes the baseline.
    pub(crate) fn begin(&mut self, options: &ChangeOptions) {
        if let Past::Learning(learner) = &mut self.past {
            let learner = std::mem::take(learner);
            self.past = match Baseline::learned(learner, options) {
                Ok(baseline) => Past::Known(Box::new(baseline)),
                Err(learner) => {
                    let windows = learner.windows.len();
                    Past::Short(
                        windows,
                        if options.adopt_after.is_some() { learner } else { Learner::default() },
                    )
                }
            };
        }
    }

    /// Compares a window, and gives what exceeds its limit; `None` where there is nothing to compare it with. Without room,
    /// nothing more is kept of it.
    pub(crate) fn compare(
        &mut self,
        window: &Instance,
        options: &ChangeOptions,
        has_room: bool,
    ) -> Option<Vec<Excess>> {
        self.begin(options);
        self.windows += 1;
        self.last_seen = self.last_seen.max(Some(window.window_start));
        let Past::Known(baseline) = &self.past else {
            if has_room {
                self.adopt(window, options);
            }
            return None;
        };
        let start = window.window_start;
        let mut first_seen =
            |name, word: &str| self.new.first_seen(name, word).map_or(start, |first| first.min(start));
        let excesses = baseline.judge_with(window, &mut first_seen);
        self.new.note(window, baseline, (!excesses.is_empty(), has_room));
        self.alarms += u64::from(!excesses.is_empty());
        Some(excesses)
    }

    /// Gives a device without a baseline one of the windows since, when there are enough.
    fn adopt(&mut self, window: &Instance, options: &ChangeOptions) {
        let (Past::Short(_, learner), Some(enough)) = (&mut self.past, options.adopt_after) else { return };
        learner.add(window);
        if learner.windows.len() >= enough.max(options.least_windows)
            && let Ok(baseline) = Baseline::learned(std::mem::take(learner), options)
        {
            self.past = Past::Known(Box::new(baseline));
        }
    }

    /// The day ends; what was new in most of it belongs to the past from now on.
    pub(crate) fn end_day(
        &mut self,
        device: DeviceId,
        day: Timestamp,
        options: &ChangeOptions,
    ) -> Option<DayChange> {
        let Past::Known(baseline) = &mut self.past else { return None };
        let words = self.new.end_day(options);
        for word in &words {
            baseline.take_in(word.bag, &word.word);
        }
        (!words.is_empty()).then_some(DayChange { device, day, words })
    }

    /// What is known of it at `now`, the start of the last window of all devices.
    pub(crate) fn status(&self, device: DeviceId, now: Option<Timestamp>, margin: f64) -> DeviceStatus {
        let (state, baseline_windows) = match &self.past {
            Past::Learning(learner) => (DeviceState::Silent, learner.windows.len()),
            Past::Short(0, _) => (DeviceState::New, 0),
            Past::Short(windows, _) => (DeviceState::TooFew, *windows),
            Past::Known(baseline) if self.is_silent(baseline, now, margin) => {
                (DeviceState::Silent, baseline.windows())
            }
            Past::Known(baseline) => (DeviceState::Compared, baseline.windows()),
        };
        DeviceStatus {
            device,
            state,
            baseline_windows,
            windows: self.windows,
            alarms: self.alarms,
            last_seen: self.last_seen,
        }
    }

    fn is_silent(&self, baseline: &Baseline, now: Option<Timestamp>, margin: f64) -> bool {
        let (Some(now), Some(last)) = (now, self.last_seen) else { return false };
        let usual_ns = (margin * baseline.longest_gap_ns() as f64).max(LEAST_SILENCE_NS);
        self.windows == 0 || now.nanos_since(last) as f64 > usual_ns
    }

    /// Bytes of its past and of the new words.
    pub(crate) fn bytes(&self) -> usize {
        let past = match &self.past {
            Past::Learning(learner) | Past::Short(_, learner) => learner.bytes(),
            Past::Known(baseline) => baseline.word_bytes(),
        };
        past + self.new.bytes()
    }

    /// New words that were not followed, or not any more.
    pub(crate) const fn words_unfollowed(&self) -> u64 {
        self.new.unfollowed
    }

    /// Words for which its baseline had no room.
    pub(crate) fn words_dropped(&self) -> u64 {
        match &self.past {
            Past::Learning(learner) | Past::Short(_, learner) => learner.words_dropped,
            Past::Known(baseline) => baseline.words_dropped(),
        }
    }
}

/// Silence from which on a device that was there in every window fell silent: three hours, in nanoseconds.
const LEAST_SILENCE_NS: f64 = 3.0 * 3600.0 * 1e9;
