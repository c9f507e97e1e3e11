//! Openings of connections: what both sides say in the clear before another protocol begins on the same connection, as
//! TLS behind STARTTLS, or anything behind SOCKS.
//!
//! Each side is read by itself, so that it does not matter which of them a capture has, or has first. Nothing of an opening
//! is reported: it is passed over, and the bytes behind it are detected as a stream of their own.
mod ldap;
mod mysql;
mod postgresql;
mod proxy;
mod socks;
mod text;
mod tpkt;

use crate::phase::{Phase, Step};
use crate::schema::Opening;

/// A further part of the opening may follow.
const NEXT: Phase = Phase::bounded(0);

impl Opening {
    /// What the bytes at the reading position of a side are: a part of the opening, the end of it, or something else.
    pub(crate) fn read(self, phase: Phase, bytes: &[u8]) -> Step {
        match self {
            Self::Text => text::read(bytes),
            Self::Ldap => ldap::read(bytes),
            Self::Mysql => mysql::read(phase, bytes),
            Self::Postgresql => postgresql::read(bytes),
            Self::Proxy => proxy::read(bytes),
            Self::Socks => socks::read(phase, bytes),
            Self::Tpkt => tpkt::read(bytes),
        }
    }
}

/// Goes past so many bytes of an opening.
const fn pass(bytes: usize, then: Phase) -> Step {
    Step::Read { bytes, message: None, then }
}

/// The opening ends here.
const fn over() -> Step {
    pass(0, Phase::HAND_OVER)
}

/// Whether a byte begins a record of TLS, of any kind that may come first (RFC 8446 §5.1).
const fn begins_record(byte: u8) -> bool {
    matches!(byte, 0x14..=0x17)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::phase::{Phase, Step};
    use crate::schema::Opening;

    const TLS: &[u8] = &[0x16, 3, 1, 0, 0x30, 1, 0, 0, 0x2c];
    const ALL: [Opening; 7] = [
        Opening::Text,
        Opening::Ldap,
        Opening::Mysql,
        Opening::Postgresql,
        Opening::Proxy,
        Opening::Socks,
        Opening::Tpkt,
    ];

    /// Where a side gives way to another protocol, however it is cut; `None` if it does not.
    fn end(opening: Opening, stream: &[u8], cuts: usize) -> Option<usize> {
        let (mut at, mut phase, mut seen) = (0, Phase::BEGUN, 0);
        while seen < stream.len() {
            seen = (seen + cuts).min(stream.len());
            while at < seen {
                match opening.read(phase, &stream[at..seen]) {
                    Step::More => break,
                    Step::Done => return None,
                    Step::Read { bytes, then: Phase::HAND_OVER, .. } => return Some(at + bytes),
                    Step::Read { bytes, then, .. } => (at, phase) = (at + bytes, then),
                }
            }
        }
        None
    }

    fn check(opening: Opening, side: &[u8]) {
        let stream = [side, TLS].concat();
        for cuts in 1..=stream.len() {
            assert_eq!(
                end(opening, &stream, cuts),
                Some(side.len()),
                "{opening:?} {side:?} in pieces of {cuts}"
            );
        }
    }

    #[test]
    fn sides_end_where_another_protocol_begins() {
        check(Opening::Text, b"220 mail.example ESMTP\r\n250-mail\r\n250 STARTTLS\r\n220 go on\r\n");
        check(Opening::Text, b"EHLO camera\r\nSTARTTLS\r\n");
        check(
            Opening::Text,
            b"<stream:stream to='example.net'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        );
        check(Opening::Text, "* OK Gr\u{fc}\u{df} Gott\r\na OK\r\n".as_bytes());
        check(Opening::Ldap, b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037");
        check(Opening::Ldap, b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00");
        check(Opening::Ldap, b"\x30\x84\0\0\0\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00");
        check(Opening::Postgresql, &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]);
        check(Opening::Postgresql, &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x30, 0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]);
        check(Opening::Postgresql, b"S");
        check(Opening::Postgresql, b"NS");
        check(Opening::Mysql, &[&[0x20, 0, 0, 1, 5, 0xae][..], &[0; 30]].concat());
        check(Opening::Mysql, &[5, 0, 0, 1, 5, 0xae, 0, 0, 1]);
        check(Opening::Mysql, b"\x0a\0\0\0\x0a8.0.36\0ab");
        check(Opening::Proxy, b"PROXY TCP4 192.0.2.7 198.51.100.4 40000 443\r\n");
        check(Opening::Proxy, b"PROXY UNKNOWN\r\n");
        check(
            Opening::Proxy,
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x08\x9c\x40\x01\xbb",
        );
        check(Opening::Proxy, b"");
        check(Opening::Socks, b"\x04\x01\x01\xbb\xc0\0\x02\x07user\0");
        check(Opening::Socks, b"\x04\x01\x01\xbb\0\0\0\x01\0example.net\0");
        check(Opening::Socks, b"\0\x5a\0\0\0\0\0\0");
        check(Opening::Socks, b"\x05\x01\0\x05\x01\0\x03\x0bexample.net\x01\xbb");
        check(Opening::Socks, b"\x05\x02\0\x02\x01\x04lamp\x06secret\x05\x01\0\x01\xc0\0\x02\x07\x01\xbb");
        check(Opening::Socks, b"\x05\0\x05\0\0\x01\0\0\0\0\0\0");
        check(Opening::Socks, b"\x05\x02\x01\0\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        check(Opening::Tpkt, b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0");
    }

    #[test]
    fn sides_that_go_on_in_the_clear_are_left() {
        let check =
            |opening: Opening, side: &[u8]| assert_eq!(end(opening, side, 1), None, "{opening:?} {side:?}");
        check(Opening::Text, b"EHLO camera\r\nMAIL FROM:<a@example.net>\r\nDATA\r\n\0\x01binary\x16\x03\x01");
        check(Opening::Ldap, b"\x31\x01\x02\x16\x03");
        check(Opening::Postgresql, &[0, 0, 0, 9, 0, 3, 0, 0, b'u', 0, 0x16, 3]);
        check(Opening::Mysql, &[&[0x20, 0, 0, 1, 5, 0xa6][..], &[0; 30], TLS].concat());
        check(Opening::Socks, b"\0\x5b\0\0\0\0\0\0\x16\x03\x01");
        check(Opening::Socks, b"\x05\xff\x16\x03\x01");
        check(Opening::Socks, b"\x05\0\x05\x02\0\x01\0\0\0\0\0\0\x16\x03\x01");
        check(Opening::Tpkt, b"\x02\0\0\x13");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            opening in prop::sample::select(ALL.to_vec()),
            stream in prop::collection::vec(any::<u8>(), 0..400),
            cuts in 1..50_usize,
        ) {
            let _ = end(opening, &stream, cuts);
        }
    }
}
