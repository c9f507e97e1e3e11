use crate::QuicVersion;
use crate::cursor::Cursor;
use crate::text::escaped;

/// Bits of the public header: a version follows the connection id, whose length the other bits say.
const HAS_VERSION: u8 = 0x01;
const HAS_ID: u8 = 0x0c;
const LONG_ID: u8 = 0x08;
/// Bits that no public header has: the connection goes on over other paths, and one that is unused.
const UNUSED: u8 = 0xc0;
/// How the client's first message begins, and the tag of the server's name in it.
const CHLO: &[u8; 4] = b"CHLO";
const SERVER_NAME: &[u8; 4] = b"SNI\0";
/// Packet number, hash and frame header before it have fewer bytes than this.
const MOST_BYTES_BEFORE: usize = 64;
const MOST_TAGS: u16 = 128;

/// A datagram of Google's QUIC before TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GooglePacket {
    /// `Q035` and the like, up to `Q049`.
    pub(super) version: QuicVersion,
    /// The name that a client asks for, lower case; it is sent in the clear up to `Q046`.
    pub(super) server_name: Option<String>,
}

impl GooglePacket {
    /// Reads a datagram that names its version: behind the connection id of a public header, or first in a long header, as
    /// from version 44 on.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let version_at = match first {
            0xc0..=0xff => 1,
            // Up to version 32, an id of 8 bytes has both bits; clients send no shorter one.
            _ if first & (UNUSED | HAS_VERSION) == HAS_VERSION && first & HAS_ID >= LONG_ID => 9,
            _ => return None,
        };
        let mut cursor = Cursor::new_at(payload, version_at);
        let letters @ [b'Q', b'0', b'0'..=b'4', b'0'..=b'9'] = cursor.array()? else { return None };
        let version = QuicVersion(u32::from_be_bytes(letters));
        Some(Self { version, server_name: server_name(cursor.rest()) })
    }
}

/// The server's name in a CHLO: a number of tags, for each the tag and where its value ends, and the values.
fn server_name(packet: &[u8]) -> Option<String> {
    let before = packet.get(..packet.len().min(MOST_BYTES_BEFORE))?;
    let at = before.windows(CHLO.len()).position(|window| window == CHLO)?;
    let mut cursor = Cursor::new_at(packet, at + CHLO.len());
    let tags = u16::from_le_bytes(cursor.array()?);
    let _padding: [u8; 2] = cursor.array()?;
    if tags > MOST_TAGS {
        return None;
    }
    let (mut start, mut place) = (0, None);
    for _ in 0..tags {
        let tag: [u8; 4] = cursor.array()?;
        let end = usize::try_from(u32::from_le_bytes(cursor.array()?)).ok()?;
        if tag == *SERVER_NAME {
            place = Some(start..end);
        }
        start = end;
    }
    let name = cursor.rest().get(place?).filter(|name| !name.is_empty())?;
    Some(escaped(&name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::GooglePacket;

    /// A CHLO with these tags and values.
    fn chlo(tags: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut end = 0_u32;
        let mut message = b"CHLO".to_vec();
        message.extend(u16::try_from(tags.len()).unwrap().to_le_bytes());
        message.extend([0, 0]);
        for (tag, value) in tags {
            end += u32::try_from(value.len()).unwrap();
            message.extend_from_slice(*tag);
            message.extend(end.to_le_bytes());
        }
        for (_, value) in tags {
            message.extend_from_slice(value);
        }
        message
    }

    fn asking() -> Vec<u8> {
        chlo(&[(b"PAD\0", &[b'-'; 900]), (b"SNI\0", b"Mail.example.com"), (b"VER\0", b"Q043")])
    }

    /// A client's first packet: public header, number, hash, and a frame of stream 1.
    fn public(flags: u8, version: [u8; 4], message: &[u8]) -> Vec<u8> {
        [&[flags][..], &[7; 8], &version, &[1], &[0xab; 12], &[0xa4, 1, 0x24, 4], message].concat()
    }

    fn long(first: u8, version: [u8; 4], message: &[u8]) -> Vec<u8> {
        [&[first][..], &version, &[0x50], &[7; 8], &[0, 0, 0, 1], &[0xab; 12], &[0xa4, 1], message].concat()
    }

    fn check(payload: &[u8], expected: Option<(&str, Option<&str>)>) {
        let read = GooglePacket::read(payload);
        let version = read.as_ref().map(|packet| packet.version.to_string());
        let name = read.as_ref().map(|packet| packet.server_name.as_deref());
        assert_eq!(version.as_deref().zip(name), expected, "{:02x?}", payload.get(..20));
    }

    #[test]
    fn versions_and_names_are_read_from_both_forms_of_header() {
        for version in [*b"Q024", *b"Q030", *b"Q035", *b"Q039", *b"Q043"] {
            let text = std::str::from_utf8(&version).unwrap();
            check(&public(0x09, version, &asking()), Some((text, Some("mail.example.com"))));
            check(&public(0x0d, version, &asking()), Some((text, Some("mail.example.com"))));
            check(&public(0x19, version, &[0xee; 900]), Some((text, None)));
        }
        check(&long(0xff, *b"Q044", &asking()), Some(("Q044", Some("mail.example.com"))));
        check(&long(0xc3, *b"Q046", &asking()), Some(("Q046", Some("mail.example.com"))));
    }

    #[test]
    fn what_is_cut_or_broken_has_no_name() {
        let whole = public(0x09, *b"Q039", &asking());
        for cut in 0..whole.len() {
            let expected = if cut < 13 { None } else { Some(("Q039", None)) };
            if cut < 978 {
                check(&whole[..cut], expected);
            }
        }
        check(&public(0x09, *b"Q039", &chlo(&[(b"SNI\0", b"")])), Some(("Q039", None)));
        check(&public(0x09, *b"Q039", &chlo(&[(b"VER\0", b"Q039")])), Some(("Q039", None)));
        check(&public(0x08, *b"Q039", &asking()), None); // no version
        check(&public(0x49, *b"Q039", &asking()), None);
        check(&public(0x09, *b"Q050", &asking()), None);
        check(&public(0x09, *b"Qxyz", &asking()), None);
    }

    proptest! {
        #[test]
        fn any_tags_are_read_without_panic(rest: Vec<u8>, tags: u16) {
            let message = [&b"CHLO"[..], &tags.to_le_bytes(), &[0, 0], &rest].concat();
            prop_assert!(GooglePacket::read(&public(0x09, *b"Q039", &message)).is_some());
        }
    }
}
