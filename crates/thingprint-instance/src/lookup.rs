use thingprint_flow::DevicePacket;
use thingprint_protocol::DnsMessage;

/// Ports of look-ups that are no DNS of the network: multicast DNS, LLMNR, NetBIOS names.
const LOCAL_NAME_PORTS: [u16; 3] = [5353, 5355, 137];

/// Whether a DNS message is a query to a resolver: not multicast DNS, LLMNR or `NetBIOS`.
pub(crate) fn is_lookup(dns: &DnsMessage, packet: &DevicePacket<'_, '_>) -> bool {
    let ip = packet.ip;
    let is_local_name = LOCAL_NAME_PORTS.iter().any(|port| [ip.src_port, ip.dst_port].contains(port));
    dns.is_plain_query() && !is_local_name && !packet.packet.is_to_group()
}
