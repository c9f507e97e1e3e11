//! Whether one entry matches one half of a contact's flows.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use thingprint_flow::DeviceIndex;

use super::contact::{Contact, Place};
use super::controllers::{Controllers, Membership};
use super::names::{NameEvidence, Names};
use super::port::{Among, PortSpan};
use super::profile::{Action, Direction, Entry, Ethernet, MudProfile, Network, Peer, TransportMatch};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// The first thing that an entry misses, the one furthest from a match first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Miss {
    /// Another version of IP, or another protocol.
    Protocol,
    /// Another peer.
    Peer,
    /// Another port.
    Port,
    /// The right connection, opened by the other side.
    Initiator,
}

/// One half of a contact's flows, with what is known around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) names: &'a Names,
    pub(super) controllers: &'a Controllers,
    pub(super) device: DeviceIndex,
    pub(super) contact: &'a Contact,
    /// Ports of the client.
    pub(super) client_ports: PortSpan,
    pub(super) direction: Direction,
}

/// What a match rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) evidence: Option<NameEvidence>,
    pub(super) assumed: Vec<String>,
}

impl Entry {
    /// Whether a packet of IP can match.
    pub(super) fn may_match_ip(&self) -> bool {
        let ethertype = self.ethernet.as_ref().and_then(|header| header.ethertype);
        ethertype.is_none_or(|ethertype| matches!(ethertype, ETHERTYPE_IPV4 | ETHERTYPE_IPV6))
    }
}

impl Scene<'_> {
    /// Whether an entry matches; if not, what it misses first.
    pub(super) fn judge(&self, entry: &Entry) -> Result<Hit, Miss> {
        let mut hit = Hit { evidence: None, assumed: entry.unjudged.clone() };
        let is_met = self.is_protocol(entry);
        is_met.then_some(()).ok_or(Miss::Protocol)?;
        self.meets_side(entry, &mut hit).then_some(()).ok_or(Miss::Peer)?;
        if let Some(header) = entry.transport {
            self.is_transport(header, entry.action, &mut hit)?;
        }
        Ok(hit)
    }

    /// Whether the conditions of an entry on the other side hold.
    pub(super) fn is_side(&self, entry: &Entry) -> bool {
        self.meets_side(entry, &mut Hit::default())
    }

    fn meets_side(&self, entry: &Entry, hit: &mut Hit) -> bool {
        entry.peers.iter().all(|peer| self.is_peer(peer, hit))
            && entry.ethernet.as_ref().is_none_or(|header| self.is_ethernet(header, hit))
            && entry.network.as_ref().is_none_or(|header| self.is_network(header, hit))
    }

    /// Whether the conditions of an entry on protocols hold.
    pub(super) fn is_protocol(&self, entry: &Entry) -> bool {
        let is_ipv6 = self.contact.peer.is_ipv6();
        let ethertype = entry.ethernet.as_ref().and_then(|header| header.ethertype);
        let wanted = if is_ipv6 { ETHERTYPE_IPV6 } else { ETHERTYPE_IPV4 };
        let fits_network = entry.network.as_ref().is_none_or(|header| {
            header.is_ipv6 == is_ipv6
                && header.protocol.is_none_or(|protocol| protocol == self.contact.protocol)
        });
        let fits_transport = match entry.transport {
            None => true,
            Some(TransportMatch::Tcp { .. }) => self.contact.protocol == TCP,
            Some(TransportMatch::Udp { .. }) => self.contact.protocol == UDP,
            Some(TransportMatch::Icmp { .. }) => matches!(self.contact.protocol, ICMP | ICMP_V6),
        };
        ethertype.is_none_or(|ethertype| ethertype == wanted) && fits_network && fits_transport
    }

    fn is_peer(&self, peer: &Peer, hit: &mut Hit) -> bool {
        let is_local = self.contact.place == Place::Local;
        let assumption = match peer {
            // Profiles write multicast addresses as a part of the local networks, too.
            Peer::LocalNetworks => return self.contact.place != Place::Internet,
            Peer::Controller(class) => return self.is_controller(class, &format!("controller {class}"), hit),
            Peer::MyController => {
                let class = MudProfile::MY_CONTROLLER;
                return self.is_controller(class, class, hit);
            }
            Peer::Manufacturer(host) => format!("manufacturer {host}"),
            Peer::SameManufacturer => "same-manufacturer".to_owned(),
            Peer::Model(uri) => format!("model {uri}"),
        };
        hit.assumed.push(assumption);
        is_local
    }

    fn is_controller(&self, class: &str, assumption: &str, hit: &mut Hit) -> bool {
        match self.controllers.serves(class, self.contact) {
            Membership::Known => true,
            Membership::No => false,
            Membership::Assumed => {
                hit.assumed.push(assumption.to_owned());
                true
            }
        }
    }

    /// Frames to all are told by the IP address: broadcast, multicast, or the last one of a small network.
    fn is_ethernet(&self, header: &Ethernet, hit: &mut Hit) -> bool {
        let addresses = [&header.destination, &header.source];
        hit.assumed.extend(addresses.into_iter().flatten().map(|address| format!("eth {address}")));
        let to_all =
            header.destination.as_deref().is_some_and(|mac| mac.eq_ignore_ascii_case("ff:ff:ff:ff:ff:ff"));
        let is_directed = match self.contact.peer {
            IpAddr::V4(address) => self.contact.place == Place::Local && address.octets()[3] == 255,
            IpAddr::V6(_) => false,
        };
        let is_broadcast = self.contact.peer == IpAddr::V4(Ipv4Addr::BROADCAST) || is_directed;
        !to_all || self.direction == Direction::ToDevice || is_broadcast
    }

    fn is_network(&self, header: &Network, hit: &mut Hit) -> bool {
        let (own, peer) = match self.direction {
            Direction::FromDevice => {
                ((header.source, &header.source_name), (header.destination, &header.destination_name))
            }
            Direction::ToDevice => {
                ((header.destination, &header.destination_name), (header.source, &header.source_name))
            }
        };
        hit.assumed.extend(own.0.map(|prefix| format!("the device in {prefix}")));
        hit.assumed.extend(own.1.as_ref().map(|name| format!("the device is {name}")));
        if peer.0.is_some_and(|prefix| !prefix.contains(self.contact.peer)) {
            return false;
        }
        let Some(name) = peer.1 else { return true };
        hit.evidence = self.names.evidence(self.device, self.contact, name);
        hit.evidence.is_some()
    }

    fn is_transport(&self, header: TransportMatch, action: Action, hit: &mut Hit) -> Result<(), Miss> {
        let (source, destination, initiated) = match header {
            TransportMatch::Tcp { source, destination, initiated } => (source, destination, initiated),
            TransportMatch::Udp { source, destination } => (source, destination, None),
            TransportMatch::Icmp { .. } => return Ok(()),
        };
        let (sender, receiver) = self.sender_receiver();
        for (condition, span) in [(source, sender), (destination, receiver)] {
            let Some(condition) = condition else { continue };
            match condition.among(span) {
                Among::All => {}
                // Not all ports of the client are remembered one by one: an entry that lets pass gets the benefit of the
                // doubt, one that refuses does not.
                Among::Some if action == Action::Accept => hit.assumed.push("ports of the client".to_owned()),
                Among::Some | Among::None => return Err(Miss::Port),
            }
        }
        let fits = initiated.is_none_or(|direction| direction == self.contact.initiated);
        fits.then_some(()).ok_or(Miss::Initiator)
    }

    /// Ports of who sends and who receives.
    pub(super) fn sender_receiver(&self) -> (PortSpan, PortSpan) {
        let (client, server) = (self.client_ports, PortSpan::one(self.contact.server_port.unwrap_or(0)));
        let is_forth = self.direction == self.contact.initiated;
        if is_forth { (client, server) } else { (server, client) }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Protocol => "no entry for this protocol",
            Self::Peer => "no entry for this peer",
            Self::Port => "no entry for this port",
            Self::Initiator => "opened by the wrong side",
        })
    }
}
