use std::io;
use std::path::PathBuf;

/// Why events cannot be sent; worded to follow "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// A text names no kind of sink.
    #[error("find a sink of the kind '{scheme}': expected {forms}")]
    UnknownSink {
        /// What the text begins with, up to the colon: the rest may hold a key.
        scheme: String,
        /// The forms that there are.
        forms: String,
    },
    /// A sink cannot be what was asked for.
    #[error("use the sink '{sink}': {problem}")]
    BadSink {
        /// The sink, without secrets.
        sink: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A file with a secret cannot be read.
    #[error("read the secret in '{}': {source}", path.display())]
    UnreadableSecret {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not hold a secret that can be used.
    #[error("use the secret in '{}': {problem}", path.display())]
    BadSecret {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The system gave no thread.
    #[error("start a thread for the sink '{sink}': {source}")]
    NoThread {
        /// The sink, without secrets.
        sink: String,
        /// Why.
        source: io::Error,
    },
}

impl NotifyError {
    /// A sink that cannot be what was asked for.
    pub(crate) fn bad_sink(sink: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::BadSink { sink: sink.into(), problem: problem.into() }
    }
}
