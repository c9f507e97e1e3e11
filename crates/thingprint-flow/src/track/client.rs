use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::key::DevicePacket;
use super::options::{FlowOptions, ServerPorts};
use crate::{Ip, LocalNets, MacAddr, Transport};

/// First port of the range that clients draw their ports from, as far as the rule of thumb goes.
const FIRST_HIGH_PORT: u16 = 32_768;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// Which side of a flow is the client, and how surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Client {
    /// Whether the device is the client.
    pub(super) is_device: bool,
    /// Whether a group, a SYN or an ICMP query decided it; later packets change nothing then.
    pub(super) is_settled: bool,
}

impl Client {
    /// The client as the first packet of a flow lets it appear.
    pub(super) fn at_first(view: &DevicePacket<'_, '_>, options: &FlowOptions) -> Self {
        let settled = by_group(view, &options.local_nets).or_else(|| by_exchange(view.ip));
        let by_ports = || by_ports(view.ip, &options.server_ports);
        let sender_is_client = settled.or_else(by_ports).unwrap_or(true);
        Self { is_device: sender_is_client == view.is_sent, is_settled: settled.is_some() }
    }

    /// Takes in a later packet of the flow.
    pub(super) fn update(&mut self, ip: &Ip<'_>, is_sent: bool) {
        if self.is_settled {
            return;
        }
        if let Some(sender_is_client) = by_exchange(ip) {
            *self = Self { is_device: sender_is_client == is_sent, is_settled: true };
        }
    }
}

/// A group never asks for anything: the other side is the client.
fn by_group(view: &DevicePacket<'_, '_>, local_nets: &LocalNets) -> Option<bool> {
    let to_group =
        is_group_destination(view.ip.dst, view.packet.dst_mac) || local_nets.is_broadcast(view.ip.dst);
    match (is_group(view.ip.src), to_group) {
        (true, false) => Some(false),
        (false, true) => Some(true),
        _ => None,
    }
}

/// Whether packets to an address go to many hosts. Only broadcasts of a subnet have a unicast form and a group's link
/// address (RFC 1122 §3.3.6); without link addresses, the last address of a private /24 counts as one.
fn is_group_destination(addr: IpAddr, link: Option<MacAddr>) -> bool {
    let is_directed = match addr {
        IpAddr::V4(addr) => {
            link.map_or_else(|| addr.is_private() && addr.octets()[3] == 255, MacAddr::is_group)
        }
        IpAddr::V6(_) => false,
    };
    is_directed || is_group(addr)
}

fn is_group(addr: IpAddr) -> bool {
    addr.is_multicast() || addr == IpAddr::V4(Ipv4Addr::BROADCAST)
}

/// Whether the sender is the client, by what only one side sends: a SYN comes from the client and a SYN with ACK from
/// the server; ICMP queries from the client, and their replies from the server.
fn by_exchange(ip: &Ip<'_>) -> Option<bool> {
    match ip.transport {
        Transport::Tcp(segment) if segment.flags.syn() => Some(!segment.flags.ack()),
        Transport::Other(protocol @ (ICMP | ICMPV6)) => match (protocol, ip.payload.first()?) {
            (ICMP, 8 | 13 | 17) | (ICMPV6, 128) => Some(true),
            (ICMP, 0 | 14 | 18) | (ICMPV6, 129) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the sender is the client, by port numbers: a known server port on one side, else a high port on one side.
fn by_ports(ip: &Ip<'_>, ports: &ServerPorts) -> Option<bool> {
    let protocol = ip.transport.number();
    let is_known = |port| ports.contains(protocol, port);
    match (is_known(ip.src_port), is_known(ip.dst_port)) {
        (true, false) => return Some(false),
        (false, true) => return Some(true),
        _ => {}
    }
    match (ip.src_port >= FIRST_HIGH_PORT, ip.dst_port >= FIRST_HIGH_PORT) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}
