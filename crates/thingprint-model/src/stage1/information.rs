/// Binary digits behind the point of the fixed-point numbers.
const FRACTION_BITS: i32 = 32;

/// A gain of at most this many bits for each instance is none: Weka's comparisons of doubles have this slack.
const LEAST_GAIN: f64 = 1e-6;

/// n · log2 n of every weight up to that of the whole training set, in units of 2^-32.
///
/// With whole numbers, sums of these do not depend on the order in which they are added, so splits that are equally
/// good tie exactly, and running sums while a cut moves through a node lose nothing. No sum overflows: n · log2 n is
/// below 2^29 for the 2^24 rows that a table may have.
pub(super) struct Information(Vec<i64>);

impl Information {
    pub(super) fn up_to(weight: usize) -> Self {
        Self((0..=weight).map(fixed_n_log_n).collect())
    }

    pub(super) fn of(&self, weight: u32) -> i64 {
        self.0[weight as usize]
    }

    /// Adds to a weight, and returns how much its information grows.
    pub(super) fn add(&self, weight: &mut u32, more: u16) -> i64 {
        let before = self.of(*weight);
        *weight += u32::from(more);
        self.of(*weight) - before
    }

    /// Whether splitting a node of this weight has a gain. Both arguments are sums over the parts of
    /// `Σ_c n_c log2 n_c - n log2 n`, which is minus the entropy times the weight.
    pub(super) fn is_gain(split: i64, whole: i64, weight: u32) -> bool {
        let bits = (split - whole) as f64 / f64::powi(2.0, FRACTION_BITS);
        bits / f64::from(weight) > LEAST_GAIN
    }
}

#[expect(clippy::cast_possible_truncation, reason = "below 2^61 for the weights that a table may have")]
fn fixed_n_log_n(weight: usize) -> i64 {
    if weight == 0 {
        return 0;
    }
    let weight = weight as f64;
    (weight * weight.log2() * f64::powi(2.0, FRACTION_BITS)).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_exact() {
        let information = Information::up_to(8);
        assert_eq!(
            [0, 1, 2, 4, 8].map(|weight| information.of(weight)),
            [0, 0, 2, 8, 24].map(|n| n << FRACTION_BITS)
        );
    }

    #[test]
    fn the_largest_table_does_not_overflow() {
        let most = fixed_n_log_n(super::super::MAX_ROWS);
        assert_eq!(most, (24 << 24) << FRACTION_BITS);
        assert!(most.checked_mul(2).is_some());
    }

    #[test]
    fn a_perfect_cut_gains_the_whole_entropy() {
        let information = Information::up_to(8);
        let whole = 2 * information.of(4) - information.of(8);
        let split = 0;
        assert_eq!((split - whole) >> FRACTION_BITS, 8);
        assert!(Information::is_gain(split, whole, 8));
        assert!(!Information::is_gain(whole, whole, 8));
    }
}
