//! Packets that belong to no device, so that their flows are nowhere.

use std::collections::BTreeMap;

use thingprint_flow::{Identity, Ip, MacAddr, Packet, is_private};

use crate::messages::{Say, counted};

/// A warning is due when more than one packet of so many belongs to no device.
const WARNING_SHARE: u64 = 10;
/// Senders that are remembered; a network has fewer.
const MOST_MACS: usize = 1 << 16;

/// IP packets that may belong to no device, by what decides over them.
#[derive(Debug, Default)]
pub(crate) struct Unowned {
    /// Neither address is private, whatever the MAC addresses.
    public: u64,
    /// The same, of those without any MAC address.
    public_without_mac: u64,
    /// There are MAC addresses, but none of one host.
    without_host: u64,
    /// All of one host; they belong to no device if that is the gateway.
    of_one_host: BTreeMap<MacAddr, u64>,
}

impl Unowned {
    /// Looks at a packet.
    pub(crate) fn look_at(&mut self, packet: &Packet<'_>, ip: &Ip<'_>) {
        let is_public = !is_private(ip.src) && !is_private(ip.dst);
        self.public += u64::from(is_public);
        if packet.src_mac.is_none() && packet.dst_mac.is_none() {
            self.public_without_mac += u64::from(is_public);
            return;
        }
        let host = |mac: &MacAddr| !mac.is_group() && mac.octets() != [0; 6];
        match (packet.src_mac.filter(host), packet.dst_mac.filter(host)) {
            (None, None) => self.without_host += 1,
            (Some(one), Some(other)) if one != other => {}
            (Some(mac), _) | (_, Some(mac)) => {
                if self.of_one_host.len() < MOST_MACS || self.of_one_host.contains_key(&mac) {
                    *self.of_one_host.entry(mac).or_default() += 1;
                }
            }
        }
    }

    /// Adds those of another trace.
    pub(crate) fn merge(&mut self, other: Self) {
        self.public += other.public;
        self.public_without_mac += other.public_without_mac;
        self.without_host += other.without_host;
        for (mac, packets) in other.of_one_host {
            *self.of_one_host.entry(mac).or_default() += packets;
        }
    }

    /// Says how many of `packets` belonged to no device, and why: a warning where they are many.
    pub(crate) fn report(
        &self,
        packets: u64,
        (identity, gateway): (Identity, Option<MacAddr>),
        messages: impl Say,
    ) {
        let of_gateway = gateway.and_then(|mac| self.of_one_host.get(&mac)).copied().unwrap_or(0);
        let by_address =
            "neither of their addresses is private, and devices are told by private IP addresses here";
        let (public, others) = match identity {
            Identity::Ip => (self.public, 0),
            Identity::Mac => (self.public_without_mac, self.without_host + of_gateway),
        };
        let by_mac = match gateway {
            Some(mac) => format!(
                "the gateway {mac} is no device (--gateway gives another), and nor is a group or no address"
            ),
            None => "their MAC addresses are of no single host".to_owned(),
        };
        for (count, why) in [(public, by_address), (others, by_mac.as_str())] {
            if count == 0 {
                continue;
            }
            let text = format!(
                "{} to no device: {why}",
                counted(count, "IP packet belonged", "IP packets belonged")
            );
            if count.saturating_mul(WARNING_SHARE) > packets {
                messages.warn(text);
            } else {
                messages.detail(text);
            }
        }
    }
}
