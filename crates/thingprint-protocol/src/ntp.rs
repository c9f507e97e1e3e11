//! NTP packets (RFC 5905 §7.3; RFC 1059, 1119 and 1305 for versions 1 to 3; RFC 4330 for SNTP).
//!
//! An NTP packet has no magic number, so a payload has to be plausible in every field that can be checked without
//! losing a real device:
//!
//! - a length of at least 48 bytes and a multiple of 4;
//! - version 1 to 4, and an association mode: 1 to 5 (modes 6 and 7 carry control messages of another layout);
//! - stratum at most 16, poll -8 to 24, precision at most 8;
//!
//! No more is asked of a request (mode 1 or 3), whose sender may know nothing of the time yet. Everything else also has
//!
//! - a root delay of less than 64 s either way, and a root dispersion below 256 s: a clock that far off could not
//!   serve anybody;
//! - a transmit time stamp;
//! - after the first 48 bytes extension fields, a message authentication code, or zeros.
//!
//! Time stamps are not bounded: clients that value their privacy send random ones, and devices without a battery
//! start in 1900 or 1970.
use crate::NtpPacket;
use crate::cursor::Cursor;

const HEADER_BYTES: usize = 48;

/// Bound on the round trip to the root; RFC 5905 appendix A.1.1 calls 16 s too far to be of use.
const MOST_ROOT_DELAY_S: i32 = 64;

/// Bound on the root dispersion, which grows by 15 µs each second (RFC 5905 §4): half a year without a source.
const MOST_ROOT_DISPERSION_S: u32 = 256;

/// Reads an NTP packet; `length` is the payload's length by the UDP header, `payload` what was captured of it.
pub(crate) fn parse(payload: &[u8], length: usize) -> Option<NtpPacket> {
    if length < HEADER_BYTES || !length.is_multiple_of(4) {
        return None;
    }
    let (header, rest) = payload.split_at_checked(HEADER_BYTES)?;
    let packet = parse_header(header)?;
    let is_whole = length <= payload.len();
    (packet.is_request() || !is_whole || is_plausible_tail(rest)).then_some(packet)
}

fn parse_header(header: &[u8]) -> Option<NtpPacket> {
    let mut cursor = Cursor::new(header);
    let first = cursor.u8()?;
    let (leap, version, mode) = (first >> 6, first >> 3 & 7, first & 7);
    let [stratum, poll, precision] = cursor.array()?;
    let (poll, precision) = (poll.cast_signed(), precision.cast_signed());
    let is_plausible = (1..=4).contains(&version)
        && (1..=5).contains(&mode)
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
    if !is_request && (!is_delay_plausible || root_dispersion_s >= MOST_ROOT_DISPERSION_S) {
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
    })
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
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::{HEADER_BYTES, parse};
    use crate::NtpPacket;

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
        check(&[0x1e], false); // mode 6, a control message
        check(&[0x1f], false); // mode 7, private
        check(&[0x1b, 17], false);
        check(&[0x1b, 0, 25], false);
        check(&[0x1b, 0, 0xf7], false); // poll -9
        check(&[0x1b, 0, 0xf8], true);
        check(&[0x1b, 0, 0, 9], false);
        check(&[0x1b, 0, 0, 0x80], true);
        for (first, is_request) in [(0x1b, true), (0x19, true), (0x1c, false)] {
            check(&[first, 0, 0, 0, 0, 63], true);
            check(&[first, 0, 0, 0, 0, 64], is_request); // a root delay of 64 s
            check(&[first, 0, 0, 0, 0xff, 0xff], true); // minus one second
            check(&[first, 0, 0, 0, 0, 0, 0, 0, 1, 0], is_request); // a root dispersion of 256 s
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
    fn the_length_by_the_header_counts_where_the_capture_is_cut() {
        let bytes = packet(&[0x23]);
        assert!(parse(&bytes, 68).is_some());
        assert!(parse(&bytes, 50).is_none());
        assert!(parse(&bytes[..40], 48).is_none());
    }
}
