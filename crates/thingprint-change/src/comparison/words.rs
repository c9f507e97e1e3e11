//! Words that came and words that went.

use std::collections::BTreeMap;

use thingprint_flow::Timestamp;

use super::period::Period;
use super::{Aspect, Turn};

/// How many times a word's longest pause it has to be absent. A word that comes at least once in `g` windows is absent for `g` of
/// them now and then; for three times as many it is not.
const PAUSES: f64 = 3.0;

/// Fewest windows that have a word of which a pause is known.
const LEAST_WINDOWS: usize = 3;

/// A word that is in one of the two times alone.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnedWord {
    /// The word.
    pub word: String,
    /// Windows that have it.
    pub windows: usize,
    /// Windows of that time.
    pub of_windows: usize,
    /// Start of the first window that has it.
    pub first_seen: Timestamp,
    /// Start of the last window that has it.
    pub last_seen: Timestamp,
    /// For how many windows it is absent, for each window of its longest pause; `None` where it was seen in fewer than three
    /// windows.
    pub pauses: Option<f64>,
}

impl TurnedWord {
    /// Whether it stayed away for longer than its pauses explain.
    pub fn is_lasting(&self) -> bool {
        self.ratio() > 1.0
    }

    /// Its pauses over those that are usual.
    pub(super) fn ratio(&self) -> f64 {
        self.pauses.map_or(0.0, |pauses| pauses / PAUSES)
    }
}

/// Words that one time has and the other has not, those first that stayed away for the most pauses.
pub(super) fn turned(aspect: Aspect, turn: Turn, before: &Period, after: &Period) -> Vec<TurnedWord> {
    let (with, without) = match turn {
        Turn::New => (after, before),
        Turn::Gone => (before, after),
    };
    let (Some(has), Some(lacks)) = (with.words.get(&aspect), without.words.get(&aspect)) else {
        return Vec::new();
    };
    let ranks: BTreeMap<Timestamp, usize> =
        with.windows.iter().enumerate().map(|(at, start)| (*start, at)).collect();
    let turned = has.iter().filter(|(word, _)| !lacks.contains_key(*word)).filter_map(|(word, windows)| {
        let seen: Vec<usize> = windows.iter().filter_map(|start| ranks.get(start).copied()).collect();
        let (first, last) = (*seen.first()?, *seen.last()?);
        let between = seen.iter().zip(seen.iter().skip(1)).map(|(a, b)| b - a).max().unwrap_or(0);
        let behind = with.windows.len() - 1 - last;
        // What stays away at the end of its own time did not last, or was gone already.
        let (pause, absent) = match turn {
            Turn::New => (between.max(behind + 1), first + without.windows.len()),
            Turn::Gone => (between.max(behind + 1).max(first + 1), behind + without.windows.len()),
        };
        let is_known = seen.len() >= LEAST_WINDOWS;
        Some(TurnedWord {
            word: word.clone(),
            windows: seen.len(),
            of_windows: with.windows.len(),
            first_seen: *windows.first()?,
            last_seen: *windows.last()?,
            pauses: is_known.then(|| absent as f64 / pause as f64),
        })
    });
    let mut turned: Vec<TurnedWord> = turned.collect();
    turned.sort_by(|a, b| b.ratio().total_cmp(&a.ratio()).then_with(|| b.windows.cmp(&a.windows)));
    turned
}

/// How many words of an aspect come or go for good in as long a time as the later one: by the larger number of both that did between
/// the halves of the earlier time.
pub(super) fn usual_turns(aspect: Aspect, before: &Period, after: &Period) -> f64 {
    let Some(middle) = before.middle() else { return 0.0 };
    let [first, second] = before.split_at(middle);
    let lasting =
        |turn| turned(aspect, turn, &first, &second).iter().filter(|word| word.is_lasting()).count();
    let of_half = lasting(Turn::New).max(lasting(Turn::Gone)) as f64;
    of_half * 2.0 * after.windows.len() as f64 / before.windows.len().max(1) as f64
}
