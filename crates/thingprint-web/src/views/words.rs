//! Numbers and states in words, the same in all views.

use thingprint_watch::Severity;

use crate::html::Html;

/// A count with its thousands parted by spaces that do not break.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut parted = String::with_capacity(digits.len() + 8);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len() > 4 && (digits.len() - index).is_multiple_of(3) {
            parted.push('\u{202f}');
        }
        parted.push(digit);
    }
    parted
}

/// A count and its noun.
pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Bytes in the unit that reads best: `412 B`, `1.2 kB`, `3.4 MB`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1e3;
    for unit in UNITS {
        if value < 999.95 || unit == "PB" {
            let decimals = usize::from(value < 99.95);
            return format!("{value:.decimals$} {unit}");
        }
        value /= 1e3;
    }
    format!("{bytes} B")
}

/// A share in whole percent; nearly all is not all.
pub(super) fn percent(share: f64) -> String {
    with_decimals(share, 0)
}

/// A share in percent to a tenth, as where two are compared.
pub(super) fn tenths(share: f64) -> String {
    with_decimals(share, 1)
}

fn with_decimals(share: f64, least: usize) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    let decimals = thingprint_table::percent_decimals(share, least);
    format!("{:.decimals$} %", share * 100.0)
}

/// A severity as a badge.
pub(super) fn severity(html: &mut Html, severity: Severity) {
    html.badge(tone(severity), severity.as_str());
}

/// Class of the style sheet for a severity.
pub(super) const fn tone(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "info",
        Severity::Warning => "medium",
        Severity::Error => "high",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(count(9_999), "9999");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(counted(1, "flow"), "1 flow");
        assert_eq!(counted(0, "flow"), "0 flows");
        assert_eq!(percent(0.9988), "99.9 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(tenths(0.951), "95.1 %");
        assert_eq!(percent(f64::NAN), "–");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_234), "1.2 kB");
        assert_eq!(bytes(999_960), "1.0 MB");
        assert_eq!(bytes(u64::MAX), "18447 PB");
    }
}
