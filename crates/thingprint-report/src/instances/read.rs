use std::collections::BTreeSet;
use std::fmt;

use super::InstanceFile;
use super::columns;
use super::json_rows::RowSeed;
use super::record::Record;
use crate::delimited::{CsvFile, Dialect, listed};
use crate::error::{Place, ReportError};
use serde::de::{DeserializeSeed, Deserializer as _, Error as _, SeqAccess, Visitor};
use thingprint_table::{Cell, Format, ParquetFile, from_parquet, without_bom};

/// Reads instances in the format that their bytes are in ([`Format::of_content`]); `file` is the name that errors give.
///
/// Columns are found by name. Device and window start must be there; a number or a bag without a column, or without a
/// value, is absent evidence, and columns of unknown names are noted and skipped. A window without a length is an hour,
/// a label without a kind that of an IoT device. A time may also be seconds since 1970, a bag also a text that holds a
/// JSON object. What was written by [`write_instances`](crate::write_instances) comes back equal, bit for bit.
pub fn read_instances(bytes: &[u8], file: &str) -> Result<InstanceFile, ReportError> {
    match Format::of_content(bytes) {
        Format::Parquet => read_parquet(bytes, file),
        Format::Json => read_array(without_bom(bytes), file),
        Format::Jsonl => read_lines(without_bom(bytes), file),
        _ => read_csv(bytes, file),
    }
}

fn read_parquet(bytes: &[u8], file: &str) -> Result<InstanceFile, ReportError> {
    let names = columns::all();
    let ParquetFile { names: found, mut table } = from_parquet(bytes, &names)
        .map_err(|reason| ReportError::Unreadable { file: file.to_owned(), reason })?;
    require(file, |name| found.iter().any(|found| found == name), || listed(&found))?;
    let positions: Vec<Option<usize>> = names.iter().map(|name| table.position(name)).collect();
    let mut instances = InstanceFile { unknown_columns: unknown(&found, &names), ..InstanceFile::default() };
    for row in 0..table.rows() {
        let cell = |position: &Option<usize>| position.map_or(Cell::Absent, |column| table.take(column, row));
        let cells = positions.iter().map(cell).collect();
        Record::new(Place::row(file, row as u64 + 1), cells).add_to(&mut instances)?;
    }
    Ok(instances)
}

fn read_csv(bytes: &[u8], file: &str) -> Result<InstanceFile, ReportError> {
    let mut csv = CsvFile::open(bytes, file, Dialect::Strict)?;
    let position = |name: &str| csv.header().iter().position(|column| column == name);
    require(file, |name| position(name).is_some(), || listed(csv.header()))?;
    let names = columns::all();
    let positions: Vec<Option<usize>> = names.iter().map(|name| position(name)).collect();
    let mut instances =
        InstanceFile { unknown_columns: unknown(csv.header(), &names), ..InstanceFile::default() };
    while let Some(record) = csv.next()? {
        let text = |position: &Option<usize>| record.fields.get((*position)?).filter(|text| !text.is_empty());
        let cells = positions.iter().map(|position| text(position).into()).collect();
        Record::new(Place::line(file, record.line), cells).add_to(&mut instances)?;
    }
    Ok(instances)
}

/// The columns of a file that are not read.
fn unknown(found: &[String], names: &[String]) -> BTreeSet<String> {
    found.iter().filter(|column| !names.contains(column)).cloned().collect()
}

fn read_lines(bytes: &[u8], file: &str) -> Result<InstanceFile, ReportError> {
    let names = columns::all();
    let mut instances = InstanceFile::default();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let place = Place::line(file, line);
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let row = RowSeed { names: &names, unknown: &mut instances.unknown_columns }
            .deserialize(&mut deserializer)
            .and_then(|row| deserializer.end().map(|()| row))
            .map_err(|error| ReportError::BadRow { place: place.clone(), reason: without_line(&error) })?;
        add_row(row, &names, place, &mut instances)?;
    }
    Ok(instances)
}

/// What is wrong in a text of one line, which the place already gives.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => format!("{reason} at character {}", error.column()),
        None => text,
    }
}

fn read_array(bytes: &[u8], file: &str) -> Result<InstanceFile, ReportError> {
    let names = columns::all();
    let mut rows = Rows { file, names: &names, instances: InstanceFile::default(), failure: None };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let outcome = deserializer.deserialize_seq(&mut rows).and_then(|()| deserializer.end());
    match (rows.failure, outcome) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) => {
            Err(ReportError::Unreadable { file: file.to_owned(), reason: error.to_string() })
        }
        (None, Ok(())) => Ok(rows.instances),
    }
}

/// Collects the rows of a JSON array as they are read.
struct Rows<'a> {
    file: &'a str,
    names: &'a [String],
    instances: InstanceFile,
    /// Why a row is no instance, which serde's own errors cannot carry.
    failure: Option<ReportError>,
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of instances")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows
            .next_element_seed(RowSeed { names: self.names, unknown: &mut self.instances.unknown_columns })?
        {
            let place = Place::row(self.file, self.instances.rows.len() as u64 + 1);
            if let Err(failure) = add_row(row, self.names, place, &mut self.instances) {
                self.failure = Some(failure);
                return Err(A::Error::custom("a row is no instance"));
            }
        }
        Ok(())
    }
}

/// Adds the instance that a JSON object makes, which has columns of its own.
fn add_row(
    row: Vec<Option<Cell>>,
    names: &[String],
    place: Place,
    instances: &mut InstanceFile,
) -> Result<(), ReportError> {
    let has = |name: &str| names.iter().zip(&row).any(|(column, cell)| column == name && cell.is_some());
    let found = || listed(names.iter().zip(&row).filter(|(_, cell)| cell.is_some()).map(|(name, _)| name));
    require(&place.to_string(), has, found)?;
    let cells = row.into_iter().map(|cell| cell.unwrap_or(Cell::Absent)).collect();
    Record::new(place, cells).add_to(instances)
}

fn require(file: &str, has: impl Fn(&str) -> bool, found: impl Fn() -> String) -> Result<(), ReportError> {
    match columns::REQUIRED.into_iter().find(|column| !has(column)) {
        None => Ok(()),
        Some(column) => Err(ReportError::MissingColumn { file: file.to_owned(), column, found: found() }),
    }
}
