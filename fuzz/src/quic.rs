use aes::Aes128;
use aes::cipher::BlockCipherEncrypt;
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use hkdf::Hkdf;
use sha2::Sha256;
use thingprint_protocol::{Message, parsers};

use crate::input::Input;
use crate::parsers::check;

/// The client's first connection id, which all keys follow from.
const FIRST_ID: [u8; 8] = *b"fuzzquic";
/// RFC 9001 §5.2.
const SALT_V1: [u8; 20] =
    *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
/// Shorter payloads leave nothing to take a sample of.
const LEAST_PAYLOAD_BYTES: usize = 4;
/// A hello of 16 KiB for each side, in a vector that may have room for twice as much.
const MOST_HELD_BYTES: usize = 64 << 10;
const SERVER: u8 = 1;
const RAW: u8 = 2;

/// Reads a connection: datagrams as they are, or frames that are sealed here, since no fuzzer finds a key.
pub fn quic(data: &[u8]) {
    let mut input = Input::new(data);
    let mut handshake = parsers::QuicHandshake::default();
    while !input.is_empty() {
        let flags = input.u8();
        let bytes = input.vector();
        let sealed;
        let datagram = if flags & RAW == 0 {
            sealed = seal(bytes, flags & SERVER != 0);
            sealed.as_deref().unwrap_or_default()
        } else {
            bytes
        };
        if let parsers::QuicReading::Message(message) = handshake.read(datagram) {
            check(bytes, Some(Message::QuicInitial(message)));
        }
        assert!(handshake.held_bytes() <= MOST_HELD_BYTES, "{} bytes held", handshake.held_bytes());
    }
}

/// What [`quic`] reads, for seeds: one packet with these frames.
pub fn sealed_initial(frames: &[u8], is_server: bool) -> Vec<u8> {
    let length = u16::try_from(frames.len()).unwrap_or(u16::MAX);
    [&[u8::from(is_server)][..], &length.to_le_bytes(), &frames[..usize::from(length)]].concat()
}

/// An Initial packet of version 1 with these frames (RFC 9001 §5).
fn seal(frames: &[u8], is_server: bool) -> Option<Vec<u8>> {
    let mut frames = frames.to_vec();
    frames.resize(frames.len().max(LEAST_PAYLOAD_BYTES), 0);
    let side = if is_server { "server in" } else { "client in" };
    let secret: [u8; 32] = expand(&Hkdf::new(Some(&SALT_V1), &FIRST_ID), side)?;
    let secret = Hkdf::from_prk(&secret).ok()?;
    let key: [u8; 16] = expand(&secret, "quic key")?;
    let nonce: [u8; 12] = expand(&secret, "quic iv")?;
    let protection: [u8; 16] = expand(&secret, "quic hp")?;
    let length = u16::try_from(frames.len() + 17).ok().filter(|length| *length < 0x4000)?;
    let header =
        [&[0xc0, 0, 0, 0, 1, 8][..], &FIRST_ID, &[0, 0], &(0x4000 | length).to_be_bytes(), &[0]].concat();
    let payload = Payload { msg: &frames, aad: &header };
    let sealed = Aes128Gcm::new(&key.into()).encrypt(&nonce.into(), payload).ok()?;
    let number_at = header.len() - 1;
    let mut packet = [header, sealed].concat();
    let sample: [u8; 16] = packet.get(number_at + 4..number_at + 20)?.try_into().ok()?;
    let mut mask = sample.into();
    Aes128::new(&protection.into()).encrypt_block(&mut mask);
    packet[0] ^= mask[0] & 0x0f;
    packet[number_at] ^= mask[1];
    Some(packet)
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
