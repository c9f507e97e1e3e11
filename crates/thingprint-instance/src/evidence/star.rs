//! What only one unit of a kind has is replaced by a star: addresses, identifiers, serial numbers.
//!
//! A model that learned them would recognise the unit and not the kind.

use thingprint_flow::MacAddr;

const STAR: &str = "*";
/// Longest text that is looked at, in bytes; what is behind is left out.
const MOST_BYTES: usize = 256;
/// Bytes behind that which are looked at; a UUID has 36.
const LOOK_AHEAD: usize = 64;
/// Shortest run of digits, of hexadecimal digits, and of those of the device's own address, that is starred.
const DIGITS: usize = 5;
const HEX_DIGITS: usize = 6;
const OWN_DIGITS: usize = 4;
/// Hexadecimal digits of a MAC address.
const MAC_DIGITS: usize = 12;
/// Digits of a model in front of them at most: `esp8266a1b2c3d4e5f6`.
const MODEL_DIGITS: usize = 5;
/// Groups of the digits of a UUID (RFC 9562 §4).
const UUID: [usize; 5] = [8, 4, 4, 4, 12];
/// Fewest colons of an IPv6 address that is not abbreviated.
const COLONS: usize = 7;

/// The text in lower case, with a star for each MAC address, UUID, IP address, number in parentheses, run of 5 digits, run
/// of 6 hexadecimal digits that stands alone and has a digit, run of 12 hexadecimal digits between letters, and run of 4
/// hexadecimal digits of the device's own address.
pub(crate) fn starred(text: &str, own: Option<MacAddr>) -> String {
    // What begins before the end is known whole by what is behind it.
    let longest = (MOST_BYTES + LOOK_AHEAD).min(text.len());
    let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let text = text.get(..end).unwrap_or_default().to_lowercase();
    let own =
        own.map(|mac| mac.octets().iter().flat_map(|octet| [octet >> 4, octet & 15]).collect::<Vec<u8>>());
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty() && at < MOST_BYTES) {
        let seen = text.get(..at).unwrap_or_default();
        let length = unit_length(rest, seen, own.as_deref());
        if length > 0 {
            if !out.ends_with(STAR) {
                out.push_str(STAR);
            }
            at += length;
        } else {
            let Some(next) = rest.chars().next() else { break };
            out.push(next);
            at += next.len_utf8();
        }
    }
    out
}

/// Length of what only this unit has at the start of a text, in bytes; 0 where there is no such thing.
fn unit_length(rest: &str, seen: &str, own: Option<&[u8]>) -> usize {
    let (bytes, before) = (rest.as_bytes(), seen.as_bytes().last().copied());
    // Whatever the form of what stands there (`UPnP` Device Architecture 2.0 §1.1.4).
    if before == Some(b':') && seen.ends_with("uuid:") {
        return run_of(bytes, |byte| byte != b':' && !byte.is_ascii_whitespace());
    }
    // Most letters begin nothing of that kind.
    let Some(first) = bytes.first().copied().filter(|byte| is_hex(*byte) || *byte == b':') else { return 0 };
    let starts_word = !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    let of_digits = if first.is_ascii_digit() { digits(bytes).max(parenthesised(bytes, before)) } else { 0 };
    let standing_alone = if starts_word { identifier(bytes) } else { 0 };
    let glued = glued_hex(bytes, before);
    own.map_or(0, |own| own_digits(bytes, own)).max(of_digits).max(standing_alone).max(glued)
}

/// Digits of a MAC address, or more of a longer number, between letters; those of a model stay in front.
fn glued_hex(bytes: &[u8], before: Option<u8>) -> usize {
    let length = run_of(bytes, is_hex);
    let is_start = !before.is_some_and(is_hex);
    let is_long = is_start && length > MAC_DIGITS + MODEL_DIGITS;
    if length == MAC_DIGITS || is_long { length } else { 0 }
}

/// What stands alone: a UUID, a MAC or IP address, a reverse name, a run of hexadecimal digits.
fn identifier(bytes: &[u8]) -> usize {
    let found = [uuid(bytes), separated_pairs(bytes), ipv4(bytes), ipv6(bytes), hex_run(bytes)];
    found.into_iter().max().unwrap_or(0)
}

fn run_of(bytes: &[u8], is_in: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is_in(**byte)).count()
}

fn hex_value(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

fn ends_word(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

fn digits(bytes: &[u8]) -> usize {
    let length = run_of(bytes, |byte| byte.is_ascii_digit());
    if length >= DIGITS { length } else { 0 }
}

fn hex_run(bytes: &[u8]) -> usize {
    let length = run_of(bytes, is_hex);
    let has_digit = bytes.iter().take(length).any(u8::is_ascii_digit);
    if length >= HEX_DIGITS && has_digit && ends_word(bytes, length) { length } else { 0 }
}

fn uuid(bytes: &[u8]) -> usize {
    let mut at = 0;
    for (place, group) in UUID.into_iter().enumerate() {
        if place > 0 {
            if bytes.get(at) != Some(&b'-') {
                return 0;
            }
            at += 1;
        }
        if run_of(bytes.get(at..).unwrap_or_default(), is_hex) != group {
            return 0;
        }
        at += group;
    }
    at
}

/// Six pairs of hexadecimal digits with one separator between.
fn separated_pairs(bytes: &[u8]) -> usize {
    let Some(separator) = bytes.get(2).copied().filter(|byte| b":-._".contains(byte)) else { return 0 };
    let is_in_place = |(at, byte): (usize, &u8)| if at % 3 == 2 { *byte == separator } else { is_hex(*byte) };
    let length = bytes.iter().take(17).enumerate().take_while(|place| is_in_place(*place)).count();
    if length == 17 && ends_word(bytes, 17) { length } else { 0 }
}

fn ipv4(bytes: &[u8]) -> usize {
    // Host names have dashes: `ip-192-168-1-7`.
    [b'.', b'-'].into_iter().map(|separator| separated_octets(bytes, separator)).max().unwrap_or(0)
}

fn separated_octets(bytes: &[u8], separator: u8) -> usize {
    let mut at = 0;
    for place in 0..4 {
        if place > 0 {
            if bytes.get(at) != Some(&separator) {
                return 0;
            }
            at += 1;
        }
        let length = run_of(bytes.get(at..).unwrap_or_default(), |byte| byte.is_ascii_digit());
        let octet = bytes.get(at..at + length).and_then(|octet| std::str::from_utf8(octet).ok());
        if octet.is_none_or(|octet| octet.parse::<u8>().is_err()) {
            return 0;
        }
        at += length;
    }
    at
}

fn ipv6(bytes: &[u8]) -> usize {
    let address = |is_in: fn(u8) -> bool| {
        let run = bytes.get(..run_of(bytes, is_in)).unwrap_or_default();
        let text = std::str::from_utf8(run).unwrap_or_default().trim_end_matches('.');
        let is_long = text.contains("::") || text.matches(':').count() >= COLONS - 1;
        if is_long && text.parse::<std::net::Ipv6Addr>().is_ok() { text.len() } else { 0 }
    };
    // The last 32 bits may stand as an IPv4 address (RFC 4291 §2.2).
    let with_ipv4 = address(|byte| is_hex(byte) || byte == b':' || byte == b'.');
    with_ipv4.max(address(|byte| is_hex(byte) || byte == b':')).max(reverse_ipv6(bytes))
}

/// Single hexadecimal digits with dots, as in names below `ip6.arpa` (RFC 3596 §2.5).
fn reverse_ipv6(bytes: &[u8]) -> usize {
    let pairs = bytes.chunks_exact(2).take_while(|pair| is_hex(pair[0]) && pair[1] == b'.').count();
    if pairs >= 16 { 2 * pairs - 1 } else { 0 }
}

/// `(2)` at the end of a name that somebody else has, too.
fn parenthesised(bytes: &[u8], before: Option<u8>) -> usize {
    let length = run_of(bytes, |byte| byte.is_ascii_digit());
    if before == Some(b'(') && length > 0 && bytes.get(length) == Some(&b')') { length } else { 0 }
}

/// Digits of the device's own address in their order, whatever separates pairs of them.
fn own_digits(bytes: &[u8], own: &[u8]) -> usize {
    let mut longest = 0;
    let first = bytes.first().and_then(|byte| hex_value(*byte));
    let begins = |from: &usize| own.get(*from).copied() == first;
    for from in (0..=own.len().saturating_sub(OWN_DIGITS)).filter(begins) {
        let (mut at, mut matched, mut length) = (0, 0, 0);
        while let Some(byte) = bytes.get(at).copied() {
            match hex_value(byte) {
                Some(value) if own.get(from + matched) == Some(&value) => {
                    matched += 1;
                    at += 1;
                    length = at;
                }
                None if matched > 0 && b":-._ ".contains(&byte) => at += 1,
                _ => break,
            }
        }
        if matched >= OWN_DIGITS {
            longest = longest.max(length);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: MacAddr = MacAddr::new([0x70, 0xee, 0x50, 0x1a, 0x2b, 0x3c]);

    #[test]
    fn what_one_unit_has_is_starred() {
        let check = |text: &str, expected: &str| assert_eq!(starred(text, Some(OWN)), expected, "{text}");
        check("Camera-1A2B3C", "camera-*");
        check("cam1a2b", "cam*");
        check("aa:bb:cc:dd:ee:ff", "*");
        check("AA-BB-CC-DD-EE-01 on", "* on");
        check("uuid:anything-at-all::upnp:rootdevice", "uuid:*::upnp:rootdevice");
        check("2f402f80-da50-11e1-9b23-001788685f61", "*");
        check("http://192.168.1.7:80/d.xml", "http://*:80/d.xml");
        check("7.1.168.192.in-addr.arpa", "*.in-addr.arpa");
        check("fe80::72ee:50ff:fe1a:2b3c", "*");
        check("::ffff:192.168.1.7 up", "* up");
        check("ip-192-168-1-7.lan", "ip-*.lan");
        check("Living Room (2)", "living room (*)");
        check("serial 0012345", "serial *");
        check("node 9f86d081884c", "node *");
        check("1:a-2.b", "*");
        check("esp8266a1b2c3d4e5f6", "esp8266*");
        check("plug9c9c9c9c9c9cx", "plug*x");
        check("sn9f86d081884c7d659a2feaa0c55ad015", "sn*");
    }

    #[test]
    fn what_a_model_has_stays() {
        for text in [
            "hs100",
            "s220",
            "c100",
            "_googlecast._tcp.local",
            "upnp/1.0 ip camera/4.2.1",
            "deface",
            "ac15_u",
        ] {
            assert_eq!(starred(text, Some(OWN)), text);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(starred(&"\u{e9}".repeat(300), None).len(), 256);
        let over_the_end = format!("{} 2f402f80-da50-11e1-9b23-001788685f61", "x".repeat(230));
        assert_eq!(starred(&over_the_end, None), format!("{} *", "x".repeat(230)));
    }

    proptest! {
        /// No four digits of the device's own address survive, however they are written, nor a UUID or a serial number.
        #[test]
        fn no_unit_survives(
            octets in any::<[u8; 6]>(),
            words in prop::collection::vec("[a-zA-Z0-9:_. ()-]{0,12}", 1..4),
            separator in "[:._-]?",
            serial in "[0-9]{5,12}",
            glued in "[g-z]{1,6}[0-9a-f]{12}",
            uuid in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            pairs in 2_usize..=6,
            from in 0_usize..=4,
        ) {
            let mac = MacAddr::new(octets);
            let hex: Vec<String> = octets.iter().map(|octet| format!("{octet:02X}")).collect();
            let part = hex.get(from..(from + pairs).min(6)).unwrap_or_default().join(&separator);
            let text = format!("{} {part} {} {serial} {uuid} {glued}", words[0], words.concat());
            let out = starred(&text, Some(mac));
            let digits: String = hex.concat().to_lowercase();
            for window in digits.as_bytes().windows(OWN_DIGITS) {
                let window = std::str::from_utf8(window).unwrap();
                prop_assert!(!out.contains(window), "{text} -> {out}: {window}");
            }
            prop_assert!(!out.contains(&serial) && !out.contains(&uuid), "{text} -> {out}");
            prop_assert!(!out.contains(&glued[glued.len() - 12..]), "{text} -> {out}");
        }
    }
}
