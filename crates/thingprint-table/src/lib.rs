//! A [`Table`] is what thingprint found out, and a [`TableWriter`] or [`write()`] puts it into a [`Format`] that somebody
//! reads: aligned columns for people, JSON, JSON lines, CSV and Zeek's logs for programs, Parquet for notebooks
//! (feature `parquet`). [`markdown()`] puts a table into a report, and `thingprint-figure` onto a page of HTML.
//!
//! Everything else that shows text from a network escapes it by [`escape`].
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod badge;
pub mod csv_text;
mod error;
pub mod escape;
mod format;
#[cfg(feature = "parquet")]
mod frame;
mod human;
pub mod json;
mod markdown;
mod number;
mod prose;
pub mod rfc3339;
mod table;
#[cfg(not(feature = "parquet"))]
mod without_parquet;
mod writer;

pub use badge::{Badge, Tone};
pub use error::TableError;
pub use format::{Format, ParseFormatError, Writes, without_bom};
#[cfg(feature = "parquet")]
pub use frame::{ParquetFile, ParquetGroups, from_parquet};
pub use human::MARKS;
pub use markdown::markdown;
pub use number::{Notation, percent_decimals};
pub use prose::{Prose, Span};
pub use table::{Bag, Cell, Column, Json, Table, Type, Values, View};
#[cfg(not(feature = "parquet"))]
pub use without_parquet::{ParquetFile, ParquetGroups, from_parquet};
pub use writer::{Style, TableWriter, write};
