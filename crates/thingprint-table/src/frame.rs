//! The one place where polars is seen: tables to Parquet, and Parquet to tables.

mod decode;
mod encode;
mod pages;
mod quiet;

pub use decode::{ParquetFile, ParquetGroups, from_parquet};
pub(crate) use encode::ParquetEncoder;

/// Fields of a counted word in Parquet.
const WORD: &str = "word";
const COUNT: &str = "count";
