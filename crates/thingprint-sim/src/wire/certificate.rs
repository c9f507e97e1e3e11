//! Certificates that read as X.509 (RFC 5280) and prove nothing: keys and signatures are noise.

use super::length16;
use crate::chance::Chance;
use crate::profile::CertificateFault;

/// DER tags (X.690 §8).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const IA5_STRING: u8 = 0x16;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const SHA1_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5];
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 17];
/// The comment extension, which fills a certificate up to a length.
const COMMENT: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 13];

/// The last second of a certificate that lasts.
const LASTING: &[u8; 13] = b"450101000000Z";
/// Whom a certificate is for that is not for the name asked for.
const OTHER_NAME: &str = "somebody-else.example";
/// The shortest certificate that is written, about.
const SHORTEST_BYTES: usize = 800;

/// The certificates of a server, about `total_bytes` long together: its own, and where there is room that of its
/// issuer. The same for the same name.
pub(crate) fn chain(name: &str, fault: CertificateFault, total_bytes: usize) -> Vec<Vec<u8>> {
    let issuer = "Example Device Trust CA 2";
    let subject = if fault == CertificateFault::OtherName { OTHER_NAME } else { name };
    let is_own_issuer = fault == CertificateFault::SelfSigned;
    let end = if fault == CertificateFault::Expired { b"200101000000Z" } else { LASTING };
    let issuer_of_own = if is_own_issuer { subject } else { issuer };
    let own = Certificate { subject, issuer: issuer_of_own, end, fault };
    if is_own_issuer || total_bytes < 2 * SHORTEST_BYTES {
        return vec![own.encode(total_bytes)];
    }
    let root = Certificate {
        subject: issuer,
        issuer: "Example Root CA",
        end: LASTING,
        fault: CertificateFault::None,
    };
    vec![own.encode(total_bytes * 11 / 20), root.encode(total_bytes * 9 / 20)]
}

struct Certificate<'a> {
    subject: &'a str,
    issuer: &'a str,
    /// Its last second, as a `UTCTime`.
    end: &'static [u8; 13],
    fault: CertificateFault,
}

impl Certificate<'_> {
    /// The certificate, with a comment that makes it about `bytes` long.
    fn encode(&self, bytes: usize) -> Vec<u8> {
        let bare = self.encode_with(0).len();
        self.encode_with(bytes.saturating_sub(bare))
    }

    fn encode_with(&self, comment_bytes: usize) -> Vec<u8> {
        let mut chance = Chance::new(0, self.subject);
        let signed = if self.fault == CertificateFault::Sha1 { SHA1_WITH_RSA } else { SHA256_WITH_RSA };
        let algorithm = sequence(&[tlv(OID, signed), tlv(NULL, &[])]);
        let body = sequence(&[
            tlv(0xa0, &tlv(INTEGER, &[2])),
            tlv(INTEGER, &positive::<16>(&mut chance)),
            algorithm.clone(),
            common_name(self.issuer),
            sequence(&[tlv(UTC_TIME, b"150101000000Z"), tlv(UTC_TIME, self.end)]),
            common_name(self.subject),
            public_key(self.fault == CertificateFault::ShortKey, &mut chance),
            tlv(0xa3, &sequence(&self.extensions(comment_bytes))),
        ]);
        let mut signature = vec![0];
        signature.extend_from_slice(&chance.bytes::<256>());
        sequence(&[body, algorithm, tlv(BIT_STRING, &signature)])
    }

    fn extensions(&self, comment_bytes: usize) -> Vec<Vec<u8>> {
        let names = tlv(SEQUENCE, &tlv(0x82, self.subject.as_bytes()));
        let comment = tlv(IA5_STRING, &vec![b'.'; comment_bytes]);
        vec![
            sequence(&[tlv(OID, ALTERNATIVE_NAME), tlv(OCTET_STRING, &names)]),
            sequence(&[tlv(OID, COMMENT), tlv(OCTET_STRING, &comment)]),
        ]
    }
}

fn common_name(name: &str) -> Vec<u8> {
    let pair = sequence(&[tlv(OID, COMMON_NAME), tlv(UTF8_STRING, name.as_bytes())]);
    tlv(SEQUENCE, &tlv(SET, &pair))
}

/// An RSA key of 2,048 bits, or of 1,024.
fn public_key(is_short: bool, chance: &mut Chance) -> Vec<u8> {
    let mut modulus = vec![0, 0xc0];
    modulus.extend_from_slice(&chance.bytes::<255>());
    if is_short {
        modulus.truncate(129);
    }
    let key = sequence(&[tlv(INTEGER, &modulus), tlv(INTEGER, &[1, 0, 1])]);
    let mut bits = vec![0];
    bits.extend_from_slice(&key);
    sequence(&[sequence(&[tlv(OID, RSA), tlv(NULL, &[])]), tlv(BIT_STRING, &bits)])
}

/// Bytes of a positive number in the shortest form.
fn positive<const N: usize>(chance: &mut Chance) -> [u8; N] {
    let mut bytes = chance.bytes::<N>();
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    bytes
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.concat())
}

/// Tag, length in the shortest form, value.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let [high, low] = length16(value.len()).to_be_bytes();
    let mut bytes = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    bytes.extend_from_slice(value);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_about_as_long_as_asked_and_always_the_same() {
        for total in [900, 1200, 2400, 4000, 5200] {
            let chain = chain("api.lumenhaus.example", CertificateFault::None, total);
            let length: usize = chain.iter().map(Vec::len).sum();
            assert!(length.abs_diff(total) < 30, "{length} for {total}");
            assert_eq!(chain, super::chain("api.lumenhaus.example", CertificateFault::None, total));
        }
    }
}
