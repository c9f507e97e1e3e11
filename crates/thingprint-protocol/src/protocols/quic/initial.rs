use std::fmt;

use serde::{Serialize, Serializer};

use crate::message::{MessageBody, size};
use crate::{ClientHello, ServerHello};

/// What the Initial packets of a QUIC connection contain (RFC 9000 §17.2.2).
///
/// There is one for the client's flight and one for the server's; of a version whose packets cannot be opened there
/// is one without a hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuicInitial {
    /// The version that the packet names.
    pub version: QuicVersion,
    /// The server that the client asks for, lower case: of its hello, or of Google's CHLO before TLS.
    pub server_name: Option<String>,
    /// The client's first flight.
    pub client_hello: Option<ClientHello>,
    /// The server's choice.
    pub server_hello: Option<ServerHello>,
}

/// A version of QUIC, as in the long header (RFC 9000 §15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuicVersion(pub u32);

impl QuicVersion {
    /// RFC 9000.
    pub const V1: Self = Self(1);
    /// RFC 9369.
    pub const V2: Self = Self(0x6b33_43cf);

    /// The number of an IETF draft.
    pub const fn draft(self) -> Option<u8> {
        if self.0 >> 8 == 0x00ff_0000 { Some((self.0 & 0xff) as u8) } else { None }
    }

    /// Whether this is one of those that mean nothing and keep servers tolerant: `0x?a?a?a?a` (RFC 9000 §15).
    pub const fn is_grease(self) -> bool {
        self.0 & 0x0f0f_0f0f == 0x0a0a_0a0a
    }
}

impl fmt::Display for QuicVersion {
    /// `1`, `2`, `draft-29`, `Q046` for a version of Google's, else hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = self.0.to_be_bytes();
        match (*self, self.draft()) {
            (Self::V1, _) => f.write_str("1"),
            (Self::V2, _) => f.write_str("2"),
            (_, Some(draft)) => write!(f, "draft-{draft}"),
            _ if letters.iter().all(u8::is_ascii_alphanumeric) => {
                letters.iter().try_for_each(|&letter| write!(f, "{}", char::from(letter)))
            }
            _ => write!(f, "0x{:08x}", self.0),
        }
    }
}

impl Serialize for QuicVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl MessageBody for QuicInitial {
    fn heap_bytes(&self) -> usize {
        size::text(self.server_name.as_ref()) + self.client_hello.as_ref().map_or(0, MessageBody::heap_bytes)
    }
}
