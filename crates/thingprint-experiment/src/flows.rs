use std::sync::Arc;

use thingprint_flow::{DeviceId, Timestamp};

/// A flow of a labelled device, as the characterisation looks at it (§4 of the classification paper).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRecord {
    /// Class of the device.
    pub class: Arc<str>,
    /// The device.
    pub device: DeviceId,
    /// Time of the first packet.
    pub first: Timestamp,
    /// Time of the last packet.
    pub last: Timestamp,
    /// Bytes both ways.
    pub bytes: u64,
    /// Whether it goes to one host or to many.
    pub cast: Cast,
    /// Whether the other end is in the local network.
    pub side: Side,
    /// IP protocol number.
    pub protocol: u8,
    /// The server's port; 0 without ports.
    pub server_port: u16,
    /// Name that the device looked up, or said in its `ClientHello`, for the other end; `None` when it is unknown.
    pub domain: Option<Arc<str>>,
}

/// Whom a flow goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cast {
    /// One host.
    Unicast,
    /// A group of hosts, or all of them.
    Multicast,
}

/// Where the other end of a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// In the local network: a private, link-local or group address.
    Lan,
    /// On the Internet.
    Wan,
}

impl Cast {
    /// The name in figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unicast => "unicast",
            Self::Multicast => "multicast",
        }
    }
}

impl Side {
    /// The name in figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lan => "LAN",
            Self::Wan => "WAN",
        }
    }
}

impl FlowRecord {
    /// Seconds from the first packet to the last.
    pub fn duration_s(&self) -> f64 {
        seconds(self.last.nanos_since(self.first).max(0))
    }

    /// Mean bits a second; `None` without a duration.
    pub fn rate_bps(&self) -> Option<f64> {
        let duration_s = self.duration_s();
        (duration_s > 0.0).then(|| 8.0 * self.bytes as f64 / duration_s)
    }

    /// Name of the IP protocol.
    pub fn protocol_name(&self) -> String {
        match self.protocol {
            1 => "ICMP".to_owned(),
            2 => "IGMP".to_owned(),
            6 => "TCP".to_owned(),
            17 => "UDP".to_owned(),
            58 => "ICMPv6".to_owned(),
            other => format!("IP protocol {other}"),
        }
    }
}

/// Nanoseconds as seconds.
pub(crate) fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}
