use crate::Message;

/// How far one direction of a flow is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Neither a SYN nor a payload was seen.
    #[default]
    New,
    /// The start is known, the protocol is not.
    Begun,
    /// A TLS hello was read, and another one may follow.
    Tls,
    /// A TLS server's hello was read, and its certificates may follow; the reading position stays at the hello.
    Flight,
    /// A DNS message was read, and more may follow.
    Dns,
    /// The head of an HTTP message may begin here.
    Http,
    /// A chunk of an HTTP body may begin here.
    Chunks,
    /// Nothing more is wanted.
    Done,
}

/// What the bytes at the reading position of a stream turned out to be.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a step is taken at once and never kept")]
pub(crate) enum Step {
    /// The beginning of something: more bytes are needed to tell, or to read it.
    More,
    /// This many bytes are read for good (or may be skipped unseen), and the stream goes on.
    Read {
        /// At least 1, but where only the phase changes; may exceed what was given when the rest does not matter.
        bytes: usize,
        /// The message that they carry, if it is one to tell.
        message: Option<Message>,
        /// What to expect next.
        then: Phase,
    },
    /// Nothing that is known begins here, or nothing more of it is wanted.
    Done,
}

impl Phase {
    /// Whether a stream in this phase has no end that is known, so that its start moves along.
    pub(crate) const fn moves_along(self) -> bool {
        matches!(self, Self::Dns | Self::Http | Self::Chunks)
    }
}
