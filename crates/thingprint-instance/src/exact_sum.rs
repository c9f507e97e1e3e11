use serde::{Deserialize, Serialize};

/// A sum of real numbers without rounding errors, so that it does not depend on their order.
///
/// It is kept as a few numbers that do not overlap, each the rounding error of those above it (Shewchuk, "Adaptive
/// Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997, §2.4). The numbers have to be far
/// from the ends of the range of `f64`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExactSum {
    /// From the least to the greatest magnitude.
    terms: Vec<f64>,
}

impl ExactSum {
    /// Makes it 0, and keeps the memory of its terms.
    pub(crate) fn clear(&mut self) {
        self.terms.clear();
    }

    /// Adds a number.
    pub(crate) fn add(&mut self, number: f64) {
        let mut carry = number;
        self.terms.retain_mut(|term| {
            let (sum, error) = two_sum(carry, *term);
            (carry, *term) = (sum, error);
            error != 0.0
        });
        if carry != 0.0 {
            self.terms.push(carry);
        }
    }

    /// Adds the product of two numbers.
    pub(crate) fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        self.add(a.mul_add(b, -product));
        self.add(product);
    }

    /// Adds what another sum is.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.terms.iter().for_each(|term| self.add(*term));
    }

    /// Numbers that add up to it.
    pub(crate) fn terms(&self) -> &[f64] {
        &self.terms
    }

    /// The sum, rounded once.
    pub(crate) fn value(&self) -> f64 {
        let mut terms = self.terms.iter().rev().copied();
        let mut value = terms.next().unwrap_or(0.0);
        let mut error = 0.0;
        for term in terms.by_ref() {
            (value, error) = two_sum(value, term);
            if error != 0.0 {
                break;
            }
        }
        // Half of the last place is rounded to even only where nothing lies below.
        let below = terms.next().unwrap_or(0.0);
        let (rounded, rest) = two_sum(value, 2.0 * error);
        if error * below > 0.0 && rest == 0.0 { rounded } else { value }
    }
}

/// The sum of two numbers, and the error of its rounding (Knuth, "The Art of Computer Programming" 2, §4.2.2).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum_of(numbers: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        for number in numbers {
            sum.add(*number);
        }
        sum
    }

    /// The sum of whole numbers times a power of two, which `i128` holds.
    fn by_hand(wholes: &[i64]) -> f64 {
        let sum: i128 = wholes.iter().map(|whole| i128::from(*whole) << 40).sum();
        sum as f64 / f64::from(2.0_f32.powi(60))
    }

    #[test]
    fn small_numbers_are_not_lost() {
        assert_eq!(sum_of(&[1e16, 1.0, 1.0, -1e16]).value().to_bits(), 2.0_f64.to_bits());
        assert_eq!(sum_of(&[]).value().to_bits(), 0.0_f64.to_bits());
        // 2^53 + 1 is half-way between two numbers, and a little more is above it.
        let half = 9_007_199_254_740_992.0;
        assert_eq!(sum_of(&[half, 1.0]).value().to_bits(), half.to_bits());
        assert_eq!(sum_of(&[half, 1.0, 1e-20]).value().to_bits(), (half + 2.0).to_bits());
    }

    proptest! {
        /// The sum is that of whole numbers, rounded once, in any order and however it is grouped.
        #[test]
        fn sums_are_exact(
            wholes in proptest::collection::vec(-(1_i64 << 53)..1 << 53, 0..40),
            cut in any::<prop::sample::Index>(),
        ) {
            let numbers: Vec<f64> = wholes.iter().map(|whole| *whole as f64 / f64::from(1 << 20)).collect();
            let expected = by_hand(&wholes);
            prop_assert_eq!(sum_of(&numbers).value().to_bits(), expected.to_bits());
            let (left, right) = numbers.split_at(cut.index(numbers.len() + 1));
            let mut merged = sum_of(right);
            merged.merge(&sum_of(left));
            prop_assert_eq!(merged.value().to_bits(), expected.to_bits());
        }

        /// What a product loses when it is rounded is in the sum.
        #[test]
        fn products_are_exact(a in -(1_i64 << 53)..1 << 53, b in -(1_i64 << 53)..1 << 53) {
            let (high, low) = (a >> 26 << 26, a - (a >> 26 << 26));
            let mut sum = ExactSum::default();
            sum.add_product(a as f64, b as f64);
            sum.add_product(-(high as f64), b as f64);
            sum.add_product(-(low as f64), b as f64);
            prop_assert_eq!(sum.value().to_bits(), 0.0_f64.to_bits());
        }
    }
}
