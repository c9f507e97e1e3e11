use std::fmt::Write as _;

use thingprint_protocol::{DhcpMessage, DhcpOption, Message, Protocol};

use super::{Claims, Heard, Reads, Record, Source};
use crate::knowledge::PatternKind;
use crate::{Certainty, Field, Said, Statement};

pub(crate) const NAME: &str = "dhcp";

/// What clients tell a DHCP server: options 12, 55, 60, 61, 77, 81, 124, 125 and 161 (RFC 2132, RFC 3004, RFC 3925, RFC 4702,
/// RFC 8520 §10).
pub(super) const SOURCE: Source = Source {
    name: NAME,
    title: "requests to a DHCP server: host name, vendor class, user class, options asked for, MUD URL",
    reads: Reads::Messages(&[Protocol::Dhcp], read_heard),
    claims,
};

const USER_CLASS: u8 = 77;
const VENDOR_CLASSES: u8 = 124;
const VENDOR_INFORMATION: u8 = 125;
/// Bytes of an enterprise number (RFC 3925 §3).
const ENTERPRISE_BYTES: usize = 4;
/// Kinds of client identifiers that are addresses (RFC 2132 §9.14): Ethernet, and RFC 4361's, which has a number of the unit.
const ADDRESS_KINDS: [u8; 2] = [1, 255];
/// A request of a client (RFC 2131 §2).
const REQUEST: u8 = 1;

fn read_heard(heard: Heard<'_, '_, '_>, record: &mut Record) {
    let sender = heard.packet.and_then(|packet| packet.packet.src_mac);
    if !heard.message.is_passed_on(sender) {
        read(heard.message, record);
    }
}

/// What a request says of its client.
pub(crate) fn read(message: &Message, record: &mut Record) {
    let Message::Dhcp(message) = message else { return };
    if message.op != REQUEST {
        return;
    }
    record.say_if("host_name", message.host_name.as_ref());
    record.say_if("client_fqdn", message.client_fqdn.as_ref());
    record.say_if("vendor_class", message.vendor_class.as_ref());
    record.say("requested_options", &numbers(&message.parameter_request_list));
    if let Some((kind, text)) = message.client_identifier.as_deref().and_then(<[u8]>::split_first)
        && !ADDRESS_KINDS.contains(kind)
    {
        record.say("client_identifier", &printable(text));
    }
    record.say("user_class", &option(message, USER_CLASS).map(user_class).unwrap_or_default());
    if let Some((number, class)) = option(message, VENDOR_CLASSES).and_then(enterprise) {
        record.say("enterprise", &number.to_string());
        record.say("enterprise_class", &printable(class));
    }
    if let Some((number, _)) = option(message, VENDOR_INFORMATION).and_then(enterprise) {
        record.say("enterprise", &number.to_string());
    }
    if let Some(url) = &message.mud_url {
        record.say("mud_url", &url.redacted());
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        let value = &*statement.value;
        match &*statement.key {
            "host_name" => {
                claims.by_pattern((PatternKind::HostName, value), Certainty::Likely, statement);
                claims.likely(Field::Name, value, statement);
            }
            "vendor_class" | "enterprise_class" | "user_class" => {
                claims.by_pattern((PatternKind::DhcpVendorClass, value), Certainty::Declared, statement);
            }
            "mud_url" => {
                let authority = value.split_once("://").and_then(|(_, rest)| rest.split('/').next());
                let host = authority.and_then(|authority| authority.split(':').next());
                if let Some(domain) = host.and_then(|host| claims.knowledge().domain(host))
                    && domain.names_vendor()
                {
                    let import = domain.import.as_deref();
                    claims.add((Field::Vendor, &domain.vendor), Certainty::Declared, statement, import);
                }
            }
            _ => {}
        }
    }
}

fn option(message: &DhcpMessage, code: u8) -> Option<&[u8]> {
    let option = message.options.iter().find(|option: &&DhcpOption| option.code == code);
    option.map(|option| option.value.as_slice())
}

/// Decimal numbers with commas between.
fn numbers(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (at, number) in bytes.iter().enumerate() {
        let separator = if at == 0 { "" } else { "," };
        // Writing into a text does not fail.
        let _ = write!(text, "{separator}{number}");
    }
    text
}

/// The text of a user class, with a length in front of it (RFC 3004 §4), or as many clients send it, without.
fn user_class(option: &[u8]) -> String {
    match option.split_first() {
        Some((length, rest)) if usize::from(*length) == rest.len() => printable(rest),
        _ => printable(option),
    }
}

/// An enterprise number and its data, with their length in front (RFC 3925 §3, §4).
fn enterprise(option: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = option.split_first_chunk::<ENTERPRISE_BYTES>()?;
    let data = rest.split_first().and_then(|(length, rest)| rest.get(..usize::from(*length)));
    Some((u32::from_be_bytes(*number), data.unwrap_or_default()))
}

/// Bytes that are printable ASCII throughout, but for zeros at the end; else nothing.
fn printable(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = bytes.get(..end).unwrap_or_default();
    let is_text = text.iter().all(|byte| matches!(byte, 0x20..=0x7e));
    if is_text { text.iter().map(|byte| char::from(*byte)).collect() } else { String::new() }
}
