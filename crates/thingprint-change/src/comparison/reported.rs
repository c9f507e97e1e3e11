use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::Timestamp;
use thingprint_instance::{BagName, Instance};

use super::numbers::quantile;
use super::period::Period;
use super::{Aspect, Difference, Turn};
use crate::Measure;
use crate::alarm::Excess;

/// How often lasting words may come in a window, as a multiple of the middle window that has them: the hours of a day differ by
/// that. What comes more often is no part of what lasts.
const MOST_OF_MIDDLE: f64 = 4.0;

/// What the differences of a device say already, so that windows which show no more than that are no difference of their own.
#[derive(Debug)]
pub(super) struct Reported<'a> {
    before: &'a Period,
    /// The windows of the later time.
    windows: Vec<&'a Instance>,
    lasting: BTreeMap<BagName, Lasting<'a>>,
    /// By which factor measures grew for good.
    grown: BTreeMap<Measure, f64>,
}

/// Words of a bag that are new for good.
#[derive(Debug)]
struct Lasting<'a> {
    words: BTreeSet<&'a str>,
    /// How often they come at most in a window, all together.
    most: f64,
}

impl<'a> Reported<'a> {
    pub(super) fn of(before: &'a Period, windows: Vec<&'a Instance>, differences: &'a [Difference]) -> Self {
        let mut lasting = BTreeMap::new();
        let mut grown = BTreeMap::new();
        for difference in differences {
            match difference {
                Difference::Words { aspect: Aspect::Words(bag), turn: Turn::New, words, .. } => {
                    let words = words.iter().filter(|word| word.is_lasting()).map(|word| word.word.as_str());
                    let words: BTreeSet<&str> = words.collect();
                    let most = MOST_OF_MIDDLE * middle(&windows, *bag, &words);
                    lasting.insert(*bag, Lasting { words, most });
                }
                Difference::Number { aspect, moved } if moved.ratio.is_some_and(|ratio| ratio > 1.0) => {
                    let factor = moved.after / moved.before;
                    let has_grown = factor > 1.0 && factor.is_finite();
                    grown.extend(measure_of(*aspect).filter(|_| has_grown).map(|measure| (measure, factor)));
                }
                _ => {}
            }
        }
        Self { before, windows, lasting, grown }
    }

    /// Whether what exceeded its limit in a window is within it once what lasts is taken out of it.
    pub(super) fn explains(&self, excess: &Excess, start: Timestamp) -> bool {
        let Some(bag) = excess.measure.bag() else {
            let factor = self.grown.get(&excess.measure);
            return factor.is_some_and(|factor| excess.value <= factor * excess.limit);
        };
        let Some(lasting) = self.lasting.get(&bag) else { return false };
        let known = self.before.words.get(&Aspect::Words(bag));
        let is_new = |word: &str| known.is_none_or(|known| !known.contains_key(word));
        let mut windows = self.windows.iter().filter(|window| window.window_start == start);
        windows.all(|window| {
            let words = window.bags.get(bag).into_iter().flatten();
            let others = words.filter(|(word, _)| !lasting.words.contains(word.as_str()) && is_new(word));
            let rest = excess.measure.of_new_words(others.map(|(_, count)| *count));
            rest <= excess.limit && count(window, (bag, &lasting.words)) <= lasting.most
        })
    }
}

/// The measure of windows that is the same number.
const fn measure_of(aspect: Aspect) -> Option<Measure> {
    match aspect {
        Aspect::Packets => Some(Measure::Packets),
        Aspect::BytesUp => Some(Measure::BytesUp),
        _ => None,
    }
}

/// How often words come in the middle one of the windows that have any.
fn middle(windows: &[&Instance], bag: BagName, words: &BTreeSet<&str>) -> f64 {
    let counts = windows.iter().map(|window| count(window, (bag, words)));
    let mut counts: Vec<f64> = counts.filter(|count| *count > 0.0).collect();
    counts.sort_by(f64::total_cmp);
    quantile(&counts, 0.5).unwrap_or(0.0)
}

/// How often words come in a window.
fn count(window: &Instance, (bag, words): (BagName, &BTreeSet<&str>)) -> f64 {
    let bag = window.bags.get(bag).into_iter().flatten();
    bag.filter(|(word, _)| words.contains(word.as_str())).map(|(_, count)| *count as f64).sum()
}
