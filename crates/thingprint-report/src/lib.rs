//! Files of results. Instances ([`write_instances`], [`read_instances`]) and predictions ([`PredictionFile`],
//! [`read_predictions`]) are JSON, JSON lines, CSV or Parquet, and are read back unchanged. [`Labels`] name the classes of
//! devices, and the results of a [`Transaction`] appear together or not at all.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod delimited;
mod error;
mod file_id;
mod instances;
mod labels;
mod predictions;
mod row_limit;
mod transaction;
mod whole;

pub use error::{Place, PlaceUnit, ReportError};
pub use file_id::FileId;
pub use instances::{
    InstanceFile, InstanceHead, each_instance, instance_overview, instance_table, instances_of,
    into_instance_table, read_instances, write_instances,
};
pub use labels::{LabelRow, Labels};
pub use predictions::{PredictionFile, PredictionRow, read_predictions};
pub use transaction::{StagedFile, StagedFolder, Transaction};
pub use whole::bytes_within;
