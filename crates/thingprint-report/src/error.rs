use std::fmt;
use std::io;
use std::path::PathBuf;

use thingprint_table::{TableError, without_bom};

/// Why a table, a file of instances or a file of labels cannot be read or written.
///
/// Each message follows "failed to ..." and names the file, and the place in it where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A table cannot be built or written.
    #[error(transparent)]
    Table(TableError),
    /// A file cannot be created, written or put in its place.
    #[error("write {}", path.display())]
    Output {
        /// The file as the caller named it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A result would replace a file that is read.
    #[error("write {}: the result would replace an input; choose another file", path.display())]
    ReplacesInput {
        /// The file as the caller named it.
        path: PathBuf,
    },
    /// A result has the place of another.
    #[error("write {}: another result has the same place; choose two files", path.display())]
    SameResult {
        /// The file as the caller named it.
        path: PathBuf,
    },
    /// A file is no table that can be read at all.
    #[error("read {file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A column that must be there is not.
    #[error("read {file}: no column `{column}`, found {found}")]
    MissingColumn {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
        /// The columns that are there.
        found: String,
    },
    /// A row cannot be read.
    #[error("read {place}: {reason}")]
    BadRow {
        /// The row.
        place: Place,
        /// What is wrong with it.
        reason: String,
    },
    /// A value cannot be read.
    #[error("read {place}, column {column}: {reason}")]
    BadValue {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ReportError {
    /// Refuses a file in which there is nothing, which nobody meant to give.
    pub(crate) fn unless_empty(bytes: &[u8], file: &str) -> Result<(), Self> {
        if !without_bom(bytes).trim_ascii().is_empty() {
            return Ok(());
        }
        Err(Self::Unreadable { file: file.to_owned(), reason: "the file is empty".to_owned() })
    }
}

/// Where in a file something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// What `number` counts.
    pub unit: PlaceUnit,
    /// The first one is 1.
    pub number: u64,
}

impl Place {
    pub(crate) fn line(file: &str, number: u64) -> Self {
        Self { file: file.to_owned(), unit: PlaceUnit::Line, number }
    }

    pub(crate) fn row(file: &str, number: u64) -> Self {
        Self { file: file.to_owned(), unit: PlaceUnit::Row, number }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            PlaceUnit::Line => "line",
            PlaceUnit::Row => "row",
        };
        write!(f, "{}: {unit} {}", self.file, self.number)
    }
}

/// What a [`Place`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceUnit {
    /// Lines of a text, the header included.
    Line,
    /// Rows of a table, the header left out.
    Row,
}
