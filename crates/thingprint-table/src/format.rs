//! The registry of formats: each is a file of this folder and a line of `formats!`.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use crate::table::Table;
use crate::writer::Style;

/// Declares the formats: each a variant, its file, and what it is.
macro_rules! formats {
    ($($variant:ident = $file:ident: $about:literal;)+) => {
        $(mod $file;)+

        /// How a result is written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $(#[doc = $about] $variant,)+
        }

        impl Format {
            /// Every format, in the order in which help lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            const fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$variant => &$file::SPEC,)+
                }
            }
        }
    };
}

formats! {
    Table = table: "Aligned columns for people.";
    Json = json: "One JSON array with an object for each row.";
    Jsonl = jsonl: "One JSON object on each line.";
    Csv = csv: "RFC 4180 with a header.";
    Zeek = zeek: "A Zeek log: tab-separated values with #fields and #types.";
    Parquet = parquet: "Apache Parquet in row groups, compressed with zstd.";
    Sarif = sarif: "SARIF 2.1.0, a document.";
    Html = html: "A page of HTML, a document.";
}

/// What a format can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Rows, all of which must be there before the first is written.
    Rows,
    /// Rows, written as they come.
    Stream,
    /// A document of its own, which only some commands make; no rows.
    Document,
    /// Nothing: the program was built without what writes it.
    Nothing,
}

/// What there is to know of a format.
pub(crate) struct Spec {
    /// The name that options take.
    name: &'static str,
    /// Extensions of its files.
    extensions: &'static [&'static str],
    writes: Writes,
    /// Whether it is for programs alone, so that a terminal should not show it.
    is_binary: bool,
    /// Begins to write rows with the columns of a table.
    open: Open,
}

type Open = for<'a> fn(&Table, Style, &'a mut dyn Write) -> Result<Box<dyn RowSink + 'a>, SinkError>;

/// Takes the rows of one table in their order.
pub(crate) trait RowSink {
    /// Adds rows.
    fn rows(&mut self, rows: &Table) -> Result<(), SinkError>;

    /// Adds rows that nobody needs afterwards.
    fn take_rows(&mut self, rows: Table) -> Result<(), SinkError> {
        self.rows(&rows)
    }

    /// Hands on what is written so far, where the format writes rows as they come.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Writes what is left and flushes the output.
    fn finish(self: Box<Self>) -> Result<(), SinkError>;
}

/// Why rows cannot be written.
pub(crate) enum SinkError {
    /// The output took no more bytes.
    Output(io::Error),
    /// The format cannot hold them.
    Unfit(String),
}

impl From<io::Error> for SinkError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// A document of which no row can be written.
fn no_rows(_: &Table, _: Style, _: &mut dyn Write) -> Result<Box<dyn RowSink + 'static>, SinkError> {
    Err(SinkError::Unfit("unsupported for rows".to_owned()))
}

impl Format {
    /// The name that options take.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// Extensions of its files, in lower case; the first is the usual one.
    pub const fn extensions(self) -> &'static [&'static str] {
        self.spec().extensions
    }

    /// What it can hold.
    pub const fn writes(self) -> Writes {
        self.spec().writes
    }

    /// Whether it is for programs alone, so that a terminal should not show it.
    pub const fn is_binary(self) -> bool {
        self.spec().is_binary
    }

    /// Begins to write rows with the columns of a table.
    pub(crate) fn open<'a>(
        self,
        columns: &Table,
        style: Style,
        out: &'a mut dyn Write,
    ) -> Result<Box<dyn RowSink + 'a>, SinkError> {
        (self.spec().open)(columns, style, out)
    }

    /// The format that the extension of an output file asks for, in either case.
    pub fn of_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        let has = |format: &Self| format.extensions().contains(&extension.as_str());
        Self::ALL.iter().copied().find(has)
    }

    /// The format that bytes are in, by how they begin and never by a name: `PAR1` is Parquet, `[` JSON, `{` JSON
    /// lines, anything else CSV. Never another one. Nothing at all is an empty file of JSON lines.
    pub fn of_content(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"PAR1") {
            return Self::Parquet;
        }
        match without_bom(bytes).trim_ascii_start().first() {
            Some(b'[') => Self::Json,
            Some(b'{') | None => Self::Jsonl,
            Some(_) => Self::Csv,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{0}': expected {names}", names = names())]
pub struct ParseFormatError(String);

fn names() -> String {
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    match names.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, ParseFormatError> {
        let is_meant = |format: &Self| format.name().eq_ignore_ascii_case(text);
        Self::ALL.iter().copied().find(is_meant).ok_or_else(|| ParseFormatError(text.to_owned()))
    }
}

/// The bytes after a UTF-8 byte order mark, which spreadsheets put before CSV.
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_format_reads_back_from_its_name() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(*format));
        }
        let error = "xml".parse::<Format>().map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(error.starts_with("unknown format 'xml': expected table, json, "), "{error}");
        assert!(error.ends_with(" or html"), "{error}");
    }

    #[test]
    fn an_extension_names_one_format_in_either_case() {
        let check = |name: &str, expected| assert_eq!(Format::of_extension(Path::new(name)), expected);
        check("a/b.parquet", Some(Format::Parquet));
        check("B.CSV", Some(Format::Csv));
        check("x.ndjson", Some(Format::Jsonl));
        check("x.pcap", None);
        check("json", None);
        let extensions: Vec<&str> =
            Format::ALL.iter().flat_map(|format| format.extensions()).copied().collect();
        assert_eq!(extensions.iter().collect::<BTreeSet<_>>().len(), extensions.len(), "{extensions:?}");
    }

    #[test]
    fn content_has_a_format() {
        let check = |bytes: &[u8], expected| assert_eq!(Format::of_content(bytes), expected);
        check(b"PAR1\x15\x04", Format::Parquet);
        check(b"\xef\xbb\xbf [1]", Format::Json);
        check(b"\n{\"device\":1}", Format::Jsonl);
        check(b"device,label\n", Format::Csv);
        check(b"", Format::Jsonl);
    }
}
