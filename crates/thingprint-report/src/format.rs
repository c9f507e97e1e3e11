use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Aligned columns for people.
    Table,
    /// One JSON array with an object for each row.
    Json,
    /// One JSON object on each line.
    Jsonl,
    /// RFC 4180 with a header.
    Csv,
    /// Apache Parquet, compressed with zstd.
    Parquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Table, Self::Json, Self::Jsonl, Self::Csv, Self::Parquet];

    /// The name that options take, which is also the usual file extension.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The format that the extension of an output file asks for (`ndjson` is `jsonl`, `txt` is `table`).
    pub fn of_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "ndjson" => Some(Self::Jsonl),
            "txt" => Some(Self::Table),
            other => other.parse().ok(),
        }
    }

    /// The format that bytes are in, told by how they begin and never by a name: `PAR1` is Parquet, `[` JSON,
    /// `{` JSON lines, anything else CSV. Never [`Format::Table`]. Nothing at all is an empty file of JSON lines.
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
#[error("'{0}' is no format: expected table, json, jsonl, csv or parquet")]
pub struct ParseFormatError(String);

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, ParseFormatError> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| ParseFormatError(text.to_owned()))
    }
}

/// The bytes after a UTF-8 byte order mark, which spreadsheets put before CSV.
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_back_from_its_name() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xml".parse::<Format>().map_err(|error| error.to_string());
        assert_eq!(error, Err("'xml' is no format: expected table, json, jsonl, csv or parquet".to_owned()));
    }

    #[test]
    fn an_extension_names_a_format_in_either_case() {
        let check = |name: &str, expected| assert_eq!(Format::of_extension(Path::new(name)), expected);
        check("a/b.parquet", Some(Format::Parquet));
        check("B.CSV", Some(Format::Csv));
        check("x.ndjson", Some(Format::Jsonl));
        check("x.pcap", None);
        check("json", None);
    }

    #[test]
    fn content_tells_the_format() {
        let check = |bytes: &[u8], expected| assert_eq!(Format::of_content(bytes), expected);
        check(b"PAR1\x15\x04", Format::Parquet);
        check(b"\xef\xbb\xbf [1]", Format::Json);
        check(b"\n{\"device\":1}", Format::Jsonl);
        check(b"device,label\n", Format::Csv);
        check(b"", Format::Jsonl);
    }
}
