//! Link-Local Multicast Name Resolution (RFC 4795): DNS messages, distinguished from DNS by [`dns::named`].
use thingprint_flow::Ip;

use super::dns;
use crate::parser::Parser;
use crate::schema::IpProtocol;
use crate::{Message, Protocol};

/// The parser.
pub(crate) struct Llmnr;

impl Parser for Llmnr {
    const TRANSPORTS: &'static [IpProtocol] = &[IpProtocol::Udp];
    const KIN: &'static [Protocol] = dns::FAMILY;

    fn datagram(packet: &Ip<'_>) -> Option<Message> {
        dns::datagram(packet)
    }
}
