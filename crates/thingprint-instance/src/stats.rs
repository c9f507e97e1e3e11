use serde::{Deserialize, Serialize};

use crate::Spread;
use crate::exact_sum::ExactSum;

/// Count, sum, squares and extremes of whole numbers: exact, whatever the order in which values come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WholeStats {
    count: u64,
    sum: u128,
    squares: u128,
    min: u64,
    max: u64,
}

impl WholeStats {
    pub(crate) fn add(&mut self, value: u64) {
        self.merge(&Self {
            count: 1,
            sum: u128::from(value),
            squares: u128::from(value).pow(2),
            min: value,
            max: value,
        });
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// The mean in units of `unit` values; `None` without values.
    pub(crate) fn mean(&self, unit: f64) -> Option<f64> {
        (self.count > 0).then(|| float(self.sum) / self.count as f64 / unit)
    }

    /// The spread in units of `unit` values.
    pub(crate) fn spread(&self, unit: f64) -> Option<Spread> {
        (self.count > 0).then(|| Spread {
            count: self.count,
            sum: float(self.sum) / unit,
            sd: self.variance().sqrt() / unit,
            min: self.min as f64 / unit,
            max: self.max as f64 / unit,
        })
    }

    /// (n Σx² − (Σx)²) / n², the numerator in whole numbers as long as it fits.
    fn variance(&self) -> f64 {
        let count = u128::from(self.count);
        let exact = count
            .checked_mul(self.squares)
            .zip(self.sum.checked_mul(self.sum))
            .map(|(squares, square)| float(squares.saturating_sub(square)) / float(count) / float(count));
        exact.unwrap_or_else(|| {
            let mean = float(self.sum) / float(count);
            (float(self.squares) / float(count) - mean * mean).max(0.0)
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a statistic is a float; 53 bits are as good as it gets")]
const fn float(whole: u128) -> f64 {
    whole as f64
}

/// Count, sum, sum of squares and extremes of real numbers: exact, whatever the order in which values come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RealStats {
    count: u64,
    sum: ExactSum,
    squares: ExactSum,
    min: f64,
    max: f64,
}

impl RealStats {
    fn clear(&mut self) {
        self.sum.clear();
        self.squares.clear();
        (self.count, self.min, self.max) = (0, 0.0, 0.0);
    }

    pub(crate) fn add(&mut self, value: f64) {
        self.extend((value, value), 1);
        self.sum.add(value);
        self.squares.add_product(value, value);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.extend((other.min, other.max), other.count);
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
    }

    fn extend(&mut self, (min, max): (f64, f64), count: u64) {
        if count > 0 {
            let is_first = self.count == 0;
            self.min = if is_first { min } else { self.min.min(min) };
            self.max = if is_first { max } else { self.max.max(max) };
            self.count += count;
        }
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum.value() / self.count as f64)
    }

    pub(crate) fn spread(&self) -> Option<Spread> {
        (self.count > 0).then(|| Spread {
            count: self.count,
            sum: self.sum.value(),
            sd: self.variance().sqrt(),
            min: self.min,
            max: self.max,
        })
    }

    /// (n Σx² − (Σx)²) / n², rounded after the difference.
    fn variance(&self) -> f64 {
        let count = self.count as f64;
        let mut scaled = ExactSum::default();
        for square in self.squares.terms() {
            scaled.add_product(count, *square);
        }
        for a in self.sum.terms() {
            for b in self.sum.terms() {
                scaled.add_product(-a, *b);
            }
        }
        (scaled.value() / count / count).max(0.0)
    }
}

/// Ratios of whole numbers: their statistics, and both parts summed up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RatioStats {
    ratios: RealStats,
    above: u128,
    below: u128,
}

impl RatioStats {
    /// Forgets all ratios, and keeps the memory of their sums.
    pub(crate) fn clear(&mut self) {
        self.ratios.clear();
        (self.above, self.below) = (0, 0);
    }

    pub(crate) fn add(&mut self, above: u64, below: u64, ratio: fn(f64, f64) -> f64) {
        self.ratios.add(ratio(above as f64, below as f64));
        self.above = self.above.saturating_add(u128::from(above));
        self.below = self.below.saturating_add(u128::from(below));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.ratios.merge(&other.ratios);
        self.above = self.above.saturating_add(other.above);
        self.below = self.below.saturating_add(other.below);
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        self.ratios.mean()
    }

    /// The ratio of all that stands above to all that stands below; `None` without ratios.
    pub(crate) fn ratio_of_sums(&self, ratio: fn(f64, f64) -> f64) -> Option<f64> {
        (self.below > 0).then(|| ratio(float(self.above), float(self.below)))
    }

    pub(crate) fn spread(&self) -> Option<Spread> {
        self.ratios.spread()
    }
}
