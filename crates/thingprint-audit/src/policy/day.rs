use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::Value;

/// A day as TOML writes it, with quotes or without: `"2026-11-22"` and `2026-11-22`.
pub(crate) fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Datetime(day) => Ok(day.to_string()),
        other => Err(D::Error::custom(format!("expected a day like 2026-11-22, found {}", other.type_str()))),
    }
}

/// The same where the day may be left out.
pub(super) fn some_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    day(deserializer).map(Some)
}
