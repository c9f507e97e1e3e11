//! Rows as JSON objects with the columns in order.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use thingprint_instance::Bag;

use crate::rfc3339;
use crate::table::{Table, View};

/// Writes one array, an object on each line.
pub(crate) fn write_array(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    write_elements(table, true, out)?;
    end_array(table.rows() == 0, out)
}

/// Writes the elements of an array that come first, or next.
pub(crate) fn write_elements(table: &Table, is_first: bool, out: &mut dyn Write) -> io::Result<()> {
    if is_first {
        out.write_all(b"[")?;
    }
    for row in 0..table.rows() {
        out.write_all(if is_first && row == 0 { b"\n" } else { b",\n" })?;
        out.write_all(&serde_json::to_vec(&Row { table, row })?)?;
    }
    Ok(())
}

/// Ends an array.
pub(crate) fn end_array(is_empty: bool, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(if is_empty { b"]\n" } else { b"\n]\n" })
}

/// Writes an object on each line and flushes after each.
pub(crate) fn write_lines(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    for row in 0..table.rows() {
        let mut line = serde_json::to_vec(&Row { table, row })?;
        line.push(b'\n');
        out.write_all(&line)?;
        out.flush()?;
    }
    Ok(())
}

/// A list of texts as CSV holds it.
pub(crate) fn list_text(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

/// A bag as CSV holds it.
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
        }
    }
}
