//! Values on their way into a column and out of it.

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thingprint_flow::Timestamp;

use crate::sql::{Row, SqlError, SqlResult};

/// A count as a column holds it, which has one bit less; no count of packets or bytes reaches that.
pub(crate) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A list or map as JSON.
pub(crate) fn json(value: &impl Serialize) -> SqlResult<String> {
    serde_json::to_string(value).map_err(|error| SqlError::Unwritable(error.to_string()))
}

/// Reads the columns of a row by position.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'a>(pub(crate) Row<'a>);

impl Cells<'_> {
    pub(crate) fn count(self, at: usize) -> SqlResult<u64> {
        let number: i64 = self.0.get(at)?;
        u64::try_from(number).map_err(|_| unfit(at, format!("{number} is not a count")))
    }

    pub(crate) fn time(self, at: usize) -> SqlResult<Timestamp> {
        self.0.get(at).map(Timestamp::from_nanos)
    }

    pub(crate) fn some_time(self, at: usize) -> SqlResult<Option<Timestamp>> {
        let nanos: Option<i64> = self.0.get(at)?;
        Ok(nanos.map(Timestamp::from_nanos))
    }

    /// A value that is kept as text.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(self, at: usize) -> SqlResult<T> {
        let text: String = self.0.get(at)?;
        text.parse().map_err(|error: T::Err| unfit(at, error.to_string()))
    }

    /// A value that is kept as text, or nothing.
    pub(crate) fn some_parsed<T: FromStr<Err: Display>>(self, at: usize) -> SqlResult<Option<T>> {
        let text: Option<String> = self.0.get(at)?;
        let parse = |text: String| text.parse().map_err(|error: T::Err| unfit(at, error.to_string()));
        text.map(parse).transpose()
    }

    /// A value that is kept as JSON.
    pub(crate) fn json<T: DeserializeOwned>(self, at: usize) -> SqlResult<T> {
        let text: String = self.0.get(at)?;
        serde_json::from_str(&text).map_err(|error| unfit(at, error.to_string()))
    }

    /// The same where it may be absent.
    pub(crate) fn some_json<T: DeserializeOwned>(self, at: usize) -> SqlResult<Option<T>> {
        let text: Option<String> = self.0.get(at)?;
        text.map(|_| self.json(at)).transpose()
    }
}

/// A value that another program wrote into a column, in a form that it does not have.
fn unfit(at: usize, reason: String) -> SqlError {
    SqlError::Unfit { at, reason }
}
