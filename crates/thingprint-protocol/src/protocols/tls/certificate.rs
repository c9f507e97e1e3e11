use serde::Serialize;

use super::x509;
use crate::cursor::Cursor;
use crate::message::{MessageBody, json, size};

/// The certificates of a TLS server in the order sent, its own one first (RFC 5246 §7.4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateChain {
    /// The certificates, at most 32.
    pub certificates: Vec<Certificate>,
    /// Certificates beyond those.
    pub certificates_dropped: usize,
}

/// An X.509 certificate (RFC 5280 §4.1). What cannot be read is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// SHA-256 of the certificate as sent.
    #[serde(serialize_with = "json::hex")]
    pub sha256: [u8; 32],
    /// Length as sent, in bytes.
    pub length_bytes: usize,
    /// Serial number, as sent.
    #[serde(serialize_with = "json::optional_hex")]
    pub serial: Option<Vec<u8>>,
    /// Whom it names, most specific part first, like `CN=lamp.example,O=Example`; bytes outside printable ASCII as
    /// `\xNN`, marks that RFC 4514 §2.4 names with a backslash before them, as in `\,`; several attributes of one part
    /// are joined by `+`.
    pub subject: Option<String>,
    /// Who signed it, written as the subject is.
    pub issuer: Option<String>,
    /// First second of its life, since 1970.
    pub not_before_s: Option<i64>,
    /// Last second of its life, since 1970.
    pub not_after_s: Option<i64>,
    /// DNS names of the subject (`subjectAltName`, RFC 5280 §4.2.1.6).
    pub names: Vec<String>,
    /// The algorithm that it is signed with: its usual name, else its object identifier.
    pub signature: Option<String>,
    /// Length of its key in bits, where that is one of RSA.
    pub rsa_bits: Option<u32>,
}

/// Certificates of a chain that are read; chains of more than ten are refused by many clients.
const MOST_CERTIFICATES: usize = 32;

/// Reads the body of a `Certificate` message up to TLS 1.2 (RFC 5246 §7.4.2): as many certificates as are whole.
pub fn chain(body: &[u8]) -> CertificateChain {
    let mut cursor = Cursor::new(body);
    let declared = cursor.u24().unwrap_or(0);
    let list = cursor.rest();
    let mut cursor = Cursor::new(list.get(..declared).unwrap_or(list));
    let mut entries = std::iter::from_fn(|| cursor.vector24());
    let certificates = entries.by_ref().take(MOST_CERTIFICATES).map(x509::certificate).collect();
    CertificateChain { certificates, certificates_dropped: entries.count() }
}

impl Certificate {
    fn held_bytes(&self) -> usize {
        let names: usize = self.names.iter().map(|name| size_of::<String>() + name.len()).sum();
        size_of::<Self>()
            + self.serial.as_ref().map_or(0, Vec::len)
            + size::text(self.subject.as_ref())
            + size::text(self.issuer.as_ref())
            + size::text(self.signature.as_ref())
            + names
    }

    /// Whether it was in force at a time, in seconds since 1970; unknown without both ends of its life.
    pub fn is_valid_at(&self, time_s: i64) -> Option<bool> {
        Some((self.not_before_s?..=self.not_after_s?).contains(&time_s))
    }
}

impl MessageBody for CertificateChain {
    fn heap_bytes(&self) -> usize {
        self.certificates.iter().map(Certificate::held_bytes).sum()
    }
}
