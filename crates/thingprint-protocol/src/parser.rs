//! What the engine needs of a parser, and the calls from the engine into each.
use std::fmt::Debug;

use thingprint_flow::Ip;

use crate::phase::{Phase, Step};
use crate::protocols::registry;
use crate::schema::IpProtocol;
use crate::{Interest, Message, Protocol, Sender};

/// A parser of one protocol. It reads bytes in place, rejects those of other protocols early, and never looks at a port
/// to decide what they are.
///
/// A parser of datagrams implements [`Self::datagram`] or, if it needs what came before, [`Self::session`]; a parser of
/// TCP streams implements [`Self::begin`], and [`Self::resume`] if more than one message is to be read.
pub(crate) trait Parser {
    /// The transports that it reads.
    const TRANSPORTS: &'static [IpProtocol];
    /// Protocols whose messages have the same format, so that this parser may return messages of theirs, too.
    const KIN: &'static [Protocol] = &[];
    /// Whether the messages of one side can only be read with those of the other.
    const NEEDS_BOTH_SIDES: bool = false;
    /// Whether another protocol may begin inside this one, on the same connection.
    const HANDS_OVER: bool = false;
    /// Whether message after message is read, so that those behind lost bytes are looked for as long as the stream goes on.
    const READS_ON: bool = false;

    /// The message in a UDP payload.
    fn datagram(_packet: &Ip<'_>) -> Option<Message> {
        None
    }

    /// A new session, if this UDP payload can be the first of one.
    fn session(_payload: &[u8]) -> Option<Box<dyn Session>> {
        None
    }

    /// A new session, if this UDP payload and those before it, of which the memo knows, are of one that was there before;
    /// and the memo after it.
    fn follow(memo: Memo, _sender: Sender, _payload: &[u8]) -> (Memo, Option<Box<dyn Session>>) {
        (memo, None)
    }

    /// Reads the beginning of a TCP stream.
    fn begin(_view: StreamView<'_>) -> Step {
        Step::Done
    }

    /// Whether the beginning of a TCP stream proves the protocol. By default it does once a step can be read.
    fn proof(view: StreamView<'_>) -> Proof {
        match Self::begin(view) {
            Step::More => Proof::Open,
            Step::Done => Proof::Refuted,
            step @ Step::Read { .. } => Proof::Read(step),
        }
    }

    /// Reads on where [`Self::begin`] left the stream in a phase of this parser.
    fn resume(_phase: Phase, _view: StreamView<'_>) -> Step {
        Step::Done
    }

    /// Whether another protocol may begin inside this one, behind this beginning of a stream; `None` if more bytes are
    /// needed to decide.
    fn may_hand_over(_view: StreamView<'_>) -> Option<bool> {
        Some(false)
    }

    /// The message in the last bytes of a stream, which end within it.
    fn cut(_phase: Phase, _bytes: &[u8]) -> Option<Message> {
        None
    }

    /// The memo of a flow after this message.
    fn remember(memo: Memo, _message: &Message) -> Memo {
        memo
    }
}

/// The bytes of a stream from the reading position on, as far as they are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamView<'a> {
    pub(crate) bytes: &'a [u8],
    /// The most bytes that are kept of a stream; a longer message cannot be read.
    pub(crate) longest: usize,
    /// What the parser remembers of the flow.
    pub(crate) memo: Memo,
}

/// Three bytes that a parser remembers with each flow, in both directions; zeros at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memo(pub(crate) [u8; 3]);

/// What the beginning of a stream says about its protocol.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a proof is used at once and never kept")]
pub(crate) enum Proof {
    /// More bytes are needed to decide.
    Open,
    /// It is this protocol, and this is the first step.
    Read(Step),
    /// It is this protocol, whose first message may not be complete yet.
    Certain,
    /// It is another protocol.
    Refuted,
}

/// The datagrams of one flow, in a protocol whose datagrams cannot be read one by one.
pub(crate) trait Session: Debug + Send + Sync {
    /// Reads the next datagram, of either side.
    fn read(&mut self, payload: &[u8]) -> SessionStep;

    /// Bytes that the session occupies.
    fn held_bytes(&self) -> usize;

    /// Whether nothing more can be read.
    fn is_done(&self) -> bool;
}

/// What a datagram is to a session.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a message is passed on at once and never kept")]
pub(crate) enum SessionStep {
    /// It completes a message.
    Message(Message),
    /// It belongs to the session.
    Nothing,
    /// It cannot be attributed to the session.
    Unrelated,
}

macro_rules! parsers {
    ($($module:ident: $parser:ident, $title:literal, $messages:tt, $exports:tt;)+) => {
        /// The parser of a protocol, by which models name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum ParserId {
            $($parser),+
        }

        impl ParserId {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$parser),+];

            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$parser => stringify!($module)),+
                }
            }

            /// The protocol that the parser reads.
            pub(crate) const fn protocol(self) -> Protocol {
                match self {
                    $(Self::$parser => Protocol::$parser),+
                }
            }

            const fn transports(self) -> &'static [IpProtocol] {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::TRANSPORTS),+
                }
            }

            const fn kin(self) -> &'static [Protocol] {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::KIN),+
                }
            }

            const fn needs_both_sides(self) -> bool {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::NEEDS_BOTH_SIDES),+
                }
            }

            /// See [`Parser::datagram`].
            pub(crate) fn datagram(self, packet: &Ip<'_>) -> Option<Message> {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::datagram(packet)),+
                }
            }

            /// See [`Parser::session`].
            pub(crate) fn session(self, payload: &[u8]) -> Option<Box<dyn Session>> {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::session(payload)),+
                }
            }

            /// See [`Parser::follow`].
            pub(crate) fn follow(
                self,
                memo: Memo,
                sender: Sender,
                payload: &[u8],
            ) -> (Memo, Option<Box<dyn Session>>) {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::follow(memo, sender, payload)),+
                }
            }

            /// See [`Parser::begin`].
            pub(crate) fn begin(self, view: StreamView<'_>) -> Step {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::begin(view)),+
                }
            }

            /// See [`Parser::proof`].
            pub(crate) fn proof(self, view: StreamView<'_>) -> Proof {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::proof(view)),+
                }
            }

            /// See [`Parser::resume`].
            pub(crate) fn resume(self, phase: Phase, view: StreamView<'_>) -> Step {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::resume(phase, view)),+
                }
            }

            /// See [`Parser::HANDS_OVER`].
            pub(crate) const fn hands_over(self) -> bool {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::HANDS_OVER),+
                }
            }

            /// See [`Parser::READS_ON`].
            pub(crate) const fn reads_on(self) -> bool {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::READS_ON),+
                }
            }

            /// See [`Parser::may_hand_over`].
            pub(crate) fn may_hand_over(self, view: StreamView<'_>) -> Option<bool> {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::may_hand_over(view)),+
                }
            }

            /// See [`Parser::cut`].
            pub(crate) fn cut(self, phase: Phase, bytes: &[u8]) -> Option<Message> {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::cut(phase, bytes)),+
                }
            }

            /// See [`Parser::remember`].
            pub(crate) fn remember(self, memo: Memo, message: &Message) -> Memo {
                match self {
                    $(Self::$parser => crate::protocols::$module::$parser::remember(memo, message)),+
                }
            }
        }
    };
}
registry!(parsers);

impl ParserId {
    /// The parser of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|parser| parser.name() == name)
    }

    /// The parser of this protocol.
    pub(crate) fn of(protocol: Protocol) -> Option<Self> {
        Self::ALL.iter().copied().find(|parser| parser.protocol() == protocol)
    }

    /// Whether the parser reads anything over this transport.
    pub(crate) fn is_over(self, transport: IpProtocol) -> bool {
        self.transports().contains(&transport)
    }

    /// Whether the parser may return messages of a protocol.
    pub(crate) fn reads(self, protocol: Protocol) -> bool {
        protocol == self.protocol() || self.kin().contains(&protocol)
    }

    /// Whether what `sender` sends has to be read: for its own messages, or for those of the other side.
    pub(crate) fn is_wanted(self, interest: Interest, sender: Sender) -> bool {
        let is_wanted = |protocol| {
            interest.wants(protocol, sender)
                || self.needs_both_sides() && interest.wants(protocol, sender.other())
        };
        is_wanted(self.protocol()) || self.kin().iter().copied().any(is_wanted)
    }
}
