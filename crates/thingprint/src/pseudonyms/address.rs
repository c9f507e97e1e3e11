use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thingprint_flow::MacAddr;

use super::{Domain, Pseudonyms};

/// The private ranges of IPv4 and the shared one, with the number of their fixed bits: an address stays in its range.
const RANGES: [(Ipv4Addr, u32); 5] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
];

/// Where pseudonyms of public IPv4 addresses lie: the reserved range 240.0.0.0/4, which nobody has. The ranges of
/// documentation have 762 addresses, so that most networks would have several hosts in one.
const RESERVED: u32 = 0xF000_0000;

/// First half of the pseudonyms of global IPv6 addresses: `2001:db8::/32`, which is for documentation (RFC 3849).
const DOCUMENTATION: u64 = 0x2001_0db8_0000_0000;

/// First half of the pseudonyms of unique local addresses: `fd00::/8`.
const UNIQUE_LOCAL: u64 = 0xfd00_0000_0000_0000;

/// First half of link-local addresses.
const LINK_LOCAL: u64 = 0xfe80_0000_0000_0000;

/// The solicited-node groups: `ff02::1:ff00:0/104`.
const SOLICITED_NODE: u128 = 0xff02_0000_0000_0000_0000_0001_ff00_0000;

/// A MAC address that is locally administered and one host's. Groups stay what they are, but for those that end in a part of
/// a host's address.
pub(super) fn mac(by: &Pseudonyms, address: MacAddr) -> MacAddr {
    let octets = address.octets();
    // The group of the hosts whose IPv6 address ends in these three octets (RFC 2464 §7, RFC 4291 §2.7.1).
    if let [0x33, 0x33, 0xff, ..] = octets {
        let [fourth, fifth, last] = by.bytes(Domain::Mac, &octets);
        return MacAddr::new([0x33, 0x33, 0xff, fourth, fifth, last]);
    }
    if !address.is_host() {
        return address;
    }
    let [first, rest @ ..]: [u8; 6] = by.bytes(Domain::Mac, &octets);
    let [second, third, fourth, fifth, last] = rest;
    MacAddr::new([first & 0xfc | 0x02, second, third, fourth, fifth, last])
}

/// An IP address in the same kind of network. What is not one host's stays.
pub(super) fn ip(by: &Pseudonyms, address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => ipv4(by, address).into(),
        IpAddr::V6(address) => ipv6(by, address).into(),
    }
}

fn ipv4(by: &Pseudonyms, address: Ipv4Addr) -> Ipv4Addr {
    if address.is_unspecified() || address.is_loopback() || address.is_multicast() || address.is_broadcast() {
        return address;
    }
    let bits = address.to_bits();
    let fixed = RANGES.iter().find(|(range, fixed)| (bits ^ range.to_bits()) >> (32 - fixed) == 0);
    if let Some((_, fixed)) = fixed {
        return Ipv4Addr::from_bits(permuted(by, bits, *fixed));
    }
    let hash = u32::from_be_bytes(by.bytes(Domain::Address, &bits.to_be_bytes()));
    Ipv4Addr::from_bits(RESERVED | hash >> 4)
}

/// Turns each bit behind the fixed ones by a hash of those before it, as Crypto-PAn does (Xu et al., 2002): no two
/// addresses become one, and hosts of one subnet stay in one.
fn permuted(by: &Pseudonyms, bits: u32, fixed: u32) -> u32 {
    (fixed..32).fold(bits, |result, at| {
        let place = 31 - at;
        let before = if at == 0 { 0 } else { bits >> (32 - at) };
        let [first] = by.bytes(Domain::Bit, &[at.to_be_bytes(), before.to_be_bytes()].concat());
        result ^ u32::from(first & 1) << place
    })
}

fn ipv6(by: &Pseudonyms, address: Ipv6Addr) -> Ipv6Addr {
    if let Some(address) = address.to_ipv4_mapped() {
        return ipv4(by, address).to_ipv6_mapped();
    }
    if address.is_unspecified() || address.is_loopback() {
        return address;
    }
    let bits = address.to_bits();
    if address.is_multicast() {
        // The solicited-node group has the last three octets of a host's address (RFC 4291 §2.7.1).
        let is_of_host = bits >> 24 == SOLICITED_NODE >> 24;
        let [first, second, third] = by.bytes(Domain::Address, &bits.to_be_bytes());
        let host = u128::from(u32::from_be_bytes([0, first, second, third]));
        return if is_of_host { Ipv6Addr::from_bits(SOLICITED_NODE | host) } else { address };
    }
    let host = u64::from_be_bytes(by.bytes(Domain::Address, &bits.to_be_bytes()));
    let network = (bits >> 64).to_be_bytes();
    let hash = u64::from_be_bytes(by.bytes(Domain::Address, &network));
    let network = if address.is_unicast_link_local() {
        LINK_LOCAL
    } else if address.is_unique_local() {
        UNIQUE_LOCAL | hash >> 8
    } else {
        DOCUMENTATION | hash >> 32
    };
    Ipv6Addr::from_bits(u128::from(network) << 64 | u128::from(host))
}

/// The name under which DNS has the host of an address, with that of the pseudonym: `7.1.168.192.in-addr.arpa`.
pub(super) fn reverse_name(by: &Pseudonyms, text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if let Some(numbers) = name.strip_suffix(".in-addr.arpa") {
        let labels: Vec<&str> = numbers.split('.').collect();
        let mut reversed = labels.clone();
        reversed.reverse();
        let Ok(address) = reversed.join(".").parse::<Ipv4Addr>() else {
            // The name of a subnet, or a longer one that says who knows what.
            let of = by.name(numbers);
            return Some(format!("{of}.in-addr.arpa"));
        };
        let [a, b, c, d] = ipv4(by, address).octets();
        return Some(format!("{d}.{c}.{b}.{a}.in-addr.arpa"));
    }
    let digits: String = name.strip_suffix(".ip6.arpa")?.split('.').rev().collect();
    let address = (digits.len() == 32).then(|| u128::from_str_radix(&digits, 16).ok()).flatten();
    let Some(address) = address else { return Some(format!("{}.ip6.arpa", by.name(&digits))) };
    let digits = format!("{:032x}", ipv6(by, address.into()).to_bits());
    let labels: Vec<String> = digits.chars().rev().map(String::from).collect();
    Some(format!("{}.ip6.arpa", labels.join(".")))
}
