//! Instances as files: which columns there are, how they are written, and how they are read back.

mod columns;
mod json_rows;
mod number;
mod read;
mod record;
mod write;

pub use read::read_instances;
pub use write::{instance_overview, instance_table, write_instances};

#[cfg(test)]
mod tests;
