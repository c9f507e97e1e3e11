use aes::Aes128;
use aes::cipher::BlockCipherEncrypt;
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use hkdf::Hkdf;
use sha2::Sha256;

use super::header::LongHeader;
use crate::QuicVersion;
use crate::cursor::Cursor;

/// RFC 9001 §5.2.
const SALT_V1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];
/// RFC 9369 §3.3.1.
const SALT_V2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
    0xbd, 0x2e, 0xd9,
];
/// draft-ietf-quic-tls-29 §5.2, up to draft 32.
const SALT_DRAFT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
    0x90, 0xa8, 0x99,
];
/// draft-ietf-quic-tls-23 §5.2, up to draft 28.
const SALT_DRAFT_23: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
    0xf9, 0xf5, 0x02,
];
/// RFC 9001 §5.4.2: the sample lies behind a packet number of the greatest length.
pub(super) const MOST_NUMBER_BYTES: usize = 4;
pub(super) const SAMPLE_BYTES: usize = 16;
const IV_BYTES: usize = 12;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The one who opened the connection.
    Client,
    /// The other one.
    Server,
}

/// The keys of one side's Initial packets (RFC 9001 §5.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) key: [u8; 16],
    pub(super) iv: [u8; IV_BYTES],
    pub(super) header_protection: [u8; 16],
}

/// What distinguishes a version.
struct Constants {
    salt: &'static [u8; 20],
    /// Labels of key, initialisation vector and header protection.
    labels: [&'static str; 3],
}

/// Whether the Initial packets of this version can be opened.
pub(super) fn can_open(version: QuicVersion) -> bool {
    constants(version).is_some()
}

fn constants(version: QuicVersion) -> Option<Constants> {
    let salt = match (version.0, version.draft()) {
        (1, _) | (_, Some(33..=34)) => &SALT_V1,
        (0x6b33_43cf, _) => {
            let labels = ["quicv2 key", "quicv2 iv", "quicv2 hp"];
            return Some(Constants { salt: &SALT_V2, labels });
        }
        (_, Some(29..=32)) => &SALT_DRAFT_29,
        // Facebook's own numbers for draft 27.
        (_, Some(23..=28)) | (0xface_b002 | 0xface_b00e, _) => &SALT_DRAFT_23,
        _ => return None,
    };
    Some(Constants { salt, labels: ["quic key", "quic iv", "quic hp"] })
}

impl Keys {
    /// The keys that follow from the destination of the client's first packet.
    pub(super) fn derive(version: QuicVersion, first_id: &[u8], side: Side) -> Option<Self> {
        let Constants { salt, labels: [key_label, iv_label, protection_label] } = constants(version)?;
        let side_label = match side {
            Side::Client => "client in",
            Side::Server => "server in",
        };
        let secret: [u8; 32] = expand(&Hkdf::new(Some(salt), first_id), side_label)?;
        let secret = Hkdf::from_prk(&secret).ok()?;
        Some(Self {
            key: expand(&secret, key_label)?,
            iv: expand(&secret, iv_label)?,
            header_protection: expand(&secret, protection_label)?,
        })
    }

    /// The frames of a packet, if it was sealed with these keys.
    pub(super) fn open(&self, header: &LongHeader<'_>) -> Option<Vec<u8>> {
        let (start, number_bytes) = self.unprotected(header)?;
        let nonce = self.nonce(start.get(header.number_at..)?);
        let sealed = header.packet.get(header.number_at + number_bytes..)?;
        let cipher = Aes128Gcm::new(&self.key.into());
        cipher.decrypt(&nonce.into(), Payload { msg: sealed, aad: &start }).ok()
    }

    /// The header up to the packet number, without its protection (RFC 9001 §5.4.1), and the number's length.
    fn unprotected(&self, header: &LongHeader<'_>) -> Option<(Vec<u8>, usize)> {
        let mut cursor = Cursor::new_at(header.packet, header.number_at + MOST_NUMBER_BYTES);
        let sample: [u8; SAMPLE_BYTES] = cursor.array()?;
        let mut block = sample.into();
        Aes128::new(&self.header_protection.into()).encrypt_block(&mut block);
        let [first_mask, number_mask @ ..]: [u8; SAMPLE_BYTES] = block.into();
        let (first, _) = header.packet.split_first()?;
        let first = first ^ first_mask & 0x0f;
        let number_bytes = usize::from(first & 3) + 1;
        let mut start = header.packet.get(..header.number_at + number_bytes)?.to_vec();
        *start.first_mut()? = first;
        let number = start.get_mut(header.number_at..)?;
        for (byte, mask) in number.iter_mut().zip(number_mask) {
            *byte ^= mask;
        }
        Some((start, number_bytes))
    }

    /// The initialisation vector with the packet number in its last bytes (RFC 9001 §5.3). Numbers of Initial packets
    /// are small, so none is cut.
    fn nonce(&self, number: &[u8]) -> [u8; IV_BYTES] {
        let mut nonce = self.iv;
        for (byte, digit) in nonce.iter_mut().rev().zip(number.iter().rev()) {
            *byte ^= digit;
        }
        nonce
    }
}

/// `HKDF-Expand-Label` without a context (RFC 8446 §7.1).
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &str) -> Option<[u8; N]> {
    let length = u16::try_from(N).ok()?.to_be_bytes();
    let label_bytes = u8::try_from("tls13 ".len() + label.len()).ok()?;
    let info = [&length[..], &[label_bytes], b"tls13 ", label.as_bytes(), &[0]].concat();
    let mut expanded = [0; N];
    secret.expand(&info, &mut expanded).ok()?;
    Some(expanded)
}
