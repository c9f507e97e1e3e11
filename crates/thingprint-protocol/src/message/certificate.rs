use serde::Serialize;

use super::json;

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
}
