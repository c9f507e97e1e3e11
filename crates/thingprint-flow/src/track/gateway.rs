use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use crate::{MacAddr, Packet};

/// Counts who sends packets from the Internet: the gateway is the MAC address that sends most IPv4 packets with
/// a public source address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayVotes {
    votes: BTreeMap<MacAddr, u64>,
    // The sender of the last public packet, held back from the map: nearly always the next one's, too.
    latest: Option<(MacAddr, u64)>,
}

impl GatewayVotes {
    /// Counts one packet.
    #[inline]
    pub fn observe(&mut self, packet: &Packet<'_>) {
        let (Some(mac), Some(ip)) = (packet.src_mac, &packet.ip) else { return };
        let IpAddr::V4(src) = ip.src else { return };
        if !is_public(src) {
            return;
        }
        match &mut self.latest {
            Some((latest, count)) if *latest == mac => *count += 1,
            latest => {
                if let Some((mac, count)) = latest.replace((mac, 1)) {
                    *self.votes.entry(mac).or_default() += count;
                }
            }
        }
    }

    /// Public packets sent by each address.
    pub fn into_counts(mut self) -> BTreeMap<MacAddr, u64> {
        if let Some((mac, count)) = self.latest.take() {
            *self.votes.entry(mac).or_default() += count;
        }
        self.votes
    }
}

/// The gateway that the counts point at: the highest count, then the lowest address. Labelled devices and group
/// addresses never are it.
pub fn elect_gateway(counts: &BTreeMap<MacAddr, u64>, labelled: &BTreeSet<MacAddr>) -> Option<MacAddr> {
    counts
        .iter()
        .filter(|(mac, _)| !labelled.contains(mac) && !mac.is_group())
        .max_by_key(|&(mac, count)| (count, std::cmp::Reverse(mac)))
        .map(|(mac, _)| *mac)
}

/// Whether an IPv4 address is a host's on the Internet: none of "this network", private (RFC 1918), shared
/// (RFC 6598), loopback, link-local (RFC 3927), multicast or reserved.
fn is_public(addr: Ipv4Addr) -> bool {
    let [a, b, ..] = addr.octets();
    let is_shared = a == 100 && (b & 0xc0) == 64;
    !(a == 0 || a >= 224 || is_shared || addr.is_private() || addr.is_loopback() || addr.is_link_local())
}
