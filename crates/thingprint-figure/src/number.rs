//! Numbers as text: places in a drawing, and values for people.

/// Greatest magnitude that is drawn, so that differences and sums stay finite.
pub(crate) const GREATEST: f64 = 1e300;
/// Prefixes of thousands, greatest first.
const PREFIXES: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
/// From here on a value has a prefix; below, people read the digits.
const PREFIX_FROM: f64 = 1e4;
/// Beyond these a power of ten says more than digits.
const PLAIN: std::ops::Range<f64> = 1e-4..1e15;

/// Decimals of a percentage, as few as do.
const PERCENT_DECIMALS: std::ops::RangeInclusive<usize> = 1..=4;
/// Shares that differ by less are the same.
const ROUNDING: f64 = 1e-12;

/// Whether a value can be drawn.
pub(crate) fn is_drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= GREATEST
}

/// A place or length in a drawing, to a hundredth of a pixel.
pub(crate) fn place(value: f64) -> String {
    let value = if is_drawable(value) { value } else { 0.0 };
    trimmed(format!("{value:.2}"))
}

/// A value to three significant digits, with a prefix of thousands: `0.0123`, `412`, `1.24M`.
pub(crate) fn short(value: f64) -> String {
    significant(value, 3)
}

/// A value to six significant digits.
pub(crate) fn exact(value: f64) -> String {
    significant(value, 6)
}

/// A share as a percentage, to a tenth; further where a tenth would make nothing or all of what is not.
pub(crate) fn percent(share: f64) -> String {
    if share.abs() >= PREFIX_FROM {
        return format!("{}%", short(share * 100.0));
    }
    let text = |decimals: usize| trimmed(format!("{:.decimals$}", share * 100.0));
    let says_too_much = |text: &String| {
        (text == "0" && share.abs() > ROUNDING) || (text == "100" && (share - 1.0).abs() > ROUNDING)
    };
    let shown = PERCENT_DECIMALS.map(text).find(|text| !says_too_much(text));
    format!("{}%", shown.unwrap_or_else(|| text(1)))
}

/// A value of a scale that goes in steps: as many decimals as the step needs, with the prefix of `greatest`.
pub(crate) fn stepped(value: f64, step: f64, greatest: f64) -> String {
    if value.abs() < step / 1e3 {
        return "0".to_owned();
    }
    if step < PLAIN.start || greatest >= PLAIN.end {
        return scientific(value, 2);
    }
    let (divisor, prefix) = prefix(greatest);
    let fine = -libm::floor(libm::log10(step / divisor) + 1e-9);
    format!("{value:.digits$}{prefix}", value = value / divisor, digits = digits(fine))
}

fn significant(value: f64, count: u32) -> String {
    let magnitude = value.abs();
    if magnitude < f64::MIN_POSITIVE {
        return "0".to_owned();
    }
    if !PLAIN.contains(&magnitude) {
        return scientific(value, count);
    }
    let (divisor, prefix) = if count > 3 { (1.0, "") } else { prefix(magnitude) };
    let leading = libm::floor(libm::log10(magnitude / divisor));
    let text = format!("{:.*}", digits(f64::from(count) - 1.0 - leading), value / divisor);
    format!("{}{prefix}", trimmed(text))
}

fn prefix(magnitude: f64) -> (f64, &'static str) {
    if magnitude < PREFIX_FROM {
        return (1.0, "");
    }
    PREFIXES.into_iter().find(|(from, _)| magnitude >= *from).unwrap_or((1.0, ""))
}

fn scientific(value: f64, count: u32) -> String {
    let text = format!("{:.*e}", digits(f64::from(count) - 1.0), value);
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trimmed(mantissa.to_owned())),
        None => text,
    }
}

/// A number of decimals: none below 0, and never more than an `f64` has.
fn digits(count: f64) -> usize {
    (0_u8..=17).rev().find(|digits| f64::from(*digits) <= count).map_or(0, usize::from)
}

/// Without zeros at the end of decimals, and without a sign before 0.
fn trimmed(text: String) -> String {
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    if text == "-0" { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_two_decimals_at_most() {
        let check = |value: f64, expected: &str| assert_eq!(place(value), expected, "{value}");
        check(1.0, "1");
        check(2.0 / 3.0, "0.67");
        check(-0.001, "0");
        check(100.0, "100");
        check(f64::NAN, "0");
        check(f64::INFINITY, "0");
    }

    #[test]
    fn values_are_short_for_people() {
        let check = |value: f64, expected: &str| assert_eq!(short(value), expected, "{value}");
        check(0.0, "0");
        check(0.012_34, "0.0123");
        check(412.4, "412");
        check(9_999.0, "9999");
        check(50_378.0, "50.4k");
        check(1_240_000.0, "1.24M");
        check(-2.5, "-2.5");
        check(1e20, "1e20");
        check(1.5e-7, "1.5e-7");
    }

    #[test]
    fn nearly_all_is_not_all_and_hardly_any_is_not_none() {
        let check = |share: f64, expected: &str| assert_eq!(percent(share), expected, "{share}");
        check(0.0, "0%");
        check(1.0, "100%");
        check(0.1 + 0.2 + 0.7, "100%");
        check(0.9988, "99.9%");
        check(0.9999, "99.99%");
        check(0.999_999, "99.9999%");
        check(0.0004, "0.04%");
        check(1e-9, "0%");
        check(0.25, "25%");
    }

    #[test]
    fn steps_decide_the_decimals() {
        let check =
            |value, step, greatest, expected: &str| assert_eq!(stepped(value, step, greatest), expected);
        check(0.2, 0.2, 1.0, "0.2");
        check(1.0, 0.2, 1.0, "1.0");
        check(20_000.0, 20_000.0, 100_000.0, "20k");
        check(2_500_000.0, 500_000.0, 3_000_000.0, "2.5M");
        check(1e-17, 0.1, 1.0, "0");
    }
}
