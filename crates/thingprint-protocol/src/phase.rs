use crate::Message;

/// How far one direction of a TCP stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Neither a SYN nor a payload was seen.
    #[default]
    New,
    /// The start is known, the protocol is not.
    Begun,
    /// A TLS hello was read, and another one may follow.
    Tls,
    /// A DNS message was read, and more may follow.
    Dns,
    /// Nothing more is wanted.
    Done,
}

/// What the bytes at the reading position of a stream turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The beginning of something: more bytes are needed to tell, or to read it.
    More,
    /// This many bytes are read for good (or may be skipped unseen), and the stream goes on.
    Read {
        /// At least 1; may exceed what was given when the rest does not matter.
        bytes: usize,
        /// The message that they carry, if it is one to tell.
        message: Option<Message>,
        /// What to expect next.
        then: Phase,
    },
    /// Nothing that is known begins here, or nothing more of it is wanted.
    Done,
}
