/// Why a home cannot be read or played, worded to follow "failed to simulate: ".
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A file is no TOML, or has a field that is unknown, missing or of the wrong kind.
    #[error("{file}: {problem}")]
    Toml {
        /// The file, as its [`Source`](crate::Source) names it.
        file: String,
        /// What the TOML reader says, with line, column and field.
        problem: Box<toml::de::Error>,
    },
    /// A field has a value that makes no sense, alone or beside others.
    #[error("{file}: field '{field}': {problem}")]
    Field {
        /// The file, as its [`Source`](crate::Source) names it.
        file: String,
        /// The field's path inside the file, like `connection[2].hello`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The start and duration asked for do not fit the clock of a capture.
    #[error("the time from {start_s} s on for {duration_s} s does not fit a capture's clock")]
    Span {
        /// Start, in seconds since 1970.
        start_s: i64,
        /// Duration, in seconds.
        duration_s: u64,
    },
}
