use std::net::{IpAddr, Ipv4Addr};

use super::claim::{arp_claim, dhcp_server_claim, neighbour_claim};
use super::device::is_private;
use crate::{Ip, Packet};

/// Addresses that are remembered of a host; a router has a few for each network.
const MOST_ADDRESSES: usize = 64;
/// So many addresses are looked through; more are searched.
const FEW_ADDRESSES: usize = 4;
/// What stacks write into TTL and hop limit; whoever forwards a packet takes one off (RFC 1812 §5.3.1).
const INITIAL_TTLS: [u8; 3] = [64, 128, 255];

/// The addresses of a host itself, as opposed to those that it forwards packets of.
///
/// They are what it claims by ARP, neighbour discovery, as a DHCP server or by a router advertisement, and the local
/// addresses of packets that it cannot have forwarded: link-local ones, those to groups of the link, and those whose TTL is
/// one that stacks begin with. ARP answers count for local addresses alone: a proxy answers for the Internet (RFC 1027).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAddresses {
    /// In order; nearly every host has one or two, which are looked at with each of its packets.
    addresses: Vec<IpAddr>,
}

impl OwnAddresses {
    /// Takes in a frame that the host sent.
    #[inline]
    pub fn observe(&mut self, packet: &Packet<'_>) {
        match &packet.ip {
            Some(ip) => self.observe_ip(ip),
            None => self.observe_arp(packet),
        }
    }

    /// Whether an address is one of the host itself. A host without an address yet speaks for itself as well.
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.has(address) || address.is_unspecified()
    }

    #[inline]
    fn has(&self, address: IpAddr) -> bool {
        if self.addresses.len() <= FEW_ADDRESSES {
            self.addresses.contains(&address)
        } else {
            self.addresses.binary_search(&address).is_ok()
        }
    }

    /// The addresses, in order.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().copied()
    }

    fn observe_arp(&mut self, packet: &Packet<'_>) {
        let Some(claim) = arp_claim(packet).filter(|claim| Some(claim.mac) == packet.src_mac) else { return };
        if claim.is_request || is_private(claim.address) {
            self.add(claim.address);
        }
    }

    fn observe_ip(&mut self, ip: &Ip<'_>) {
        let claimed = neighbour_claim(ip).or_else(|| dhcp_server_claim(ip));
        if let Some(address) = claimed {
            self.add(address);
        }
        if is_not_forwarded(ip) && is_private(ip.src) {
            self.add(ip.src);
        }
    }

    #[inline]
    fn add(&mut self, address: IpAddr) {
        if !self.has(address) {
            self.add_new(address);
        }
    }

    fn add_new(&mut self, address: IpAddr) {
        let is_host = !address.is_unspecified() && !address.is_multicast() && !address.is_loopback();
        if is_host
            && self.addresses.len() < MOST_ADDRESSES
            && let Err(at) = self.addresses.binary_search(&address)
        {
            self.addresses.insert(at, address);
        }
    }
}

/// Whether whoever sent the frame made the packet as well.
fn is_not_forwarded(ip: &Ip<'_>) -> bool {
    INITIAL_TTLS.contains(&ip.ttl) || is_link_local(ip.src) || is_link_group(ip.dst)
}

/// RFC 3927 §7, RFC 4291 §2.5.6.
const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Groups that routers do not forward to: 224.0.0.0/24 (RFC 5771 §4), all hosts, and `ff02::/16` (RFC 4291 §2.7).
fn is_link_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address == Ipv4Addr::BROADCAST || matches!(address.octets(), [224, 0, 0, _]),
        IpAddr::V6(address) => matches!(address.octets(), [0xff, 0x02, ..]),
    }
}
