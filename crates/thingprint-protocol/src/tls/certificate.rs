use super::x509;
use crate::cursor::Cursor;
use crate::{Certificate, CertificateChain};

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
    /// Whether it was in force at a time, in seconds since 1970; unknown without both ends of its life.
    pub fn is_valid_at(&self, time_s: i64) -> Option<bool> {
        Some((self.not_before_s?..=self.not_after_s?).contains(&time_s))
    }
}
