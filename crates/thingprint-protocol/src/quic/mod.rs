//! The handshake of QUIC connections, read from their Initial packets (RFC 9000 §17.2.2).
//!
//! Initial packets are encrypted with keys that follow from the client's first connection id (RFC 9001 §5.2, RFC 9369
//! §3.3), so whoever sees the first packet can open them; that a packet opens proves what it is. The hello of a client
//! may lie in many CRYPTO frames, in any order, over several packets and datagrams.
//!
//! Versions whose packets cannot be opened (Google's before TLS, reserved ones) are told by name alone.
mod assembly;
mod frame;
mod header;
mod keys;
#[cfg(test)]
mod tests;

use crate::tls::hello;
use crate::{QuicInitial, QuicVersion};
use assembly::Assembly;
use header::{Kind, LongHeader};
use keys::{Keys, Side};

/// RFC 9000 §7.2: the connection id that a client makes up for its first packet has at least 8 bytes.
const LEAST_FIRST_ID_BYTES: usize = 8;
/// RFC 8446 §4.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Whether a datagram tells a version of QUIC that somebody uses.
pub(crate) fn is_told_by(payload: &[u8]) -> bool {
    header::google_version(payload).is_some() || header::read(payload).is_some()
}

/// What is remembered of the handshake of one connection; the default is that of a new one.
#[derive(Debug, Default)]
pub struct Handshake {
    /// The destination of the client's first Initial packet, from which all keys follow.
    first_id: Option<Vec<u8>>,
    client: Assembly,
    server: Assembly,
    /// Whether a version that cannot be opened was told.
    is_version_told: bool,
}

/// What a datagram is to QUIC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a message is handed on at once and never kept")]
pub enum Reading {
    /// It completes a message.
    Message(QuicInitial),
    /// It belongs to QUIC, and tells nothing new.
    Quic,
    /// It cannot be told from other protocols; once a flow is known as QUIC, most datagrams are like this.
    Other,
}

impl Handshake {
    /// Reads a datagram of the connection, of either side: its packets up to the first one that tells something.
    pub fn read(&mut self, payload: &[u8]) -> Reading {
        if let Some(version) = header::google_version(payload) {
            return self.tell_version(version);
        }
        let mut reading = Reading::Other;
        let mut rest = payload;
        while let Some(header) = header::read(rest) {
            let found = match header.kind {
                Kind::Initial => self.initial(&header),
                Kind::Unknown => self.tell_version(header.version),
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

    /// Whether the hellos of both sides were told, or can no longer be: the connection holds nothing more to tell.
    pub const fn is_done(&self) -> bool {
        self.client.is_done() && self.server.is_done()
    }

    fn tell_version(&mut self, version: QuicVersion) -> Reading {
        if std::mem::replace(&mut self.is_version_told, true) {
            return Reading::Quic;
        }
        Reading::Message(QuicInitial { version, client_hello: None, server_hello: None })
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
        Reading::Message(QuicInitial { version, client_hello, server_hello })
    }

    /// The frames of an Initial packet, and who sent it.
    ///
    /// Keys stay those of the first connection id when the ids change (RFC 9001 §5.2), and become those of the new one
    /// after a Retry packet, or for a new connection.
    fn open(&mut self, header: &LongHeader<'_>) -> Option<(Side, Vec<u8>)> {
        if let Some(id) = &self.first_id {
            for side in [Side::Client, Side::Server] {
                let keys = Keys::derive(header.version, id, side)?;
                if let Some(frames) = keys.open(header) {
                    return Some((side, frames));
                }
            }
        }
        if header.destination.len() < LEAST_FIRST_ID_BYTES {
            return None;
        }
        let frames = Keys::derive(header.version, header.destination, Side::Client)?.open(header)?;
        if self.first_id.replace(header.destination.to_vec()).is_some() {
            self.client.restart();
            self.server = Assembly::default();
        }
        Some((Side::Client, frames))
    }
}
