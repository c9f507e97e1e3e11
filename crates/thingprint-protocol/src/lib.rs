//! Protocol messages, found by content in the payloads of a flow: an [`Engine`] inspects packets and finds
//! [`Message`]s.
//!
//! A port never decides what a payload is. Detection happens per flow: an [`Inspection`] remembers what is known
//! about one, and once nothing more is wanted from it, its packets cost next to nothing. Payloads are read where they
//! are; bytes are copied only when a message spans segments, within [`Limits`], and what a limit drops is counted in
//! the [`Budget`].
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]
#![warn(clippy::indexing_slicing)]

mod attribute;
mod budget;
mod collector;
mod cursor;
mod datagram;
mod detector;
pub mod dialect;
mod engine;
mod error;
mod expression;
mod flow_buffers;
mod inspection;
mod interest;
mod limits;
mod lint;
mod matcher;
mod message;
mod opening;
mod outer;
mod overflow;
mod parser;
pub mod parsers;
mod phase;
mod protocols;
pub mod schema;
mod secrecy;
mod set;
mod stream;
mod stream_buffer;
mod text;

pub use attribute::{Described, Value};
pub use budget::{Budget, Losses};
pub use collector::{Collected, Heard, HeardMessage, MessageCollector, MessageMemory};
pub use detector::{DetectedProtocol, Detector, DetectorState, MessageContext, MessageObserver};
pub use engine::{Engine, FlowPacket};
pub use error::{Fault, ModelError, Span, SyntaxError};
pub use expression::{Expression, Word};
pub use inspection::Inspection;
pub use interest::Interest;
pub use limits::Limits;
pub use lint::{Lint, LintLevel, lint};
pub use message::{Credential, Message, Protocol, Sender, Text, Uri};
pub use set::{Detection, ModelIndex, ModelSet};

macro_rules! exports {
    ($($module:ident: $protocol:ident, $title:literal, $messages:tt, [$($exported:ident),*];)+) => {
        $($(pub use protocols::$module::$exported;)*)+
    };
}
protocols::registry!(exports);
