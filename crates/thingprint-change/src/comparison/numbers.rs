//! Volume and rhythm outside what is usual.

use std::collections::BTreeMap;

use thingprint_flow::Timestamp;

use super::{Aspect, MARGIN, Period};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;
/// Fewest days of the earlier time of which it is known how far days differ.
const LEAST_DAYS: usize = 3;
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
    /// The difference for each that is still usual, on a scale of factors: above 1 is unusual. `None` where the earlier time has
    /// fewer than three days.
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
    let days = days(earlier);
    let ratio = (days.len() >= LEAST_DAYS).then(|| {
        let farthest = days.iter().map(|day| distance(*day, middle)).fold(0.0, f64::max);
        distance(now, middle) / (MARGIN * farthest).max(LEAST_FACTOR.ln())
    });
    Some(MovedNumber {
        before: middle,
        usual: (quantile(&past, 0.05)?, quantile(&past, 0.95)?),
        after: now,
        ratio,
    })
}

/// Distance on a scale of factors, on which 0 and 1 are close.
fn distance(a: f64, b: f64) -> f64 {
    (a.max(0.0).ln_1p() - b.max(0.0).ln_1p()).abs()
}

/// The middle value of each day, UTC.
fn days(values: &[(Timestamp, f64)]) -> Vec<f64> {
    let mut days: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (start, value) in values {
        days.entry(start.as_nanos().div_euclid(DAY_NS)).or_default().push(*value);
    }
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        quantile(&values, 0.5)
    };
    days.into_values().filter_map(middle).collect()
}

/// A quantile of sorted values: the value at its rank.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a place"
    )]
    let place = (share * last as f64).round() as usize;
    sorted.get(place.min(last)).copied()
}
