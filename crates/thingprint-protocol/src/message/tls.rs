use std::fmt::Write as _;

use serde::{Serialize, Serializer};

use super::json;

/// Form in which a `ClientHello` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloVersion {
    /// The two-byte `legacy_version` of the message (0x0301 is TLS 1.0, 0x0303 TLS 1.2 and 1.3).
    Tls(u16),
    /// An SSL 2.0 compatible hello that names this version (RFC 5246 appendix E.2).
    Ssl2(u16),
}

impl Serialize for HelloVersion {
    /// The name of the version that the hello says; the form is that of SSL 2.0 where suites have six digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (Self::Tls(version) | Self::Ssl2(version)) = self;
        json::tls_version(version, serializer)
    }
}

/// A TLS `ClientHello` (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). GREASE values (RFC 8701) are left out of every list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientHello {
    /// Version field of the message.
    pub version: HelloVersion,
    /// Offered cipher suites in order. Two-byte codes stand in the low 16 bits; three-byte kinds of SSL 2.0 whose first
    /// byte is not 0 use 24 bits.
    #[serde(serialize_with = "json::codes")]
    pub cipher_suites: Vec<u32>,
    /// Extension types in order.
    pub extensions: Vec<u16>,
    /// `server_name` (RFC 6066 §3), lower case, bytes outside printable ASCII as `\xNN`.
    pub server_name: Option<String>,
    /// `supported_versions` (RFC 8446 §4.2.1).
    #[serde(serialize_with = "json::tls_versions")]
    pub supported_versions: Vec<u16>,
    /// `supported_groups` (RFC 8422 §5.1.1).
    #[serde(serialize_with = "json::codes")]
    pub groups: Vec<u16>,
    /// `ec_point_formats` (RFC 8422 §5.1.2).
    pub point_formats: Vec<u8>,
    /// `signature_algorithms` (RFC 8446 §4.2.3).
    #[serde(serialize_with = "json::codes")]
    pub signature_algorithms: Vec<u16>,
    /// `application_layer_protocol_negotiation` (RFC 7301), as sent.
    #[serde(serialize_with = "json::texts")]
    pub alpn: Vec<Vec<u8>>,
}

impl ClientHello {
    /// The offered list as one word: four lower-case hex digits for each suite, six for a three-byte kind,
    /// joined by `-`.
    pub fn cipher_suites_word(&self) -> String {
        let mut word = String::with_capacity(5 * self.cipher_suites.len());
        for (index, suite) in self.cipher_suites.iter().enumerate() {
            let separator = if index == 0 { "" } else { "-" };
            let width = if *suite > 0xffff { 6 } else { 4 };
            // Writing to a String cannot fail.
            let _ = write!(word, "{separator}{suite:0width$x}");
        }
        word
    }
}

/// A TLS `ServerHello` (RFC 8446 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerHello {
    /// `legacy_version` of the message.
    #[serde(serialize_with = "json::tls_version")]
    pub version: u16,
    /// The version truly negotiated: `supported_versions` where present, else `version`.
    #[serde(serialize_with = "json::tls_version")]
    pub negotiated_version: u16,
    /// The chosen cipher suite.
    #[serde(serialize_with = "json::code")]
    pub cipher_suite: u16,
    /// Extension types in order.
    pub extensions: Vec<u16>,
    /// Whether this is a `HelloRetryRequest`, which has the form of a `ServerHello` and a set random (RFC 8446 §4.1.3).
    pub is_retry_request: bool,
}
