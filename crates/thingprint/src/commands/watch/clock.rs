use std::time::{SystemTime, UNIX_EPOCH};

use thingprint_flow::Timestamp;

/// The time of the machine.
pub(in crate::commands) fn now() -> Timestamp {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(passed.as_nanos()).unwrap_or(i64::MAX))
}
