use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{LocalNets, MacAddr};

const SECOND_NS: i64 = 1_000_000_000;

/// How packets become flows. Every choice that the papers leave open is a field here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlowOptions {
    /// Where flows are cut.
    pub window: WindowLength,
    /// How long after its end a window still takes packets, in nanoseconds.
    pub lateness_ns: i64,
    /// What ends a flow.
    pub ending: FlowEnding,
    /// What the bytes of a packet are.
    pub size: PacketSize,
    /// What stands for a device.
    pub identity: Identity,
    /// Whether devices are identified so even where link addresses do not separate hosts.
    pub is_identity_given: bool,
    /// Networks whose addresses are inside, in addition to private ones.
    pub local_nets: LocalNets,
    /// The addresses of gateways, which are not devices.
    pub gateways: BTreeSet<MacAddr>,
    /// Ports that tell the server's side of a flow without a SYN.
    pub server_ports: ServerPorts,
    /// Most flows remembered at once.
    pub max_flows: usize,
    /// Most devices remembered.
    pub max_devices: usize,
    /// Silence after which a device is forgotten, in nanoseconds, where observers allow it; `None` for never.
    pub forget_after_ns: Option<i64>,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            window: WindowLength::default(),
            lateness_ns: 2 * SECOND_NS,
            ending: FlowEnding::default(),
            size: PacketSize::default(),
            identity: Identity::default(),
            is_identity_given: false,
            local_nets: LocalNets::default(),
            gateways: BTreeSet::new(),
            server_ports: ServerPorts::default(),
            max_flows: 1 << 18,
            max_devices: 32 << 10,
            forget_after_ns: Some(24 * 3600 * SECOND_NS + 302 * SECOND_NS),
        }
    }
}

impl FlowOptions {
    /// The flows of the tool behind the classification paper, in its off-line use of 2017: cut after 30 s,
    /// ended by nothing else, sized by transport payload.
    pub fn joy() -> Self {
        Self {
            ending: FlowEnding::Joy { cut_after_ns: 30 * SECOND_NS },
            size: PacketSize::Payload,
            ..Self::default()
        }
    }
}

/// Length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowLength {
    /// Windows of this many nanoseconds, aligned to the epoch in UTC.
    Span(u64),
    /// One window for the whole capture, from its first frame to its last.
    Capture,
}

impl Default for WindowLength {
    /// One clock hour.
    fn default() -> Self {
        Self::Span(3_600_000_000_000)
    }
}

/// What ends a flow before its window does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowEnding {
    /// RST, both FINs, or more than this many nanoseconds without a packet.
    Connection {
        /// For TCP.
        tcp_idle_ns: i64,
        /// For everything else.
        other_idle_ns: i64,
    },
    /// A packet that arrives when the flow already lasted longer than this many nanoseconds; nothing else.
    Joy {
        /// Longest age at which a flow still takes a packet.
        cut_after_ns: i64,
    },
}

impl Default for FlowEnding {
    fn default() -> Self {
        Self::Connection { tcp_idle_ns: 300 * SECOND_NS, other_idle_ns: 60 * SECOND_NS }
    }
}

impl FlowEnding {
    /// The longest silence inside a flow of this IP protocol, in nanoseconds; `None` where silence ends nothing.
    pub const fn idle_ns(self, protocol: u8) -> Option<i64> {
        match self {
            Self::Connection { tcp_idle_ns, .. } if protocol == 6 => Some(tcp_idle_ns),
            Self::Connection { other_idle_ns, .. } => Some(other_idle_ns),
            Self::Joy { .. } => None,
        }
    }

    /// The longest silence inside any flow that goes on across a window's edge, in nanoseconds.
    pub fn longest_idle_ns(self) -> i64 {
        match self {
            Self::Connection { tcp_idle_ns, other_idle_ns } => tcp_idle_ns.max(other_idle_ns),
            Self::Joy { .. } => 0,
        }
    }
}

/// Which length of a packet is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketSize {
    /// IP total length, as `NetFlow` counts.
    #[default]
    Ip,
    /// Transport payload.
    Payload,
    /// The frame on the wire.
    Wire,
}

/// What stands for a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The MAC address; on links without one, the local IP address.
    #[default]
    Mac,
    /// The IP address inside: a private one, or one of the local networks.
    Ip,
}

/// Server ports of the built-in protocol models, by transport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerPorts {
    /// TCP ports.
    pub tcp: Vec<u16>,
    /// UDP ports.
    pub udp: Vec<u16>,
}

impl Default for ServerPorts {
    fn default() -> Self {
        Self { tcp: vec![443, 80], udp: vec![53, 123, 67, 1900, 5353, 443] }
    }
}

impl ServerPorts {
    /// Whether `port` is one of a server's for this IP protocol.
    pub fn contains(&self, protocol: u8, port: u16) -> bool {
        match protocol {
            6 => self.tcp.contains(&port),
            17 => self.udp.contains(&port),
            _ => false,
        }
    }
}

/// A text that is no value of an option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is not {expected}")]
pub struct ParseOptionError {
    found: String,
    expected: &'static str,
}

impl ParseOptionError {
    /// `found` where `expected` should be.
    pub fn new(found: &str, expected: &'static str) -> Self {
        Self { found: found.to_owned(), expected }
    }
}

/// Units of a duration, largest first.
const UNITS_NS: [(&str, u64); 5] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
];

impl FromStr for WindowLength {
    type Err = ParseOptionError;

    /// Reads `capture`, or a whole number and a unit: `1h`, `15m`, `90s`, `1d`, `500ms`.
    fn from_str(text: &str) -> Result<Self, ParseOptionError> {
        if text == "capture" {
            return Ok(Self::Capture);
        }
        let fail =
            || ParseOptionError::new(text, "a window: expected capture, or a length like 1h, 15m, 90s, 1d");
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let (_, unit_ns) = UNITS_NS.iter().find(|(name, _)| *name == unit).ok_or_else(fail)?;
        let span = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*unit_ns));
        span.filter(|span| *span > 0 && i64::try_from(*span).is_ok()).map(Self::Span).ok_or_else(fail)
    }
}

impl fmt::Display for WindowLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture => f.write_str("capture"),
            Self::Span(span) => {
                let unit = UNITS_NS.iter().find(|(_, unit_ns)| span % unit_ns == 0);
                match unit {
                    Some((name, unit_ns)) => write!(f, "{}{name}", span / unit_ns),
                    None => write!(f, "{span}ns"),
                }
            }
        }
    }
}

/// Gives an enumeration of options the names that scripts, models and results know its values by.
#[macro_export]
macro_rules! named_options {
    ($type:ty, $expected:literal, $($name:literal => $value:path),+ $(,)?) => {
        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(match self { $($value => $name),+ })
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = $crate::ParseOptionError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok($value),)+
                    other => Err($crate::ParseOptionError::new(other, $expected)),
                }
            }
        }
    };
}

named_options!(PacketSize, "a packet size: expected ip, payload or wire",
    "ip" => Self::Ip, "payload" => Self::Payload, "wire" => Self::Wire);
named_options!(Identity, "an identity: expected mac or ip", "mac" => Self::Mac, "ip" => Self::Ip);
