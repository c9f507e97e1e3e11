//! Packets that belong to no device, so that their flows are nowhere.

use thingprint_flow::{Gateways, Identity, Ip, LocalNets, MacAddr, Packet};

use crate::top_counts::TopCounts;

/// Senders that are remembered, those with most packets; a network has fewer.
const MOST_MACS: usize = 1 << 16;

/// IP packets that may belong to no device, by what decides over them.
#[derive(Clone, Debug)]
pub struct Unowned {
    local_nets: LocalNets,
    /// Packets of no device in traces whose devices are known: those between public addresses, and others.
    settled: (u64, u64),
    /// Neither address is private, whatever the MAC addresses.
    public: u64,
    /// The same, of those without any MAC address.
    public_without_mac: u64,
    /// There are MAC addresses, but none of one host.
    without_host: u64,
    /// All of one host; they belong to no device if that is the gateway.
    of_one_host: TopCounts<MacAddr>,
}

/// What decides whether a packet belongs to no device; the same for all packets between the same addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// Which of its addresses are inside, the sender's first.
    pub(crate) are_inside: [bool; 2],
    hosts: Hosts,
}

/// The hosts that the MAC addresses of a packet name.
#[derive(Clone, Copy, Debug)]
enum Hosts {
    /// There are no MAC addresses.
    Unnamed,
    None,
    One(MacAddr),
    Two,
}

impl Default for Unowned {
    fn default() -> Self {
        Self {
            local_nets: LocalNets::default(),
            settled: (0, 0),
            public: 0,
            public_without_mac: 0,
            without_host: 0,
            of_one_host: TopCounts::new(MOST_MACS),
        }
    }
}

impl Unowned {
    /// Of no packet yet, where the addresses of these networks are inside.
    pub fn with_local_nets(local_nets: LocalNets) -> Self {
        Self { local_nets, ..Self::default() }
    }

    /// What decides over the packets between these addresses.
    pub(crate) fn owner_of(&self, packet: &Packet<'_>, ip: &Ip<'_>) -> Owner {
        let are_inside = [self.local_nets.is_local(ip.src), self.local_nets.is_local(ip.dst)];
        if packet.src_mac.is_none() && packet.dst_mac.is_none() {
            return Owner { are_inside, hosts: Hosts::Unnamed };
        }
        let host = |mac: Option<MacAddr>| mac.filter(|mac| mac.is_host());
        let hosts = match (host(packet.src_mac), host(packet.dst_mac)) {
            (None, None) => Hosts::None,
            (Some(one), Some(other)) if one != other => Hosts::Two,
            (Some(mac), _) | (_, Some(mac)) => Hosts::One(mac),
        };
        Owner { are_inside, hosts }
    }

    /// Counts a packet.
    #[inline]
    pub(crate) fn count(&mut self, owner: Owner) {
        let is_public = owner.are_inside == [false, false];
        self.public += u64::from(is_public);
        match owner.hosts {
            Hosts::Two => {}
            Hosts::Unnamed => self.public_without_mac += u64::from(is_public),
            Hosts::None => self.without_host += 1,
            Hosts::One(mac) => self.of_one_host.add(mac, 1),
        }
    }

    /// Decides what belongs to no device, with the identity and the gateways of this trace.
    pub fn settle(&mut self, identity: Identity, gateways: &Gateways) {
        let settled = self.counts(identity, gateways);
        *self = Self { local_nets: std::mem::take(&mut self.local_nets), settled, ..Self::default() };
    }

    /// Adds those of another trace.
    pub fn merge(&mut self, other: &Self) {
        self.settled = (self.settled.0 + other.settled.0, self.settled.1 + other.settled.1);
        self.public += other.public;
        self.public_without_mac += other.public_without_mac;
        self.without_host += other.without_host;
        self.of_one_host.merge(&other.of_one_host);
    }

    /// How many packets belong to no device with this identity and these gateways: those between public addresses, and
    /// those whose MAC addresses are not of a single host.
    pub fn counts(&self, identity: Identity, gateways: &Gateways) -> (u64, u64) {
        let of_gateways = self.of_one_host.sum_of(|mac| gateways.contains(mac));
        let (public, others) = match identity {
            Identity::Ip => (self.public, 0),
            Identity::Mac => (self.public_without_mac, self.without_host + of_gateways),
        };
        (self.settled.0 + public, self.settled.1 + others)
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{Gateways, Identity, Ip, MacAddr, Packet, Timestamp};

    use super::Unowned;

    /// A packet between these hosts of the Internet, or of nobody's link addresses.
    fn look_at(unowned: &mut Unowned, macs: [Option<MacAddr>; 2]) {
        let ip = Ip::udp(([9, 9, 9, 9].into(), 1), ([8, 8, 8, 8].into(), 2), &[]);
        let [src_mac, dst_mac] = macs;
        let time = Timestamp::default();
        let packet = Packet { time, src_mac, dst_mac, wire_bytes: 74, ip: Some(ip), other: None };
        unowned.count(unowned.owner_of(&packet, &ip));
    }

    #[test]
    fn each_trace_has_its_own_identity() {
        let host = |number| Some(MacAddr::new([2, 0, 0, 0, 0, number]));
        let (mut by_mac, mut by_address) = (Unowned::default(), Unowned::default());
        look_at(&mut by_mac, [host(1), host(2)]);
        look_at(&mut by_address, [None, None]);
        by_mac.settle(Identity::Mac, &Gateways::default());
        by_address.settle(Identity::Ip, &Gateways::default());
        by_mac.merge(&by_address);
        // Two devices of the first trace talk to each other, whatever the second one is.
        for identity in [Identity::Mac, Identity::Ip] {
            assert_eq!(by_mac.counts(identity, &Gateways::default()), (1, 0));
        }
    }
}
