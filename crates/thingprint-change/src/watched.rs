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
    /// Windows in which it sent and received.
    answered: u64,
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

impl Past {
    /// Windows that it was learned from.
    fn windows(&self) -> usize {
        match self {
            Self::Learning(learner) => learner.windows.len(),
            Self::Known(baseline) => baseline.windows(),
            Self::Short(windows, _) => *windows,
        }
    }
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
            answered: 0,
        }
    }

    /// Adds a window of the past; one that comes behind the first comparison is left out.
    pub(crate) fn learn(&mut self, window: &Instance) {
        if let Past::Learning(learner) = &mut self.past {
            learner.add(window);
            self.see(window);
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

    /// Compares a window, and gives what exceeds its limit; `None` where there is nothing to compare it with.
    pub(crate) fn compare(&mut self, window: &Instance, options: &ChangeOptions) -> Option<Vec<Excess>> {
        self.begin(options);
        self.windows += 1;
        self.see(window);
        let Past::Known(baseline) = &self.past else {
            self.adopt(window, options);
            return None;
        };
        let start = window.window_start;
        let mut first_seen =
            |name, word: &str| self.new.first_seen(name, word).map_or(start, |first| first.min(start));
        let excesses = baseline.judge_with(window, &mut first_seen);
        self.new.note(window, baseline, !excesses.is_empty());
        self.alarms += u64::from(!excesses.is_empty());
        Some(excesses)
    }

    fn see(&mut self, window: &Instance) {
        self.last_seen = self.last_seen.max(Some(window.window_start));
        self.answered += u64::from(window.counts.packets_up > 0 && window.counts.packets_down > 0);
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

    /// Whether it has a baseline, or enough windows for one: made-up addresses have not.
    pub(crate) fn is_established(&self, options: &ChangeOptions) -> bool {
        match &self.past {
            Past::Learning(learner) => learner.windows.len() >= options.least_windows.max(1),
            Past::Known(_) => true,
            Past::Short(..) => false,
        }
    }

    /// How much it is worth to be kept where there are too many devices: whether it has a baseline or enough windows for one,
    /// in how many windows it was answered, as made-up addresses are not, and when it was seen last.
    pub(crate) fn rank(&self, options: &ChangeOptions) -> (bool, u64, Option<Timestamp>) {
        (self.is_established(options), self.answered, self.last_seen)
    }

    /// Windows that it is known by.
    pub(crate) fn all_windows(&self) -> u64 {
        self.windows + self.past.windows() as u64
    }

    /// Gives up what it has, until so many bytes are free: new words that are followed, then the earliest windows, then the
    /// baseline. Returns the windows and the words that it gave up.
    pub(crate) fn give_up(&mut self, excess: usize) -> (u64, u64) {
        let enough = self.bytes().saturating_sub(excess);
        let words = self.new.give_up();
        let left = self.bytes().saturating_sub(enough);
        if left == 0 {
            return (0, words);
        }
        let windows = match &mut self.past {
            Past::Learning(learner) | Past::Short(_, learner) => learner.give_up(left),
            Past::Known(baseline) => {
                let windows = baseline.windows();
                self.past = Past::Short(windows, Learner::default());
                windows as u64
            }
        };
        (windows, words)
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
