use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thingprint_flow::{DeviceId, Timestamp};

use super::bootstrap::Day;
use crate::classes::most_likely;
use crate::evaluation::TestedFold;
use crate::joint::day_of;
use crate::measure::{Priors, squared_distance};

/// What answers of two classifiers are paired by.
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

/// What a classifier said of each window: the mean over its seeds.
#[derive(Clone, Debug, Default)]
pub struct WindowAnswers {
    /// Names of all classes that have a probability somewhere, in byte order.
    classes: Vec<Arc<str>>,
    windows: BTreeMap<WindowKey, Said>,
}

/// Sums over what was said of a window.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    count: f64,
    /// Probabilities by class; short where the last classes have none.
    distribution: Vec<f64>,
    /// Squared distances of the priors; 0 where they are not known.
    pub(super) prior_error: f64,
}

/// A window that both answered, with squared distances of the probabilities and of the priors from the truth.
pub(super) struct Pair<'a> {
    key: &'a WindowKey,
    pub(super) is_right: [bool; 2],
    errors: [f64; 2],
    prior_error: f64,
}

impl WindowAnswers {
    /// No answers yet, with probabilities of these classes.
    pub fn new(classes: impl IntoIterator<Item = Arc<str>>) -> Self {
        let classes: BTreeSet<Arc<str>> = classes.into_iter().collect();
        Self { classes: classes.into_iter().collect(), windows: BTreeMap::new() }
    }

    /// The answers of folds of any seeds.
    pub fn of(folds: &[TestedFold]) -> Self {
        let mut answers = Self::default();
        answers.extend(folds);
        answers
    }

    /// Adds the answers of more folds.
    pub fn extend(&mut self, folds: &[TestedFold]) {
        let names = folds.iter().flat_map(|fold| &fold.classes).map(|class| Arc::clone(&class.name));
        self.announce(names.collect());
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
                let names = fold.classes.iter().map(|class| &*class.name);
                let said = self.add(key, names.zip(answer.prediction.distribution.iter().copied()));
                said.prior_error += priors.error(fold, &answer.truth);
            }
        }
    }

    /// Makes room for more classes, and moves probabilities to their new places.
    fn announce(&mut self, mut classes: BTreeSet<Arc<str>>) {
        classes.extend(self.classes.iter().cloned());
        if classes.len() == self.classes.len() {
            return;
        }
        let former = std::mem::replace(&mut self.classes, classes.into_iter().collect());
        for said in self.windows.values_mut() {
            let mut moved = vec![0.0; self.classes.len()];
            for (name, sum) in former.iter().zip(&said.distribution) {
                if let Some(class) = number(&self.classes, name) {
                    moved[class] = *sum;
                }
            }
            said.distribution = moved;
        }
    }

    /// Adds what was said of a window with one seed; classes that were not announced are left out.
    pub fn insert<'a>(&mut self, key: WindowKey, probabilities: impl IntoIterator<Item = (&'a str, f64)>) {
        self.add(key, probabilities);
    }

    /// Number of windows.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether there is no window.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// Adds what was said of a window, which comes back.
    pub(super) fn add<'a>(
        &mut self,
        key: WindowKey,
        probabilities: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> &mut Said {
        let classes = &self.classes;
        let said = self.windows.entry(key).or_default();
        said.count += 1.0;
        for (name, probability) in probabilities {
            let Some(class) = number(classes, name) else { continue };
            if said.distribution.len() <= class {
                said.distribution.resize(class + 1, 0.0);
            }
            said.distribution[class] += probability;
        }
        said
    }

    /// Whether the answer for a window is right, and its squared distance from the truth.
    fn judge(&self, key: &WindowKey, said: &Said) -> (bool, f64) {
        let distribution: Vec<f64> = said.distribution.iter().map(|sum| sum / said.count).collect();
        let truth = number(&self.classes, &key.truth);
        let squares = distribution.iter().map(|p| p * p).sum();
        let hit = truth.and_then(|truth| distribution.get(truth)).copied().unwrap_or(0.0);
        (truth == Some(most_likely(&distribution)), squared_distance(squares, hit))
    }

    /// The windows that both answered, with the priors of this one.
    pub(super) fn paired<'a>(&'a self, other: &Self) -> Vec<Pair<'a>> {
        let pair = |(key, said): (&'a WindowKey, &Said)| {
            let (is_right, error) = self.judge(key, said);
            let (is_other_right, other_error) = other.judge(key, other.windows.get(key)?);
            let prior_error = said.prior_error / said.count;
            Some(Pair {
                key,
                is_right: [is_right, is_other_right],
                errors: [error, other_error],
                prior_error,
            })
        };
        self.windows.iter().filter_map(pair).collect()
    }
}

impl Pair<'_> {
    /// What the windows of each day of a device add up to, in the order of devices and days.
    pub(super) fn by_day(pairs: &[Self]) -> Vec<Day> {
        let mut days: BTreeMap<(&str, DeviceId, i64), Day> = BTreeMap::new();
        for pair in pairs {
            let WindowKey { device, window_start, truth, .. } = pair.key;
            let day = days.entry((&**truth, *device, day_of(*window_start))).or_default();
            day.add(pair.is_right, pair.errors, pair.prior_error);
        }
        days.into_values().collect()
    }
}

fn number(classes: &[Arc<str>], name: &str) -> Option<usize> {
    classes.binary_search_by(|class| (**class).cmp(name)).ok()
}
