use serde::{Deserialize, Serialize};

use crate::Spread;

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

/// Count, sum, second moment and extremes of real numbers (Welford's and Chan's update).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RealStats {
    count: u64,
    sum: f64,
    mean: f64,
    moment: f64,
    min: f64,
    max: f64,
}

impl RealStats {
    pub(crate) fn add(&mut self, value: f64) {
        self.merge(&Self { count: 1, sum: value, mean: value, moment: 0.0, min: value, max: value });
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let delta = other.mean - self.mean;
        self.mean += delta * m / (n + m);
        self.moment += other.moment + delta * delta * n * m / (n + m);
        self.sum += other.sum;
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    pub(crate) fn spread(&self) -> Option<Spread> {
        (self.count > 0).then(|| Spread {
            count: self.count,
            sum: self.sum,
            sd: (self.moment / self.count as f64).max(0.0).sqrt(),
            min: self.min,
            max: self.max,
        })
    }
}

/// Ratios of whole numbers: their statistics, and both parts summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RatioStats {
    ratios: RealStats,
    above: u128,
    below: u128,
}

impl RatioStats {
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
