/// Why a home cannot be read or played, worded to follow "failed to simulate: ".
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A file that is not TOML, or has a field that is unknown, missing or of the wrong type.
    #[error("{file}: {problem}")]
    Toml {
        /// The file, as its [`Source`](crate::Source) names it.
        file: String,
        /// What the TOML reader says, with line, column and field.
        problem: Box<toml::de::Error>,
    },
    /// A field has an unsupported value, alone or in combination with others.
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
    #[error(
        "start {start_s} s and duration {duration_s} s exceed the range of capture timestamps; choose an earlier start"
    )]
    Span {
        /// Start, in seconds since 1970.
        start_s: i64,
        /// Duration, in seconds.
        duration_s: u64,
    },
}
