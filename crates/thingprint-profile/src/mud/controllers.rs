use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use thingprint_flow::Flow;
use thingprint_protocol::{DhcpMessage, Heard, Message};

use super::contact::{Contact, Place};
use super::profile::MudProfile;

/// Addresses of a class that are remembered.
const MOST_ADDRESSES: usize = 1024;

/// DHCP options that hold the addresses of servers (RFC 2132), with their class; the last is what a DHCP server calls
/// itself (§9.7).
const SERVER_OPTIONS: [(u8, &str); 4] = [
    (6, MudProfile::DNS_CONTROLLER),
    (42, MudProfile::NTP_CONTROLLER),
    (3, MudProfile::GATEWAY_CONTROLLER),
    (54, MudProfile::DHCP_CONTROLLER),
];

/// Who serves the classes of controllers in a network.
#[derive(Clone, Debug, Default)]
pub(super) struct Controllers {
    given: BTreeMap<String, BTreeSet<IpAddr>>,
    learned: BTreeMap<&'static str, BTreeSet<IpAddr>>,
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
                self.learn(message);
            }
        }
    }

    fn learn(&mut self, message: &DhcpMessage) {
        for (code, class) in SERVER_OPTIONS {
            let option = message.options.iter().find(|option| option.code == code);
            let addresses = self.learned.entry(class).or_default();
            for octets in option.map_or(&[][..], |option| option.value.as_slice()).as_chunks().0 {
                if addresses.len() < MOST_ADDRESSES {
                    addresses.insert(Ipv4Addr::from_octets(*octets).into());
                }
            }
        }
    }

    /// The classes of which somebody is known to serve them, and who: those that were given, else those that DHCP names.
    pub(super) fn known(&self) -> impl Iterator<Item = (&str, &BTreeSet<IpAddr>)> {
        let given = self.given.iter().map(|(class, addresses)| (class.as_str(), addresses));
        let is_learned = |class: &&'static str| !self.given.contains_key(*class);
        let learned = self.learned.iter().filter(move |(class, _)| is_learned(class));
        given.chain(learned.map(|(class, addresses)| (*class, addresses)))
    }

    /// Whether the peer of a contact serves a class.
    pub(super) fn serves(&self, class: &str, contact: &Contact) -> Membership {
        if let Some(given) = self.given.get(class) {
            return if given.contains(&contact.peer) { Membership::Known } else { Membership::No };
        }
        let learned = self.learned.get(class).into_iter().flatten();
        let mut learned = learned.filter(|address| address.is_ipv6() == contact.peer.is_ipv6()).peekable();
        if learned.peek().is_some() {
            let is_known = learned.any(|address| *address == contact.peer);
            return if is_known { Membership::Known } else { Membership::No };
        }
        if contact.place == Place::Local { Membership::Assumed } else { Membership::No }
    }
}
