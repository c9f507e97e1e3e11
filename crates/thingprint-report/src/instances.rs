//! Instances as files: which columns there are, how they are written, and how they are read back.

mod columns;
mod json_rows;
pub(crate) mod number;
mod read;
mod record;
mod write;

use std::collections::BTreeSet;

use thingprint_instance::{ExtractionRecipe, Labeled};

pub use read::{each_instance, instances_of, read_instances};
pub use write::{instance_overview, instance_table, into_instance_table, write_instances};

/// What a file of instances holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceFile {
    /// The instances, in the order of the file.
    pub rows: Vec<Labeled>,
    /// How they were extracted, the same for all of them; `None` where the file does not say.
    pub recipe: Option<ExtractionRecipe>,
    /// Columns of names that this version does not know, which were skipped.
    pub unknown_columns: BTreeSet<String>,
}

/// What a file of instances says beside its instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceHead {
    /// Instances.
    pub rows: u64,
    /// How they were extracted, the same for all of them; `None` where the file does not say.
    pub recipe: Option<ExtractionRecipe>,
    /// Columns of names that this version does not know, which were skipped.
    pub unknown_columns: BTreeSet<String>,
    /// The recipe as the last row has it, which most others repeat.
    recipe_text: Option<String>,
}

#[cfg(test)]
mod tests;
