//! Frames in which a host says that an address is its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Ip, MacAddr, NonIp, Packet, Transport};

const ARP: u16 = 0x0806;
const ARP_REQUEST: u8 = 1;
const ICMPV6: u8 = 58;
/// DHCP's port of servers, and its magic cookie behind the BOOTP fields (RFC 2131 §3).
const DHCP_SERVER: u16 = 67;
const DHCP_COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
/// Options of DHCP (RFC 2132 §3.1, §3.2, §9.7).
const PAD: u8 = 0;
const END: u8 = 255;
const SERVER_IDENTIFIER: u8 = 54;

/// The sender of an ARP packet (RFC 826).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ArpClaim {
    pub(super) mac: MacAddr,
    pub(super) address: IpAddr,
    /// Whether it asks: what answers may answer for others (RFC 1027).
    pub(super) is_request: bool,
}

/// Whoever ARP names as the sender.
pub(super) fn arp_claim(packet: &Packet<'_>) -> Option<ArpClaim> {
    let NonIp { ether_type: ARP, payload } = packet.other? else { return None };
    let [_, _, _, _, 6, 4, _, operation, mac @ .., a, b, c, d] = payload.first_chunk::<18>()? else {
        return None;
    };
    let address = Ipv4Addr::new(*a, *b, *c, *d).into();
    Some(ArpClaim { mac: MacAddr::new(*mac), address, is_request: *operation == ARP_REQUEST })
}

/// What neighbour discovery says is the sender's (RFC 4861 §4.3, §4.4).
#[inline]
pub(super) fn neighbour_claim(ip: &Ip<'_>) -> Option<IpAddr> {
    if ip.transport != Transport::Other(ICMPV6) {
        return None;
    }
    match ip.payload {
        [135, ..] => Some(ip.src),
        [136, rest @ ..] => {
            let target = <[u8; 16]>::try_from(rest.get(7..23)?).ok()?;
            Some(Ipv6Addr::from(target).into())
        }
        _ => None,
    }
}

/// The server identifier of a DHCP server that answers a client itself, not through a relay.
pub(super) fn dhcp_server_claim(ip: &Ip<'_>) -> Option<IpAddr> {
    if ip.src_port != DHCP_SERVER || ip.transport != Transport::Udp {
        return None;
    }
    let (header, options) = ip.payload.split_at_checked(240)?;
    let is_reply = header.first() == Some(&2) && header.ends_with(&DHCP_COOKIE);
    let is_relayed = header.get(24..28) != Some(&[0; 4]);
    if is_reply && !is_relayed { server_identifier(options) } else { None }
}

fn server_identifier(mut options: &[u8]) -> Option<IpAddr> {
    while let [code, rest @ ..] = options {
        match (*code, rest) {
            (PAD, _) => options = rest,
            (END, _) => return None,
            (SERVER_IDENTIFIER, [4, a, b, c, d, ..]) => return Some(Ipv4Addr::new(*a, *b, *c, *d).into()),
            (_, [length, rest @ ..]) => options = rest.get(usize::from(*length)..)?,
            _ => return None,
        }
    }
    None
}
