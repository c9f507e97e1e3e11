//! Volume and rhythm outside what is usual.

use std::collections::BTreeMap;

use thingprint_flow::Timestamp;

use super::{Aspect, MARGIN, Period};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;
/// Fewest days of the earlier time of which it is known how far days differ, each counted by the share of its hours that was
/// seen: three days of which some hours are missing.
const LEAST_DAYS: f64 = 2.5;
/// The least difference that counts, as a factor: a half more or a third less.
const LEAST_FACTOR: f64 = 1.5;

/// A number whose usual size is another one.
#[derive(Clone, Debug, PartialEq)]
pub struct MovedNumber {
    /// The middle one of the windows of the earlier time.
    pub before: f64,
    /// Nine of ten windows of the earlier time are in this range: the 5th and the 95th percentile.
    pub usual: (f64, f64),
    /// The middle one of the windows of the later time.
    pub after: f64,
    /// The difference for each that is still usual, on a scale of factors: above 1 is unusual. `None` where the earlier time is
    /// shorter than three days.
    pub ratio: Option<f64>,
}

/// How a number moved; `None` where it did not, or where one of the times does not have it.
pub(super) fn moved(aspect: Aspect, before: &Period, after: &Period) -> Option<MovedNumber> {
    let (earlier, later) = (before.numbers.get(&aspect)?, after.numbers.get(&aspect)?);
    let values = |of: &[(Timestamp, f64)]| {
        let mut values: Vec<f64> = of.iter().map(|(_, value)| *value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (past, present) = (values(earlier), values(later));
    let (middle, now) = (quantile(&past, 0.5)?, quantile(&present, 0.5)?);
    if middle.total_cmp(&now).is_eq() {
        return None;
    }
    let days = Days::of(earlier);
    let ratio = (days.number() >= LEAST_DAYS).then(|| {
        let apart = |value| distance(aspect, value, middle);
        let of_days = days.0.iter().map(|day| day.share * apart(day.middle));
        let farthest = of_days.fold(0.0, f64::max);
        days.share(later.len()) * apart(now) / (MARGIN * farthest).max(LEAST_FACTOR.ln())
    });
    Some(MovedNumber {
        before: middle,
        usual: (quantile(&past, 0.05)?, quantile(&past, 0.95)?),
        after: now,
        ratio,
    })
}

/// Distance on a scale of factors, on which what is hardly more than nothing is close to nothing.
fn distance(aspect: Aspect, a: f64, b: f64) -> f64 {
    let place = |value: f64| (value.max(0.0) / aspect.least()).ln_1p();
    (place(a) - place(b)).abs()
}

/// A day, UTC, of a number.
struct Day {
    middle: f64,
    /// Its windows over those of the day with most: of a day of which an hour was seen, the hour speaks and not the day.
    share: f64,
}

/// The days of a number, and the most windows that one has.
struct Days(Vec<Day>, usize);

impl Days {
    fn of(values: &[(Timestamp, f64)]) -> Self {
        let mut days: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (start, value) in values {
            days.entry(start.as_nanos().div_euclid(DAY_NS)).or_default().push(*value);
        }
        let most = days.values().map(Vec::len).max().unwrap_or(0);
        let day = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            Some(Day { middle: quantile(&values, 0.5)?, share: share(values.len(), most) })
        };
        Self(days.into_values().filter_map(day).collect(), most)
    }

    /// How many days were seen, by their hours.
    fn number(&self) -> f64 {
        self.0.iter().map(|day| day.share).sum()
    }

    /// Which share of a day so many windows are, at most 1.
    fn share(&self, windows: usize) -> f64 {
        share(windows, self.1)
    }
}

fn share(windows: usize, of_windows: usize) -> f64 {
    (windows as f64 / of_windows.max(1) as f64).min(1.0)
}

/// A quantile of sorted values: the value at its rank.
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a place"
    )]
    let place = (share * last as f64).round() as usize;
    sorted.get(place.min(last)).copied()
}
