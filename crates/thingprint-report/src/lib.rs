//! A [`Table`] is what thingprint found out, and [`write()`] puts it into a format that somebody reads: aligned columns
//! for people, JSON, JSON lines and CSV for programs, Parquet for notebooks.
//!
//! Instances have a form of their own ([`write_instances`], [`read_instances`]), which every format but the one for
//! people gives back unchanged. [`Labels`] says what the devices are, and [`AtomicFile`] lets a result appear whole or
//! not at all. polars does the work for CSV and Parquet and is seen nowhere outside.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod atomic;
mod delimited;
mod error;
mod format;
mod frame;
mod human;
mod instances;
mod json;
mod labels;
mod parts;
mod rfc3339;
mod table;
mod write;

pub use atomic::AtomicFile;
pub use error::{Place, PlaceUnit, ReportError};
pub use format::{Format, ParseFormatError};
pub use instances::{InstanceFile, instance_overview, instance_table, read_instances, write_instances};
pub use labels::Labels;
pub use parts::TableWriter;
pub use table::{Cell, Column, Json, Table, Type, Values};
pub use write::{Style, write};
