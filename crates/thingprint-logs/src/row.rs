use std::borrow::Cow;
use std::net::IpAddr;
use std::str::FromStr;

use serde_json::{Map, Value};
use thingprint_flow::{Endpoint, MacAddr, Timestamp};

use crate::field_text::{parse_time, unescaped};
use crate::problem::LogProblem;

/// A record of a log: its values by the names of their fields.
#[derive(Debug)]
pub(crate) enum Row<'a> {
    Tsv(TsvRow<'a>),
    Json(Map<String, Value>),
}

/// A line of values, with what the lines before it said of them.
#[derive(Debug)]
pub(crate) struct TsvRow<'a> {
    pub(crate) header: &'a TsvHeader,
    pub(crate) cells: Vec<&'a str>,
}

/// What the header of a file of values says.
#[derive(Clone, Debug)]
pub(crate) struct TsvHeader {
    pub(crate) separator: char,
    pub(crate) set_separator: String,
    pub(crate) empty: String,
    pub(crate) unset: String,
    /// What kind of records follow: `conn`, `dns`.
    pub(crate) path: String,
    pub(crate) fields: Vec<String>,
}

impl Default for TsvHeader {
    fn default() -> Self {
        Self {
            separator: '\t',
            set_separator: ",".to_owned(),
            empty: "(empty)".to_owned(),
            unset: "-".to_owned(),
            path: String::new(),
            fields: Vec::new(),
        }
    }
}

impl Row<'_> {
    /// A value as a text; `None` where it is absent, unset or not one value.
    ///
    /// The name of a field inside others has dots between: `flow.start`.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Tsv(row) => row.cell(name).map(unescaped),
            Self::Json(map) => match at(map, name)? {
                Value::String(text) => Some(Cow::Borrowed(text)),
                Value::Number(number) => Some(Cow::Owned(number.to_string())),
                Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "T" } else { "F" })),
                _ => None,
            },
        }
    }

    /// The values of a list; `None` where it is absent or unset.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<Cow<'_, str>>> {
        match self {
            Self::Tsv(row) => {
                let cell = row.cell(name)?;
                if cell == row.header.empty {
                    return Some(Vec::new());
                }
                Some(cell.split(row.header.set_separator.as_str()).map(unescaped).collect())
            }
            Self::Json(map) => {
                let Value::Array(values) = at(map, name)? else { return None };
                let text = |value: &Value| match value {
                    Value::String(text) => Some(Cow::Owned(text.clone())),
                    Value::Number(number) => Some(Cow::Owned(number.to_string())),
                    _ => None,
                };
                Some(values.iter().filter_map(text).collect())
            }
        }
    }

    /// The records of a list of records, which only JSON has.
    pub(crate) fn records(&self, name: &str) -> Vec<&Map<String, Value>> {
        let Self::Json(map) = self else { return Vec::new() };
        match at(map, name) {
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_object).collect(),
            _ => Vec::new(),
        }
    }

    /// A value that is read from a text; absent where there is none, a problem where it cannot be read.
    pub(crate) fn value<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, LogProblem> {
        self.text(name).map(|text| text.trim().parse()).transpose().map_err(|_| LogProblem::Value(name))
    }

    /// A value that no record lacks.
    pub(crate) fn needed<T: FromStr>(&self, name: &'static str) -> Result<T, LogProblem> {
        self.value(name)?.ok_or(LogProblem::Value(name))
    }

    /// A time that no record lacks.
    pub(crate) fn time(&self, name: &'static str) -> Result<Timestamp, LogProblem> {
        let text = self.text(name).ok_or(LogProblem::Value(name))?;
        parse_time(&text).ok_or(LogProblem::Value(name))
    }

    /// An address and a port; 0 where there is none.
    pub(crate) fn endpoint(&self, addr: &'static str, port: &'static str) -> Result<Endpoint, LogProblem> {
        Ok(Endpoint { addr: self.needed::<IpAddr>(addr)?, port: self.value(port)?.unwrap_or(0) })
    }

    /// A link address of one host; what is none counts as absent.
    pub(crate) fn mac(&self, name: &str) -> Option<MacAddr> {
        self.text(name)?.parse().ok().filter(|mac: &MacAddr| !mac.is_group() && *mac != MacAddr::new([0; 6]))
    }
}

impl<'a> TsvRow<'a> {
    fn cell(&self, name: &str) -> Option<&'a str> {
        let at = self.header.fields.iter().position(|field| field == name)?;
        self.cells.get(at).copied().filter(|cell| *cell != self.header.unset)
    }
}

/// A value by its name or, where no name is as long, by the names on the way to it.
fn at<'m>(map: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    if let Some(value) = map.get(name) {
        return Some(value);
    }
    let (outer, inner) = name.split_once('.')?;
    at(map.get(outer)?.as_object()?, inner)
}
