//! Instances from the logs of other tools, where packets cannot be had: those of Zeek, and the EVE JSON of Suricata.
//!
//! A [`Survey`] reads all logs once, and learns which link address an IP address had when, which addresses forward packets
//! of others, and what the logs tell at all. Then a [`LogReader`] gives the [`Event`]s of the logs in the order in which
//! they were written, and [`LogInstances`] makes instances of them, with the same code that makes them from packets.
//!
//! What logs do not tell is absent from an instance, never zero: see [`Survey::evidence`]. Options of instances say which
//! tool wrote the logs ([`thingprint_instance::Origin`]), and so does their recipe: a model of packets refuses them.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod address_book;
mod device_table;
mod event;
mod field_text;
mod formats;
mod log_file;
mod log_instances;
mod log_reader;
mod problem;
mod row;
mod survey;

pub use event::Event;
pub use formats::LogFormat;
pub use log_file::LogFile;
pub use log_instances::{LogInstances, LogLosses};
pub use log_reader::LogReader;
pub use problem::{LogError, LogProblem, ReadCounts};
pub use survey::{Absence, Survey};
