use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use thingprint_flow::Timestamp;

/// Nanoseconds of a second.
const SECOND_NS: i64 = 1_000_000_000;
/// Numbers from here on are milliseconds: as seconds they would be after the year 5000.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// A time as logs write it: seconds or milliseconds since the epoch, with decimals, or a date and time of ISO 8601.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    decimal(text).or_else(|| calendar(text))
}

/// Seconds or milliseconds, without the rounding of a floating-point number.
fn decimal(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let (unit_ns, places) = if whole < FIRST_MILLISECONDS { (SECOND_NS, 9) } else { (1_000_000, 6) };
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(places);
    let fraction_ns = digits.fold(0, |ns, digit| ns * 10 + i64::from(digit - b'0'));
    let whole_ns = whole.checked_mul(unit_ns)?;
    Some(Timestamp::from_nanos(whole_ns.checked_add(if whole < 0 { -fraction_ns } else { fraction_ns })?))
}

fn calendar(text: &str) -> Option<Timestamp> {
    // Zeek writes its times in UTC, with or without a mark of that.
    let nanos = match text.trim().parse::<jiff::Timestamp>() {
        Ok(time) => time.as_nanosecond(),
        Err(_) => {
            match strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text.trim()).and_then(|time| time.to_timestamp()) {
                Ok(time) => time.as_nanosecond(),
                Err(_) => text
                    .trim()
                    .parse::<DateTime>()
                    .ok()?
                    .to_zoned(jiff::tz::TimeZone::UTC)
                    .ok()?
                    .timestamp()
                    .as_nanosecond(),
            }
        }
    };
    i64::try_from(nanos).ok().map(Timestamp::from_nanos)
}

/// A span of time in seconds with decimals, in nanoseconds.
pub(crate) fn parse_span_ns(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok().filter(|seconds| *seconds >= 0)?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let fraction_ns = digits.fold(0, |ns, digit| ns * 10 + i64::from(digit - b'0'));
    whole.checked_mul(SECOND_NS)?.checked_add(fraction_ns)
}

/// A text in which `\xNN` stands for a byte, as Zeek writes what is not printable and what separates values.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("\\x") {
        return Cow::Borrowed(text);
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = behind.strip_prefix(b"x").filter(|_| byte == b'\\').and_then(|digits| digits.get(..2));
        let escaped =
            escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { behind.get(3..).unwrap_or_default() } else { behind };
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        let ns = |text: &str| parse_time(text).map(Timestamp::as_nanos);
        let expected = Some(1_491_582_277_251_547_000);
        for text in [
            "1491582277.251547",
            "1491582277251.547",
            "2017-04-07T16:24:37.251547Z",
            "2017-04-07T16:24:37.251547",
            "2017-04-07T17:24:37.251547+0100",
            "2017-04-07T17:24:37.251547+01:00",
        ] {
            assert_eq!(ns(text), expected, "{text}");
        }
        assert_eq!(ns("1491582277"), Some(1_491_582_277_000_000_000));
        assert_eq!(ns("0.5"), Some(500_000_000));
        for text in ["", "-", "now", "1e9", "1.x", "99999999999999999999", "2017-13-01T00:00:00Z"] {
            assert_eq!(ns(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_never_negative() {
        assert_eq!(parse_span_ns("0.000012"), Some(12_000));
        assert_eq!(parse_span_ns("3"), Some(3_000_000_000));
        for text in ["-1", "", "x", "1.-1", "9999999999999"] {
            assert_eq!(parse_span_ns(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_are_bytes() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a\\x09b", "a\tb"),
            ("caf\\xc3\\xa9", "caf\u{e9}"),
            ("\\x2", "\\x2"),
            ("\\xzz", "\\xzz"),
            ("\\\\x41", "\\A"),
        ] {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }
}
