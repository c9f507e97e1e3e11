//! Rows that are JSON objects, of which columns that are not known take no memory.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use thingprint_table::Cell;

use super::cells::Cells;
use super::columns::{Columns, Slot, check};
use super::read::Reader;
use crate::error::{Place, ReportError};

/// Names of columns that a message may list.
const MOST_NAMES: usize = 64;

/// Reads JSON lines.
pub(super) fn read_lines(bytes: &[u8], reader: &mut Reader<'_>) -> Result<(), ReportError> {
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let place = Place::line(reader.file, line);
        let mut source = serde_json::Deserializer::from_slice(text);
        let object = ObjectSeed(&mut reader.columns).deserialize(&mut source);
        let object = object.and_then(|object| source.end().map(|()| object));
        let object = object
            .map_err(|error| ReportError::BadRow { place: place.clone(), reason: error.to_string() })?;
        object.add(place, reader)?;
    }
    Ok(())
}

/// Reads an array of objects.
pub(super) fn read_array(bytes: &[u8], reader: &mut Reader<'_>) -> Result<(), ReportError> {
    let file = reader.file;
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let mut failure = None;
    let read = ArraySeed { reader, failure: &mut failure }.deserialize(&mut source);
    let read = read.and_then(|()| source.end());
    match (failure, read) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) => {
            Err(ReportError::Unreadable { file: file.to_owned(), reason: error.to_string() })
        }
        (None, Ok(())) => Ok(()),
    }
}

/// What an object has in known columns.
#[derive(Default)]
struct Object {
    cells: Cells,
    seen: BTreeSet<Slot>,
    names: Vec<String>,
}

impl Object {
    fn add(self, place: Place, reader: &mut Reader<'_>) -> Result<(), ReportError> {
        if reader.rows.is_empty() {
            check(&self.seen, &self.names, reader.file)?;
        }
        reader.add(place, self.cells)
    }
}

struct ObjectSeed<'a>(&'a mut Columns);

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Object, D::Error> {
        source.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object::default();
        while let Some(name) = map.next_key::<String>()? {
            let slot = self.0.slot(&name).map_err(A::Error::custom)?;
            if slot == Slot::Unknown {
                map.next_value::<IgnoredAny>()?;
            } else if object.seen.insert(slot) {
                object.cells.put(slot, cell(map.next_value()?));
            } else {
                return Err(A::Error::custom(format!("key {name:?} occurs twice")));
            }
            if object.names.len() < MOST_NAMES {
                object.names.push(name);
            }
        }
        Ok(object)
    }
}

struct ArraySeed<'a, 'b> {
    reader: &'a mut Reader<'b>,
    /// Why a row is refused, with its place.
    failure: &'a mut Option<ReportError>,
}

impl<'de> DeserializeSeed<'de> for ArraySeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ArraySeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(object) = rows.next_element_seed(ObjectSeed(&mut self.reader.columns))? {
            number += 1;
            if let Err(error) = object.add(Place::row(self.reader.file, number), self.reader) {
                *self.failure = Some(error);
                return Err(A::Error::custom("a row is refused"));
            }
        }
        Ok(())
    }
}

/// A JSON value as a cell; what no cell of a prediction holds becomes its text, which no column takes.
fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Absent,
        Value::Bool(flag) => flag.into(),
        Value::String(text) => text.into(),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(count), _) => count.into(),
            (None, measure) => measure.into(),
        },
        Value::Array(items) => {
            let text = |item: Value| if let Value::String(text) = item { text } else { item.to_string() };
            items.into_iter().map(text).collect::<Vec<String>>().into()
        }
        Value::Object(object) => Value::Object(object).to_string().into(),
    }
}
