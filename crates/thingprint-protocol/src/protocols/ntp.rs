//! NTP packets (RFC 5905 §7.3; RFC 1059, 1119 and 1305 for versions 1 to 3; RFC 4330 for SNTP).
//!
//! An NTP packet has no magic number, so a payload has to be plausible in every field that can be checked without
//! losing a real device:
//!
//! - a length of at least 48 bytes and a multiple of 4;
//! - version 1 to 4, and an association mode: 1 to 5, or 0 in version 1, which had none (RFC 1059 appendix B);
//! - stratum at most 16, poll -8 to 24, precision at most 8;
//!
//! No more is asked of a client (mode 3), who may know nothing of the time yet. Everything else also has
//!
//! - a root delay of less than 64 s either way, and a root dispersion below 256 s: a clock that far off could not
//!   serve anybody;
//! - a transmit time stamp, unless it asks (mode 1);
//! - after the first 48 bytes extension fields, a message authentication code, or zeros.
//!
//! Modes 6 and 7 carry control messages of other layouts, which [`parse_control`] reads.
//!
//! Time stamps are not bounded: clients that value their privacy send random ones, and devices without a battery
//! start in 1900 or 1970.
use serde::Serialize;
use thingprint_flow::Ip;

use crate::Message;
use crate::cursor::Cursor;
use crate::message::{MessageBody, json};
use crate::parser::Parser;
use crate::schema::IpProtocol;

/// An NTP packet (RFC 5905 §7.3), of any version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NtpPacket {
    /// Leap indicator, 0 to 3.
    pub leap: u8,
    /// Version number, 1 to 4.
    pub version: u8,
    /// Association mode, 0 to 5; 0 only of version 1, which had no modes.
    pub mode: u8,
    /// Stratum.
    pub stratum: u8,
    /// Poll interval, log2 seconds.
    pub poll: i8,
    /// Precision, log2 seconds.
    pub precision: i8,
    /// Reference identifier.
    #[serde(serialize_with = "json::hex")]
    pub reference_id: [u8; 4],
    /// Origin time stamp, 32.32 fixed point since 1900.
    #[serde(serialize_with = "json::time_stamp")]
    pub origin: u64,
    /// Receive time stamp.
    #[serde(serialize_with = "json::time_stamp")]
    pub receive: u64,
    /// Transmit time stamp.
    #[serde(serialize_with = "json::time_stamp")]
    pub transmit: u64,
    /// Whether an extension field of Network Time Security follows (RFC 8915 §5): the time is authenticated.
    pub is_nts: bool,
}

/// The parser.
pub(crate) struct Ntp;

impl Parser for Ntp {
    const TRANSPORTS: &'static [IpProtocol] = &[IpProtocol::Udp];

    fn datagram(packet: &Ip<'_>) -> Option<Message> {
        let (payload, length) = (packet.payload, packet.payload_bytes as usize);
        let time = parse(payload, length).map(Message::Ntp);
        time.or_else(|| parse_control(payload, length).map(Message::NtpControl))
    }
}

impl MessageBody for NtpPacket {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl MessageBody for NtpControl {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl NtpPacket {
    /// Whether this asks for the time: mode 3 (client), or mode 1 (symmetric active).
    pub const fn is_request(&self) -> bool {
        matches!(self.mode, 1 | 3)
    }
}

/// An NTP message that controls or asks about a server: mode 6 (RFC 9327 §2), or the private mode 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NtpControl {
    /// Version number, 1 to 4.
    pub version: u8,
    /// 6 or 7.
    pub mode: u8,
    /// Whether this answers a request.
    pub is_response: bool,
    /// What is asked: the operation code of mode 6 (RFC 9327 §2), the request code of mode 7 (42 is `monlist`).
    pub opcode: u8,
}

const HEADER_BYTES: usize = 48;
/// The mode of a client's request (RFC 5905 §7.3).
const CLIENT: u8 = 3;

/// RFC 8915 §5.3 to §5.6: unique identifier, cookie, cookie placeholder, authenticator.
const NTS_FIELDS: [u16; 4] = [0x0104, 0x0204, 0x0304, 0x0404];

/// RFC 9327 §2.
const CONTROL_HEADER_BYTES: usize = 12;
const MOST_CONTROL_DATA_BYTES: usize = 468;

const PRIVATE_HEADER_BYTES: usize = 8;
/// The sequence number 0 of a request with a key.
const SIGNED: u8 = 0x80;
/// The last request code of `ntp_request.h` is 46.
const MOST_PRIVATE_CODE: u8 = 46;

/// Bound on the round trip to the root; RFC 5905 appendix A.1.1 calls 16 s too far to be of use.
const MOST_ROOT_DELAY_S: i32 = 64;

/// Bound on the root dispersion, which grows by 15 µs each second (RFC 5905 §4): half a year without a source.
const MOST_ROOT_DISPERSION_S: u32 = 256;

/// Reads an NTP packet; `length` is the payload's length by the UDP header, `payload` what was captured of it.
pub fn parse(payload: &[u8], length: usize) -> Option<NtpPacket> {
    if length < HEADER_BYTES || !length.is_multiple_of(4) {
        return None;
    }
    let (header, rest) = payload.split_at_checked(HEADER_BYTES)?;
    let packet = NtpPacket { is_nts: holds_nts(rest), ..parse_header(header)? };
    let is_whole = length <= payload.len();
    (packet.mode == CLIENT || !is_whole || is_plausible_tail(rest)).then_some(packet)
}

/// Reads a control message: mode 6 (RFC 9327 §2), or mode 7, which no RFC describes and `ntpd` defines.
pub fn parse_control(payload: &[u8], length: usize) -> Option<NtpControl> {
    let first = *payload.first()?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    match mode {
        _ if !(1..=4).contains(&version) => None,
        6 => parse_mode_6(payload, length, version),
        7 => parse_mode_7(payload, length, version),
        _ => None,
    }
}

/// RFC 9327 §2: no leap indicator, a known operation, a request without status, and a count that fits the length;
/// padding to four bytes and a message authentication code may follow. Clients number from 1, DTLS from 0.
fn parse_mode_6(payload: &[u8], length: usize, version: u8) -> Option<NtpControl> {
    let mut cursor = Cursor::new(payload);
    let [first, operation] = cursor.array()?;
    let (sequence, status) = (cursor.u16()?, cursor.u16()?);
    let _association = cursor.u16()?;
    let offset = cursor.u16()?;
    let count = usize::from(cursor.u16()?);
    let is_response = operation & 0x80 != 0;
    let data_end = CONTROL_HEADER_BYTES + count;
    let padded_end = data_end.next_multiple_of(4);
    let is_plausible = first >> 6 == 0
        && matches!(operation & 0x1f, 0..=12 | 31)
        && sequence != 0
        && (is_response || operation & 0x60 == 0 && status == 0 && offset == 0)
        && count <= MOST_CONTROL_DATA_BYTES
        && (length == data_end || matches!(length.checked_sub(padded_end), Some(0 | 20 | 24 | 36)));
    is_plausible.then_some(NtpControl { version, mode: 6, is_response, opcode: operation & 0x1f })
}

/// `ntp_request.h` of ntpd: response, more, version and mode; a sequence number; implementation; request code; error
/// and item count; item size. Clients pad a request with zeros, to many lengths, and one with a key has that and a digest
/// at its end. Zeros alone are no request: implementation and code are not both 0.
fn parse_mode_7(payload: &[u8], length: usize, version: u8) -> Option<NtpControl> {
    let mut cursor = Cursor::new(payload);
    let [first, sequence, implementation, opcode] = cursor.array()?;
    let (counted, sized) = (cursor.u16()?, cursor.u16()?);
    let items_bytes = usize::from(counted & 0x0fff) * usize::from(sized & 0x0fff);
    let (is_response, has_more) = (first & 0x80 != 0, first & 0x40 != 0);
    let least = PRIVATE_HEADER_BYTES + items_bytes;
    let is_padded = || payload.get(least..).unwrap_or_default().iter().all(|&byte| byte == 0);
    let is_plausible = matches!(implementation, 0 | 2 | 3)
        && (implementation, opcode) != (0, 0)
        && opcode <= MOST_PRIVATE_CODE
        && sized >> 12 == 0
        && counted >> 12 <= 7
        && least <= length
        && if is_response {
            length == least
        } else {
            !has_more && counted >> 12 == 0 && (sequence == 0 && is_padded() || sequence == SIGNED)
        };
    is_plausible.then_some(NtpControl { version, mode: 7, is_response, opcode })
}

fn parse_header(header: &[u8]) -> Option<NtpPacket> {
    let mut cursor = Cursor::new(header);
    let first = cursor.u8()?;
    let (leap, version, mode) = (first >> 6, first >> 3 & 7, first & 7);
    let [stratum, poll, precision] = cursor.array()?;
    let (poll, precision) = (poll.cast_signed(), precision.cast_signed());
    let is_plausible = (1..=4).contains(&version)
        && ((1..=5).contains(&mode) || version == 1 && mode == 0)
        && stratum <= 16
        && (-8..=24).contains(&poll)
        && precision <= 8;
    if !is_plausible {
        return None;
    }
    let root_delay_s = cursor.u32()?.cast_signed() >> 16;
    let root_dispersion_s = cursor.u32()? >> 16;
    let is_request = matches!(mode, 1 | 3);
    let is_delay_plausible = (-MOST_ROOT_DELAY_S..MOST_ROOT_DELAY_S).contains(&root_delay_s);
    if mode != CLIENT && (!is_delay_plausible || root_dispersion_s >= MOST_ROOT_DISPERSION_S) {
        return None;
    }
    let reference_id = cursor.array()?;
    let _reference_time = cursor.u64()?;
    let (origin, receive, transmit) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
    let is_timed = is_request || transmit != 0;
    is_timed.then_some(NtpPacket {
        leap,
        version,
        mode,
        stratum,
        poll,
        precision,
        reference_id,
        origin,
        receive,
        transmit,
        is_nts: false,
    })
}

/// Whether an extension field of Network Time Security (RFC 8915 §7.6) is among those that follow the header.
fn holds_nts(tail: &[u8]) -> bool {
    let mut cursor = Cursor::new(tail);
    while let (Some(kind), Some(field_bytes)) = (cursor.u16(), cursor.u16()) {
        let body_bytes = usize::from(field_bytes).checked_sub(4);
        if body_bytes.and_then(|count| cursor.take(count)).is_none() {
            return false;
        }
        if NTS_FIELDS.contains(&kind) {
            return true;
        }
    }
    false
}

/// What may follow the header: extension fields (RFC 7822 §3), then a key id alone, or with a digest (RFC 5905
/// §7.3, RFC 8573) of 8 to 64 bytes; or padding.
fn is_plausible_tail(tail: &[u8]) -> bool {
    if tail.iter().all(|&byte| byte == 0) {
        return true;
    }
    let mut rest = tail;
    loop {
        if matches!(rest.len(), 0 | 4 | 12 | 20 | 24 | 36 | 52 | 68) {
            return true;
        }
        let field_bytes = Cursor::new_at(rest, 2).u16().map_or(0, usize::from);
        if field_bytes < 16 || !field_bytes.is_multiple_of(4) {
            return false;
        }
        let Some(after) = rest.get(field_bytes..) else { return false };
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADER_BYTES, parse, parse_control};
    use crate::{NtpControl, NtpPacket};

    /// A packet whose first bytes are `start` and whose transmit seconds are those of 2021.
    fn packet(start: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..start.len()].copy_from_slice(start);
        bytes[40..44].copy_from_slice(&0xe3c0_0000_u32.to_be_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<NtpPacket> {
        parse(bytes, bytes.len())
    }

    #[test]
    fn simple_clients_send_one_byte_that_is_not_zero() {
        for first in [0x0b, 0x13, 0x1b, 0x23, 0xdb, 0xe3] {
            let mut bytes = [0; HEADER_BYTES];
            bytes[0] = first;
            let found = read(&bytes).unwrap();
            assert_eq!((found.version, found.mode, found.leap), (first >> 3 & 7, 3, first >> 6));
            assert!(found.is_request());
        }
    }

    #[test]
    fn a_servers_answer_is_read_field_by_field() {
        let mut bytes = packet(&[0x24, 2, 6, 0xe9, 0, 0, 0x0a, 0x35, 0, 0, 0x12, 0xf0]);
        bytes[12..16].copy_from_slice(&[192, 0, 2, 7]);
        bytes[24..32].copy_from_slice(&0x1122_3344_5566_7788_u64.to_be_bytes());
        bytes[32..40].copy_from_slice(&0xe3c0_0000_8000_0000_u64.to_be_bytes());
        let expected = NtpPacket {
            leap: 0,
            version: 4,
            mode: 4,
            stratum: 2,
            poll: 6,
            precision: -23,
            reference_id: [192, 0, 2, 7],
            origin: 0x1122_3344_5566_7788,
            receive: 0xe3c0_0000_8000_0000,
            transmit: 0xe3c0_0000_0000_0000,
            is_nts: false,
        };
        assert_eq!(read(&bytes), Some(expected));
        assert!(!expected.is_request());
    }

    #[test]
    fn implausible_fields_are_refused() {
        let check = |start: &[u8], expected: bool| {
            assert_eq!(read(&packet(start)).is_some(), expected, "{start:02x?}");
        };
        check(&[0x1b, 16, 24, 8], true);
        check(&[0x03], false); // version 0
        check(&[0x2b], false); // version 5
        check(&[0x18], false); // mode 0
        check(&[0x08], true); // mode 0 of version 1
        check(&[0x1e], false); // mode 6, a control message
        check(&[0x1f], false); // mode 7, private
        check(&[0x1b, 17], false);
        check(&[0x1b, 0, 25], false);
        check(&[0x1b, 0, 0xf7], false); // poll -9
        check(&[0x1b, 0, 0xf8], true);
        check(&[0x1b, 0, 0, 9], false);
        check(&[0x1b, 0, 0, 0x80], true);
        for (first, is_client) in [(0x1b, true), (0x19, false), (0x1c, false)] {
            check(&[first, 0, 0, 0, 0, 63], true);
            check(&[first, 0, 0, 0, 0, 64], is_client); // a root delay of 64 s
            check(&[first, 0, 0, 0, 0xff, 0xff], true); // minus one second
            check(&[first, 0, 0, 0, 0, 0, 0, 0, 1, 0], is_client); // a root dispersion of 256 s
            check(&[first, 0, 0, 0, 0, 0, 0, 0, 0, 255], true);
        }
    }

    #[test]
    fn only_requests_may_leave_out_the_transmit_time() {
        for mode in 1..=5 {
            let mut bytes = [0; HEADER_BYTES];
            bytes[0] = 0x20 | mode;
            assert_eq!(read(&bytes).is_some(), [1, 3].contains(&mode), "mode {mode}");
        }
    }

    #[test]
    fn what_follows_the_header_of_an_answer_is_an_extension_or_a_digest() {
        assert!(
            read(&[packet(&[0x23]), vec![7; 8]].concat()).is_some(),
            "of a request nothing more is asked"
        );
        let check = |tail: &[u8], expected: bool| {
            let bytes = [packet(&[0x24]), tail.to_vec()].concat();
            assert_eq!(read(&bytes).is_some(), expected, "{tail:02x?}");
        };
        check(&[0, 0, 0, 1], true); // a key id alone
        check(&[7; 20], true); // a key id and an MD5 digest
        check(&[7; 24], true); // a key id and a SHA-1 digest
        check(&[7; 8], false);
        check(&[7; 2], false); // no multiple of four
        check(&[0; 40], true); // padding
        let unique_identifier = [&[1, 4, 0, 36][..], &[9; 32]].concat();
        check(&unique_identifier, true);
        check(&[&unique_identifier[..], &[7; 20]].concat(), true);
        check(&[&unique_identifier[..], &[7; 8]].concat(), false);
        check(&[&[1, 4, 0, 44][..], &[9; 36]].concat(), false); // longer than what is there
    }

    #[test]
    fn security_extensions_are_noted() {
        let check = |tail: &[u8], expected: bool| {
            assert_eq!(
                read(&[packet(&[0x23]), tail.to_vec()].concat()).unwrap().is_nts,
                expected,
                "{tail:02x?}"
            );
        };
        let field = |kind: u16| [&kind.to_be_bytes()[..], &[0, 16], &[9; 12]].concat();
        check(&[], false);
        check(&field(0x2005), false);
        for kind in [0x0104, 0x0204, 0x0304, 0x0404] {
            check(&field(kind), true);
            check(&[field(0x2005), field(kind)].concat(), true);
        }
        check(&[7; 20], false);
    }

    #[test]
    fn control_messages_are_read() {
        let check = |bytes: &[u8], expected: Option<(u8, u8, bool, u8)>| {
            let expected = expected.map(|(version, mode, is_response, opcode)| NtpControl {
                version,
                mode,
                is_response,
                opcode,
            });
            assert_eq!(parse_control(bytes, bytes.len()), expected, "{bytes:02x?}");
        };
        let read_variables = [0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        check(&read_variables, Some((2, 6, false, 2)));
        let answer = [&[0x26, 0x82, 0, 1, 6, 0, 0, 0, 0, 0, 0, 6][..], b"leap=0\0\0"].concat();
        check(&answer, Some((4, 6, true, 2)));
        check(&answer[..18], Some((4, 6, true, 2)));
        check(&answer[..16], None);
        check(&[0x56, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], None); // a leap indicator
        check(&[0x16, 13, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], None); // no such operation
        check(&[0x17, 0, 3, 42, 0, 0, 0, 0], Some((2, 7, false, 42))); // monlist
        check(&[&[0x17, 0, 3, 42, 0, 0, 0, 0][..], &[0; 40]].concat(), Some((2, 7, false, 42)));
        let entries = [&[0xd7, 0, 3, 42, 0, 2, 0, 4][..], &[1; 8]].concat();
        check(&entries, Some((2, 7, true, 42)));
        check(&entries[..15], None);
        check(&[0x17, 0, 4, 42, 0, 0, 0, 0], None); // no such implementation
        check(&[0x17, 0, 0, 42, 0, 0, 0, 0], Some((2, 7, false, 42)));
        check(&[0x27, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7], None);
        check(&[0x0f, 0, 0, 0, 0, 0, 0, 0], None);
        check(&[0x97, 0, 0, 0, 0, 0, 0, 0], None);
        check(&[0x17, 0, 3, 42, 0, 0, 0, 0, 0xde, 0xad], None); // no padding
        check(&[&[0x17, 0x80, 3, 42, 0, 0, 0, 0][..], &[7; 20]].concat(), Some((2, 7, false, 42)));
        check(&[0x23; 12], None); // a client's packet
    }

    #[test]
    fn the_length_by_the_header_counts_where_the_capture_is_cut() {
        let bytes = packet(&[0x23]);
        assert!(parse(&bytes, 68).is_some());
        assert!(parse(&bytes, 50).is_none());
        assert!(parse(&bytes[..40], 48).is_none());
    }
}
