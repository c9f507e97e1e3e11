use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thingprint_flow::{DeviceId, Timestamp};

use super::bootstrap::Day;
use crate::evaluation::TestedFold;
use crate::joint::day_of;
use crate::measure::{Priors, answer_error, squared_distance};

/// What answers of two classifiers are paired by, together with the seed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowKey {
    /// The device.
    pub device: DeviceId,
    /// Start of the window.
    pub window_start: Timestamp,
    /// The capture, where it is the window.
    pub capture: Option<Arc<str>>,
    /// The fold that tests the window, from 1.
    pub fold: u32,
    /// The true class.
    pub truth: Arc<str>,
}

/// How well a classifier answered each window with each seed.
#[derive(Clone, Debug, Default)]
pub struct WindowAnswers {
    /// By window and seed.
    windows: BTreeMap<WindowKey, BTreeMap<u64, Judged>>,
    /// Whether one model gave all answers, which no seed changes.
    is_of_model: bool,
    repeated: u64,
}

/// How well a window was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judged {
    /// 1 for a right answer, 0 for a wrong one; a share of the seeds in means.
    right: f64,
    /// Squared distance of the probabilities from the truth.
    error: f64,
    /// Squared distance of the priors; 0 where they are not known.
    pub(super) prior_error: f64,
}

/// A window that both answered: means over the seeds that both have for it.
pub(super) struct Pair<'a> {
    key: &'a WindowKey,
    seeds: Vec<u64>,
    means: [Judged; 2],
}

impl WindowAnswers {
    /// The answers of folds of any seeds.
    pub fn of(folds: &[TestedFold]) -> Self {
        let mut answers = Self::default();
        answers.extend(folds);
        answers
    }

    /// The answers of a single model, which are compared with those of any seed.
    pub fn of_model(fold: &TestedFold) -> Self {
        Self { is_of_model: true, ..Self::of(std::slice::from_ref(fold)) }
    }

    /// Adds the answers of more folds.
    pub fn extend(&mut self, folds: &[TestedFold]) {
        for fold in folds {
            let priors = Priors::of(fold);
            for answer in &fold.answers {
                let key = WindowKey {
                    device: answer.prediction.device,
                    window_start: answer.prediction.window_start,
                    capture: answer.capture.clone(),
                    fold: fold.fold,
                    truth: Arc::clone(&answer.truth),
                };
                let judged = Judged {
                    right: share(answer.is_right()),
                    error: answer_error(fold, answer),
                    prior_error: priors.error(fold, &answer.truth),
                };
                self.add(key, fold.seed, judged);
            }
        }
    }

    /// Adds the answer for a window with a seed: the class, and the probability of each class that has one. Returns whether it is
    /// the first; of several, the first one counts.
    pub fn insert<'a>(
        &mut self,
        key: WindowKey,
        seed: u64,
        class: &str,
        probabilities: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> bool {
        let (mut squares, mut hit) = (0.0, 0.0);
        for (name, probability) in probabilities {
            squares += probability * probability;
            if name == &*key.truth {
                hit = probability;
            }
        }
        let right = share(class == &*key.truth);
        self.add(key, seed, Judged { right, error: squared_distance(squares, hit), prior_error: 0.0 })
    }

    /// Number of windows.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether there is no window.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// Answers for a window and a seed that had one, and are left out.
    pub const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// The seeds that some window was answered with, ascending.
    pub fn seeds(&self) -> BTreeSet<u64> {
        self.windows.values().flat_map(BTreeMap::keys).copied().collect()
    }

    /// Whether answers can be paired: a seed is in common, or one side is a single model.
    pub fn has_seed_in_common(&self, other: &Self) -> bool {
        self.is_of_model || other.is_of_model || !self.seeds().is_disjoint(&other.seeds())
    }

    fn add(&mut self, key: WindowKey, seed: u64, judged: Judged) -> bool {
        let by_seed = self.windows.entry(key).or_default();
        let is_first = !by_seed.contains_key(&seed);
        by_seed.entry(seed).or_insert(judged);
        self.repeated += u64::from(!is_first);
        is_first
    }

    /// The windows that both answered with a seed in common.
    pub(super) fn paired<'a>(&'a self, other: &Self) -> Vec<Pair<'a>> {
        let pair = |(key, first): (&'a WindowKey, &BTreeMap<u64, Judged>)| {
            let second = other.windows.get(key)?;
            let seeds: Vec<u64> = match (self.is_of_model, other.is_of_model) {
                (true, _) => second.keys().copied().collect(),
                (false, true) => first.keys().copied().collect(),
                (false, false) => first.keys().filter(|seed| second.contains_key(seed)).copied().collect(),
            };
            let means = [self.mean(first, &seeds)?, other.mean(second, &seeds)?];
            Some(Pair { key, seeds, means })
        };
        self.windows.iter().filter_map(pair).collect()
    }

    /// The mean over these seeds; `None` without one.
    fn mean(&self, by_seed: &BTreeMap<u64, Judged>, seeds: &[u64]) -> Option<Judged> {
        if self.is_of_model {
            return by_seed.values().next().copied();
        }
        let count = seeds.len() as f64;
        let judged = seeds.iter().filter_map(|seed| by_seed.get(seed)).copied();
        let sum = judged.reduce(|sum, judged| Judged {
            right: sum.right + judged.right,
            error: sum.error + judged.error,
            prior_error: sum.prior_error + judged.prior_error,
        })?;
        Some(Judged {
            right: sum.right / count,
            error: sum.error / count,
            prior_error: sum.prior_error / count,
        })
    }
}

/// What a window says in `McNemar`'s test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    BothRight,
    First,
    Second,
    BothWrong,
}

impl Pair<'_> {
    /// The side that is right with more of the seeds; for equal ones, whether at least half of the seeds are right.
    pub(super) fn sign(&self) -> Sign {
        /// Less than shares of any number of seeds differ by.
        const ROUNDING: f64 = 1e-9;
        let [first, second] = self.means.map(|mean| mean.right);
        if (first - second).abs() > ROUNDING {
            return if first > second { Sign::First } else { Sign::Second };
        }
        if first > 0.5 - ROUNDING { Sign::BothRight } else { Sign::BothWrong }
    }

    /// The seeds of all pairs, ascending.
    pub(super) fn seeds(pairs: &[Self]) -> BTreeSet<u64> {
        pairs.iter().flat_map(|pair| &pair.seeds).copied().collect()
    }

    /// What the windows of each day of a device add up to, in the order of devices and days.
    pub(super) fn by_day(pairs: &[Self]) -> Vec<Day> {
        let mut days: BTreeMap<(&str, DeviceId, i64), Day> = BTreeMap::new();
        for pair in pairs {
            let WindowKey { device, window_start, truth, .. } = pair.key;
            let day = days.entry((&**truth, *device, day_of(*window_start))).or_default();
            let [first, _] = pair.means;
            day.add(pair.means.map(|mean| mean.right), pair.means.map(|mean| mean.error), first.prior_error);
        }
        days.into_values().collect()
    }
}

fn share(is_right: bool) -> f64 {
    f64::from(u8::from(is_right))
}
