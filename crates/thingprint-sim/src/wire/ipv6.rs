use std::net::Ipv6Addr;

use super::packet::{finish_frame, write_ethernet};
use super::{Sum, length16, put16, put32};

/// All routers of the link.
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// Group of multicast DNS, RFC 6762 §3.
const MDNS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// All routers that listen for group memberships, RFC 3810 §5.2.14.
const MLD_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);

/// Next header numbers.
const HOP_BY_HOP: u8 = 0;
const UDP: u8 = 17;
const ICMP: u8 = 58;

/// A station of the link, with the link-local address made from its link address (RFC 4291 appendix A).
#[derive(Clone, Copy)]
pub(crate) struct Station {
    mac: [u8; 6],
    ip: Ipv6Addr,
}

impl Station {
    pub(crate) fn new(mac: [u8; 6]) -> Self {
        let mut octets = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0];
        octets[8..11].copy_from_slice(&mac[..3]);
        octets[13..].copy_from_slice(&mac[3..]);
        octets[8] ^= 2;
        Self { mac, ip: Ipv6Addr::from(octets) }
    }

    /// Everyone in a group, behind the group's link address (RFC 2464 §7).
    fn group(ip: Ipv6Addr) -> Self {
        let [.., a, b, c, d] = ip.octets();
        Self { mac: [0x33, 0x33, a, b, c, d], ip }
    }

    /// Is my address still free? A neighbour solicitation from nobody (RFC 4862 §5.4.2).
    pub(crate) fn probe(&self) -> Vec<u8> {
        let mut message = icmp_head(135);
        message.extend_from_slice(&self.ip.octets());
        let nobody = Self { ip: Ipv6Addr::UNSPECIFIED, ..*self };
        icmp_frame(nobody, Self::group(solicited_node(self.ip)), message)
    }

    /// I listen to the groups of my address and of multicast DNS (`MLDv2` report, RFC 3810 §5.2).
    pub(crate) fn membership(&self) -> Vec<u8> {
        let mut message = vec![143, 0, 0, 0, 0, 0, 0, 2];
        for group in [solicited_node(self.ip), MDNS] {
            message.extend_from_slice(&[4, 0, 0, 0]);
            message.extend_from_slice(&group.octets());
        }
        let message = with_checksum(self.ip, MLD_ROUTERS, message);
        let mut payload = vec![ICMP, 0, 5, 2, 0, 0, 1, 0];
        payload.extend_from_slice(&message);
        frame(*self, Self::group(MLD_ROUTERS), (HOP_BY_HOP, 1), &payload)
    }

    /// Is there a router? (RFC 4861 §4.1)
    pub(crate) fn solicit_router(&self) -> Vec<u8> {
        let mut message = icmp_head(133);
        self.put_link_address(1, &mut message);
        icmp_frame(*self, Self::group(ALL_ROUTERS), message)
    }

    /// I am the router, without a prefix to give: told to who asked (RFC 4861 §6.2.6 allows it).
    pub(crate) fn advertise_router(&self, asker: Self) -> Vec<u8> {
        let mut message = vec![134, 0, 0, 0, 64, 0];
        put16(&mut message, 0);
        message.extend_from_slice(&[0; 8]);
        self.put_link_address(1, &mut message);
        icmp_frame(*self, asker, message)
    }

    /// A multicast DNS message to the group.
    pub(crate) fn multicast_dns(&self, message: &[u8]) -> Vec<u8> {
        let mut datagram = Vec::with_capacity(8 + message.len());
        put16(&mut datagram, super::mdns::PORT);
        put16(&mut datagram, super::mdns::PORT);
        put16(&mut datagram, length16(8 + message.len()));
        put16(&mut datagram, 0);
        datagram.extend_from_slice(message);
        let checksum = pseudo_sum(self.ip, MDNS, UDP, datagram.len()).bytes(&datagram).finish_udp();
        datagram[6..8].copy_from_slice(&checksum.to_be_bytes());
        frame(*self, Self::group(MDNS), (UDP, 255), &datagram)
    }

    /// The option that carries a link address: 1 for the sender's.
    fn put_link_address(&self, kind: u8, message: &mut Vec<u8>) {
        message.extend_from_slice(&[kind, 1]);
        message.extend_from_slice(&self.mac);
    }
}

/// Type, code 0, no checksum yet, four reserved bytes.
fn icmp_head(kind: u8) -> Vec<u8> {
    vec![kind, 0, 0, 0, 0, 0, 0, 0]
}

fn icmp_frame(from: Station, to: Station, message: Vec<u8>) -> Vec<u8> {
    let message = with_checksum(from.ip, to.ip, message);
    frame(from, to, (ICMP, 255), &message)
}

fn with_checksum(from: Ipv6Addr, to: Ipv6Addr, mut message: Vec<u8>) -> Vec<u8> {
    let checksum = pseudo_sum(from, to, ICMP, message.len()).bytes(&message).finish();
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// The sum of the pseudo-header, RFC 8200 §8.1.
fn pseudo_sum(from: Ipv6Addr, to: Ipv6Addr, next: u8, length: usize) -> Sum {
    Sum::default().bytes(&from.octets()).bytes(&to.octets()).word(length16(length)).word(u16::from(next))
}

/// A frame with this next header and hop limit.
fn frame(from: Station, to: Station, (next, hops): (u8, u8), payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(54 + payload.len());
    write_ethernet(to.mac, from.mac, 0x86dd, &mut frame);
    put32(&mut frame, 6 << 28);
    put16(&mut frame, length16(payload.len()));
    frame.extend_from_slice(&[next, hops]);
    frame.extend_from_slice(&from.ip.octets());
    frame.extend_from_slice(&to.ip.octets());
    frame.extend_from_slice(payload);
    let length = frame.len();
    finish_frame(length, usize::MAX, &mut frame);
    frame
}

/// The group that everyone with an address ending like this listens to (RFC 4291 §2.7.1).
fn solicited_node(ip: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b] = ip.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (a & 0xff), b)
}
