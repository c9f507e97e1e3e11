//! DHCP and BOOTP messages (RFC 2131 §2; options RFC 2132).
//!
//! The magic cookie identifies them. A malformed option is left out, and those after it are read all the same:
//! the list of requested options, which identifies a device's software, often stands behind a host name that is not text.
mod fqdn;

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Range;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use thingprint_flow::{Ip, MacAddr};

use crate::cursor::Cursor;
use crate::message::{MessageBody, json, size};
use crate::parser::Parser;
use crate::schema::IpProtocol;
use crate::secrecy::{HIDDEN, redacted, redacted_text};
use crate::text::{escaped, hex};
use crate::{Message, Text, Uri};

/// A DHCP or BOOTP message (RFC 2131 §2, RFC 2132).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DhcpMessage {
    /// 1 from a client, 2 from a server.
    pub op: u8,
    /// `htype`: the kind of hardware address, 1 for Ethernet.
    pub hardware_type: u8,
    /// `hlen`: bytes of the hardware address.
    pub hardware_bytes: u8,
    /// Relays that the message passed.
    pub hops: u8,
    /// Transaction id.
    pub xid: u32,
    /// `secs`: seconds since the client began.
    pub elapsed_s: u16,
    /// The top bit asks for a broadcast answer (RFC 2131 §2).
    pub flags: u16,
    /// The client's hardware address, where it is an Ethernet one.
    pub client_mac: Option<MacAddr>,
    /// Option 53: 1 DISCOVER, 2 OFFER, 3 REQUEST, 5 ACK ...; absent in plain BOOTP.
    pub message_type: Option<u8>,
    /// `ciaddr`: the address that the client already has.
    pub client_address: Option<Ipv4Addr>,
    /// `yiaddr`: the address that the server gives.
    pub assigned_address: Option<Ipv4Addr>,
    /// `siaddr`: the server to go on with.
    pub next_server_address: Option<Ipv4Addr>,
    /// `giaddr`: the relay that the message passed first.
    pub relay_address: Option<Ipv4Addr>,
    /// `sname`, written as the host name is; absent where it holds options (option 52).
    pub server_name: Option<Text>,
    /// `file`, likewise.
    pub boot_file: Option<Text>,
    /// Option 50: the address that the client asks for.
    pub requested_address: Option<Ipv4Addr>,
    /// Option 12, without trailing zeros, bytes outside printable ASCII as `\xNN`; where it is absent, the name in option
    /// 81.
    pub host_name: Option<Text>,
    /// The client's fully qualified domain name in option 81, as labels or as text (RFC 4702 §2), without a final dot.
    pub client_fqdn: Option<Text>,
    /// Option 60, written as the host name is.
    pub vendor_class: Option<Text>,
    /// Option 61, as sent: a type byte and what follows.
    #[serde(serialize_with = "json::optional_hex")]
    pub client_identifier: Option<Vec<u8>>,
    /// Option 55 in order: the options that the client wants, which identifies its software.
    pub parameter_request_list: Vec<u8>,
    /// Option 51 in seconds; 4294967295 is for ever.
    pub lease_time_s: Option<u32>,
    /// Option 54: the address by which the server is known.
    pub server_identifier: Option<Ipv4Addr>,
    /// Option 161: where the device's usage description is (RFC 8520 §10), written as the host name is.
    pub mud_url: Option<Uri>,
    /// Every option in the order of its first part, also those without a field here; parts of one are joined (RFC
    /// 3396). One that is longer than what is left ends them.
    pub options: Vec<DhcpOption>,
}

/// An option of a DHCP message, as sent.
///
/// Secrets in a text are written as `***`: by `Debug` always, as JSON until
/// [`Message::show_credentials`](crate::Message::show_credentials).
#[derive(Clone, PartialEq, Eq)]
pub struct DhcpOption {
    /// The option's number (IANA "BOOTP Vendor Extensions and DHCP Options").
    pub code: u8,
    /// Its bytes, secrets included.
    pub value: Vec<u8>,
    is_shown: bool,
}

impl DhcpOption {
    /// Option 161: a MUD URL (RFC 8520 §17.3).
    pub(crate) const MUD_URL: u8 = 161;

    /// An option whose secrets are not shown.
    pub(crate) fn new(code: u8, value: &[u8]) -> Self {
        Self { code, value: value.to_vec(), is_shown: false }
    }

    /// Lets its secrets be written as JSON.
    pub const fn show(&mut self) {
        self.is_shown = true;
    }

    /// Its bytes, with `***` for each secret.
    fn redacted(&self) -> Cow<'_, [u8]> {
        if self.code == AUTHENTICATION {
            return Cow::Borrowed(HIDDEN.as_bytes());
        }
        let text = escaped(&self.value);
        let shown = match self.code {
            Self::MUD_URL => Some(redacted(&text)).filter(|shown| *shown != text),
            _ => redacted_text(&text),
        };
        shown.map_or(Cow::Borrowed(&*self.value), |shown| Cow::Owned(shown.into_bytes()))
    }
}

impl fmt::Debug for DhcpOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "option {}: {:?}", self.code, self.redacted())
    }
}

/// `code`, and `value` in hexadecimal digits.
impl Serialize for DhcpOption {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = if self.is_shown { Cow::Borrowed(&*self.value) } else { self.redacted() };
        let mut option = serializer.serialize_struct("DhcpOption", 2)?;
        option.serialize_field("code", &self.code)?;
        option.serialize_field("value", &hex(&value))?;
        option.end()
    }
}

/// RFC 2131 §3: the first four bytes of the options field.
const MAGIC_COOKIE: [u8; 4] = [99, 130, 83, 99];
/// RFC 2131 §2: `sname`, `file` and the cookie stand at fixed places.
const SNAME_AT: usize = 44;
const FILE_AT: usize = 108;
const COOKIE_AT: usize = 236;

const PAD: u8 = 0;
const HOST_NAME: u8 = 12;
const REQUESTED_ADDRESS: u8 = 50;
const LEASE_TIME: u8 = 51;
const OVERLOAD: u8 = 52;
const MESSAGE_TYPE: u8 = 53;
const SERVER_IDENTIFIER: u8 = 54;
const PARAMETER_REQUEST_LIST: u8 = 55;
const VENDOR_CLASS: u8 = 60;
const CLIENT_IDENTIFIER: u8 = 61;
const CLIENT_FQDN: u8 = 81;
/// RFC 3118 §4: a token, or a code that is made of a key.
const AUTHENTICATION: u8 = 90;
const END: u8 = 255;

/// The parser.
pub(crate) struct Dhcp;

impl Parser for Dhcp {
    const TRANSPORTS: &'static [IpProtocol] = &[IpProtocol::Udp];

    fn datagram(packet: &Ip<'_>) -> Option<Message> {
        parse(packet.payload).map(Message::Dhcp)
    }
}

impl MessageBody for DhcpMessage {
    fn heap_bytes(&self) -> usize {
        let names = [&self.server_name, &self.boot_file, &self.host_name, &self.client_fqdn];
        let texts = names.into_iter().chain([&self.vendor_class]);
        texts.map(|text| size::said(text.as_ref())).sum::<usize>()
            + size::uri(self.mud_url.as_ref())
            + self.client_identifier.as_ref().map_or(0, Vec::len)
            + self.parameter_request_list.len()
            + self.options.iter().map(|option| size_of_val(option) + option.value.len()).sum::<usize>()
    }

    fn show_credentials(&mut self) {
        self.mud_url.iter_mut().for_each(Uri::show);
        let names = [&mut self.server_name, &mut self.boot_file, &mut self.host_name, &mut self.client_fqdn];
        names.into_iter().chain([&mut self.vendor_class]).flatten().for_each(Text::show);
        self.options.iter_mut().for_each(DhcpOption::show);
    }
}

/// Reads a DHCP or BOOTP message.
pub fn parse(payload: &[u8]) -> Option<DhcpMessage> {
    let (fixed, options) = payload.split_at_checked(COOKIE_AT)?;
    let options = Options::gather(fixed, options.strip_prefix(&MAGIC_COOKIE)?);
    let mut cursor = Cursor::new(fixed);
    let [op, hardware_type, hardware_bytes, hops] = cursor.array()?;
    if !matches!(op, 1 | 2) || hardware_bytes > 16 {
        return None;
    }
    let (xid, elapsed_s, flags) = (cursor.u32()?, cursor.u16()?, cursor.u16()?);
    let client_address = address(cursor.array()?);
    let assigned_address = address(cursor.array()?);
    let next_server_address = address(cursor.array()?);
    let relay_address = address(cursor.array()?);
    let client_fqdn = options.value(CLIENT_FQDN).and_then(fqdn::name).map(Text::from);
    let is_ethernet = hardware_type == 1 && hardware_bytes == 6;
    Some(DhcpMessage {
        op,
        hardware_type,
        hardware_bytes,
        hops,
        xid,
        elapsed_s,
        flags,
        client_mac: cursor.array().filter(|_| is_ethernet).map(MacAddr::new),
        client_address,
        assigned_address,
        next_server_address,
        relay_address,
        server_name: fixed_text(fixed, SNAME_AT..FILE_AT, options.is_in_server_name()),
        boot_file: fixed_text(fixed, FILE_AT..COOKIE_AT, options.is_in_file()),
        message_type: options.first_byte(MESSAGE_TYPE),
        requested_address: options.array(REQUESTED_ADDRESS).and_then(address),
        host_name: options.value(HOST_NAME).and_then(text).map(Text::from).or_else(|| client_fqdn.clone()),
        client_fqdn,
        vendor_class: options.value(VENDOR_CLASS).and_then(text).map(Text::from),
        client_identifier: options.value(CLIENT_IDENTIFIER).filter(|id| !id.is_empty()).map(<[u8]>::to_vec),
        parameter_request_list: options.value(PARAMETER_REQUEST_LIST).unwrap_or_default().to_vec(),
        lease_time_s: options.array(LEASE_TIME).map(u32::from_be_bytes),
        server_identifier: options.array(SERVER_IDENTIFIER).and_then(address),
        mud_url: options.value(DhcpOption::MUD_URL).and_then(text).map(Uri::new),
        options: options.0,
    })
}

/// The options as sent. One that comes twice is one that was cut in two (RFC 3396).
#[derive(Default)]
struct Options(Vec<DhcpOption>);

impl Options {
    /// Walks the options, and those in `file` and `sname` where option 52 says so, in this order (RFC 2131 §4.1).
    fn gather(fixed: &[u8], options: &[u8]) -> Self {
        let mut gathered = Self::default();
        gathered.walk(options);
        let (is_in_file, is_in_server_name) = (gathered.is_in_file(), gathered.is_in_server_name());
        if is_in_file {
            gathered.walk(fixed.get(FILE_AT..COOKIE_AT).unwrap_or_default());
        }
        if is_in_server_name {
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
            match self.0.iter_mut().find(|option| option.code == code) {
                Some(option) => option.value.extend_from_slice(value),
                None => self.0.push(DhcpOption::new(code, value)),
            }
        }
    }

    fn value(&self, code: u8) -> Option<&[u8]> {
        self.0.iter().find(|option| option.code == code).map(|option| option.value.as_slice())
    }

    fn first_byte(&self, code: u8) -> Option<u8> {
        self.value(code).and_then(<[u8]>::first).copied()
    }

    fn array(&self, code: u8) -> Option<[u8; 4]> {
        self.value(code).and_then(<[u8]>::first_chunk).copied()
    }

    fn is_in_file(&self) -> bool {
        matches!(self.first_byte(OVERLOAD), Some(1 | 3))
    }

    fn is_in_server_name(&self) -> bool {
        matches!(self.first_byte(OVERLOAD), Some(2 | 3))
    }
}

/// A text that ends with the first zero, in a fixed place, unless options stand there.
fn fixed_text(fixed: &[u8], place: Range<usize>, holds_options: bool) -> Option<Text> {
    let field = fixed.get(place).filter(|_| !holds_options)?;
    field.split(|&byte| byte == 0).next().and_then(text).map(Text::from)
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
    use std::net::Ipv4Addr;

    use super::{COOKIE_AT, FILE_AT, MAGIC_COOKIE, SNAME_AT, parse};
    use crate::text::hex;
    use crate::{Message, Uri};

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
    fn a_client_without_a_host_name_is_known_by_its_domain_name() {
        let fqdn = b"\x51\x16\x05\0\0\x05cam81\x07example\x03net\0";
        let alone = parse(&request(&[&[53, 1, 1][..], fqdn, &[255]].concat())).unwrap();
        assert_eq!(alone.host_name.as_deref(), Some("cam81.example.net"));
        let both = parse(&request(&[&[53, 1, 1, 12, 3][..], b"cam", fqdn, &[255]].concat())).unwrap();
        assert_eq!(both.host_name.as_deref(), Some("cam"));
        assert_eq!(both.client_fqdn.as_deref(), Some("cam81.example.net"));
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
    fn the_fixed_fields_are_read() {
        let options = [
            &[51, 4, 0, 1, 0x51, 0x80][..],
            &[54, 4, 192, 0, 2, 1],
            &[161, 19],
            b"https://lamp.test/m",
            &[57, 2, 5, 220, 255],
        ]
        .concat();
        let mut bytes = request(&options);
        bytes[3] = 2;
        bytes[8..12].copy_from_slice(&[0, 9, 0x80, 0]);
        bytes[12..28].copy_from_slice(&[192, 0, 2, 40, 192, 0, 2, 41, 192, 0, 2, 42, 192, 0, 2, 43]);
        bytes[SNAME_AT..SNAME_AT + 5].copy_from_slice(b"boot\0");
        bytes[FILE_AT..FILE_AT + 6].copy_from_slice(b"a.img\0");
        let message = parse(&bytes).unwrap();
        assert_eq!((message.hardware_type, message.hardware_bytes, message.hops), (1, 6, 2));
        assert_eq!((message.elapsed_s, message.flags), (9, 0x8000));
        let addresses = [
            message.client_address,
            message.assigned_address,
            message.next_server_address,
            message.relay_address,
        ];
        assert_eq!(addresses, [40, 41, 42, 43].map(|last| Some(Ipv4Addr::new(192, 0, 2, last))));
        assert_eq!(message.server_name.as_deref(), Some("boot"));
        assert_eq!(message.boot_file.as_deref(), Some("a.img"));
        assert_eq!(message.lease_time_s, Some(86_400));
        assert_eq!(message.server_identifier, Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(message.mud_url.as_ref().map(Uri::reveal), Some("https://lamp.test/m"));
        let codes: Vec<u8> = message.options.iter().map(|option| option.code).collect();
        assert_eq!(codes, [51, 54, 161, 57]);
        assert_eq!(message.options[3].value, [5, 220]);
    }

    #[test]
    fn secrets_in_a_mud_url_are_not_written_unless_asked() {
        let url = b"https://u:pw@lamp.test/m?token=pw";
        let option = [&[161, u8::try_from(url.len()).unwrap()][..], url, &[12, 2, b'p', b'q', 255]].concat();
        let mut message = Message::Dhcp(parse(&request(&option)).unwrap());
        let json = |message: &Message| serde_json::to_value(message).unwrap();
        let value = |message: &Message| json(message)["options"][0]["value"].as_str().unwrap().to_owned();
        assert_eq!(json(&message)["mud_url"], "https://***@lamp.test/m?token=***");
        assert_eq!(value(&message), hex(b"https://***@lamp.test/m?token=***"));
        assert_eq!(json(&message)["options"][1], serde_json::json!({"code": 12, "value": "7071"}));
        let in_numbers = format!("{:?}", b"pw").replace(['[', ']'], "");
        let is_hidden = |message: &Message| {
            let debugged = format!("{message:?}");
            !debugged.contains("pw") && !debugged.contains(&in_numbers)
        };
        assert!(is_hidden(&message));
        message.show_credentials();
        assert_eq!(
            (json(&message)["mud_url"].as_str(), value(&message)),
            (str::from_utf8(url).ok(), hex(url))
        );
        assert!(is_hidden(&message), "by Debug never");
    }

    #[test]
    fn secrets_in_other_options_are_not_written_unless_asked() {
        let (class, token) = (&b"cam http://u:pw@h/"[..], &b"token"[..]);
        let option = |code: u8, value: &[u8]| [&[code, u8::try_from(value.len()).unwrap()], value].concat();
        let options = [option(60, class), option(90, token), vec![255]].concat();
        let mut message = Message::Dhcp(parse(&request(&options)).unwrap());
        let json = |message: &Message| serde_json::to_value(message).unwrap();
        let values = |message: &Message| [0, 1].map(|at| json(message)["options"][at]["value"].clone());
        assert_eq!(json(&message)["vendor_class"], "cam http://***@h/");
        assert_eq!(values(&message), [hex(b"cam http://***@h/"), hex(b"***")]);
        message.show_credentials();
        assert_eq!(json(&message)["vendor_class"].as_str(), str::from_utf8(class).ok());
        assert_eq!(values(&message), [hex(class), hex(token)]);
    }

    #[test]
    fn a_mud_url_without_secrets_is_written_as_sent() {
        let message = parse(&request(&[161, 4, b'h', 0xff, b'x', 0, 255])).unwrap();
        let json = serde_json::to_value(&message).unwrap();
        assert_eq!((&json["mud_url"], &json["options"][0]["value"]), (&"h\\xffx".into(), &"68ff7800".into()));
    }

    #[test]
    fn fields_that_hold_options_are_no_texts() {
        let mut bytes = request(&[52, 1, 3, 255]);
        bytes[SNAME_AT..SNAME_AT + 3].copy_from_slice(&[53, 1, 1]);
        bytes[FILE_AT..FILE_AT + 3].copy_from_slice(&[12, 1, b'a']);
        let message = parse(&bytes).unwrap();
        assert_eq!((message.server_name, message.boot_file), (None, None));
        assert_eq!((message.message_type, message.host_name.as_deref()), (Some(1), Some("a")));
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
