use serde::{Deserialize, Serialize};
use thingprint_flow::Transport;

use super::list;

/// Where a protocol is found: facts of the headers, which can rule a protocol out but never prove one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Metadata {
    /// Network protocols that carry it. Missing: both.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list::of")]
    pub ether_types: Vec<EtherType>,
    /// Transport protocols that carry it. Missing: those of the server ports; if these are missing too, TCP and UDP.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list::of")]
    pub ip_protocols: Vec<IpProtocol>,
    /// How its packets are addressed; a payload that is addressed otherwise is not looked at. Missing: in any way.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list::of")]
    pub traffic_mode: Vec<TrafficMode>,
    /// Standard ports of its servers. They say in which order protocols are tried and which flows keep to the standard;
    /// they never prove a protocol. Missing: it has none.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list::of")]
    pub server_ports: Vec<ServerPort>,
}

/// A network protocol, by its Ethernet type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum EtherType {
    /// IPv4.
    #[serde(rename = "0x0800")]
    Ipv4,
    /// IPv6.
    #[serde(rename = "0x86dd", alias = "0x86DD")]
    Ipv6,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IpProtocol {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
}

/// To whom a packet goes, by its address: a directed broadcast looks like unicast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TrafficMode {
    /// One host.
    Unicast,
    /// A group of hosts.
    Multicast,
    /// All hosts of the link: 255.255.255.255.
    Broadcast,
}

/// A standard port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerPort {
    /// The transport protocol.
    pub ip_protocol: IpProtocol,
    /// The port's number.
    pub port: u16,
}

impl Metadata {
    /// Transport protocols that may carry the protocol.
    pub(crate) fn transports(&self) -> Vec<IpProtocol> {
        if !self.ip_protocols.is_empty() {
            return self.ip_protocols.clone();
        }
        if self.server_ports.is_empty() {
            return vec![IpProtocol::Tcp, IpProtocol::Udp];
        }
        self.server_ports.iter().map(|port| port.ip_protocol).collect()
    }
}

impl IpProtocol {
    /// The protocol of a packet, if it is one of these.
    pub const fn of(transport: Transport) -> Option<Self> {
        match transport {
            Transport::Tcp(_) => Some(Self::Tcp),
            Transport::Udp => Some(Self::Udp),
            Transport::Other(_) => None,
        }
    }

    /// The number of the protocol (IANA "Protocol Numbers").
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}
