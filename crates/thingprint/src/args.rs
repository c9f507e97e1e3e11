//! What is typed, by group; each command resolves it into the options of the crates.

mod extraction;
mod global;
mod training;

pub(crate) use extraction::ExtractionArgs;
pub(crate) use global::GlobalArgs;
pub(crate) use training::TrainingArgs;
