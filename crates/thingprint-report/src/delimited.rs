//! CSV from outside, with the line of everything that is wrong in it.

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

use crate::error::{Place, ReportError};
use crate::format::without_bom;

/// A CSV text with a header. Blank lines count as lines but are no records.
pub(crate) struct CsvFile<'a> {
    file: &'a str,
    header: Vec<String>,
    reader: csv::Reader<&'a [u8]>,
}

/// One record, and the line that it begins on.
pub(crate) struct Record {
    pub(crate) line: u64,
    pub(crate) fields: StringRecord,
}

/// What counts as text in a CSV file.
#[derive(Clone, Copy)]
pub(crate) enum Dialect {
    /// Written by a program: every byte counts.
    Strict,
    /// Written by a person: lines that begin with `#` are comments, and space around values does not count.
    Lenient,
}

impl<'a> CsvFile<'a> {
    /// Reads the header.
    pub(crate) fn open(bytes: &'a [u8], file: &'a str, dialect: Dialect) -> Result<Self, ReportError> {
        let mut builder = ReaderBuilder::new();
        if let Dialect::Lenient = dialect {
            builder.comment(Some(b'#')).trim(Trim::All);
        }
        let mut reader = builder.from_reader(without_bom(bytes));
        let header = match reader.headers() {
            Ok(header) => header.iter().map(|name| name.trim().to_owned()).collect(),
            Err(error) => return Err(refused(file, &[], &error)),
        };
        Ok(Self { file, header, reader })
    }

    /// Names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The next record, `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Result<Record, ReportError>> {
        let mut fields = StringRecord::new();
        match self.reader.read_record(&mut fields) {
            Ok(false) => None,
            Ok(true) => {
                let line = fields.position().map_or(0, csv::Position::line);
                Some(Ok(Record { line, fields }))
            }
            Err(error) => Some(Err(refused(self.file, &self.header, &error))),
        }
    }
}

fn refused(file: &str, header: &[String], error: &csv::Error) -> ReportError {
    let Some(place) = error.position().map(|position| Place::line(file, position.line())) else {
        return ReportError::Unreadable { file: file.to_owned(), reason: error.to_string() };
    };
    match error.kind() {
        ErrorKind::Utf8 { err, .. } => {
            let column = header.get(err.field()).cloned().unwrap_or_else(|| (err.field() + 1).to_string());
            ReportError::BadValue { place, column, reason: "not UTF-8 text".to_owned() }
        }
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let reason =
                format!("{len} values for {expected_len} columns; a value with a comma in it needs quotes");
            ReportError::BadRow { place, reason }
        }
        _ => ReportError::BadRow { place, reason: error.to_string() },
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
