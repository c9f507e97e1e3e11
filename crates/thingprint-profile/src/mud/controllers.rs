use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thingprint_flow::{DeviceIndex, FairMap, Flow};
use thingprint_protocol::{DhcpMessage, Heard, Message};

use super::contact::{Contact, Place};
use super::profile::MudProfile;

/// Addresses of all classes that are remembered, by the device that was told.
const MOST_ADDRESSES: usize = 4096;

/// DHCP options that hold the addresses of servers (RFC 2132), with their class; the last is what a DHCP server calls
/// itself (§9.7).
const SERVER_OPTIONS: [(u8, &str); 4] = [
    (6, MudProfile::DNS_CONTROLLER),
    (42, MudProfile::NTP_CONTROLLER),
    (3, MudProfile::GATEWAY_CONTROLLER),
    (54, MudProfile::DHCP_CONTROLLER),
];

/// Who serves the classes of controllers in a network.
#[derive(Clone, Debug)]
pub(super) struct Controllers {
    given: BTreeMap<String, BTreeSet<IpAddr>>,
    /// What each device was told.
    told: FairMap<(&'static str, IpAddr), ()>,
    /// How many devices were told an address.
    learned: BTreeMap<(&'static str, IpAddr), u32>,
}

impl Default for Controllers {
    fn default() -> Self {
        Self { given: BTreeMap::new(), told: FairMap::new(MOST_ADDRESSES), learned: BTreeMap::new() }
    }
}

/// Whether a peer is of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    /// It is: somebody said so, or DHCP did.
    Known,
    /// Neither somebody nor DHCP said who is, for this version of IP, and the peer is a local one.
    Assumed,
    /// It is not.
    No,
}

impl Controllers {
    /// Says who serves a class; from now on nobody is assumed to.
    pub(super) fn give(&mut self, class: String, address: IpAddr) {
        self.given.entry(class).or_default().insert(address);
    }

    /// Learns the servers that DHCP hands out.
    pub(super) fn hear(&mut self, flow: &Flow<Heard>) {
        for heard in &flow.state.messages {
            if let Message::Dhcp(message) = &heard.message
                && message.op == 2
            {
                self.learn(flow.device, message);
            }
        }
    }

    /// A device has a share of its own from now on.
    pub(super) fn establish(&mut self, device: DeviceIndex) {
        self.told.establish(device);
    }

    /// Addresses that a device was told and that found no room.
    pub(super) fn lost(&self, device: DeviceIndex) -> u64 {
        self.told.lost(device)
    }

    /// Forgets what a device was told.
    pub(super) fn forget(&mut self, device: DeviceIndex) {
        for (key, ()) in self.told.forget(device) {
            self.leave_out(key);
        }
    }

    fn learn(&mut self, device: DeviceIndex, message: &DhcpMessage) {
        for (code, class) in SERVER_OPTIONS {
            let option = message.options.iter().find(|option| option.code == code);
            for octets in option.map_or(&[][..], |option| option.value.as_slice()).as_chunks().0 {
                self.keep(device, (class, Ipv4Addr::from_octets(*octets).into()));
            }
        }
    }

    fn keep(&mut self, device: DeviceIndex, key: (&'static str, IpAddr)) {
        if self.told.use_mut(device, &key).is_none() {
            *self.learned.entry(key).or_default() += 1;
            for gone in self.told.insert(device, (key, ()), 1) {
                self.told.lose(gone.device, 1);
                self.leave_out(gone.key);
            }
        }
    }

    fn leave_out(&mut self, key: (&'static str, IpAddr)) {
        if let Entry::Occupied(mut devices) = self.learned.entry(key) {
            *devices.get_mut() -= 1;
            if *devices.get() == 0 {
                devices.remove();
            }
        }
    }

    /// The classes of which somebody is known to serve them, and who: those that were given, else those that DHCP names.
    pub(super) fn known(&self) -> impl Iterator<Item = (&str, IpAddr)> {
        let given =
            self.given.iter().flat_map(|(class, addresses)| addresses.iter().map(|of| (class.as_str(), *of)));
        let learned = self.learned.keys().filter(|(class, _)| !self.given.contains_key(*class));
        given.chain(learned.map(|(class, address)| (*class, *address)))
    }

    /// Whether the peer of a contact serves a class.
    pub(super) fn serves(&self, class: &str, contact: &Contact) -> Membership {
        if let Some(given) = self.given.get(class) {
            return if given.contains(&contact.peer) { Membership::Known } else { Membership::No };
        }
        let class = SERVER_OPTIONS.into_iter().map(|(_, class)| class).find(|known| *known == class);
        let has_any = class.is_some_and(|class| self.has_any(class, contact.peer.is_ipv6()));
        if has_any {
            let is_known = class.is_some_and(|class| self.learned.contains_key(&(class, contact.peer)));
            return if is_known { Membership::Known } else { Membership::No };
        }
        if contact.place == Place::Local { Membership::Assumed } else { Membership::No }
    }

    /// Whether any server of a class is known for a version of IP.
    fn has_any(&self, class: &'static str, is_ipv6: bool) -> bool {
        let first: IpAddr = if is_ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        let next = self.learned.range((class, first)..).next();
        next.is_some_and(|((of, address), _)| *of == class && address.is_ipv6() == is_ipv6)
    }
}
