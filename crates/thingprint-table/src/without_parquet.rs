//! What refuses Parquet where polars is not built in.

use std::convert::Infallible;
use std::marker::PhantomData;

use crate::table::Table;

const REASON: &str = "Parquet is not built into this program: use CSV or JSON";

/// What a Parquet file holds of the columns that were asked for; there is none.
pub struct ParquetFile {
    /// Names of all columns of the file.
    pub names: Vec<String>,
    /// The columns that were asked for and are there.
    pub table: Table,
}

/// The rows of a Parquet file; there are none.
pub struct ParquetGroups<'a> {
    never: Infallible,
    file: PhantomData<&'a [u8]>,
}

/// Refuses a file.
pub fn from_parquet(_bytes: &[u8], _wanted: &[String]) -> Result<ParquetFile, String> {
    Err(REASON.to_owned())
}

impl<'a> ParquetGroups<'a> {
    /// Refuses a file.
    pub fn open(_bytes: &'a [u8], _wanted: &[String]) -> Result<Self, String> {
        Err(REASON.to_owned())
    }

    /// Names of all columns of the file.
    pub fn names(&self) -> &[String] {
        let _ = self.file;
        match self.never {}
    }

    /// The columns without a row.
    pub fn empty(&self) -> Result<Table, String> {
        match self.never {}
    }

    /// The rows of the next group.
    pub fn next_group(&mut self) -> Result<Option<Table>, String> {
        match self.never {}
    }
}
