use thingprint_flow::Ip;

use crate::{Message, Protocol, dhcp, dns, ntp};

/// The message in a UDP payload, if it is one; only `protocol` is tried once it is known.
///
/// The order is that of how sure a parser can be from content alone.
pub(crate) fn parse(packet: &Ip<'_>, protocol: Option<Protocol>) -> Option<Message> {
    let payload = packet.payload;
    let length = packet.payload_bytes as usize;
    match protocol {
        Some(Protocol::Dhcp) => dhcp::parse(payload).map(Message::Dhcp),
        Some(Protocol::Dns) => dns::parse(payload, length).map(Message::Dns),
        Some(Protocol::Ntp) => ntp::parse(payload, length).map(Message::Ntp),
        Some(
            Protocol::Tls
            | Protocol::Http
            | Protocol::Ssdp
            | Protocol::Mdns
            | Protocol::Llmnr
            | Protocol::Quic,
        ) => None,
        None => dhcp::parse(payload)
            .map(Message::Dhcp)
            .or_else(|| dns::parse(payload, length).map(Message::Dns))
            .or_else(|| ntp::parse(payload, length).map(Message::Ntp)),
    }
}
