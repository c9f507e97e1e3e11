//! DHCP and BOOTP messages (RFC 2131 §2; options RFC 2132).
//!
//! The magic cookie tells them. An option that makes no sense is left out, and those after it are read all the same:
//! the list of requested options, which tells a device's software, often stands behind a host name that is no text.
use std::net::Ipv4Addr;

use thingprint_flow::MacAddr;

use crate::DhcpMessage;
use crate::cursor::Cursor;
use crate::text::escaped;

/// RFC 2131 §3: the first four bytes of the options field.
const MAGIC_COOKIE: [u8; 4] = [99, 130, 83, 99];
/// RFC 2131 §2: `sname`, `file` and the cookie stand at fixed places.
const SNAME_AT: usize = 44;
const FILE_AT: usize = 108;
const COOKIE_AT: usize = 236;

const PAD: u8 = 0;
const HOST_NAME: u8 = 12;
const REQUESTED_ADDRESS: u8 = 50;
const OVERLOAD: u8 = 52;
const MESSAGE_TYPE: u8 = 53;
const PARAMETER_REQUEST_LIST: u8 = 55;
const VENDOR_CLASS: u8 = 60;
const CLIENT_IDENTIFIER: u8 = 61;
const END: u8 = 255;

/// Reads a DHCP or BOOTP message.
pub(crate) fn parse(payload: &[u8]) -> Option<DhcpMessage> {
    let (fixed, options) = payload.split_at_checked(COOKIE_AT)?;
    let options = options.strip_prefix(&MAGIC_COOKIE)?;
    let mut cursor = Cursor::new(fixed);
    let [op, hardware_type, hardware_bytes, _hops] = cursor.array()?;
    if !matches!(op, 1 | 2) || hardware_bytes > 16 {
        return None;
    }
    let xid = cursor.u32()?;
    let _seconds_and_flags = cursor.u32()?;
    let client_address = address(cursor.array()?);
    let assigned_address = address(cursor.array()?);
    let _server_and_relay = cursor.u64()?;
    let is_ethernet = hardware_type == 1 && hardware_bytes == 6;
    let client_mac = cursor.array().filter(|_| is_ethernet).map(MacAddr::new);
    let mut message = DhcpMessage {
        op,
        xid,
        client_mac,
        message_type: None,
        client_address,
        assigned_address,
        requested_address: None,
        host_name: None,
        vendor_class: None,
        client_identifier: None,
        parameter_request_list: Vec::new(),
    };
    Options::gather(fixed, options).write_to(&mut message);
    Some(message)
}

/// The options that are kept, as sent. One that comes twice is one that was cut in two (RFC 3396).
#[derive(Default)]
struct Options {
    host_name: Option<Vec<u8>>,
    requested_address: Option<Vec<u8>>,
    overload: Option<Vec<u8>>,
    message_type: Option<Vec<u8>>,
    parameter_request_list: Option<Vec<u8>>,
    vendor_class: Option<Vec<u8>>,
    client_identifier: Option<Vec<u8>>,
}

impl Options {
    /// Walks the options, and those in `file` and `sname` where option 52 says so, in this order (RFC 2131 §4.1).
    fn gather(fixed: &[u8], options: &[u8]) -> Self {
        let mut gathered = Self::default();
        gathered.walk(options);
        let overload = gathered.overload.as_deref().and_then(<[u8]>::first).copied().unwrap_or(0);
        if matches!(overload, 1 | 3) {
            gathered.walk(fixed.get(FILE_AT..COOKIE_AT).unwrap_or_default());
        }
        if matches!(overload, 2 | 3) {
            gathered.walk(fixed.get(SNAME_AT..FILE_AT).unwrap_or_default());
        }
        gathered
    }

    fn walk(&mut self, options: &[u8]) {
        let mut cursor = Cursor::new(options);
        while let Some(code) = cursor.u8().filter(|&code| code != END) {
            if code == PAD {
                continue;
            }
            let Some(value) = cursor.vector8() else { return };
            if let Some(field) = self.field(code) {
                field.get_or_insert_default().extend_from_slice(value);
            }
        }
    }

    const fn field(&mut self, code: u8) -> Option<&mut Option<Vec<u8>>> {
        match code {
            HOST_NAME => Some(&mut self.host_name),
            REQUESTED_ADDRESS => Some(&mut self.requested_address),
            OVERLOAD => Some(&mut self.overload),
            MESSAGE_TYPE => Some(&mut self.message_type),
            PARAMETER_REQUEST_LIST => Some(&mut self.parameter_request_list),
            VENDOR_CLASS => Some(&mut self.vendor_class),
            CLIENT_IDENTIFIER => Some(&mut self.client_identifier),
            _ => None,
        }
    }

    fn write_to(self, message: &mut DhcpMessage) {
        message.message_type = self.message_type.and_then(|value| value.first().copied());
        message.requested_address =
            self.requested_address.and_then(|value| value.first_chunk().copied()).and_then(address);
        message.host_name = self.host_name.as_deref().and_then(text);
        message.vendor_class = self.vendor_class.as_deref().and_then(text);
        message.client_identifier = self.client_identifier.filter(|value| !value.is_empty());
        message.parameter_request_list = self.parameter_request_list.unwrap_or_default();
    }
}

/// An address; 0.0.0.0 stands for none.
fn address(octets: [u8; 4]) -> Option<Ipv4Addr> {
    (octets != [0; 4]).then(|| Ipv4Addr::from(octets))
}

/// A text option; some devices send the zero that ends a text in C, which RFC 2132 §2 asks to drop.
fn text(value: &[u8]) -> Option<String> {
    let end = value.iter().rposition(|&byte| byte != 0)?;
    value.get(..=end).map(escaped)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use std::net::Ipv4Addr;

    use super::{COOKIE_AT, FILE_AT, MAGIC_COOKIE, SNAME_AT, parse};

    /// A request from 02:00:00:00:00:07 with these options.
    fn request(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; COOKIE_AT];
        bytes[..8].copy_from_slice(&[1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
        bytes[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 7]);
        bytes.extend_from_slice(&MAGIC_COOKIE);
        bytes.extend_from_slice(options);
        bytes
    }

    #[test]
    fn a_request_tells_name_class_and_wanted_options() {
        let options = [
            &[53, 1, 3][..],
            &[61, 7, 1, 2, 0, 0, 0, 0, 7],
            &[50, 4, 192, 0, 2, 40],
            &[12, 6],
            b"lamp-1",
            &[60, 11],
            b"udhcp 1.2.3",
            &[55, 4, 1, 3, 6, 15],
            &[255],
        ]
        .concat();
        let message = parse(&request(&options)).unwrap();
        assert_eq!((message.op, message.xid, message.message_type), (1, 0xdead_beef, Some(3)));
        assert_eq!(message.client_mac.unwrap().to_string(), "02:00:00:00:00:07");
        assert_eq!(message.requested_address, Some(Ipv4Addr::new(192, 0, 2, 40)));
        assert_eq!((message.client_address, message.assigned_address), (None, None));
        assert_eq!(message.host_name.as_deref(), Some("lamp-1"));
        assert_eq!(message.vendor_class.as_deref(), Some("udhcp 1.2.3"));
        assert_eq!(message.client_identifier, Some(vec![1, 2, 0, 0, 0, 0, 7]));
        assert_eq!(message.parameter_request_list, [1, 3, 6, 15]);
    }

    #[test]
    fn an_answer_tells_the_address_given() {
        let mut bytes = request(&[53, 1, 5, 255]);
        bytes[0] = 2;
        bytes[16..20].copy_from_slice(&[192, 0, 2, 41]);
        let message = parse(&bytes).unwrap();
        assert_eq!((message.op, message.message_type), (2, Some(5)));
        assert_eq!(message.assigned_address, Some(Ipv4Addr::new(192, 0, 2, 41)));
    }

    #[test]
    fn a_bad_option_does_not_lose_the_ones_after_it() {
        let options = [
            &[12, 4, b'a', 0xff, 0xfe, 0][..], // no text
            &[50, 3, 192, 0, 2],               // an address of three bytes
            &[53, 0],                          // a type of no bytes
            &[0, 0],
            &[55, 3, 1, 28, 2],
            &[60, 200, b'c', b'u', b't'],
        ]
        .concat();
        let message = parse(&request(&options)).unwrap();
        assert_eq!(message.host_name.as_deref(), Some("a\\xff\\xfe"));
        assert_eq!((message.requested_address, message.message_type), (None, None));
        assert_eq!(message.parameter_request_list, [1, 28, 2]);
        assert_eq!(message.vendor_class, None);
    }

    #[test]
    fn a_long_option_comes_in_parts() {
        let message = parse(&request(&[12, 3, b'o', b'n', b'e', 53, 1, 1, 12, 2, b'l', b'y', 255])).unwrap();
        assert_eq!(message.host_name.as_deref(), Some("onely"));
    }

    #[test]
    fn options_go_on_in_file_and_server_name() {
        let mut bytes = request(&[53, 1, 1, 52, 1, 3, 255]);
        bytes[FILE_AT..FILE_AT + 6].copy_from_slice(&[12, 3, b'p', b'l', b'u', b'g']);
        bytes[FILE_AT + 1] = 4;
        bytes[SNAME_AT..SNAME_AT + 5].copy_from_slice(&[55, 2, 1, 3, 255]);
        let message = parse(&bytes).unwrap();
        assert_eq!(message.host_name.as_deref(), Some("plug"));
        assert_eq!(message.parameter_request_list, [1, 3]);
        bytes[COOKIE_AT + 9] = 1;
        let message = parse(&bytes).unwrap();
        assert_eq!((message.host_name.as_deref(), message.parameter_request_list), (Some("plug"), vec![]));
    }

    #[test]
    fn other_payloads_are_refused() {
        let whole = request(&[53, 1, 1, 255]);
        assert!(parse(&whole[..COOKIE_AT + 3]).is_none());
        for (at, value) in [(0, 0), (0, 3), (2, 17), (COOKIE_AT, 98)] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            assert!(parse(&bytes).is_none(), "{value} at {at}");
        }
    }
}
