use aes::Aes128;
use aes::cipher::BlockCipherEncrypt;
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use proptest::prelude::*;

use super::keys::{Keys, Side};
use super::{Handshake, Reading};
use crate::{ClientHello, QuicVersion};

/// RFC 9001 appendix A: the destination of the client's first packet.
const FIRST_ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

/// RFC 9001 appendix A.2: the `ClientHello`.
const CLIENT_HELLO: &str = "
    010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c000004130113020100
    00c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d001700180010000700050461
    6c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d
    43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c0002400100
    3900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e515708
    06048000ffff";

/// RFC 9001 appendix A.3: a server's answer in version 1.
const SERVER_V1: &str = "
    cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780b
    b38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19
    fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee";

/// RFC 9369 appendix A.3: the same in version 2.
const SERVER_V2: &str = "
    dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf8726
    3017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e427575076980
    75b2c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().unwrap()
}

/// A CRYPTO frame (RFC 9000 §19.6).
fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    let number = |value: usize| (0x4000 | u16::try_from(value).unwrap()).to_be_bytes();
    [&[6][..], &number(offset), &number(data.len()), data].concat()
}

/// The frames with PADDING up to a length.
fn padded(frames: &[u8], length: usize) -> Vec<u8> {
    let mut frames = frames.to_vec();
    frames.resize(length.max(frames.len()), 0);
    frames
}

/// An Initial packet of a client, sealed as RFC 9001 §5.3 and §5.4 say, with a packet number of four bytes.
struct Initial<'a> {
    version: QuicVersion,
    destination: &'a [u8],
    /// From which the keys follow.
    first_id: &'a [u8],
    number: u32,
}

impl Initial<'_> {
    const fn new(version: QuicVersion) -> Self {
        Self { version, destination: &FIRST_ID, first_id: &FIRST_ID, number: 2 }
    }

    fn seal(&self, frames: &[u8]) -> Vec<u8> {
        let keys = Keys::derive(self.version, self.first_id, Side::Client).unwrap();
        let first = if self.version == QuicVersion::V2 { 0xd3 } else { 0xc3 };
        let length = 0x4000 | u16::try_from(4 + frames.len() + 16).unwrap();
        let id_bytes = u8::try_from(self.destination.len()).unwrap();
        let version = self.version.0.to_be_bytes();
        let start =
            [&[first][..], &version, &[id_bytes], self.destination, &[0, 0], &length.to_be_bytes()].concat();
        let number = self.number.to_be_bytes();
        let header = [&start[..], &number].concat();
        let mut nonce = keys.iv;
        nonce[8..].iter_mut().zip(number).for_each(|(byte, digit)| *byte ^= digit);
        let payload = Payload { msg: frames, aad: &header };
        let sealed = Aes128Gcm::new(&keys.key.into()).encrypt(&nonce.into(), payload).unwrap();
        let sample: [u8; 16] = sealed[..16].try_into().unwrap();
        let mut mask = sample.into();
        Aes128::new(&keys.header_protection.into()).encrypt_block(&mut mask);
        let mut packet = [header, sealed].concat();
        packet[0] ^= mask[0] & 0x0f;
        packet[start.len()..start.len() + 4]
            .iter_mut()
            .zip(&mask[1..])
            .for_each(|(byte, mask)| *byte ^= mask);
        packet
    }
}

fn client_hello(reading: &Reading) -> ClientHello {
    match reading {
        Reading::Message(message) => message.client_hello.clone().unwrap(),
        other => panic!("expected a ClientHello, found {other:?}"),
    }
}

/// RFC 9001 appendix A.1.
#[test]
fn keys_of_version_1_equal_the_published_ones() {
    let client = Keys::derive(QuicVersion::V1, &FIRST_ID, Side::Client).unwrap();
    assert_eq!(client.key, array("1f369613dd76d5467730efcbe3b1a22d"));
    assert_eq!(client.iv, array("fa044b2f42a3fd3b46fb255c"));
    assert_eq!(client.header_protection, array("9f50449e04a0e810283a1e9933adedd2"));
    let server = Keys::derive(QuicVersion::V1, &FIRST_ID, Side::Server).unwrap();
    assert_eq!(server.key, array("cf3a5331653c364c88f0f379b6067e37"));
    assert_eq!(server.iv, array("0ac1493ca1905853b0bba03e"));
    assert_eq!(server.header_protection, array("c206b8d9b9f0f37644430b490eeaa314"));
}

/// RFC 9369 appendix A.1.
#[test]
fn keys_of_version_2_equal_the_published_ones() {
    let client = Keys::derive(QuicVersion::V2, &FIRST_ID, Side::Client).unwrap();
    assert_eq!(client.key, array("8b1a0bc121284290a29e0971b5cd045d"));
    assert_eq!(client.iv, array("91f73e2351d8fa91660e909f"));
    assert_eq!(client.header_protection, array("45b95e15235d6f45a6b19cbcb0294ba9"));
    let server = Keys::derive(QuicVersion::V2, &FIRST_ID, Side::Server).unwrap();
    assert_eq!(server.key, array("82db637861d55e1d011f19ea71d5d2a7"));
    assert_eq!(server.iv, array("dd13c276499c0249d3310652"));
    assert_eq!(server.header_protection, array("edf6d05c83121201b436e16877593c3a"));
}

/// RFC 9001 appendix A.2: packet number 2, padded to 1162 bytes.
#[test]
fn the_published_clients_packet_opens() {
    let frames = padded(&[&bytes("060040f1")[..], &bytes(CLIENT_HELLO)].concat(), 1162);
    let packet = Initial::new(QuicVersion::V1).seal(&frames);
    assert_eq!(packet.len(), 1200);
    assert_eq!(packet[..22], bytes("c000000001088394c8f03e5157080000449e7b9aec34"));
    assert_eq!(packet[1184..], bytes("e221af44860018ab0856972e194cd934"));
    let hello = client_hello(&Handshake::default().read(&packet));
    assert_eq!(hello.server_name.as_deref(), Some("example.com"));
    assert_eq!(hello.alpn, [b"alpn"]);
    assert_eq!(hello.cipher_suites, [0x1301, 0x1302]);
    assert_eq!(hello.supported_versions, [0x0304]);
}

/// RFC 9001 appendix A.3, RFC 9369 appendix A.3.
#[test]
fn the_published_servers_answers_open() {
    for (version, answer) in [(QuicVersion::V1, SERVER_V1), (QuicVersion::V2, SERVER_V2)] {
        let mut handshake = Handshake::default();
        assert_eq!(handshake.read(&bytes(answer)), Reading::Quic, "without the client's packet");
        let hello = Initial::new(version).seal(&crypto(0, &bytes(CLIENT_HELLO)));
        assert!(matches!(handshake.read(&hello), Reading::Message(_)));
        let Reading::Message(message) = handshake.read(&bytes(answer)) else { panic!("no message") };
        assert_eq!((message.version, message.client_hello), (version, None));
        let hello = message.server_hello.unwrap();
        assert_eq!((hello.cipher_suite, hello.negotiated_version), (0x1301, 0x0304));
        assert!(handshake.is_done());
        assert_eq!(handshake.held_bytes(), 0);
    }
}

#[test]
fn a_hello_is_joined_from_frames_in_any_order() {
    let hello = bytes(CLIENT_HELLO);
    let whole =
        client_hello(&Handshake::default().read(&Initial::new(QuicVersion::V1).seal(&crypto(0, &hello))));
    let pieces: Vec<Vec<u8>> =
        hello.chunks(50).enumerate().map(|(index, piece)| crypto(50 * index, piece)).collect();
    let order = [3, 0, 4, 1, 2];
    let ping_and_ack = [1, 2, 5, 0, 1, 0, 0, 0, 3, 5, 0, 0, 0, 1, 1, 1];
    let together: Vec<u8> = order.iter().flat_map(|&at| [&ping_and_ack[..], &pieces[at]].concat()).collect();
    let packet = Initial::new(QuicVersion::V2).seal(&together);
    assert_eq!(client_hello(&Handshake::default().read(&packet)), whole);

    let packets: Vec<Vec<u8>> = (7..)
        .zip(order)
        .map(|(number, at)| Initial { number, ..Initial::new(QuicVersion::V1) }.seal(&pieces[at]))
        .collect();
    let mut handshake = Handshake::default();
    for packet in &packets[..4] {
        assert_eq!(handshake.read(packet), Reading::Quic);
    }
    assert!(handshake.held_bytes() >= hello.len() - 50);
    assert_eq!(client_hello(&handshake.read(&packets[4])), whole);
    assert_eq!((handshake.held_bytes(), handshake.read(&packets[4])), (0, Reading::Quic));
    // In one datagram.
    assert_eq!(client_hello(&Handshake::default().read(&packets.concat())), whole);
}

#[test]
fn keys_follow_the_first_id_and_begin_anew_after_a_retry() {
    let hello = bytes(CLIENT_HELLO);
    let (start, end) = hello.split_at(100);
    let mut handshake = Handshake::default();
    let first = Initial::new(QuicVersion::V1);
    assert_eq!(handshake.read(&first.seal(&crypto(0, start))), Reading::Quic);
    let other = Initial { destination: b"other-id", number: 3, ..Initial::new(QuicVersion::V1) };
    let _ = client_hello(&handshake.read(&other.seal(&crypto(100, end))));

    let mut handshake = Handshake::default();
    let _ = handshake.read(&first.seal(&crypto(0, start)));
    let anew = Initial { destination: b"retry-id", first_id: b"retry-id", ..Initial::new(QuicVersion::V1) };
    assert_eq!(handshake.read(&anew.seal(&crypto(100, end))), Reading::Quic);
    let _ = client_hello(&handshake.read(&anew.seal(&crypto(0, start))));
}

#[test]
fn versions_that_cannot_be_opened_are_told_once() {
    let check = |payload: &[u8], version: &str| {
        let mut handshake = Handshake::default();
        let Reading::Message(message) = handshake.read(payload) else { panic!("no message of {version}") };
        assert_eq!(message.version.to_string(), version);
        assert_eq!((message.client_hello, message.server_hello), (None, None));
        assert_eq!(handshake.read(payload), Reading::Quic);
    };
    let long =
        |version: &[u8]| padded(&[&[0xc3][..], version, &[8, 1, 2, 3, 4, 5, 6, 7, 8, 0]].concat(), 1200);
    check(&long(&[0x1a, 0x2a, 0x3a, 0x4a]), "0x1a2a3a4a");
    check(&long(&[0xff, 0, 0, 22]), "draft-22");
    check(&long(b"T051"), "T051");
    check(&long(b"Q050"), "Q050");
    check(b"\xc3Q046\x50\x01\x02\x03\x04\x05\x06\x07\x08", "Q046");
    check(b"\x0d\x01\x02\x03\x04\x05\x06\x07\x08Q039\x01", "Q039");
}

#[test]
fn other_payloads_are_no_quic() {
    let check = |payload: &[u8], expected: &Reading| {
        assert_eq!(Handshake::default().read(payload), *expected, "{payload:02x?}");
    };
    check(&[], &Reading::Other);
    check(&[0x40; 40], &Reading::Other);
    check(&padded(&[0xc3, 0, 0, 0, 2, 8], 1200), &Reading::Other);
    check(&[0xc3, 0, 0, 0, 1, 21], &Reading::Other);
    check(&padded(&[0xc3, 0x1a, 0x2a, 0x3a, 0x4a, 8], 100), &Reading::Other);
    check(b"\x0d\x01\x02\x03\x04\x05\x06\x07\x08Q0x9\x01", &Reading::Other);
    // Version negotiation (RFC 9000 §17.2.1), with and without a known version.
    check(&[0xc3, 0, 0, 0, 0, 1, 7, 1, 8, 0, 0, 0, 1], &Reading::Quic);
    check(&[0xc3, 0, 0, 0, 0, 1, 7, 1, 8, 9, 9, 9, 9], &Reading::Other);
    // A Retry of either version.
    check(&[0xf0, 0, 0, 0, 1, 0, 1, 8, 5, 5], &Reading::Quic);
    check(&[0xc0, 0x6b, 0x33, 0x43, 0xcf, 0, 1, 8, 5, 5], &Reading::Quic);
}

#[test]
fn a_packet_that_was_changed_does_not_open() {
    let packet = Initial::new(QuicVersion::V1).seal(&crypto(0, &bytes(CLIENT_HELLO)));
    for at in [0, 18, 20, 100, packet.len() - 1] {
        let mut changed = packet.clone();
        changed[at] ^= 1;
        assert_eq!(Handshake::default().read(&changed), Reading::Quic, "byte {at}");
    }
    for cut in 0..packet.len() {
        assert!(!matches!(Handshake::default().read(&packet[..cut]), Reading::Message(_)), "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(payload: Vec<u8>) {
        let _ = Handshake::default().read(&payload);
    }

    #[test]
    fn any_bytes_behind_a_version_are_read_without_panic(
        version in prop::sample::select(vec![0_u32, 1, 0x6b33_43cf, 0xff00_001d, 0x1a2a_3a4a]),
        first in 0x80_u8..,
        rest: Vec<u8>,
    ) {
        let payload = [&[first][..], &version.to_be_bytes(), &rest].concat();
        let _ = Handshake::default().read(&payload);
    }

    /// Frames are whatever the sender sealed.
    #[test]
    fn any_frames_are_read_without_panic(frames in prop::collection::vec(any::<u8>(), 20..200)) {
        let mut handshake = Handshake::default();
        let _ = handshake.read(&Initial::new(QuicVersion::V1).seal(&frames));
        prop_assert!(handshake.held_bytes() <= 32 << 10);
    }

    /// Pieces of any size, in any order, some sent twice, give the same hello.
    #[test]
    fn pieces_in_any_order_give_the_same_hello(
        cuts in prop::collection::btree_set(1_usize..240, 0..20),
        seed: u64,
    ) {
        let hello = bytes(CLIENT_HELLO);
        let ends: Vec<usize> = cuts.iter().copied().chain([hello.len()]).collect();
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let mut pieces: Vec<Vec<u8>> =
            starts.zip(&ends).map(|(start, end)| crypto(start, &hello[start..*end])).collect();
        pieces.extend_from_within(..pieces.len() / 2);
        let count = u64::try_from(pieces.len()).unwrap();
        pieces.sort_by_key(|piece| {
            piece.iter().fold(seed, |hash, byte| hash.rotate_left(7).wrapping_mul(31) ^ u64::from(*byte)) % count
        });
        let packet = Initial::new(QuicVersion::V1).seal(&padded(&pieces.concat(), 20));
        let found = client_hello(&Handshake::default().read(&packet));
        prop_assert_eq!(found.server_name.as_deref(), Some("example.com"));
    }
}
