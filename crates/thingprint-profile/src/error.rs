use thiserror::Error;

/// Why a file is no fingerprint file or MUD file; worded to follow "failed to read x.json: ".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {fault}")]
pub struct ProfileError {
    /// Where in the file: a path such as `ietf-mud:mud.last-update` or `devices[2].name`; `line 3, column 7` where it
    /// is no JSON at all.
    pub path: String,
    /// What is wrong there.
    pub fault: ProfileFault,
}

/// What is wrong at a place of a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProfileFault {
    /// No JSON.
    #[error("{0}")]
    Syntax(String),
    /// A member that has to be there is not.
    #[error("'{0}' is missing")]
    Missing(String),
    /// A member that nobody knows.
    #[error("'{0}' is no field that is known here")]
    Unknown(String),
    /// A value of another kind than wanted.
    #[error("expected {expected}, found {found}")]
    Kind {
        /// What is wanted.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The file has more of something than is read.
    #[error("more than {most} {things}")]
    TooMany {
        /// The limit.
        most: usize,
        /// What there is too much of.
        things: &'static str,
    },
    /// A part that makes no sense together with the others.
    #[error("{0}")]
    Meaning(String),
}
