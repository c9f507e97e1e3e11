//! CSV from outside, with the line of everything that is wrong in it.

use std::io::{self, Read};

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

use crate::error::{Place, ReportError};
use crate::row_limit::{MOST_ROW_BYTES, too_long};
use thingprint_table::{csv_text, without_bom};

/// What is wrong where bytes are no text, and what to do.
const NO_UTF8: &str = "not UTF-8 text: save the file as UTF-8 (CSV UTF-8 in spreadsheets)";

/// A CSV text with a header.
pub(crate) struct CsvFile<'a> {
    file: &'a str,
    dialect: Dialect,
    delimiter: u8,
    header: Vec<String>,
    reader: csv::Reader<Recent<'a>>,
}

/// Bytes on their way to the reader of records, which are kept from the record on that it read last: it says where the blank
/// lines before a record begin, and these have to be looked at.
struct Recent<'a> {
    source: Box<dyn Read + 'a>,
    kept: Vec<u8>,
    /// Place of the first byte that is kept.
    start: u64,
}

impl Recent<'_> {
    /// Bytes that are kept beyond need, so that they are seldom moved.
    const SPARE: u64 = 64 << 10;

    fn from(&self, place: u64) -> &[u8] {
        let skipped = usize::try_from(place.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.kept.get(skipped..).unwrap_or_default()
    }

    fn forget_before(&mut self, place: u64) {
        let count = place.saturating_sub(self.start);
        if count >= Self::SPARE {
            self.kept.drain(..usize::try_from(count).unwrap_or(usize::MAX).min(self.kept.len()));
            self.start = place;
        }
    }
}

impl Read for Recent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if self.kept.len() > MOST_ROW_BYTES { Err(too_long()) } else { Ok(count) }
    }
}

/// One record, and the line that it begins on.
pub(crate) struct Record {
    pub(crate) line: u64,
    pub(crate) fields: StringRecord,
}

/// What counts as text in a CSV file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Written by a program: every byte counts.
    Strict,
    /// Written by a person: lines that begin with `#` are comments, rows of nothing are blank, and space around values
    /// does not count.
    Lenient,
}

impl<'a> CsvFile<'a> {
    /// Reads the header.
    pub(crate) fn open(bytes: &'a [u8], file: &'a str, dialect: Dialect) -> Result<Self, ReportError> {
        Self::of(Box::new(without_bom(bytes)), file, dialect)
    }

    /// Reads the header of a text whose values another character separates than a comma.
    pub(crate) fn separated(
        bytes: &'a [u8],
        file: &'a str,
        dialect: Dialect,
        delimiter: u8,
    ) -> Result<Self, ReportError> {
        Self::read_header(Box::new(without_bom(bytes)), file, dialect, delimiter)
    }

    /// Reads the header of a text without a byte order mark, of which no more than a record is in memory.
    pub(crate) fn of(
        source: Box<dyn Read + 'a>,
        file: &'a str,
        dialect: Dialect,
    ) -> Result<Self, ReportError> {
        Self::read_header(source, file, dialect, b',')
    }

    fn read_header(
        source: Box<dyn Read + 'a>,
        file: &'a str,
        dialect: Dialect,
        delimiter: u8,
    ) -> Result<Self, ReportError> {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(delimiter);
        if dialect == Dialect::Lenient {
            builder.comment(Some(b'#')).trim(Trim::All);
        }
        let reader = builder.from_reader(Recent { source, kept: Vec::new(), start: 0 });
        let mut csv = Self { file, dialect, delimiter, header: Vec::new(), reader };
        if let Some(record) = csv.read()? {
            csv.header = record.fields.iter().map(|name| csv_text::read(name.trim()).into_owned()).collect();
        }
        Ok(csv)
    }

    /// Names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The next record, which has a value for each column; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, ReportError> {
        let Some(record) = self.read()? else {
            return Ok(None);
        };
        let (values, columns) = (record.fields.len(), self.header.len());
        if values != columns {
            let delimiter = match self.delimiter {
                b',' => "a comma",
                b';' => "a semicolon",
                b'\t' => "a tab",
                _ => "a delimiter",
            };
            let reason =
                format!("{values} values for {columns} columns; a value with {delimiter} in it needs quotes");
            return Err(ReportError::BadRow { place: Place::line(self.file, record.line), reason });
        }
        Ok(Some(record))
    }

    fn read(&mut self) -> Result<Option<Record>, ReportError> {
        let mut fields = StringRecord::new();
        while self.reader.read_record(&mut fields).map_err(|error| self.refused(&error))? {
            let is_blank = || fields.iter().all(str::is_empty);
            if self.dialect == Dialect::Strict || !is_blank() {
                let line = fields.position().map_or(0, |position| self.line_of(position));
                self.reader.get_mut().forget_before(fields.position().map_or(0, csv::Position::byte));
                return Ok(Some(Record { line, fields }));
            }
        }
        Ok(None)
    }

    /// The line that a record begins on; csv gives that of the blank lines and comments before it.
    fn line_of(&self, position: &csv::Position) -> u64 {
        let lines = self.reader.get_ref().from(position.byte()).split(|byte| *byte == b'\n');
        let skipped = lines.take_while(|line| match line {
            [] | [b'\r'] => true,
            [b'#', ..] => self.dialect == Dialect::Lenient,
            _ => false,
        });
        position.line() + skipped.count() as u64
    }

    fn refused(&self, error: &csv::Error) -> ReportError {
        if let ErrorKind::Io(reason) = error.kind() {
            let place = Place::line(self.file, self.reader.position().line());
            return ReportError::BadRow { place, reason: reason.to_string() };
        }
        let Some(position) = error.position() else {
            return ReportError::Unreadable { file: self.file.to_owned(), reason: error.to_string() };
        };
        let place = Place::line(self.file, self.line_of(position));
        let ErrorKind::Utf8 { err, .. } = error.kind() else {
            return ReportError::BadRow { place, reason: error.to_string() };
        };
        let column = self.header.get(err.field()).cloned().unwrap_or_else(|| (err.field() + 1).to_string());
        ReportError::BadValue { place, column, reason: NO_UTF8.to_owned() }
    }
}

/// The columns that are there, for a message that says which one is not.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    /// Enough to recognise a file by.
    const SHOWN: usize = 100;
    let all: Vec<&str> = names.into_iter().map(String::as_str).collect();
    let all: String = all.join(", ").escape_debug().to_string();
    match all.char_indices().nth(SHOWN) {
        Some((end, _)) => all.get(..end).unwrap_or_default().to_owned() + " …",
        None if all.is_empty() => "none".to_owned(),
        None => all,
    }
}
