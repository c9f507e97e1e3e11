use std::fmt;
use std::io::{BufRead, Read};

use super::columns;
use super::json_rows::RowSeed;
use super::record::Record;
use super::{InstanceFile, InstanceHead};
use crate::delimited::{CsvFile, Dialect, listed};
use crate::error::{Place, ReportError};
use crate::row_limit::{self, Counted, RowLimit};
use crate::whole::bytes_within;
use serde::de::{DeserializeSeed, Deserializer as _, Error as _, SeqAccess, Visitor};
use thingprint_instance::Labeled;
use thingprint_table::{Cell, Format, ParquetGroups, Table, csv_text, without_bom};

/// Bytes by which the format of a file is known.
const START_BYTES: u64 = 4096;
/// Bytes of a Parquet file, which is read as a whole: some two million instances.
const MOST_PARQUET_BYTES: u64 = 1 << 30;

/// Reads instances in the format that their bytes are in ([`Format::of_content`]); `file` is the name that errors give.
///
/// Columns are found by name. Device and window start must be there; a number or a bag without a column, or without a
/// value, is absent evidence, and columns of unknown names are noted and skipped. A window without a length is an hour,
/// a label without a kind that of an IoT device. A time may also be seconds since 1970, a bag also a text that holds a
/// JSON object. A file in which there is nothing is refused. What was written by
/// [`write_instances`](crate::write_instances) comes back equal, bit for bit.
pub fn read_instances(bytes: &[u8], file: &str) -> Result<InstanceFile, ReportError> {
    ReportError::unless_empty(bytes, file)?;
    let mut rows = Vec::new();
    let mut each = |row| {
        rows.push(row);
        Ok(())
    };
    let reading = Reading { file, names: columns::all(), head: InstanceHead::default(), each: &mut each };
    let text = without_bom(bytes);
    let InstanceHead { recipe, unknown_columns, .. } = match Format::of_content(bytes) {
        Format::Parquet => reading.parquet(bytes),
        Format::Json => reading.array(serde_json::Deserializer::from_slice(text), RowLimit::default()),
        Format::Jsonl => reading.lines(text),
        _ => reading.csv(Box::new(text)),
    }?;
    Ok(InstanceFile { rows, recipe, unknown_columns })
}

/// The same, where instances are handed on one by one, in the order of the file.
///
/// Of text, one row is in memory at a time; of Parquet the file as it is, compressed, and a row group.
pub fn each_instance<E: From<ReportError>>(
    source: &mut dyn BufRead,
    file: &str,
    each: &mut dyn FnMut(Labeled) -> Result<(), E>,
) -> Result<InstanceHead, E> {
    let unreadable =
        |error: std::io::Error| ReportError::Unreadable { file: file.to_owned(), reason: error.to_string() };
    let mut start = Vec::new();
    Read::take(&mut *source, START_BYTES).read_to_end(&mut start).map_err(unreadable)?;
    if (start.len() as u64) < START_BYTES {
        ReportError::unless_empty(&start, file)?;
    }
    let reading = Reading { file, names: columns::all(), head: InstanceHead::default(), each };
    let format = Format::of_content(&start);
    if format == Format::Parquet {
        let whole = bytes_within((&start[..]).chain(source), MOST_PARQUET_BYTES).map_err(unreadable)?;
        return reading.parquet(&whole.ok_or_else(|| unreadable(too_large()))?);
    }
    let text = without_bom(&start).chain(source);
    match format {
        Format::Json => {
            let limit = RowLimit::default();
            let text = Counted { source: text, limit: limit.clone() };
            reading.array(serde_json::Deserializer::from_reader(text), limit)
        }
        Format::Jsonl => reading.lines(text),
        _ => reading.csv(Box::new(text)),
    }
}

/// Reads instances out of a table, whose columns mean what they mean in a file; `name` is the name that errors give.
pub fn instances_of(table: Table, name: &str) -> Result<InstanceFile, ReportError> {
    let mut rows = Vec::new();
    let mut each = |row| {
        rows.push(row);
        Ok(())
    };
    let reading =
        Reading { file: name, names: columns::all(), head: InstanceHead::default(), each: &mut each };
    let InstanceHead { recipe, unknown_columns, .. } = reading.table(table)?;
    Ok(InstanceFile { rows, recipe, unknown_columns })
}

/// A file that is read, with what takes its instances.
struct Reading<'a, E> {
    file: &'a str,
    names: Vec<String>,
    head: InstanceHead,
    each: &'a mut dyn FnMut(Labeled) -> Result<(), E>,
}

impl<E: From<ReportError>> Reading<'_, E> {
    fn parquet(mut self, bytes: &[u8]) -> Result<InstanceHead, E> {
        let unreadable = |reason| ReportError::Unreadable { file: self.file.to_owned(), reason };
        let mut groups = ParquetGroups::open(bytes, &self.names).map_err(unreadable)?;
        let found = groups.names();
        require(self.file, |name| found.iter().any(|found| found == name), || listed(found))?;
        self.note_unknown(found);
        let columns = groups.empty().map_err(unreadable)?;
        let positions: Vec<Option<usize>> = self.names.iter().map(|name| columns.position(name)).collect();
        while let Some(table) = groups.next_group().map_err(unreadable)? {
            self.add_rows(table, &positions)?;
        }
        Ok(self.head)
    }

    fn table(mut self, table: Table) -> Result<InstanceHead, E> {
        let found: Vec<String> = table.columns().iter().map(|column| column.name().to_owned()).collect();
        require(self.file, |name| table.position(name).is_some(), || listed(&found))?;
        self.note_unknown(&found);
        let positions: Vec<Option<usize>> = self.names.iter().map(|name| table.position(name)).collect();
        self.add_rows(table, &positions)?;
        Ok(self.head)
    }

    /// Adds the rows of a table, whose columns stand at these positions.
    fn add_rows(&mut self, mut table: Table, positions: &[Option<usize>]) -> Result<(), E> {
        for row in 0..table.rows() {
            let cell =
                |position: &Option<usize>| position.map_or(Cell::Absent, |column| table.take(column, row));
            let cells = positions.iter().map(cell).collect();
            self.add(Record::new(Place::row(self.file, self.head.rows + 1), cells))?;
        }
        Ok(())
    }

    fn csv(mut self, text: Box<dyn Read + '_>) -> Result<InstanceHead, E> {
        let file = self.file;
        let mut csv = CsvFile::of(text, file, Dialect::Strict)?;
        let position = |name: &str| csv.header().iter().position(|column| column == name);
        require(file, |name| position(name).is_some(), || listed(csv.header()))?;
        let positions: Vec<Option<usize>> = self.names.iter().map(|name| position(name)).collect();
        let are_texts: Vec<bool> =
            self.names.iter().map(|name| columns::TEXTS.contains(&name.as_str())).collect();
        self.note_unknown(csv.header());
        while let Some(record) = csv.next()? {
            let text =
                |position: &Option<usize>| record.fields.get((*position)?).filter(|text| !text.is_empty());
            let cell = |(position, is_text): (&Option<usize>, &bool)| match text(position) {
                Some(text) if *is_text => Cell::Text(csv_text::read(text).into_owned()),
                other => other.into(),
            };
            let cells = positions.iter().zip(&are_texts).map(cell).collect();
            self.add(Record::new(Place::line(file, record.line), cells))?;
        }
        Ok(self.head)
    }

    fn lines(mut self, mut text: impl BufRead) -> Result<InstanceHead, E> {
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            number += 1;
            let place = Place::line(self.file, number);
            let read = row_limit::read_line(&mut text, &mut line)
                .map_err(|error| ReportError::BadRow { place: place.clone(), reason: error.to_string() })?;
            if read == 0 {
                return Ok(self.head);
            }
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            if !line.trim_ascii().is_empty() {
                self.line(line, place)?;
            }
        }
    }

    fn line(&mut self, line: &[u8], place: Place) -> Result<(), E> {
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let row = RowSeed { names: &self.names, unknown: &mut self.head.unknown_columns }
            .deserialize(&mut deserializer)
            .and_then(|row| deserializer.end().map(|()| row))
            .map_err(|error| ReportError::BadRow { place: place.clone(), reason: without_line(&error) })?;
        self.add_row(row, place)
    }

    fn array<'de, R: serde_json::de::Read<'de>>(
        self,
        mut deserializer: serde_json::Deserializer<R>,
        limit: RowLimit,
    ) -> Result<InstanceHead, E> {
        let file = self.file;
        let mut rows = Rows { reading: self, limit, failure: None };
        let outcome = deserializer.deserialize_seq(&mut rows).and_then(|()| deserializer.end());
        match (rows.failure, outcome) {
            (Some(failure), _) => Err(failure),
            (None, Err(error)) if error.is_io() => {
                let place = Place::row(file, rows.reading.head.rows + 1);
                Err(ReportError::BadRow { place, reason: error.to_string() }.into())
            }
            (None, Err(error)) => {
                Err(ReportError::Unreadable { file: file.to_owned(), reason: error.to_string() }.into())
            }
            (None, Ok(())) => Ok(rows.reading.head),
        }
    }

    /// Adds the instance that a JSON object makes, which has columns of its own.
    fn add_row(&mut self, row: Vec<Option<Cell>>, place: Place) -> Result<(), E> {
        let names = &self.names;
        let has = |name: &str| names.iter().zip(&row).any(|(column, cell)| column == name && cell.is_some());
        let found =
            || listed(names.iter().zip(&row).filter(|(_, cell)| cell.is_some()).map(|(name, _)| name));
        require(&place.to_string(), has, found)?;
        let cells = row.into_iter().map(|cell| cell.unwrap_or(Cell::Absent)).collect();
        self.add(Record::new(place, cells))
    }

    fn add(&mut self, record: Record) -> Result<(), E> {
        let row = record.read(&mut self.head)?;
        (self.each)(row)
    }

    /// Notes the columns of a file that are not read.
    fn note_unknown(&mut self, found: &[String]) {
        let unknown = found.iter().filter(|column| !self.names.contains(column));
        self.head.unknown_columns = unknown.cloned().collect();
    }
}

fn too_large() -> std::io::Error {
    let most = MOST_PARQUET_BYTES >> 20;
    let reason =
        format!("a Parquet file of more than {most} MiB, which is the limit; write it as JSON lines");
    std::io::Error::new(std::io::ErrorKind::FileTooLarge, reason)
}

/// What is wrong in a text of one line, which the place already gives.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => format!("{reason} at character {}", error.column()),
        None => text,
    }
}

/// Hands on the rows of a JSON array as they are read.
struct Rows<'a, E> {
    reading: Reading<'a, E>,
    limit: RowLimit,
    /// Why the reading ends, which serde's own errors cannot carry.
    failure: Option<E>,
}

impl<'de, E: From<ReportError>> Visitor<'de> for &mut Rows<'_, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of instances")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let reading = &mut self.reading;
        while let Some(row) = rows.next_element_seed(RowSeed {
            names: &reading.names,
            unknown: &mut reading.head.unknown_columns,
        })? {
            self.limit.begin();
            let place = Place::row(reading.file, reading.head.rows + 1);
            if let Err(failure) = reading.add_row(row, place) {
                self.failure = Some(failure);
                return Err(A::Error::custom("a row is no instance"));
            }
        }
        Ok(())
    }
}

fn require(file: &str, has: impl Fn(&str) -> bool, found: impl Fn() -> String) -> Result<(), ReportError> {
    match columns::REQUIRED.into_iter().find(|column| !has(column)) {
        None => Ok(()),
        Some(column) => Err(ReportError::MissingColumn { file: file.to_owned(), column, found: found() }),
    }
}
