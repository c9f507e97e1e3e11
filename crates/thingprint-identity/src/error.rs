use thiserror::Error;

/// Why a table is not one; worded to follow "failed to read FILE: ".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("table '{table}', line {line}: {reason}")]
pub struct KnowledgeError {
    /// The table.
    pub table: String,
    /// The line; 1 is the header.
    pub line: u64,
    /// What is wrong there, and what to do.
    pub reason: String,
}
