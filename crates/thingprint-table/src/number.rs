/// Digits that a measure is rounded to where nothing else is asked for.
const SIGNIFICANT: i32 = 4;
/// Most decimals of a percentage.
const MOST_PERCENT_DECIMALS: usize = 4;

/// How the measures of a column are shown to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notation {
    /// Rounded to four significant digits; digits before the point always stay.
    #[default]
    Significant,
    /// With this many decimals.
    Decimals(usize),
    /// A share of 1 in percent, with this many decimals: more where they would make 100 % of what is less.
    Percent(usize),
}

impl Notation {
    /// The measure as text.
    pub fn text(self, measure: f64) -> String {
        match self {
            Self::Significant => rounded(measure),
            Self::Decimals(decimals) => without_sign_of_zero(format!("{measure:.decimals$}")),
            Self::Percent(decimals) => {
                format!("{:.*} %", percent_decimals(measure, decimals), 100.0 * measure)
            }
        }
    }
}

/// Decimals to show a share in percent with: more than these where they would make 100 % of what is less.
pub fn percent_decimals(share: f64, decimals: usize) -> usize {
    let is_all = |decimals: &usize| format!("{:.*}", *decimals, 100.0 * share).starts_with("100");
    let fitting = (decimals..=MOST_PERCENT_DECIMALS).find(|decimals| share >= 1.0 || !is_all(decimals));
    fitting.unwrap_or(decimals)
}

/// A measure rounded to four significant digits; digits before the point always stay.
fn rounded(measure: f64) -> String {
    if measure == 0.0 || !measure.is_finite() {
        return format!("{}", measure + 0.0);
    }
    let scientific = format!("{measure:.*e}", (SIGNIFICANT - 1).unsigned_abs() as usize);
    let exponent = scientific.rsplit_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok());
    match exponent {
        Some(exponent @ -4..15) => {
            let decimals = (SIGNIFICANT - 1 - exponent).max(0).unsigned_abs() as usize;
            without_trailing_zeros(&format!("{measure:.decimals$}")).to_owned()
        }
        _ => scientific,
    }
}

/// A number that is 0 as shown has no sign.
fn without_sign_of_zero(number: String) -> String {
    let is_zero = number.bytes().all(|byte| matches!(byte, b'-' | b'.' | b'0'));
    if is_zero { number.trim_start_matches('-').to_owned() } else { number }
}

fn without_trailing_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_keep_four_digits_and_no_idle_zeros() {
        let check = |measure: f64, expected: &str| assert_eq!(rounded(measure), expected);
        check(0.0, "0");
        check(-0.0, "0");
        check(1.0, "1");
        check(0.982_34, "0.9823");
        check(12.345_6, "12.35");
        check(999.96, "1000");
        check(123_456.7, "123457");
        check(-3.5, "-3.5");
        check(0.000_123_46, "0.0001235");
        check(0.000_012_345, "1.234e-5");
        check(1e300, "1.000e300");
        check(f64::INFINITY, "inf");
    }

    #[test]
    fn what_is_shown_as_zero_has_no_sign() {
        let check = |measure: f64, expected: &str| assert_eq!(Notation::Decimals(1).text(measure), expected);
        check(-0.04, "0.0");
        check(-0.06, "-0.1");
        check(0.0, "0.0");
        check(-10.0, "-10.0");
    }

    #[test]
    fn less_than_all_is_not_shown_as_all() {
        let shown = |share| Notation::Percent(1).text(share);
        assert_eq!([1.0, 0.9999, 0.99, 0.99997].map(shown), ["100.0 %", "99.99 %", "99.0 %", "99.997 %"]);
    }
}
