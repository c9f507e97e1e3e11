//! Packets that belong to no device, so that their flows are nowhere.

use std::collections::BTreeMap;

use thingprint_flow::{Gateways, Identity, Ip, LocalNets, MacAddr, Packet};

/// Senders that are remembered; a network has fewer.
const MOST_MACS: usize = 1 << 16;

/// IP packets that may belong to no device, by what decides over them.
#[derive(Clone, Debug, Default)]
pub struct Unowned {
    local_nets: LocalNets,
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
    /// Of no packet yet, where the addresses of these networks are inside.
    pub fn with_local_nets(local_nets: LocalNets) -> Self {
        Self { local_nets, ..Self::default() }
    }

    /// Looks at a packet.
    pub fn look_at(&mut self, packet: &Packet<'_>, ip: &Ip<'_>) {
        let is_public = !self.local_nets.is_local(ip.src) && !self.local_nets.is_local(ip.dst);
        self.public += u64::from(is_public);
        if packet.src_mac.is_none() && packet.dst_mac.is_none() {
            self.public_without_mac += u64::from(is_public);
            return;
        }
        let host = |mac: Option<MacAddr>| mac.filter(|mac| mac.is_host());
        match (host(packet.src_mac), host(packet.dst_mac)) {
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
    pub fn merge(&mut self, other: Self) {
        self.public += other.public;
        self.public_without_mac += other.public_without_mac;
        self.without_host += other.without_host;
        for (mac, packets) in other.of_one_host {
            *self.of_one_host.entry(mac).or_default() += packets;
        }
    }

    /// How many packets belong to no device with this identity and these gateways: those between public addresses, and
    /// those whose MAC addresses are not of a single host.
    pub fn counts(&self, identity: Identity, gateways: &Gateways) -> (u64, u64) {
        let of_gateways: u64 = self
            .of_one_host
            .iter()
            .filter(|(mac, _)| gateways.contains(**mac))
            .map(|(_, packets)| packets)
            .sum();
        match identity {
            Identity::Ip => (self.public, 0),
            Identity::Mac => (self.public_without_mac, self.without_host + of_gateways),
        }
    }
}
