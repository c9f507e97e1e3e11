//! A [`Store`] keeps devices, windows, verdicts, findings and events in a file of SQLite or a database of `PostgreSQL`, and a
//! [`Reader`] finds them again.
//!
//! One process at a time writes a store, most often from a thread of its own ([`Writer`]); any number read it meanwhile. Beside the
//! one that writes, others may put parts of taps on the [`Shelf`] of a store that is shared. Each
//! account of a watch is one transaction, so that a store holds all of it or nothing, whenever a process is killed.

mod account_writer;
mod back_ends;
mod cell;
mod database;
mod error;
mod export;
mod forget;
mod info;
mod instance_blob;
mod mentions;
mod merge;
mod prune;
mod reader;
mod record_rows;
mod requests;
mod resume;
mod shelf;
mod sql;
mod store;
mod writer;

pub use account_writer::Written;
pub use error::{Problem, StoreError};
pub use export::{ExportCounts, ExportOptions};
pub use forget::Forgotten;
pub use info::StoreInfo;
pub use prune::{Jump, Pruned};
pub use reader::{Held, Reader};
pub use resume::{FindingKey, MOST_DEVICES, Resume};
pub use shelf::{Shelf, check_name, is_shared, shown};
pub use sql::SqlError;
pub use store::{StateValue, Store};
pub use writer::{Receipt, Writer, WriterOptions, WriterStats, machine_clock};
