use thingprint_model::ModelError;
use thingprint_table::TableError;

use crate::fields::{Field, Problem, problems};

/// Why a definition cannot be read or an experiment cannot be run; each message follows on from "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// A file is no TOML, or has a field that is unknown, missing or of the wrong kind.
    #[error("{file}: {problem}")]
    Toml {
        /// The file, as the caller names it.
        file: String,
        /// What the TOML reader says, with line, column and field.
        problem: Box<toml::de::Error>,
    },
    /// Several fields are unknown, missing or of the wrong kind.
    #[error("{file}: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n       "))]
    Fields {
        /// The file, as the caller names it.
        file: String,
        /// What is wrong, in the order of the fields.
        problems: Vec<Problem>,
    },
    /// A field has an unsupported value, alone or together with others.
    #[error("{file}: field '{field}': {problem}")]
    Field {
        /// The file, as the caller names it.
        file: String,
        /// The field's path inside the file, like `expect[2].low`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The caller brought no instances for something that [`Definition::needs`](crate::Definition::needs) lists.
    #[error("there are no instances of {need}")]
    NoInstances {
        /// Data set and extraction.
        need: String,
    },
    /// Training or evaluation failed.
    #[error("{step}")]
    Model {
        /// What was done, like `scenario final, seed 3`.
        step: String,
        /// Why it failed.
        source: ModelError,
    },
    /// The data do not hold what the experiment looks at.
    #[error("the data set {dataset} does not fit: {problem}")]
    Unfit {
        /// The data set.
        dataset: String,
        /// What is missing.
        problem: String,
    },
    /// A table of the result cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A result cannot be put into JSON.
    #[error("the result cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl ExperimentError {
    /// Why a file cannot be read, with all fields that are wrong where there are several.
    pub(crate) fn of_toml(file: &str, text: &str, (error, fields): (toml::de::Error, &[Field])) -> Self {
        let file = file.to_owned();
        let table = text.parse::<toml::Table>();
        let problems = table.map(|table| problems(&table, fields)).unwrap_or_default();
        match problems.len() {
            0 | 1 => Self::Toml { file, problem: Box::new(error) },
            _ => Self::Fields { file, problems },
        }
    }

    /// A failed step of training or evaluation.
    pub(crate) fn model(step: impl Into<String>) -> impl FnOnce(ModelError) -> Self {
        let step = step.into();
        move |source| Self::Model { step, source }
    }
}
