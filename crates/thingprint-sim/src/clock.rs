//! Time inside a simulation: nanoseconds since 1970 as `i64`, which reaches to the year 2262.

/// One second.
pub(crate) const SECOND_NS: i64 = 1_000_000_000;

/// One millisecond.
pub(crate) const MILLISECOND_NS: i64 = 1_000_000;

/// One hour.
pub(crate) const HOUR_NS: i64 = 3600 * SECOND_NS;

/// One day.
pub(crate) const DAY_NS: i64 = 86_400 * SECOND_NS;

/// A span given in seconds. What is negative or no number is no time at all; centuries are cut to one.
#[allow(clippy::cast_possible_truncation, reason = "clamped to what an i64 holds")]
pub(crate) fn span_ns(seconds: f64) -> i64 {
    const CENTURY_S: f64 = 100.0 * 366.0 * 86_400.0;
    let kept = if seconds.is_nan() { 0.0 } else { seconds.clamp(0.0, CENTURY_S) };
    (kept * 1e9) as i64
}

/// A span given in milliseconds.
pub(crate) fn span_of_ms(milliseconds: f64) -> i64 {
    span_ns(milliseconds / 1e3)
}
