use std::fmt;

use serde::{Deserialize, Serialize};

/// What a capture's frames begin with: the link types of the pcap registry (draft-ietf-opsawg-pcaplinktype).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LinkType {
    /// IEEE 802.3 Ethernet (1).
    #[default]
    Ethernet,
    /// Linux "cooked" capture, version 1 (113).
    CookedV1,
    /// Linux "cooked" capture, version 2 (276).
    CookedV2,
    /// IP of either version without a link header (101; and 12 and 14, which some systems write for it).
    RawIp,
    /// IPv4 without a link header (228).
    RawIpv4,
    /// IPv6 without a link header (229).
    RawIpv6,
    /// BSD loopback: the address family in four bytes (0, and 108 of OpenBSD).
    Null,
    /// Any other link type, by its number; its frames are counted and not looked into.
    Unsupported(u32),
}

impl LinkType {
    /// The link type with this number in a capture file.
    pub const fn from_number(number: u32) -> Self {
        match number {
            0 | 108 => Self::Null,
            1 => Self::Ethernet,
            12 | 14 | 101 => Self::RawIp,
            113 => Self::CookedV1,
            228 => Self::RawIpv4,
            229 => Self::RawIpv6,
            276 => Self::CookedV2,
            other => Self::Unsupported(other),
        }
    }

    /// The number that this link type has in a capture file; where there are several, the one of the registry.
    pub const fn number(self) -> u32 {
        match self {
            Self::Null => 0,
            Self::Ethernet => 1,
            Self::RawIp => 101,
            Self::CookedV1 => 113,
            Self::RawIpv4 => 228,
            Self::RawIpv6 => 229,
            Self::CookedV2 => 276,
            Self::Unsupported(number) => number,
        }
    }

    /// Whether frames of this type can be decoded.
    pub const fn is_supported(self) -> bool {
        !matches!(self, Self::Unsupported(_))
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ethernet => f.write_str("Ethernet"),
            Self::CookedV1 => f.write_str("Linux cooked v1"),
            Self::CookedV2 => f.write_str("Linux cooked v2"),
            Self::RawIp => f.write_str("raw IP"),
            Self::RawIpv4 => f.write_str("raw IPv4"),
            Self::RawIpv6 => f.write_str("raw IPv6"),
            Self::Null => f.write_str("null/loopback"),
            Self::Unsupported(number) => match name_of(*number) {
                Some(name) => write!(f, "{name} ({number})"),
                None => write!(f, "number {number}"),
            },
        }
    }
}

/// Names of link types that people do meet, and may wonder why they are refused.
const fn name_of(number: u32) -> Option<&'static str> {
    Some(match number {
        3 => "AX.25",
        6 => "Token Ring",
        8 => "SLIP",
        9 => "PPP",
        10 => "FDDI",
        50 => "PPP in HDLC framing",
        51 => "PPPoE",
        104 => "Cisco HDLC",
        105 => "IEEE 802.11",
        119 => "IEEE 802.11 with Prism header",
        127 => "IEEE 802.11 with radiotap header",
        147..=162 => "user-defined",
        187 | 201 => "Bluetooth HCI",
        192 => "PPI",
        195 | 230 | 283 => "IEEE 802.15.4",
        220 | 189 => "USB",
        239 => "NFLOG",
        251 | 256 => "Bluetooth LE",
        253 => "Netlink",
        _ => return None,
    })
}
