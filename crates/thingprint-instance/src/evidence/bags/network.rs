use std::net::{IpAddr, Ipv6Addr};

use thingprint_flow::{DevicePacket, NonIp, Transport};

use crate::evidence::bag::{BagDefinition, BagSource, WordCounter};
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
/// Words begin with an IP protocol or one of these, followed by so many bits.
const WHAT_BITS: u32 = 32;
const ARP_FRAME: u64 = 0x100;
const EAPOL_FRAME: u64 = 0x101;
const OTHER_FRAME: u64 = 0x102;
/// Flags of words about ARP, above the operation.
const TO_GROUP: u64 = 1 << 16;
const PROBE: u64 = 1 << 17;
const GRATUITOUS: u64 = 1 << 18;

/// Protocol and type of ICMP, IGMP and `ICMPv6`.
#[inline]
fn packet(packet: &DevicePacket<'_, '_>, options: &InstanceOptions, words: &mut WordCounter<'_>) {
    if !packet.is_sent {
        return;
    }
    let ip = packet.ip;
    if let Transport::Other(protocol @ (1 | IGMP | 58)) = ip.transport {
        if let Some(kind) = ip.payload.first() {
            words.number(u64::from(protocol) << WHAT_BITS | u64::from(*kind));
        }
    } else if packet.packet.is_to_group() || options.flow.local_nets.is_broadcast(ip.dst) {
        to_group(ip.dst, ip.dst_port, words);
    }
}

fn spell(word: u64, _: &InstanceOptions) -> String {
    let (what, low) = (word >> WHAT_BITS, word & 0xff);
    match what {
        ARP_FRAME => arp(word),
        EAPOL_FRAME => format!("eapol:{low}"),
        OTHER_FRAME => format!("ethertype:{:04x}", word & 0xffff),
        1 => format!("icmp:{low}"),
        2 => format!("igmp:{low}"),
        _ => format!("icmpv6:{low}"),
    }
}

fn to_group(address: IpAddr, port: u16, words: &mut WordCounter<'_>) {
    let mut count = |octets: &[u8]| {
        words.said("group", octets, || Some(format!("{}:{port}", group(address))));
    };
    let [high, low] = port.to_be_bytes();
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            count(&[a, b, c, d, high, low]);
        }
        IpAddr::V6(address) => {
            let mut key = [high; 18];
            key.iter_mut().zip(address.octets()).for_each(|(key, octet)| *key = octet);
            key[17] = low;
            count(&key);
        }
    }
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

fn frame(frame: &NonIp<'_>, is_to_group: bool, words: &mut WordCounter<'_>) {
    let (what, word) = match frame.ether_type {
        ARP => (ARP_FRAME, arp_fields(frame.payload) | if is_to_group { TO_GROUP } else { 0 }),
        EAPOL => (EAPOL_FRAME, frame.payload.get(1).copied().unwrap_or_default().into()),
        length if length < FIRST_TYPE => return,
        other => (OTHER_FRAME, other.into()),
    };
    words.number(what << WHAT_BITS | word);
}

/// The operation, and whether the host asks for an address before it takes it (RFC 5227 §1.1) or announces its own.
fn arp_fields(payload: &[u8]) -> u64 {
    let operation = payload.get(6..8).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok());
    let operation = operation.map_or(0, u16::from_be_bytes);
    let address = |at: usize| payload.get(at..at + 4);
    let form = match (address(14), address(24)) {
        (Some([0, 0, 0, 0]), Some(_)) => PROBE,
        (Some(own), Some(asked)) if own == asked => GRATUITOUS,
        _ => 0,
    };
    u64::from(operation) | form
}

/// `arp:1:group:probe`.
fn arp(word: u64) -> String {
    let to = if word & TO_GROUP == 0 { "unicast" } else { "group" };
    let form = match word & (PROBE | GRATUITOUS) {
        PROBE => ":probe",
        GRATUITOUS => ":gratuitous",
        _ => "",
    };
    format!("arp:{}:{to}{form}", word & 0xffff)
}
