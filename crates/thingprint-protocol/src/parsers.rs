//! The parsers alone: pure functions from the bytes of a payload or stream to messages. An [`Engine`](crate::Engine)
//! calls them at the right place; here they are for callers that know the place, and for tests with arbitrary bytes.
use thingprint_flow::Ip;

use crate::parser::{Memo, ParserId, SessionStep, StreamView};
use crate::phase::Step;
use crate::{Message, Protocol};

pub use crate::protocols::dhcp::parse as dhcp;
pub use crate::protocols::dns::{named as name_dns, parse as dns};
pub use crate::protocols::http::{
    BodyLength, Head, may_begin as may_begin_http, parse_cut as cut_http, parse_head as http,
};
pub use crate::protocols::ntp::{parse as ntp, parse_control as ntp_control};
pub use crate::protocols::quic::{Handshake as QuicHandshake, Reading as QuicReading};
pub use crate::protocols::ssdp::parse as ssdp;
pub use crate::protocols::tls::certificate::chain as certificates;
pub use crate::protocols::tls::hello::{client_hello, server_hello};

/// The message that the parser of a protocol reads from a UDP payload alone.
pub fn datagram(protocol: Protocol, packet: &Ip<'_>) -> Option<Message> {
    let parser = ParserId::of(protocol)?;
    let first = parser.session(packet.payload).map(|mut session| session.read(packet.payload));
    match first {
        Some(SessionStep::Message(message)) => Some(message),
        Some(SessionStep::Nothing | SessionStep::Unrelated) => None,
        None => parser.datagram(packet),
    }
}

/// The message that the parser of a protocol reads first from a TCP stream.
pub fn stream(protocol: Protocol, bytes: &[u8]) -> Option<Message> {
    let view = StreamView { bytes, longest: usize::MAX, memo: Memo::default() };
    match ParserId::of(protocol)?.begin(view) {
        Step::Read { message, .. } => message,
        Step::More | Step::Done => None,
    }
}
