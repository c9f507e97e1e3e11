use std::net::IpAddr;

use thingprint_flow::{Ip, Transport};

use crate::schema::{EtherType, TrafficMode};

/// What the headers of a packet say to models; it outlives the packet where payloads have to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Headers {
    pub(super) is_udp: bool,
    pub(super) ports: [u16; 2],
    pub(super) ether_type: EtherType,
    pub(super) traffic_mode: TrafficMode,
}

impl Headers {
    /// What the headers of a packet say.
    pub(crate) fn of(packet: &Ip<'_>) -> Self {
        Self {
            is_udp: packet.transport == Transport::Udp,
            ports: [packet.src_port, packet.dst_port],
            ether_type: if packet.dst.is_ipv4() { EtherType::Ipv4 } else { EtherType::Ipv6 },
            traffic_mode: mode_of(packet.dst),
        }
    }
}

fn mode_of(address: IpAddr) -> TrafficMode {
    match address {
        IpAddr::V4(address) if address.is_broadcast() => TrafficMode::Broadcast,
        _ if address.is_multicast() => TrafficMode::Multicast,
        _ => TrafficMode::Unicast,
    }
}
