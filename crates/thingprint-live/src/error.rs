use std::fmt;

use crate::printable;

/// Why a source delivers nothing; worded to follow "failed to read".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct LiveError {
    /// What sort of failure it is.
    pub kind: LiveErrorKind,
    /// The source, file or sender.
    pub place: String,
    /// What was expected and what was found.
    pub reason: String,
    /// What to do; empty where nothing has to be done.
    pub advice: String,
}

/// What sort of failure a [`LiveError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LiveErrorKind {
    /// A text names no source, or sources cannot be read together.
    NotASource,
    /// There is no tcpdump, or it may not be executed.
    NoTcpdump,
    /// The system does not allow to capture, to read or to listen.
    NoPermission,
    /// There is no such interface, or it disappeared.
    NoInterface,
    /// The interface is down.
    InterfaceDown,
    /// The filter is not one.
    BadFilter,
    /// tcpdump ended for another reason.
    TcpdumpEnded,
    /// The other side cannot be reached, or the address cannot be listened at.
    Unreachable,
    /// The other side ended the stream.
    Closed,
    /// The bytes are not a capture, or contradict its format.
    BadCapture,
    /// The folder or file cannot be read.
    Unreadable,
    /// The intake was stopped.
    Stopped,
}

impl LiveError {
    pub(crate) fn new(kind: LiveErrorKind, place: &str, reason: impl fmt::Display) -> Self {
        let reason = printable(&reason.to_string());
        Self { kind, place: printable(place), reason, advice: String::new() }
    }

    /// The same failure, with what to do.
    pub(crate) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
    }
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)?;
        if !self.advice.is_empty() {
            write!(f, "; {}", self.advice)?;
        }
        Ok(())
    }
}
