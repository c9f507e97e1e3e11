use serde::Serialize;

/// Discordant windows from which on the chi-square distribution is close enough.
const MANY: u64 = 25;

/// A test by Q. `McNemar` (Psychometrika 12, 1947): of the discordant windows, which one of two classifiers alone
/// has right, has each the same number? With several seeds it is a sign test: a window counts for the classifier that has it
/// right with more of the seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// How the probability was worked out.
    pub test: McNemarTest,
    /// Chi-square with one degree of freedom; `None` for the exact test.
    pub chi_square: Option<f64>,
    /// Probability of a difference at least as large, if both are equally good; two-sided.
    pub p: f64,
}

/// How the probability of a difference is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum McNemarTest {
    /// The binomial distribution, for fewer than 25 windows.
    ExactBinomial,
    /// Chi-square with the correction for continuity of Edwards (Psychometrika 13, 1948).
    ChiSquareCorrected,
}

impl McNemarTest {
    /// The name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExactBinomial => "exact binomial",
            Self::ChiSquareCorrected => "chi-square, corrected for continuity",
        }
    }
}

impl McNemar {
    /// Tests the numbers of windows that each alone has right.
    pub(super) fn of(first: u64, second: u64) -> Self {
        let all = first + second;
        if all < MANY {
            let p = exact(first.min(second), all);
            return Self { test: McNemarTest::ExactBinomial, chi_square: None, p };
        }
        let chi_square = (first.abs_diff(second) as f64 - 1.0).max(0.0).powi(2) / all as f64;
        let p = erfc((chi_square / 2.0).sqrt()).min(1.0);
        Self { test: McNemarTest::ChiSquareCorrected, chi_square: Some(chi_square), p }
    }
}

/// Twice the probability of at most `fewer` heads in so many tosses of a coin.
fn exact(fewer: u64, all: u64) -> f64 {
    let (mut choices, mut sum) = (1.0, 0.0);
    for heads in 0..=fewer {
        sum += choices;
        choices *= (all - heads) as f64 / (heads + 1) as f64;
    }
    (2.0 * sum * 0.5_f64.powf(all as f64)).min(1.0)
}

/// The complementary error function of a number that is not negative, with a relative error below 1.2e-7 (Press and
/// others, Numerical Recipes in C, §6.2).
fn erfc(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x);
    let polynomial = COEFFICIENTS.iter().rev().fold(0.0, |sum, coefficient| sum * t + coefficient);
    t * (polynomial - x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(first: u64, second: u64, p: f64) {
        let found = McNemar::of(first, second).p;
        assert!((found - p).abs() < 1e-6 * p.max(1e-3), "{first} {second}: {found} is not {p}");
        assert_eq!(McNemar::of(first, second), McNemar::of(second, first));
    }

    #[test]
    fn few_windows_are_tested_exactly() {
        // 2 · (1 + 10) / 1024; 2 · 1 / 32; equal counts have p = 1.
        check(9, 1, 22.0 / 1024.0);
        check(0, 5, 2.0 / 32.0);
        check(3, 3, 1.0);
        check(0, 0, 1.0);
        assert_eq!(McNemar::of(12, 12).test, McNemarTest::ExactBinomial);
    }

    #[test]
    fn many_windows_are_tested_by_chi_square() {
        // (|30 - 10| - 1)² / 40 = 9.025, and (|13 - 12| - 1)² / 25 = 0; 20 and 5: 196 / 25 = 7.84 = 2.8².
        check(30, 10, 0.002_663_119);
        check(13, 12, 1.0);
        check(20, 5, 0.005_110_261);
        assert_eq!(McNemar::of(20, 5).chi_square, Some(7.84));
        assert!((0.0..1e-300).contains(&McNemar::of(100_000, 0).p));
    }
}
