use std::io;
use std::path::{Path, PathBuf};

use thingprint_instance::PartFileError;

/// Why parts cannot be carried; worded to follow "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum TapsError {
    /// A file or folder cannot be used.
    #[error("{action} '{}': {source}", path.display())]
    File {
        /// What was to be done: `write`, `read`, `lock`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process uses a folder.
    #[error("use the folder '{}': another process uses it; end that one, or name another folder", .0.display())]
    InUse(PathBuf),
    /// Bytes are not what a tap wrote.
    #[error("read {place}: {problem}")]
    BadParcel {
        /// Where they are from.
        place: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The part in a parcel cannot be read.
    #[error("read the part in {place}: {source}")]
    BadPart {
        /// Where it is from.
        place: String,
        /// Why.
        source: PartFileError,
    },
    /// A text is no name of a network or tap.
    #[error("use the name '{0}': expected 1 to 64 letters, digits, '-' or '_'")]
    BadName(String),
    /// A text names no transport.
    #[error("find a transport of the kind '{scheme}': expected {forms}")]
    UnknownTransport {
        /// What the text begins with, up to the colon.
        scheme: String,
        /// The forms that there are.
        forms: String,
    },
    /// A transport cannot be what was asked for.
    #[error("use '{transport}': {problem}")]
    BadTransport {
        /// The transport, without secrets.
        transport: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A transport does not work now; it may later.
    #[error("reach {transport}: {problem}")]
    Unreachable {
        /// The transport, without secrets.
        transport: String,
        /// Why.
        problem: String,
    },
    /// A tap makes parts in another way than those before.
    #[error("join the parts of tap {tap}: {problem}")]
    Misfit {
        /// The tap.
        tap: String,
        /// What differs and what to do.
        problem: String,
    },
    /// The system gave no thread.
    #[error("start a thread: {0}")]
    NoThread(io::Error),
}

impl TapsError {
    /// What cannot be done with a file.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}
