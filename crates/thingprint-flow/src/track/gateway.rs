use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::gateway_evidence::{GatewayEvidence, MacEvidence};
use crate::MacAddr;

/// Addresses on the Internet that a MAC address both sends from and receives for when it forwards.
const FORWARDED_ADDRESSES: usize = 8;
/// Devices that the gateway answers for the Internet, where there are several.
const ANSWERED_DEVICES: usize = 2;

/// Decides which MAC addresses are gateways, and so no devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayPolicy {
    /// The gateways, if they are known; then nothing else is one.
    pub given: BTreeSet<MacAddr>,
    /// Whether there is no gateway, whatever the traffic looks like.
    pub is_none: bool,
    /// Devices that are known not to be a gateway, since they have a label.
    pub labelled: BTreeSet<MacAddr>,
}

/// The gateways of a network, each with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gateways(pub BTreeMap<MacAddr, GatewayReason>);

/// Why a MAC address is a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayReason {
    /// The user said so.
    Given,
    /// It sends from and receives for many addresses that are not local.
    Forwards,
    /// It sends router advertisements with a lifetime (RFC 4861 §4.2).
    Advertises,
    /// The address is one of VRRP (RFC 9568 §7.3), HSRP or GLBP.
    VirtualRouter,
    /// It never sends, and receives for addresses that are not local only.
    ReceivesOnly,
    /// It sends from most addresses that are not local, to two devices or more.
    MostSources,
    /// It sends most packets from addresses that are not local, to the only device.
    MostPackets,
}

impl GatewayReason {
    /// Its name, as JSON has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Forwards => "forwards",
            Self::Advertises => "advertises",
            Self::VirtualRouter => "virtual_router",
            Self::ReceivesOnly => "receives_only",
            Self::MostSources => "most_sources",
            Self::MostPackets => "most_packets",
        }
    }
}

impl fmt::Display for GatewayReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "as given",
            Self::Forwards => "it forwards packets from and to the Internet",
            Self::Advertises => "it sends router advertisements",
            Self::VirtualRouter => "it is the address of a virtual router",
            Self::ReceivesOnly => "it only receives, and for the Internet alone",
            Self::MostSources => "it sends from the most addresses of the Internet",
            Self::MostPackets => "it sends the most packets from the Internet",
        })
    }
}

impl Gateways {
    /// The addresses.
    pub fn macs(&self) -> BTreeSet<MacAddr> {
        self.0.keys().copied().collect()
    }

    /// Whether an address is a gateway's.
    pub fn contains(&self, mac: MacAddr) -> bool {
        self.0.contains_key(&mac)
    }

    /// Whether there is no gateway.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl GatewayPolicy {
    /// Whether the gateways are known without looking at traffic.
    pub fn is_settled(&self) -> bool {
        self.is_none || !self.given.is_empty()
    }

    /// The gateways by what was seen.
    pub fn decide(&self, evidence: &GatewayEvidence) -> Gateways {
        if self.is_none {
            return Gateways::default();
        }
        if !self.given.is_empty() {
            return Gateways(self.given.iter().map(|mac| (*mac, GatewayReason::Given)).collect());
        }
        let candidates = || evidence.iter().filter(|(mac, _)| !self.labelled.contains(mac));
        let most = most_forwarded(candidates());
        let found: BTreeMap<_, _> =
            candidates().filter_map(|(mac, seen)| Some((mac, reason(mac, seen, most)?))).collect();
        if !found.is_empty() {
            return Gateways(found);
        }
        let best = most_sources(candidates()).or_else(|| most_packets(candidates()));
        Gateways(best.into_iter().collect())
    }

    /// The same where some were decided before by less evidence: they stay, but for those that turn out to speak for themselves. The packets
    /// that made these gateways may be forged.
    pub fn decide_again(&self, before: Gateways, evidence: &GatewayEvidence) -> Gateways {
        let mut now = self.decide(evidence);
        for (mac, reason) in before.0 {
            let is_device = evidence.weight(mac).is_some_and(|weight| match reason {
                GatewayReason::Forwards => weight.turns_outside(),
                // Packets of its own may be answers that somebody asked it for; who forwards nothing has no other ones.
                GatewayReason::Advertises => {
                    weight.turns_outside() || weight.forwarded == 0 && weight.is_of_a_device(1)
                }
                GatewayReason::MostSources | GatewayReason::MostPackets => weight.is_behind_another(),
                GatewayReason::Given | GatewayReason::VirtualRouter | GatewayReason::ReceivesOnly => false,
            });
            if !is_device {
                now.0.entry(mac).or_insert(reason);
            }
        }
        now
    }
}

/// How many packets those send for others that forward, at most.
fn most_forwarded<'a>(candidates: impl Iterator<Item = (MacAddr, &'a MacEvidence)>) -> u64 {
    let forwarding = candidates.filter(|(_, seen)| forwards(seen).is_some());
    forwarding.map(|(_, seen)| seen.weight().forwarded).max().unwrap_or(0)
}

/// What makes an address a gateway by itself; `most` is how many packets those send for others that forward, at most.
fn reason(mac: MacAddr, seen: &MacEvidence, most: u64) -> Option<GatewayReason> {
    // A few packets are forged easily; a device that speaks for itself is not hidden by them.
    let role = forwards(seen).filter(|_| !seen.weight().is_of_a_device(most));
    let is_only_received_by = !seen.sends && seen.receives_for_others && !seen.receives_for_local;
    role.or_else(|| is_virtual_router(mac).then_some(GatewayReason::VirtualRouter))
        .or_else(|| is_only_received_by.then_some(GatewayReason::ReceivesOnly))
}

/// What it does for others that a gateway does.
fn forwards(seen: &MacEvidence) -> Option<GatewayReason> {
    if seen.forwarded() >= FORWARDED_ADDRESSES {
        return Some(GatewayReason::Forwards);
    }
    (seen.advertisements > 0).then_some(GatewayReason::Advertises)
}

/// A tie goes to the lowest address.
fn most_sources<'a>(
    candidates: impl Iterator<Item = (MacAddr, &'a MacEvidence)>,
) -> Option<(MacAddr, GatewayReason)> {
    candidates
        .filter(|(_, seen)| seen.answered.len() >= ANSWERED_DEVICES && !seen.weight().is_behind_another())
        .max_by_key(|(mac, seen)| (seen.sources(), std::cmp::Reverse(*mac)))
        .map(|(mac, _)| (mac, GatewayReason::MostSources))
}

fn most_packets<'a>(
    candidates: impl Iterator<Item = (MacAddr, &'a MacEvidence)>,
) -> Option<(MacAddr, GatewayReason)> {
    let senders: Vec<_> = candidates.filter(|(_, seen)| seen.packets > 0).collect();
    let forwarding = senders.iter().filter(|(_, seen)| !seen.weight().is_behind_another());
    let best = forwarding.max_by_key(|(mac, seen)| (seen.packets, std::cmp::Reverse(*mac)))?;
    // Whoever sends from a public address of its own is answered as well: that answer names no second device.
    let devices: BTreeSet<MacAddr> =
        senders.iter().flat_map(|(_, seen)| &seen.answered).copied().filter(|mac| *mac != best.0).collect();
    (devices.len() <= 1).then_some((best.0, GatewayReason::MostPackets))
}

/// VRRP (RFC 9568 §7.3), HSRP versions 1 and 2 for IPv4 and IPv6, and GLBP.
const fn is_virtual_router(mac: MacAddr) -> bool {
    match mac.octets() {
        [0x00, 0x00, 0x5e, 0x00, 0x01 | 0x02, _]
        | [0x00, 0x00, 0x0c, 0x07, 0xac, _]
        | [0x00, 0x07, 0xb4, 0x00, _, _] => true,
        [0x00, 0x00, 0x0c, 0x9f, high, _] => high >= 0xf0,
        [0x00, 0x05, 0x73, 0xa0, high, _] => high <= 0x0f,
        _ => false,
    }
}

/// Whether an address is a host's outside the local network: none of private (RFC 1918, RFC 4193), shared (RFC 6598),
/// loopback, link-local (RFC 3927, RFC 4291 §2.5.6), multicast, "this network" (0.0.0.0/8) and reserved (240.0.0.0/4).
#[inline]
pub(super) fn is_not_local(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => {
            let [a, b, ..] = addr.octets();
            let is_shared = a == 100 && (b & 0xc0) == 64;
            !(a == 0
                || a >= 224
                || is_shared
                || addr.is_private()
                || addr.is_loopback()
                || addr.is_link_local())
        }
        IpAddr::V6(addr) => {
            !(addr.is_unique_local()
                || addr.is_unicast_link_local()
                || addr.is_multicast()
                || addr == Ipv6Addr::LOCALHOST
                || addr == Ipv6Addr::UNSPECIFIED)
        }
    }
}
