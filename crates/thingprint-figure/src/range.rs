//! From values to their share of an axis, and the marks of the axis.

use crate::axis::{Axis, Scale};
use crate::number::{is_drawable, percent, short, stepped};

/// Marks of a linear axis that are aimed at.
const MARKS: f64 = 5.0;
/// Marks of a logarithmic axis, at most.
const MOST_MARKS: f64 = 8.0;
/// Smallest value that a logarithmic axis shows.
const LEAST: f64 = 1e-300;

/// Which part of an axis values cover, widened to round numbers.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    scale: Scale,
    /// Ends in the terms of the scale: values, or their logarithms.
    low: f64,
    high: f64,
    /// Distance between marks, in the same terms.
    step: f64,
    percent: bool,
}

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    /// How far along the axis, 0 to 1.
    pub(crate) share: f64,
    pub(crate) label: String,
}

impl Range {
    /// The range of values, or of the axis' bounds; none without a value that the scale can show.
    pub(crate) fn of(axis: &Axis, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let shown = values.into_iter().filter(|value| is_shown(axis.scale, *value));
        let seen = shown.fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        })?;
        let bounds = axis
            .bounds
            .filter(|(low, high)| is_shown(axis.scale, *low) && is_shown(axis.scale, *high) && low < high);
        let mut range = match axis.scale {
            Scale::Linear => Self::linear(bounds.unwrap_or(seen)),
            scale => Self::logarithmic(scale, bounds.unwrap_or(seen)),
        };
        if let Some((low, high)) = bounds {
            (range.low, range.high) = (transform(axis.scale, low), transform(axis.scale, high));
        }
        range.percent = axis.percent;
        Some(range)
    }

    /// As [`Range::of`], from 0 where the scale is linear: the length of a bar is its value.
    pub(crate) fn from_zero(axis: &Axis, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values = values.into_iter().filter(|value| is_shown(axis.scale, *value)).peekable();
        values.peek()?;
        let zero = (axis.scale == Scale::Linear).then_some(0.0);
        Self::of(axis, values.chain(zero))
    }

    /// How far along the axis a value lies, 0 to 1; none outside.
    pub(crate) fn share(&self, value: f64) -> Option<f64> {
        if !is_shown(self.scale, value) {
            return None;
        }
        let share = self.part(transform(self.scale, value));
        (-1e-9..=1.0 + 1e-9).contains(&share).then_some(share.clamp(0.0, 1.0))
    }

    /// As [`Range::share`], at the nearer end for a value outside.
    pub(crate) fn clamped(&self, value: f64) -> f64 {
        if value.is_nan() || (self.scale != Scale::Linear && value < LEAST) {
            return 0.0;
        }
        self.part(transform(self.scale, value)).clamp(0.0, 1.0)
    }

    /// The value at a share of the axis.
    pub(crate) fn value(&self, share: f64) -> f64 {
        let at = self.low + (self.high - self.low) * share;
        match self.scale {
            Scale::Linear => at,
            Scale::Log2 => libm::exp2(at),
            Scale::Log10 => libm::exp10(at),
        }
    }

    /// The marks, in order.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let first = libm::ceil(self.low / self.step - 1e-9);
        let whole = (0_u32..40).map(|index| (first + f64::from(index)) * self.step);
        let mut places: Vec<f64> = whole.take_while(|at| self.part(*at) <= 1.0 + 1e-9).collect();
        if self.scale == Scale::Log10 && self.high - self.low < 2.5 {
            let between = [2.0, 5.0].map(libm::log10);
            let finer = places.iter().flat_map(|at| between.map(|part| at + part)).collect::<Vec<_>>();
            let before = between.map(|part| libm::floor(self.low) + part);
            places.extend(finer.into_iter().chain(before));
            places.retain(|at| (-1e-9..=1.0 + 1e-9).contains(&self.part(*at)));
            places.sort_by(f64::total_cmp);
            places.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
        }
        places
            .into_iter()
            .map(|at| Mark { share: self.part(at).clamp(0.0, 1.0), label: self.label(at) })
            .collect()
    }

    fn linear((low, high): (f64, f64)) -> Self {
        let least = (low.abs().max(high.abs()) * 1e-9).max(f64::MIN_POSITIVE * 1e9);
        let (low, high) = if high - low < least { widened(low) } else { (low, high) };
        let step = round_step((high - low) / MARKS);
        let (low, high) = (libm::floor(low / step + 1e-9) * step, libm::ceil(high / step - 1e-9) * step);
        Self { scale: Scale::Linear, low, high, step, percent: false }
    }

    fn logarithmic(scale: Scale, (low, high): (f64, f64)) -> Self {
        let low = libm::floor(transform(scale, low) + 1e-9);
        let high = libm::ceil(transform(scale, high) - 1e-9).max(low + 1.0);
        let step = libm::ceil((high - low) / MOST_MARKS).max(1.0);
        Self { scale, low, high, step, percent: false }
    }

    fn part(&self, at: f64) -> f64 {
        (at - self.low) / (self.high - self.low)
    }

    fn label(&self, at: f64) -> String {
        match self.scale {
            Scale::Linear if self.percent => {
                let greatest = self.low.abs().max(self.high.abs()) * 100.0;
                stepped(at * 100.0, self.step * 100.0, greatest)
            }
            Scale::Linear => stepped(at, self.step, self.low.abs().max(self.high.abs())),
            Scale::Log2 | Scale::Log10 => {
                let value = if self.scale == Scale::Log2 { libm::exp2(at) } else { libm::exp10(at) };
                if self.percent { percent(value) } else { logarithmic_label(value) }
            }
        }
    }
}

/// Powers read best without a prefix as long as they are short: 4096, but 100k.
fn logarithmic_label(value: f64) -> String {
    if (1.0..100_000.0).contains(&value) && (value - libm::round(value)).abs() < 1e-6 * value {
        return if value >= 9_999.0 && (value / 1000.0 - libm::round(value / 1000.0)).abs() < 1e-6 {
            short(value)
        } else {
            format!("{value:.0}")
        };
    }
    short(value)
}

fn is_shown(scale: Scale, value: f64) -> bool {
    is_drawable(value) && (scale == Scale::Linear || value >= LEAST)
}

fn transform(scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Log2 => libm::log2(value),
        Scale::Log10 => libm::log10(value),
    }
}

/// Room around a single value.
fn widened(value: f64) -> (f64, f64) {
    let room = if value.abs() < LEAST { 1.0 } else { value.abs() / 2.0 };
    (value - room, value + room)
}

/// The next of 1, 2, 5 and 10 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = libm::exp10(libm::floor(libm::log10(step)));
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| step <= factor * power * (1.0 + 1e-9));
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64]) -> Vec<String> {
        let range = Range::of(axis, values.iter().copied());
        range.map_or(Vec::new(), |range| range.marks().into_iter().map(|mark| mark.label).collect())
    }

    #[test]
    fn marks_are_round() {
        let check = |axis: Axis, values: &[f64], expected: &[&str]| {
            assert_eq!(labels(&axis, values), expected, "{values:?}");
        };
        check(Axis::default(), &[0.0, 9.7], &["0", "2", "4", "6", "8", "10"]);
        check(Axis::default(), &[-0.3, 0.4], &["-0.4", "-0.2", "0", "0.2", "0.4"]);
        check(
            Axis::default(),
            &[0.0, 50_378.0],
            &["0k", "20k", "40k", "60k"].map(|l| if l == "0k" { "0" } else { l }),
        );
        check(Axis::percent(""), &[0.0, 1.0], &["0", "20", "40", "60", "80", "100"]);
        check(
            Axis::default().scale(Scale::Log2),
            &[1.0, 128.0],
            &["1", "2", "4", "8", "16", "32", "64", "128"],
        );
        check(
            Axis::default().scale(Scale::Log10),
            &[30.0, 2e6],
            &["10", "100", "1000", "10k", "100k", "1M", "10M"],
        );
        check(Axis::default().scale(Scale::Log10), &[2.0, 40.0], &["1", "2", "5", "10", "20", "50", "100"]);
        check(Axis::percent("").bounds(0.9, 1.0), &[0.95], &["90", "92", "94", "96", "98", "100"]);
    }

    #[test]
    fn what_cannot_be_shown_has_no_range() {
        assert!(labels(&Axis::default(), &[]).is_empty());
        assert!(labels(&Axis::default(), &[f64::NAN, f64::INFINITY]).is_empty());
        assert!(labels(&Axis::default().scale(Scale::Log10), &[0.0, -1.0]).is_empty());
    }

    #[test]
    fn extremes_have_marks() {
        for values in [[1e300, -1e300], [5e-324, 0.0], [7.0, 7.0], [0.0, 0.0], [1e300, 1e300]] {
            let range = Range::of(&Axis::default(), values);
            assert!(range.is_some_and(|range| range.marks().len() > 1), "{values:?}");
        }
    }
}
