use std::io;

use crate::format::Format;

/// Why a table cannot be built or written. Each message follows "failed to ...".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// A cell or a column does not fit the table that it is put into.
    #[error("build a table: {reason}")]
    Shape {
        /// What does not fit.
        reason: String,
    },
    /// A format cannot hold the table.
    #[error("write {format}: {reason}")]
    Encode {
        /// The format.
        format: Format,
        /// What the encoder said.
        reason: String,
    },
    /// The output took no more bytes.
    #[error("write {format}")]
    Write {
        /// The format.
        format: Format,
        /// What the output said; a closed pipe is [`io::ErrorKind::BrokenPipe`].
        source: io::Error,
    },
}
