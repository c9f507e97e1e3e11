use std::net::{IpAddr, Ipv6Addr};

use thingprint_flow::{DevicePacket, Ip, MacAddr, NonIp, Transport};

use crate::evidence::bag::{BagDefinition, BagSource, TrafficWords};
use crate::options::InstanceOptions;

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "network",
    title: "Network behaviour",
    words: "network events",
    about: "What the device does in its local network: ARP, ICMP, IGMP and EAPOL by type, other Ethernet types, and the groups \
            that it sends to with their ports.",
    cost: None,
    is_of_paper: false,
    is_trained_on: true,
    source: BagSource::Traffic { packet, frame: Some(frame), spell },
};

const ARP: u16 = 0x0806;
const EAPOL: u16 = 0x888e;
/// Values below are lengths of IEEE 802.2 frames: how many there are depends on where the capture was taken.
const FIRST_TYPE: u16 = 0x0600;
const IGMP: u8 = 2;

/// Protocol and type of ICMP, IGMP and `ICMPv6`.
#[inline]
fn packet(packet: &DevicePacket<'_, '_>, options: &InstanceOptions, words: &mut TrafficWords<'_>) {
    if !packet.is_sent {
        return;
    }
    let ip = packet.ip;
    if let Transport::Other(protocol @ (1 | IGMP | 58)) = ip.transport {
        if let Some(kind) = ip.payload.first() {
            words.number(u64::from(protocol) << 8 | u64::from(*kind));
        }
    } else if is_to_group(packet, ip, options) {
        words.text(&format!("{}:{}", group(ip.dst), ip.dst_port));
    }
}

fn spell(word: u64, _: &InstanceOptions) -> String {
    let name = match word >> 8 {
        1 => "icmp",
        2 => "igmp",
        _ => "icmpv6",
    };
    format!("{name}:{}", word & 0xff)
}

#[inline]
fn is_to_group(packet: &DevicePacket<'_, '_>, ip: &Ip<'_>, options: &InstanceOptions) -> bool {
    packet.packet.dst_mac.is_some_and(MacAddr::is_group)
        || ip.dst.is_multicast()
        || matches!(ip.dst, IpAddr::V4(address) if address.is_broadcast())
        || options.flow.local_nets.is_broadcast(ip.dst)
}

/// A group as every network has it: a broadcast address is that of one network, and a solicited-node address (RFC 4291
/// §2.7.1) holds a part of a host's.
fn group(address: IpAddr) -> String {
    match address {
        IpAddr::V6(group) if is_solicited_node(group) => "solicited-node".to_owned(),
        address if address.is_multicast() => address.to_string(),
        _ => "broadcast".to_owned(),
    }
}

fn is_solicited_node(group: Ipv6Addr) -> bool {
    group.octets().starts_with(&[0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff])
}

fn frame(frame: &NonIp<'_>, is_to_group: bool, words: &mut TrafficWords<'_>) {
    match frame.ether_type {
        ARP => words.text(&arp(frame.payload, is_to_group)),
        EAPOL => words.text(&format!("eapol:{}", frame.payload.get(1).copied().unwrap_or_default())),
        length if length < FIRST_TYPE => {}
        other => words.text(&format!("ethertype:{other:04x}")),
    }
}

/// `arp:1:group:probe`: operation, to whom, and whether it asks for an address before the host takes it (RFC 5227 §1.1) or
/// announces its own.
fn arp(payload: &[u8], is_to_group: bool) -> String {
    let operation = payload.get(6..8).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok());
    let operation = operation.map_or(0, u16::from_be_bytes);
    let to = if is_to_group { "group" } else { "unicast" };
    let address = |at: usize| payload.get(at..at + 4);
    let form = match (address(14), address(24)) {
        (Some([0, 0, 0, 0]), Some(_)) => ":probe",
        (Some(own), Some(asked)) if own == asked => ":gratuitous",
        _ => "",
    };
    format!("arp:{operation}:{to}{form}")
}
