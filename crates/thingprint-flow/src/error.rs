use std::fmt;

/// Why a capture, or the rest of one, could not be read; worded to follow "failed to read".
///
/// Whatever was read before stays valid: a trace goes on with its other captures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{capture}: {reason} (byte {offset}, after {packets} packets)")]
pub struct CaptureError {
    /// Name of the capture.
    pub capture: String,
    /// What sort of failure it is.
    pub kind: ProblemKind,
    /// Where reading stopped, in bytes from the start of the uncompressed stream.
    pub offset: u64,
    /// Whole packets read from this capture before.
    pub packets: u64,
    /// What was expected and what was found.
    pub reason: String,
}

/// What sort of failure a [`CaptureError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// The bytes could not be had: the file cannot be opened, the disk fails.
    Unreadable,
    /// The bytes are not a capture of a known format.
    NotACapture,
    /// The capture ends inside a packet, a block or a compressed frame.
    Cut,
    /// The capture contradicts its own format.
    Broken,
    /// No packet of the capture has a link type that can be decoded.
    UnsupportedLink,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "unreadable",
            Self::NotACapture => "not a capture",
            Self::Cut => "cut",
            Self::Broken => "broken",
            Self::UnsupportedLink => "unsupported link type",
        })
    }
}
