//! Times as text (RFC 3339), in UTC.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use thingprint_flow::Timestamp;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Writes a time like `2019-07-01T13:00:00Z`, with as many decimals of a second as it takes.
pub fn format(time: Timestamp) -> String {
    // Every i64 of nanoseconds lies in the years 1677 to 2262, which jiff holds; the fallback reads back as well.
    jiff::Timestamp::from_nanosecond(time.as_nanos().into())
        .map_or_else(|_| time.to_string(), |time| time.to_string())
}

/// Reads RFC 3339, a date or a date and time without zone (taken as UTC), or seconds since the epoch with decimals.
///
/// `None` for another text, and for a time outside the years 1677 to 2262.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    parse_seconds(text).or_else(|| parse_date(text))
}

fn parse_date(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<jiff::Timestamp>();
    let time =
        zoned.or_else(|_| text.parse::<DateTime>().and_then(|civil| Offset::UTC.to_timestamp(civil))).ok()?;
    i64::try_from(time.as_nanosecond()).ok().map(Timestamp::from_nanos)
}

/// Seconds with up to nine decimals, exactly; further decimals are cut off.
fn parse_seconds(text: &str) -> Option<Timestamp> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let nanos = decimals
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0_i128, |nanos, digit| nanos * 10 + i128::from(digit - b'0'));
    let total = i128::from(seconds) * NANOS_PER_SECOND + nanos;
    i64::try_from(if negative { -total } else { total }).ok().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_whole_second_has_no_decimals() {
        let check = |nanos, expected: &str| assert_eq!(format(Timestamp::from_nanos(nanos)), expected);
        check(1_561_986_000_000_000_000, "2019-07-01T13:00:00Z");
        check(1_561_986_000_500_000_000, "2019-07-01T13:00:00.5Z");
        check(-1, "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn dates_and_seconds_read_alike() {
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(parse(text).map(Timestamp::as_nanos), expected, "{text}");
        };
        let hour = Some(1_561_986_000_000_000_000);
        check("2019-07-01T13:00:00Z", hour);
        check("2019-07-01T15:00:00+02:00", hour);
        check("2019-07-01 13:00:00", hour);
        check("2019-07-01", hour.map(|nanos| nanos - 13 * 3_600_000_000_000));
        check("1561986000", hour);
        check("1561986000.0", hour);
        check(" 1561986000.000000000 ", hour);
        check("1561986000.25", Some(1_561_986_000_250_000_000));
        check("-0.5", Some(-500_000_000));
        check("1561986000.1234567899", Some(1_561_986_000_123_456_789));
        for bad in [
            "",
            "yesterday",
            "2019-13-01",
            "-",
            ".5",
            "1e9",
            "9223372037",
            "99999999999999999999",
            "9999-01-01T00:00:00Z",
        ] {
            check(bad, None);
        }
    }

    proptest! {
        #[test]
        fn every_time_reads_back(nanos: i64) {
            let time = Timestamp::from_nanos(nanos);
            prop_assert_eq!(parse(&format(time)), Some(time));
            prop_assert_eq!(parse(&time.to_string()), Some(time));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = parse(&text);
        }
    }
}
