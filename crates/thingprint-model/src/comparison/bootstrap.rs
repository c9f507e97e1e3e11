use std::num::NonZeroUsize;

use serde::Serialize;

use crate::parallel;
use crate::quantile::quantile;
use crate::random::{Generator, Purpose};

/// How often days are drawn for an interval.
pub const RESAMPLES: u32 = 10_000;

/// Fewest days of devices that an interval is worked out for: of fewer, draws hardly vary, and an interval is too narrow.
pub const FEWEST_DAYS: usize = 10;

/// Shares of draws below the ends of an interval of 95 %.
const ENDS: [f64; 2] = [0.025, 0.975];

/// A measure of two classifiers, and by how much they differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Contrast {
    /// Of the first.
    pub value: f64,
    /// Of the second.
    pub other: f64,
    /// The first less the second.
    pub difference: f64,
    /// Lower end of the interval that has 95 % of the differences when days of devices are drawn anew; `None` for fewer
    /// than [`FEWEST_DAYS`].
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

/// Sums over the windows of a day of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Day {
    windows: f64,
    right: [f64; 2],
    errors: [f64; 2],
    prior_error: f64,
}

impl Day {
    pub(super) fn add(&mut self, right: [f64; 2], errors: [f64; 2], prior_error: f64) {
        self.join(&Self { windows: 1.0, right, errors, prior_error });
    }

    fn join(&mut self, other: &Self) {
        self.windows += other.windows;
        self.prior_error += other.prior_error;
        for side in 0..2 {
            self.right[side] += other.right[side];
            self.errors[side] += other.errors[side];
        }
    }

    fn accuracy(&self) -> [f64; 2] {
        self.right.map(|right| right / self.windows)
    }

    fn rrse(&self) -> [f64; 2] {
        self.errors.map(|error| 100.0 * (error / self.prior_error).sqrt())
    }
}

/// The differences of accuracy and of RRSE, with intervals by the percentiles of a bootstrap that draws whole days of
/// devices (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, §8 and §13), which [`FEWEST_DAYS`] are needed for; `None` without days.
pub(super) fn differences(days: &[Day], seed: u64, jobs: NonZeroUsize) -> Option<[Contrast; 2]> {
    let all = sum(days.iter())?;
    let drawn = if days.len() >= FEWEST_DAYS {
        parallel::map(RESAMPLES as usize, jobs, || (), |(), at| draw(days, seed, at))
    } else {
        Vec::new()
    };
    let interval = |of: fn(&Day) -> [f64; 2]| {
        let difference = |day: &Day| of(day)[0] - of(day)[1];
        let drawn: Vec<f64> = drawn.iter().map(difference).collect();
        let [low, high] = ENDS.map(|end| quantile(drawn.clone(), end));
        let [value, other] = of(&all);
        Contrast { value, other, difference: value - other, low, high }
    };
    Some([interval(Day::accuracy), interval(Day::rrse)])
}

/// As many days as there are, drawn with replacement, added up.
fn draw(days: &[Day], seed: u64, resample: usize) -> Day {
    let resample = u32::try_from(resample).unwrap_or(u32::MAX);
    let mut generator = Generator::new(seed, Purpose::Resample(resample));
    let count = u32::try_from(days.len()).unwrap_or(u32::MAX);
    let picked = days.iter().filter_map(|_| days.get(generator.below(count) as usize));
    sum(picked).unwrap_or_default()
}

fn sum<'a>(days: impl Iterator<Item = &'a Day>) -> Option<Day> {
    days.copied().reduce(|mut sum, day| {
        sum.join(&day);
        sum
    })
}
