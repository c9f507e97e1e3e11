use thingprint_flow::Timestamp;
use thingprint_table::rfc3339;

use crate::html::Html;

const SECOND: i64 = 1_000_000_000;
pub(crate) const MINUTE_S: i64 = 60;
pub(crate) const HOUR_S: i64 = 60 * MINUTE_S;
pub(crate) const DAY_S: i64 = 24 * HOUR_S;

/// The time of the machine.
pub(crate) fn now() -> Timestamp {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// So many seconds before a time.
pub(crate) fn before(time: Timestamp, seconds: i64) -> Timestamp {
    time.plus_nanos(seconds.saturating_mul(SECOND).saturating_neg())
}

/// Whole seconds from one time to a later one.
pub(crate) fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.nanos_since(from) / SECOND
}

/// A time for people, in UTC to the minute: `2026-11-30 07:12`.
pub(crate) fn minute(time: Timestamp) -> String {
    format(time, "%Y-%m-%d %H:%M")
}

/// A time by a pattern of strftime, in UTC.
pub(crate) fn format(time: Timestamp, pattern: &str) -> String {
    match jiff::Timestamp::from_nanosecond(time.as_nanos().into()) {
        Ok(time) => time.strftime(pattern).to_string(),
        Err(_) => rfc3339::format(time),
    }
}

/// How long something lasts, in the greatest unit that fits: `now`, `4 min`, `3 h`, `12 d`.
pub(crate) fn duration(seconds: i64) -> String {
    match seconds {
        ..MINUTE_S => "now".to_owned(),
        MINUTE_S..HOUR_S => format!("{} min", seconds / MINUTE_S),
        HOUR_S..DAY_S => format!("{} h", seconds / HOUR_S),
        _ => format!("{} d", seconds / DAY_S),
    }
}

impl Html {
    /// Adds a time, which the page's script shows in the zone of the reader.
    pub(crate) fn time(&mut self, time: Timestamp) -> &mut Self {
        let exact = rfc3339::format(time);
        self.raw("<time").attr("datetime", &exact).attr("title", exact.as_str()).raw(">");
        self.text(minute(time)).raw("</time>")
    }

    /// Adds how long ago a time is, by the clock of the packets.
    pub(crate) fn ago(&mut self, time: Timestamp, clock: Timestamp) -> &mut Self {
        let exact = rfc3339::format(time);
        let ago = match duration(seconds_between(time, clock)).as_str() {
            "now" => "now".to_owned(),
            span => format!("{span} ago"),
        };
        self.raw("<time class=\"ago\"").attr("datetime", &exact).attr("title", exact.as_str()).raw(">");
        self.text(ago).raw("</time>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_in_the_greatest_unit() {
        let check = |seconds, expected: &str| assert_eq!(duration(seconds), expected);
        check(-5, "now");
        check(59, "now");
        check(60, "1 min");
        check(3_599, "59 min");
        check(3_600, "1 h");
        check(86_399, "23 h");
        check(86_400 * 12, "12 d");
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(minute(Timestamp::from_seconds(1_561_986_000)), "2019-07-01 13:00");
        assert_eq!(before(Timestamp::from_seconds(100), 60), Timestamp::from_seconds(40));
    }
}
