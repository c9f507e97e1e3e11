use std::net::IpAddr;

use thingprint_flow::{DevicePacket, MacAddr};
use thingprint_protocol::DnsMessage;

/// Ports of look-ups that are no DNS of the network: multicast DNS, LLMNR, NetBIOS names.
const LOCAL_NAME_PORTS: [u16; 3] = [5353, 5355, 137];

/// Whether a DNS message is a query to a resolver: not multicast DNS, LLMNR or `NetBIOS`.
pub(crate) fn is_lookup(dns: &DnsMessage, packet: &DevicePacket<'_, '_>) -> bool {
    let ip = packet.ip;
    let is_local_name = LOCAL_NAME_PORTS.iter().any(|port| [ip.src_port, ip.dst_port].contains(port));
    let is_group = ip.dst.is_multicast() || matches!(ip.dst, IpAddr::V4(addr) if addr.is_broadcast());
    let is_group_frame = packet.packet.dst_mac.is_some_and(MacAddr::is_group);
    dns.is_plain_query() && !is_local_name && !is_group && !is_group_frame
}
