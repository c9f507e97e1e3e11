use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use thingprint_flow::{LocalNets, MacAddr, Timestamp};

/// Most IP addresses, and most link addresses, that are remembered; of more, the half that was seen least is forgotten.
const MAX_ADDRESSES: usize = 1 << 20;
/// Most changes of the owner of one IP address; the earliest give way, and are counted.
const MAX_OWNERS: usize = 1 << 12;
/// A link address that so many networks outside stand behind is that of a gateway: IPv4 addresses, and /64 networks of IPv6,
/// since a host may have several addresses of one.
const NETWORKS_OF_A_GATEWAY: usize = 3;

/// Which link address an IP address had when, and which link addresses forward packets of others.
#[derive(Debug, Default)]
pub(crate) struct AddressBook {
    local_nets: LocalNets,
    owners: BTreeMap<IpAddr, Seen<Vec<(Timestamp, MacAddr)>>>,
    /// The networks outside that each link address sent from or received for.
    behind: BTreeMap<MacAddr, Seen<BTreeSet<IpAddr>>>,
    given: Option<BTreeSet<MacAddr>>,
    /// Addresses and changes for which there was no room.
    pub(crate) dropped: u64,
}

/// What is remembered of an address, and how often that was seen: an address that is made up is seen once.
#[derive(Debug)]
struct Seen<T> {
    what: T,
    times: u32,
}

impl<T> Seen<T> {
    const fn once(what: T) -> Self {
        Self { what, times: 1 }
    }

    fn again(&mut self) -> &mut T {
        self.times = self.times.saturating_add(1);
        &mut self.what
    }
}

impl AddressBook {
    /// A book in which nothing is noted; `gateways` are those that are known, an empty set where there is none, and `None`
    /// where traffic is to show them.
    pub(crate) fn new(local_nets: LocalNets, gateways: Option<BTreeSet<MacAddr>>) -> Self {
        Self { local_nets, given: gateways, ..Self::default() }
    }

    /// A host with an IP address sent or received with a link address.
    pub(crate) fn seen(&mut self, time: Timestamp, address: IpAddr, mac: MacAddr) {
        // A host may have addresses of IPv6 that are none of a network that is known to be inside.
        if self.is_inside(address) || is_one_host(address) && address.is_ipv6() {
            self.own(time, address, mac);
        }
        if is_one_host(address) && !self.is_inside(address) {
            if let Some(networks) = self.behind.get_mut(&mac).map(Seen::again) {
                if networks.len() < NETWORKS_OF_A_GATEWAY {
                    networks.insert(network(address));
                }
            } else {
                self.dropped += make_room(&mut self.behind);
                self.behind.insert(mac, Seen::once(BTreeSet::from([network(address)])));
            }
        }
    }

    /// A host has an address from a time on.
    pub(crate) fn own(&mut self, time: Timestamp, address: IpAddr, mac: MacAddr) {
        let Some(owners) = self.owners.get_mut(&address).map(Seen::again) else {
            self.dropped += make_room(&mut self.owners);
            self.owners.insert(address, Seen::once(vec![(time, mac)]));
            return;
        };
        let at = owners.partition_point(|(since, _)| *since <= time);
        let before = at.checked_sub(1).and_then(|before| owners.get(before));
        if before.is_none_or(|(_, owner)| *owner != mac) {
            owners.insert(at, (time, mac));
        }
        if owners.len() > MAX_OWNERS {
            // Whoever claims an address again and again takes away what was long ago, and not who has it later.
            owners.remove(0);
            self.dropped += 1;
        }
    }

    /// The owner of an address at a time; before the first that is known, that one.
    pub(crate) fn owner(&self, address: IpAddr, time: Timestamp) -> Option<MacAddr> {
        let owners = &self.owners.get(&address)?.what;
        let at = owners.partition_point(|(since, _)| *since <= time).saturating_sub(1);
        owners.get(at).map(|(_, mac)| *mac)
    }

    /// Whether a link address is that of a gateway, which is no device.
    pub(crate) fn is_gateway(&self, mac: MacAddr) -> bool {
        match &self.given {
            Some(given) => given.contains(&mac),
            None => self.behind.get(&mac).is_some_and(|seen| seen.what.len() >= NETWORKS_OF_A_GATEWAY),
        }
    }

    /// The gateways.
    pub(crate) fn gateways(&self) -> Vec<MacAddr> {
        match &self.given {
            Some(given) => given.iter().copied().collect(),
            None => self.behind.keys().copied().filter(|mac| self.is_gateway(*mac)).collect(),
        }
    }

    /// Whether any link address is known.
    pub(crate) fn has_link_addresses(&self) -> bool {
        !self.owners.is_empty() || !self.behind.is_empty()
    }

    /// Whether an address is that of one host inside.
    pub(crate) fn is_inside(&self, address: IpAddr) -> bool {
        is_one_host(address) && self.local_nets.is_local(address) && !self.local_nets.is_broadcast(address)
    }
}

/// Forgets the half of full entries that was seen least, of these the higher keys; returns how many.
fn make_room<K: Copy + Ord, T>(entries: &mut BTreeMap<K, Seen<T>>) -> u64 {
    if entries.len() < MAX_ADDRESSES {
        return 0;
    }
    let mut order: Vec<(Reverse<u32>, K)> =
        entries.iter().map(|(key, seen)| (Reverse(seen.times), *key)).collect();
    order.sort_unstable();
    let forgotten = order.split_off(order.len() / 2);
    for (_, key) in &forgotten {
        entries.remove(key);
    }
    forgotten.len() as u64
}

fn is_one_host(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(address.is_multicast() || address.is_unspecified() || address.is_loopback() || is_broadcast)
}

/// An IPv4 address, or the /64 network of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(last: u8) -> MacAddr {
        MacAddr::new([2, 0, 0, 0, 0, last])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn an_address_has_the_owner_of_its_time() {
        let mut book = AddressBook::new(LocalNets::default(), None);
        let address: IpAddr = "192.168.1.7".parse().unwrap();
        // In any order, and more than once.
        for (time, last) in [(300, 3), (100, 1), (200, 1), (310, 3)] {
            book.seen(at(time), address, mac(last));
        }
        for (time, last) in [(0, 1), (100, 1), (299, 1), (300, 3), (9999, 3)] {
            assert_eq!(book.owner(address, at(time)), Some(mac(last)), "{time}");
        }
        assert_eq!(book.owner("192.168.1.8".parse().unwrap(), at(0)), None);
    }

    #[test]
    fn an_address_that_two_claim_by_turns_has_its_later_owner() {
        let mut book = AddressBook::new(LocalNets::default(), None);
        let address: IpAddr = "192.168.1.7".parse().unwrap();
        let claims = 10 * i64::try_from(MAX_OWNERS).unwrap();
        for time in 0..claims {
            book.own(at(time), address, mac(if time % 2 == 0 { 8 } else { 9 }));
        }
        book.own(at(claims), address, mac(1));
        assert_eq!(book.owner(address, at(claims + 5)), Some(mac(1)));
        assert!(book.dropped > 0);
    }

    #[test]
    fn made_up_addresses_take_no_owner_of_an_address_that_is_seen_again() {
        let mut book = AddressBook::new(LocalNets::default(), None);
        // The highest of all, which would go first.
        let (address, gateway) = (IpAddr::from([10, 255, 255, 255]), mac(255));
        for number in 0..u32::try_from(MAX_ADDRESSES).unwrap() * 5 / 4 {
            let [_, b, c, d] = number.to_be_bytes();
            book.seen(at(0), IpAddr::from([10, b, c, d]), MacAddr::new([2, 0, 0, b, c, d]));
            book.seen(at(0), IpAddr::from([9, 9, 9, 9]), MacAddr::new([2, 0, 0, b, c, d]));
            if number % 300_000 == 0 {
                book.seen(at(0), address, mac(7));
                for outside in [1, 2, 3] {
                    book.seen(at(0), IpAddr::from([8, 8, 8, outside]), gateway);
                }
            }
        }
        assert_eq!((book.owner(address, at(9)), book.is_gateway(gateway)), (Some(mac(7)), true));
        assert!(book.owners.len() <= MAX_ADDRESSES && book.behind.len() <= MAX_ADDRESSES);
        assert!(book.dropped >= MAX_ADDRESSES as u64, "{}", book.dropped);
    }

    #[test]
    fn who_stands_for_networks_outside_is_a_gateway() {
        let mut book = AddressBook::new(LocalNets::default(), None);
        for address in ["8.8.8.8", "9.9.9.9", "1.1.1.1"] {
            book.seen(at(0), address.parse().unwrap(), mac(1));
        }
        // A host with addresses of its own provider, and with groups.
        for address in
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "224.0.0.251", "ff02::1", "255.255.255.255"]
        {
            book.seen(at(0), address.parse().unwrap(), mac(2));
        }
        assert_eq!(book.gateways(), [mac(1)]);
        let given = AddressBook::new(LocalNets::default(), Some(BTreeSet::from([mac(2)])));
        assert!(given.is_gateway(mac(2)) && !given.is_gateway(mac(1)));
    }
}
