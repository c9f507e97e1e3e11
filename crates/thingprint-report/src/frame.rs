//! The one place where polars is seen: tables to CSV and Parquet, and Parquet to tables.

mod decode;
mod encode;
mod pages;

pub(crate) use decode::{ParquetFile, from_parquet};
pub(crate) use encode::{to_csv, to_parquet};

/// Fields of a counted word in Parquet.
const WORD: &str = "word";
const COUNT: &str = "count";
