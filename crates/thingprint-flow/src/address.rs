use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An IEEE 802 MAC address (EUI-48).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// The address of these six octets, in transmission order.
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The six octets, in transmission order.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Group addresses (multicast and broadcast) name no device: the I/G bit of IEEE 802 §8.2.
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether the address can be that of one host: neither a group's, nor all zeros, which is what loopback interfaces
    /// and some drivers write for "none".
    #[inline]
    pub const fn is_host(self) -> bool {
        !self.is_group() && !matches!(self.0, [0, 0, 0, 0, 0, 0])
    }

    /// Locally administered addresses, which is what randomised ones are: the U/L bit of IEEE 802 §8.2.
    pub const fn is_locally_administered(self) -> bool {
        self.0[0] & 2 == 2
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"00:00:00:00:00:00";
        for (digits, octet) in text.chunks_mut(3).zip(self.0) {
            if let [high, low, ..] = digits {
                (*high, *low) = (hex_digit(octet >> 4), hex_digit(octet & 15));
            }
        }
        f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// A text that is not a MAC address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid MAC address '{0}': expected 12 hexadecimal digits, such as 70:ee:50:18:34:43, 70-EE-50-18-34-43 or 70ee.5018.3443"
)]
pub struct ParseMacError(String);

impl FromStr for MacAddr {
    type Err = ParseMacError;

    /// Reads the usual notations, in either case: six groups of one or two digits (`70:ee:50:18:34:3`), three of four
    /// (`70ee.5018.3443`), two of six (`70ee50-183443`), separated by `:`, `-` or `.`, or twelve digits alone.
    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        octets(text.trim()).map(Self).ok_or_else(|| ParseMacError(text.to_owned()))
    }
}

fn octets(text: &str) -> Option<[u8; 6]> {
    let separator = text.chars().find(|letter| [':', '-', '.'].contains(letter));
    let groups: Vec<&str> = separator.map_or_else(|| vec![text], |separator| text.split(separator).collect());
    let digits = 12_usize.checked_div(groups.len()).filter(|digits| digits * groups.len() == 12)?;
    let fits = |group: &&str| {
        let is_short = digits == 2 && group.len() == 1;
        (group.len() == digits || is_short) && group.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    if digits % 2 != 0 || !groups.iter().all(fits) {
        return None;
    }
    let mut bits = 0_u64;
    for group in groups {
        bits = bits << (4 * digits) | u64::from_str_radix(group, 16).ok()?;
    }
    let [0, 0, octets @ ..] = bits.to_be_bytes() else { return None };
    Some(octets)
}

impl TryFrom<String> for MacAddr {
    type Error = ParseMacError;

    fn try_from(text: String) -> Result<Self, ParseMacError> {
        text.parse()
    }
}

impl From<MacAddr> for String {
    fn from(mac: MacAddr) -> Self {
        mac.to_string()
    }
}

/// What stands for a device: its MAC address, or where there is none (raw IP, `--identity ip`), its private IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DeviceId {
    /// A device known by its link address.
    Mac(MacAddr),
    /// A device known by its private IP address.
    Ip(IpAddr),
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => mac.fmt(f),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// An IP address as the standard library writes it, for those who write many.
pub fn address_text(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else { return address.to_string() };
    let mut text = String::with_capacity("255.255.255.255".len());
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            text.push('.');
        }
        for (unit, is_written) in [(100, octet > 99), (10, octet > 9), (1, true)] {
            if is_written {
                text.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
    text
}

/// A text that is neither a MAC address nor an IP address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither a MAC address nor an IP address")]
pub struct ParseDeviceError(String);

impl FromStr for DeviceId {
    type Err = ParseDeviceError;

    fn from_str(text: &str) -> Result<Self, ParseDeviceError> {
        text.parse()
            .map(Self::Mac)
            .or_else(|_| text.trim().parse().map(Self::Ip))
            .map_err(|_| ParseDeviceError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_address_has_many_notations() {
        let expected = MacAddr::new([0x0a, 0x40, 0x7c, 0x0b, 0x33, 0xf2]);
        for text in [
            "0a:40:7c:0b:33:f2",
            "0A-40-7C-0B-33-F2",
            "a:40:7c:b:33:f2",
            "0a.40.7c.0b.33.f2",
            "0a40.7c0b.33f2",
            "0A40-7C0B-33F2",
            "0a40:7c0b:33f2",
            "0a407c-0b33f2",
            "0a407c0b33f2",
            " 0A407C0B33F2\t",
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!(expected.to_string(), "0a:40:7c:0b:33:f2");
    }

    #[test]
    fn ip_addresses_are_written_as_the_standard_library_writes_them() {
        for octet in 0..=u8::MAX {
            let address = IpAddr::from([octet, 255 - octet, octet / 2, 0]);
            assert_eq!(address_text(address), address.to_string());
        }
        let address = "2001:db8::1".parse().unwrap();
        assert_eq!(address_text(address), "2001:db8::1");
    }

    #[test]
    fn other_texts_are_not_mac_addresses() {
        for text in [
            "",
            ":",
            "0a407c0b33f",
            "0a407c0b33f2a",
            "0a40.7c0b.3f2",
            "0a40.7c0b",
            "0a:40-7c:0b-33:f2",
            "0a:40:7c:0b:33",
            "0a:40:7c:0b:33:f2:",
            "0a:40:7c:0b:33:+2",
            "0a:40:7c::0b:33",
            "0g407c0b33f2",
            "1.2.3.4",
            "fe80::1",
            "a:4:0:7:c:0:b:3:3:f:2:1",
            "0a4:07c:0b3:3f2",
        ] {
            assert!(text.parse::<MacAddr>().is_err(), "{text}");
        }
        assert_eq!("fe80::1 ".parse(), Ok(DeviceId::Ip("fe80::1".parse().unwrap())));
    }
}
