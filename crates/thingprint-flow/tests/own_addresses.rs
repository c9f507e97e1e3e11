//! Which addresses are a host's own, and of which it only forwards packets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::net::IpAddr;

use thingprint_flow::{Ip, MacAddr, NonIp, OwnAddresses, Packet, Timestamp, Transport};

const ROUTER: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);
const PLUG: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 2]);

fn packet<'a>(ip: Option<Ip<'a>>, other: Option<NonIp<'a>>) -> Packet<'a> {
    let time = Timestamp::from_nanos(0);
    Packet { time, src_mac: Some(ROUTER), dst_mac: Some(PLUG), wire_bytes: 60, ip, other }
}

fn ip<'a>((src, dst): (&str, &str), ttl: u8, payload: &'a [u8]) -> Ip<'a> {
    Ip { ttl, ..Ip::udp((src.parse().unwrap(), 67), (dst.parse().unwrap(), 68), payload) }
}

fn own(packets: &[Packet<'_>]) -> Vec<String> {
    let mut own = OwnAddresses::default();
    for packet in packets {
        own.observe(packet);
    }
    own.iter().map(|address| address.to_string()).collect()
}

fn arp(operation: u8, sender: MacAddr, address: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, operation];
    bytes.extend(sender.octets());
    bytes.extend(address);
    bytes.extend([0; 10]);
    bytes
}

/// The addresses after one ARP packet of the router.
fn own_by_arp(operation: u8, sender: MacAddr, address: [u8; 4]) -> Vec<String> {
    let bytes = arp(operation, sender, address);
    own(&[packet(None, Some(NonIp { ether_type: 0x0806, payload: &bytes }))])
}

#[test]
fn arp_claims_addresses_and_a_proxy_does_not() {
    assert_eq!(own_by_arp(2, ROUTER, [192, 168, 7, 1]), ["192.168.7.1"]);
    assert_eq!(own_by_arp(1, ROUTER, [198, 51, 100, 7]), ["198.51.100.7"]);
    assert!(own_by_arp(2, ROUTER, [198, 51, 100, 7]).is_empty(), "a proxy answers for the Internet");
    assert!(own_by_arp(1, ROUTER, [0; 4]).is_empty(), "a probe (RFC 5227) claims nothing");
    assert!(own_by_arp(2, PLUG, [192, 168, 7, 2]).is_empty(), "it names another host");
}

#[test]
fn forwarded_packets_have_lost_a_hop() {
    let sent = |src: &str, ttl| packet(Some(ip((src, "192.168.7.9"), ttl, &[])), None);
    assert_eq!(own(&[sent("192.168.7.1", 64), sent("192.168.8.5", 63)]), ["192.168.7.1"]);
    assert_eq!(own(&[sent("198.51.100.7", 64)]), [""; 0], "a server far away may begin with any TTL");
    let group = packet(Some(ip(("192.168.7.1", "224.0.0.251"), 1, &[])), None);
    assert_eq!(own(&[group]), ["192.168.7.1"]);
    let link_local = packet(Some(ip(("fe80::1", "fe80::9"), 3, &[])), None);
    assert_eq!(own(&[link_local]), ["fe80::1"]);
}

#[test]
fn neighbour_discovery_claims_global_addresses() {
    let mut advertisement = vec![136, 0, 0, 0, 0x60, 0, 0, 0];
    let target: IpAddr = "2001:db8:7::1".parse().unwrap();
    let IpAddr::V6(octets) = target else { unreachable!() };
    advertisement.extend(octets.octets());
    let icmp = Transport::Other(58);
    let claim = Ip { transport: icmp, ..ip(("fe80::1", "fe80::9"), 255, &advertisement) };
    let claim = packet(Some(claim), None);
    assert_eq!(own(&[claim, claim]), ["2001:db8:7::1", "fe80::1"]);
}

#[test]
fn a_dhcp_server_claims_its_identifier_unless_a_relay_passes_it_on() {
    let mut reply = vec![0; 236];
    reply[0] = 2;
    reply.extend([0x63, 0x82, 0x53, 0x63, 0, 53, 1, 2, 54, 4, 192, 168, 7, 1, 255]);
    let far = ("203.0.113.1", "255.255.255.255");
    assert_eq!(own(&[packet(Some(ip(far, 63, &reply)), None)]), ["192.168.7.1"]);
    for length in 0..reply.len() {
        let cut = own(&[packet(Some(ip(far, 63, &reply[..length])), None)]);
        assert_eq!(cut.is_empty(), length < reply.len() - 1, "{length} bytes");
    }
    reply[24..28].copy_from_slice(&[192, 168, 9, 1]);
    assert!(own(&[packet(Some(ip(far, 63, &reply)), None)]).is_empty());
}

#[test]
fn addresses_have_a_cap() {
    let mut own = OwnAddresses::default();
    for last in 0..200_u8 {
        own.observe(&packet(Some(ip((&format!("192.168.7.{last}"), "192.168.8.1"), 64, &[])), None));
    }
    assert_eq!(own.iter().count(), 64);
    assert!(own.contains("0.0.0.0".parse().unwrap()) && !own.contains("192.168.7.199".parse().unwrap()));
}
