//! The handshake of QUIC connections, read from their Initial packets (RFC 9000 §17.2.2).
//!
//! Initial packets are encrypted with keys that follow from the client's first connection id (RFC 9001 §5.2, RFC 9369
//! §3.3), so whoever sees the first packet can open them; that a packet opens proves what it is. The hello of a client
//! may lie in many CRYPTO frames, in any order, over several packets and datagrams.
//!
//! A connection that was there before the capture is recognised by the connection id that its packets begin with.
//! Google's versions before TLS say in the clear which server the client asks for. Other versions whose packets cannot be
//! opened are recognised by name alone.
mod assembly;
mod frame;
mod google;
mod header;
mod initial;
mod keys;
mod short;
#[cfg(test)]
mod tests;

use crate::parser::{Memo, Parser, Session, SessionStep};
use crate::protocols::tls::hello;
use crate::schema::IpProtocol;
use crate::{Message, Sender};
use assembly::Assembly;
use google::GooglePacket;
use header::{Kind, LongHeader};
pub use initial::{QuicInitial, QuicVersion};
use keys::{Keys, Side};

/// RFC 9000 §7.2: the connection id that a client makes up for its first packet has at least 8 bytes.
const LEAST_FIRST_ID_BYTES: usize = 8;
/// Initial packets of one datagram that are opened: a hello in pieces has a few, and they share 1,200 bytes or so.
const MOST_INITIALS: usize = 8;
/// RFC 8446 §4.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// The parser.
pub(crate) struct Quic;

impl Parser for Quic {
    const TRANSPORTS: &'static [IpProtocol] = &[IpProtocol::Udp];
    const NEEDS_BOTH_SIDES: bool = true;

    fn session(payload: &[u8]) -> Option<Box<dyn Session>> {
        has_known_version(payload).then(|| Box::<Handshake>::default() as Box<dyn Session>)
    }

    fn follow(memo: Memo, sender: Sender, payload: &[u8]) -> (Memo, Option<Box<dyn Session>>) {
        let (memo, is_certain) = short::follow(memo, sender, payload);
        (memo, is_certain.then(|| Box::<Handshake>::default() as Box<dyn Session>))
    }
}

/// The long header of a version that is in use identifies the protocol, also when the packet cannot be opened.
fn has_known_version(payload: &[u8]) -> bool {
    GooglePacket::read(payload).is_some() || header::read(payload).is_some()
}

/// What is remembered of the handshake of one connection; the default is that of a new one.
#[derive(Debug, Default)]
pub struct Handshake {
    keys: Option<ConnectionKeys>,
    client: Assembly,
    server: Assembly,
    /// Whether a version that cannot be opened was reported.
    is_version_reported: bool,
    /// Whether a name in such a version was reported.
    is_name_reported: bool,
}

/// The keys of both sides' Initial packets.
#[derive(Debug)]
struct ConnectionKeys {
    /// The destination of the client's first Initial packet, from which all keys follow.
    first_id: Vec<u8>,
    version: QuicVersion,
    client: Keys,
    server: Keys,
}

/// What a datagram is to QUIC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a message is handed on at once and never kept")]
pub enum Reading {
    /// It completes a message.
    Message(QuicInitial),
    /// It belongs to QUIC, and contains nothing new.
    Quic,
    /// It cannot be distinguished from other protocols; once a flow is known as QUIC, most datagrams are like this.
    Other,
}

impl Handshake {
    /// Reads a datagram of the connection, of either side: its packets up to the first one that completes a message.
    pub fn read(&mut self, payload: &[u8]) -> Reading {
        if let Some(packet) = GooglePacket::read(payload) {
            return self.report(packet.version, packet.server_name);
        }
        let mut reading = Reading::Other;
        let mut rest = payload;
        let mut initials = 0;
        while let Some(header) = header::read(rest) {
            initials += usize::from(header.kind == Kind::Initial);
            let found = match header.kind {
                Kind::Initial if initials > MOST_INITIALS => return Reading::Quic,
                Kind::Initial => self.initial(&header),
                Kind::Unknown => self.report(header.version, None),
                Kind::Other => Reading::Quic,
            };
            match found {
                Reading::Message(_) => return found,
                Reading::Quic => reading = found,
                Reading::Other => {}
            }
            rest = header.after;
        }
        reading
    }

    /// Bytes that are kept for hellos that are not complete.
    pub const fn held_bytes(&self) -> usize {
        self.client.held_bytes() + self.server.held_bytes()
    }

    /// Whether the hellos of both sides were reported, or can no longer be.
    pub const fn is_done(&self) -> bool {
        self.client.is_done() && self.server.is_done()
    }

    /// Reports a version that cannot be opened, and once more a name in it that comes later.
    fn report(&mut self, version: QuicVersion, server_name: Option<String>) -> Reading {
        let is_new = !std::mem::replace(&mut self.is_version_reported, true);
        let has_new_name = server_name.is_some() && !std::mem::replace(&mut self.is_name_reported, true);
        if !is_new && !has_new_name {
            return Reading::Quic;
        }
        Reading::Message(QuicInitial { version, server_name, client_hello: None, server_hello: None })
    }

    /// Opens an Initial packet and adds its frames to those of its side.
    fn initial(&mut self, header: &LongHeader<'_>) -> Reading {
        let Some((side, frames)) = self.open(header) else { return Reading::Quic };
        let (assembly, kind) = match side {
            Side::Client => (&mut self.client, CLIENT_HELLO),
            Side::Server => (&mut self.server, SERVER_HELLO),
        };
        for (offset, data) in frame::crypto(&frames) {
            assembly.add(offset, data);
        }
        let Some(body) = assembly.take_message(kind) else { return Reading::Quic };
        let version = header.version;
        let (client_hello, server_hello) = match side {
            Side::Client => (hello::client_hello(&body), None),
            Side::Server => (None, hello::server_hello(&body)),
        };
        if client_hello.is_none() && server_hello.is_none() {
            return Reading::Quic;
        }
        let server_name = client_hello.as_ref().and_then(|hello| hello.server_name.clone());
        Reading::Message(QuicInitial { version, server_name, client_hello, server_hello })
    }

    /// The frames of an Initial packet, and who sent it.
    ///
    /// Keys stay those of the first connection id when the ids change (RFC 9001 §5.2), and become those of the new one
    /// after a Retry packet, or for a new connection.
    fn open(&mut self, header: &LongHeader<'_>) -> Option<(Side, Vec<u8>)> {
        if !header.has_sample() {
            return None;
        }
        let mut is_tried = false;
        if let Some(keys) = &mut self.keys {
            let is_other_version = keys.version != header.version;
            if is_other_version {
                *keys = ConnectionKeys::derive(header.version, &keys.first_id)?;
            }
            for (side, keys) in [(Side::Client, &keys.client), (Side::Server, &keys.server)] {
                if let Some(frames) = keys.open(header) {
                    return Some((side, frames));
                }
            }
            is_tried = keys.first_id == header.destination;
        }
        if is_tried || header.destination.len() < LEAST_FIRST_ID_BYTES {
            return None;
        }
        let client = Keys::derive(header.version, header.destination, Side::Client)?;
        let frames = client.open(header)?;
        let server = Keys::derive(header.version, header.destination, Side::Server)?;
        let first_id = header.destination.to_vec();
        if self.keys.replace(ConnectionKeys { first_id, version: header.version, client, server }).is_some() {
            self.client = Assembly::default();
            self.server = Assembly::default();
        }
        Some((Side::Client, frames))
    }
}

impl Session for Handshake {
    fn read(&mut self, payload: &[u8]) -> SessionStep {
        match self.read(payload) {
            Reading::Message(message) => SessionStep::Message(Message::QuicInitial(message)),
            Reading::Quic => SessionStep::Nothing,
            Reading::Other => SessionStep::Unrelated,
        }
    }

    fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.held_bytes()
    }

    fn is_done(&self) -> bool {
        self.is_done()
    }
}

impl ConnectionKeys {
    fn derive(version: QuicVersion, first_id: &[u8]) -> Option<Self> {
        let [client, server] = [Side::Client, Side::Server].map(|side| Keys::derive(version, first_id, side));
        Some(Self { first_id: first_id.to_vec(), version, client: client?, server: server? })
    }
}
