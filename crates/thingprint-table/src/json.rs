//! Rows as JSON objects with the columns in order.

use std::io;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::rfc3339;
use crate::table::{Bag, Table, View};

/// A row as an object, on one line.
pub(crate) fn object(table: &Table, row: usize) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Row { table, row })?)
}

/// A list of texts in a format without lists.
pub(crate) fn list_text(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

/// A bag in a format without bags.
pub(crate) fn bag_text(bag: &Bag) -> String {
    bag.iter().map(|(word, count)| (word.as_str(), *count)).collect::<serde_json::Value>().to_string()
}

struct Row<'a> {
    table: &'a Table,
    row: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = self.table.columns();
        let mut map = serializer.serialize_map(Some(columns.len()))?;
        for column in columns {
            map.serialize_entry(column.name(), &column.values().view(self.row))?;
        }
        map.end()
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Unsigned(count) => serializer.serialize_u64(**count),
            Self::Signed(number) => serializer.serialize_i64(**number),
            Self::Real(measure) => serializer.serialize_f64(**measure),
            Self::Flag(flag) => serializer.serialize_bool(**flag),
            Self::Time(time) => serializer.serialize_str(&rfc3339::format(**time)),
            Self::List(texts) => texts.serialize(serializer),
            Self::Bag(bag) => bag.serialize(serializer),
            Self::Json(json) => json.serialize(serializer),
            Self::Prose(_) | Self::Badges(_) => serializer.serialize_str(&self.flat().unwrap_or_default()),
        }
    }
}
