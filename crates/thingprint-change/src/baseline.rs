use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;
use thingprint_instance::{Bag, BagName, Instance};
use thiserror::Error;

use crate::alarm::{Excess, MOST_NAMED, NewWord};
use crate::learner::{LearnedWindow, Learner};
use crate::measure::Traffic;
use crate::word_index::WordIndex;
use crate::{ChangeOptions, Measure};

/// Blocks of time that a device's past is cut into: each is compared with the words of the others.
const BLOCKS: usize = 3;

/// What a device did in the windows that it is compared with: its words, and the limits of what may be new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Windows that it was learned from.
    windows: usize,
    /// Longest time from the start of one window to that of the next, in nanoseconds.
    longest_gap_ns: i64,
    known: BTreeMap<BagName, WordIndex>,
    limits: BTreeMap<Measure, f64>,
    /// Words for which there was no room: they count as new.
    words_dropped: u64,
}

/// There are too few windows of a device for a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{windows} windows are too few for a baseline, which takes {least}")]
pub struct TooFewWindows {
    /// Windows that there are.
    pub windows: usize,
    /// Windows that it takes.
    pub least: usize,
}

impl Baseline {
    /// The baseline of a device by windows of one length, in any order.
    pub fn of<'a>(
        windows: impl IntoIterator<Item = &'a Instance>,
        options: &ChangeOptions,
    ) -> Result<Self, TooFewWindows> {
        let mut learner = Learner::default();
        windows.into_iter().for_each(|window| learner.add(window));
        let windows = learner.windows.len();
        Self::learned(learner, options).map_err(|_| TooFewWindows { windows, least: options.least_windows })
    }

    /// The baseline of what was learned, which comes back if it has too few windows.
    pub(crate) fn learned(learner: Learner, options: &ChangeOptions) -> Result<Self, Learner> {
        if learner.windows.len() < options.least_windows.max(1) {
            return Err(learner);
        }
        let Learner { windows, words, words_dropped, .. } = learner;
        let gaps = windows.iter().zip(windows.iter().skip(1)).map(|(a, b)| b.start.nanos_since(a.start));
        let limits = Measure::all().filter_map(|measure| {
            let largest = largest(measure, &windows, &words)?;
            Some((measure, (options.margin * largest).max(ChangeOptions::floor(measure))))
        });
        Ok(Self {
            windows: windows.len(),
            longest_gap_ns: gaps.max().unwrap_or(0),
            limits: limits.collect(),
            known: words,
            words_dropped,
        })
    }

    /// What of a window exceeds its limit, the largest ratio of value and limit first. A bag that was not extracted is
    /// not compared. Words count as seen first in this window.
    pub fn judge(&self, window: &Instance) -> Vec<Excess> {
        self.judge_with(window, &mut |_, _| window.window_start)
    }

    pub(crate) fn judge_with(
        &self,
        window: &Instance,
        first_seen: &mut dyn FnMut(BagName, &str) -> Timestamp,
    ) -> Vec<Excess> {
        let judged = self.limits.iter().filter_map(|(measure, limit)| {
            let name = measure.bag();
            let mut new: Vec<(&String, u64)> = match name {
                Some(name) => self.new_words(name, window.bags.get(name)?).collect(),
                None => Vec::new(),
            };
            let value = match name {
                Some(_) => measure.of_new_words(new.iter().map(|(_, count)| *count)),
                None => Traffic::of(window).value(*measure),
            };
            if value <= *limit {
                return None;
            }
            new.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let new_words = new.len();
            let words = new.into_iter().take(MOST_NAMED).map(|(word, count)| NewWord {
                word: word.clone(),
                count,
                first_seen: name.map_or(window.window_start, |name| first_seen(name, word)),
            });
            Some(Excess { measure: *measure, value, limit: *limit, words: words.collect(), new_words })
        });
        let mut excesses: Vec<Excess> = judged.collect();
        excesses.sort_by(|a, b| b.ratio().total_cmp(&a.ratio()));
        excesses
    }

    /// Words of a bag that it does not have, with their counts.
    pub(crate) fn new_words<'w>(
        &self,
        name: BagName,
        bag: &'w Bag,
    ) -> impl Iterator<Item = (&'w String, u64)> {
        let known = self.known.get(&name);
        bag.iter()
            .filter(move |(word, _)| known.is_none_or(|known| !known.has(word)))
            .map(|(word, count)| (word, *count))
    }

    /// Whether windows of the past had this bag.
    pub(crate) fn has_bag(&self, name: BagName) -> bool {
        self.known.contains_key(&name)
    }

    /// Makes a word one of the past.
    pub(crate) fn take_in(&mut self, name: BagName, word: &str) {
        let added = self.known.entry(name).or_default().add(word);
        self.words_dropped += u64::from(added.is_none());
    }

    /// Windows that it was learned from.
    pub const fn windows(&self) -> usize {
        self.windows
    }

    /// Longest time from the start of one window to that of the next, in nanoseconds.
    pub const fn longest_gap_ns(&self) -> i64 {
        self.longest_gap_ns
    }

    /// The limit of a measure; `None` where the windows lack its bag.
    pub fn limit(&self, measure: Measure) -> Option<f64> {
        self.limits.get(&measure).copied()
    }

    /// Bytes of the words.
    pub(crate) fn word_bytes(&self) -> usize {
        self.known.values().map(WordIndex::bytes).sum()
    }

    /// Words for which there was no room.
    pub const fn words_dropped(&self) -> u64 {
        self.words_dropped
    }
}

/// The largest value of a measure in windows in the order of time; for new words, those that no other block has. Words
/// beyond the index count as such, since they are new in later windows, too.
fn largest(
    measure: Measure,
    windows: &VecDeque<LearnedWindow>,
    words: &BTreeMap<BagName, WordIndex>,
) -> Option<f64> {
    let Some(bag) = measure.bag() else {
        return windows.iter().map(|window| window.traffic.value(measure)).max_by(f64::total_cmp);
    };
    let block_of = |at: usize| (at * BLOCKS / windows.len()).min(BLOCKS - 1);
    let counted = || windows.iter().enumerate().filter_map(|(at, window)| Some((at, window.bags.get(&bag)?)));
    // A bit for each block that has the word.
    let mut blocks = vec![0_u8; words.get(&bag)?.len()];
    for (at, bag) in counted() {
        for (word, _) in &bag.known {
            if let Some(blocks) = blocks.get_mut(*word as usize) {
                *blocks |= 1 << block_of(at);
            }
        }
    }
    let new = counted().map(|(at, bag)| {
        let alone = |word: &u32| blocks.get(*word as usize) == Some(&(1 << block_of(at)));
        let known = bag.known.iter().filter(|(word, _)| alone(word)).map(|(_, count)| *count);
        measure.of_new_words(known.chain(bag.unknown.iter().copied()))
    });
    new.max_by(f64::total_cmp)
}
