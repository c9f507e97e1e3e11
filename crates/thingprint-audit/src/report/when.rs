//! Times as people write them.

use jiff::Timestamp as Instant;
use thingprint_flow::Timestamp;

/// A time to the second, UTC: a `date-and-time` of RFC 6991.
pub fn to_second(time: Timestamp) -> String {
    match Instant::from_nanosecond(time.as_nanos().into()) {
        Ok(instant) => instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Err(_) => time.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::Timestamp;

    use super::to_second;

    #[test]
    fn times_are_cut_to_seconds() {
        assert_eq!(to_second(Timestamp::from_nanos(1_717_372_800_999_999_999)), "2024-06-03T00:00:00Z");
        assert_eq!(to_second(Timestamp::from_seconds(0)), "1970-01-01T00:00:00Z");
    }
}
