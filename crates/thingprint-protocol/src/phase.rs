use crate::Message;

/// How far one direction of a flow has been read.
///
/// The first values belong to the engine. A parser that reads more than one message names its own with
/// [`Self::bounded`] and [`Self::endless`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Phase(u8);

/// What the bytes at the reading position of a stream are.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a step is taken at once and never kept")]
pub(crate) enum Step {
    /// The beginning of something: more bytes are needed to decide what, or to read it.
    More,
    /// This many bytes are read (or may be skipped), and the stream goes on.
    Read {
        /// At least 1, unless only the phase changes. It may exceed what was given if the rest does not matter.
        bytes: usize,
        /// The message that they carry, if it is one to report.
        message: Option<Message>,
        /// What to expect next.
        then: Phase,
    },
    /// Nothing known begins here, or nothing more is wanted.
    Done,
}

impl Phase {
    /// Neither a SYN nor a payload was seen.
    pub(crate) const NEW: Self = Self(0);
    /// The start is known, the protocol is not.
    pub(crate) const BEGUN: Self = Self(1);
    /// Nothing more is wanted.
    pub(crate) const DONE: Self = Self(2);

    /// Another protocol begins here, on the same connection.
    pub(crate) const HAND_OVER: Self = Self(3);

    /// The start is known as [`Self::BEGUN`], but bytes before it were lost, so that it may lie inside a message.
    pub(crate) const AGAIN: Self = Self(4);
    /// Bytes were lost: the next message that begins its own segment is looked for.
    pub(crate) const LOST: Self = Self(5);

    const FIRST_OF_PARSER: u8 = 6;
    const ENDLESS: u8 = 0x80;

    /// A phase of a parser that reads on within the first bytes of the stream.
    pub(crate) const fn bounded(number: u8) -> Self {
        Self(Self::FIRST_OF_PARSER + number)
    }

    /// A phase of a parser that reads message after message, so that the start of the stream moves along.
    pub(crate) const fn endless(number: u8) -> Self {
        Self(Self::ENDLESS | number)
    }

    /// Whether the start is known and the protocol is not.
    pub(crate) const fn is_begun(self) -> bool {
        matches!(self, Self::BEGUN | Self::AGAIN)
    }

    /// Whether the start of the stream moves along with the reading position.
    pub(crate) const fn moves_along(self) -> bool {
        self.0 & Self::ENDLESS != 0
    }
}
