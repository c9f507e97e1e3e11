use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use thingprint_flow::DeviceIndex;

use super::contact::{Contact, ContactTally, FIRST_USER_PORT, Place, Service};
use super::controllers::{Controllers, Membership};
use super::label::{is_protocol_name, slug, systeminfo};
use super::names::{NameEvidence, Names};
use super::port::PortCondition;
use super::prefix::Prefix;
use super::profile::{
    AccessList, Action, Direction, Entry, ListKind, MudProfile, Network, Peer, TransportMatch,
};
use super::served::{own_port, served_ports};
use super::width::Width;

/// More ports than these on one peer become ranges: a protocol that picks its ports is not told by them.
const MOST_PORTS: usize = 16;
/// Of these, no more than so many near each other stay single.
const MOST_NEAR_PORTS: usize = 4;
/// Ports further apart than this are in no common range.
const MOST_PORT_GAP: u16 = 4096;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What a profile says besides what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MudOptions {
    /// The MUD URL; that which the device gave by DHCP, if it did.
    pub mud_url: String,
    /// When the profile is made: a `date-and-time` of RFC 6991, such as `2024-05-01T00:00:00Z`.
    pub last_update: String,
    /// For how many hours it is good, 1 to 168.
    pub cache_validity_h: u8,
    /// What the device is; also names the lists.
    pub label: String,
    /// Whether to allow what others sent to the device and it never answered, or refused by RSTs alone. That is nothing that the device does,
    /// and left out by default.
    pub with_unanswered: bool,
}

impl MudOptions {
    /// Options with the defaults of RFC 8520: good for 48 hours.
    pub fn new(label: &str, mud_url: &str, last_update: &str) -> Self {
        Self {
            mud_url: mud_url.to_owned(),
            last_update: last_update.to_owned(),
            cache_validity_h: 48,
            label: label.to_owned(),
            with_unanswered: false,
        }
    }
}

/// A profile written from traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MudDraft {
    /// The profile.
    pub profile: MudProfile,
    /// Entries that allow more than was seen, by list and entry: those for any address, since the device talked to more
    /// addresses without a name than are worth a list, and those for a range of ports or for any.
    pub widened: BTreeSet<(String, String)>,
    /// How far entries had to be widened for the file to be one that is read back.
    pub width: Width,
    /// Flows that the device never answered, or refused, and that are left out.
    pub unanswered_flows: u64,
}

/// Sorts the contacts of one device into entries.
#[derive(Debug)]
pub(super) struct Drafter<'n> {
    names: &'n Names,
    controllers: &'n Controllers,
    device: DeviceIndex,
    /// UDP ports at which the device serves.
    served: BTreeSet<u16>,
    pub(super) groups: BTreeMap<Group, BTreeMap<Option<u16>, Use>>,
    unanswered_flows: u64,
}

/// What entries of one peer have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) is_ipv6: bool,
    pub(super) peer: DraftPeer,
    pub(super) protocol: u8,
    pub(super) initiated: Direction,
}

/// How a peer is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DraftPeer {
    Controller(&'static str),
    Local,
    Name(String),
    Address(Prefix),
    Anyone,
    /// Anyone at a port that is not given out by name, from such a port of the device: peers of peers.
    Peers,
}

/// What was seen of one port.
#[derive(Clone, Debug, Default)]
pub(super) struct Use {
    is_sent: bool,
    is_received: bool,
    pub(super) spoken: BTreeSet<String>,
    pub(super) evidence: Option<NameEvidence>,
    /// Whether some flow was not by UDP between two ports that are not given out by name.
    has_known_port: bool,
}

impl<'n> Drafter<'n> {
    /// A drafter for the contacts of a device, which are added one by one.
    pub(super) fn new<'c>(
        names: &'n Names,
        controllers: &'n Controllers,
        device: DeviceIndex,
        contacts: impl Iterator<Item = (&'c Contact, &'c ContactTally)>,
    ) -> Self {
        let served = served_ports(contacts);
        Self { names, controllers, device, served, groups: BTreeMap::new(), unanswered_flows: 0 }
    }

    pub(super) fn add(&mut self, contact: &Contact, tally: &ContactTally, options: &MudOptions) {
        if tally.up_packets == 0 && !options.with_unanswered && !contact.is_dhcp_answer(tally) {
            self.unanswered_flows += tally.flows;
            return;
        }
        // The answers to what the device asks a single peer belong to it, also where none was seen.
        let is_answered = contact.place != Place::Group && contact.initiated == Direction::FromDevice;
        let (peers, evidence) = self.peers(contact);
        let (initiated, port) = self.served_port(contact, tally);
        for peer in peers {
            let is_ipv6 = contact.peer.is_ipv6();
            let group = Group { is_ipv6, peer, protocol: contact.protocol, initiated };
            let seen = self.groups.entry(group).or_default().entry(port).or_default();
            seen.is_sent |= tally.up_packets > 0;
            seen.is_received |= tally.down_packets > 0 || is_answered;
            seen.spoken.extend(tally.spoken.iter().cloned());
            seen.evidence = seen.evidence.max(evidence);
            seen.has_known_port |= !contact.picks_ports(tally);
        }
    }

    /// Who opened the flows of a contact, and the server's port. What the device sends by UDP from a port at which it
    /// serves belongs to that service, whatever port the peer picked.
    fn served_port(&self, contact: &Contact, tally: &ContactTally) -> (Direction, Option<u16>) {
        match own_port(contact, tally) {
            Some((own, _)) if self.served.contains(&own) => (Direction::ToDevice, Some(own)),
            _ => (contact.initiated, contact.server_port),
        }
    }

    /// How the peer of a contact is written; by each name, where it has several.
    fn peers(&self, contact: &Contact) -> (Vec<DraftPeer>, Option<NameEvidence>) {
        let is_asked = contact.initiated == Direction::FromDevice;
        let class = contact.service.filter(|_| is_asked).map(Service::controller);
        if let Some(class) = class
            && self.controllers.serves(class, contact) != Membership::No
        {
            return (vec![DraftPeer::Controller(class)], None);
        }
        match contact.place {
            Place::Local => (vec![DraftPeer::Local], None),
            Place::Group => (vec![DraftPeer::Address(group_prefix(contact.peer))], None),
            Place::Internet => {
                let (names, evidence) = self.names.of(self.device, contact);
                if names.is_empty() {
                    return (vec![DraftPeer::Address(Prefix::host(contact.peer))], None);
                }
                (names.into_iter().map(DraftPeer::Name).collect(), Some(evidence))
            }
        }
    }

    /// The narrowest draft that can be read back.
    pub(super) fn finish(mut self, options: &MudOptions) -> MudDraft {
        for width in [Width::Seen, Width::ManyNames, Width::AnyAddress] {
            self.widen(width);
            let draft = self.draft(width, options);
            if draft.profile.can_be_read() {
                return draft;
            }
        }
        self.widen(Width::AnyPort);
        self.draft(Width::AnyPort, options)
    }

    fn draft(&self, width: Width, options: &MudOptions) -> MudDraft {
        let slug = slug(&options.label);
        let mut lists: BTreeMap<(Direction, bool), AccessList> = BTreeMap::new();
        let mut widened = BTreeSet::new();
        for (group, ports) in &self.groups {
            for (condition, seen) in conditions(ports) {
                for direction in seen.directions() {
                    let list = lists
                        .entry((direction, group.is_ipv6))
                        .or_insert_with(|| empty_list(&slug, direction, group.is_ipv6));
                    let key = (list.name.clone(), format!("{}-{}", list.name, list.entries.len()));
                    if group.is_widened(condition, width) {
                        widened.insert(key.clone());
                    }
                    list.entries.push(group.entry(key.1, direction, condition, &seen));
                }
            }
        }
        let profile = profile(lists, options);
        MudDraft { profile, widened, width, unanswered_flows: self.unanswered_flows }
    }
}

impl Use {
    fn directions(&self) -> impl Iterator<Item = Direction> {
        let seen = [(self.is_sent, Direction::FromDevice), (self.is_received, Direction::ToDevice)];
        seen.into_iter().filter(|(is_seen, _)| *is_seen).map(|(_, direction)| direction)
    }

    pub(super) fn join(&mut self, other: Self) {
        self.is_sent |= other.is_sent;
        self.is_received |= other.is_received;
        self.spoken.extend(other.spoken);
        self.evidence = self.evidence.max(other.evidence);
        self.has_known_port |= other.has_known_port;
    }

    /// Whether this was seen between ports alone that are not given out by name.
    pub(super) const fn picks_ports(&self) -> bool {
        !self.has_known_port
    }
}

impl Group {
    /// Whether an entry for a port, or for any, allows more than was seen.
    fn is_widened(&self, port: Option<PortCondition>, width: Width) -> bool {
        let has_ports = matches!(self.protocol, TCP | UDP);
        let is_any_port = width == Width::AnyPort && has_ports && port.is_none();
        matches!(self.peer, DraftPeer::Anyone | DraftPeer::Peers)
            || is_any_port
            || matches!(port, Some(PortCondition::Range(..)))
    }

    fn entry(&self, name: String, direction: Direction, port: Option<PortCondition>, seen: &Use) -> Entry {
        let mut network =
            Network { is_ipv6: self.is_ipv6, protocol: Some(self.protocol), ..Network::default() };
        let (prefix, dns_name) = match direction {
            Direction::FromDevice => (&mut network.destination, &mut network.destination_name),
            Direction::ToDevice => (&mut network.source, &mut network.source_name),
        };
        let mut peers = Vec::new();
        match &self.peer {
            DraftPeer::Controller(class) => peers.push(Peer::Controller((*class).to_owned())),
            DraftPeer::Local => peers.push(Peer::LocalNetworks),
            DraftPeer::Name(name) => *dns_name = Some(name.clone()),
            DraftPeer::Address(address) => *prefix = Some(*address),
            DraftPeer::Anyone | DraftPeer::Peers => {}
        }
        Entry {
            name,
            peers,
            ethernet: None,
            network: Some(network),
            transport: self.transport(direction, port),
            unjudged: Vec::new(),
            action: Action::Accept,
            protocols: seen.spoken.iter().filter(|name| is_protocol_name(name)).cloned().collect(),
            name_evidence: seen.evidence.filter(|_| matches!(self.peer, DraftPeer::Name(_))),
        }
    }

    /// The server's port is the destination of what its client sends, and the source of the answers.
    fn transport(&self, direction: Direction, port: Option<PortCondition>) -> Option<TransportMatch> {
        if self.peer == DraftPeer::Peers {
            let picked = Some(PortCondition::Range(FIRST_USER_PORT, u16::MAX));
            return Some(TransportMatch::Udp { source: picked, destination: picked });
        }
        let (source, destination) = if direction == self.initiated { (None, port) } else { (port, None) };
        match self.protocol {
            TCP => Some(TransportMatch::Tcp { source, destination, initiated: Some(self.initiated) }),
            UDP => Some(TransportMatch::Udp { source, destination }),
            _ => None,
        }
    }
}

/// A condition for each port; of those that are not given out one by one, where they are many, one for each range in
/// which they lie near each other.
fn conditions(ports: &BTreeMap<Option<u16>, Use>) -> Vec<(Option<PortCondition>, Use)> {
    let is_picked = |port: &u16| *port >= FIRST_USER_PORT;
    let picked: Vec<u16> = ports.keys().copied().flatten().filter(is_picked).collect();
    let ranges = if picked.len() > MOST_PORTS { ranges(&picked) } else { Vec::new() };
    let mut conditions: Vec<(Option<PortCondition>, Use)> = Vec::new();
    let mut joined: BTreeMap<(u16, u16), Use> = BTreeMap::new();
    for (port, seen) in ports {
        let holds = |(low, high): &&(u16, u16)| port.is_some_and(|port| (*low..=*high).contains(&port));
        match ranges.iter().find(holds) {
            Some(range) => joined.entry(*range).or_default().join(seen.clone()),
            None => conditions.push((port.map(PortCondition::Equal), seen.clone())),
        }
    }
    let range = |((low, high), seen)| (Some(PortCondition::Range(low, high)), seen);
    conditions.extend(joined.into_iter().map(range));
    conditions
}

/// The ranges in which many of these ports, given in order, lie near each other.
fn ranges(ports: &[u16]) -> Vec<(u16, u16)> {
    let near = ports.chunk_by(|low, high| high - low <= MOST_PORT_GAP);
    let many = near.filter(|near| near.len() > MOST_NEAR_PORTS);
    many.filter_map(|near| Some((*near.first()?, *near.last()?))).collect()
}

/// The block that a group address is written by: all solicited-node addresses are one, since each is of another
/// device (RFC 4291 §2.7.1).
fn group_prefix(address: IpAddr) -> Prefix {
    let solicited_node = Prefix::new(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0).into(), 104);
    solicited_node.filter(|prefix| prefix.contains(address)).unwrap_or(Prefix::host(address))
}

fn empty_list(slug: &str, direction: Direction, is_ipv6: bool) -> AccessList {
    let (version, kind) = if is_ipv6 { ("ipv6", ListKind::Ipv6) } else { ("ipv4", ListKind::Ipv4) };
    let side = match direction {
        Direction::FromDevice => "from",
        Direction::ToDevice => "to",
    };
    AccessList { name: format!("{slug}-{side}-{version}"), kind: Some(kind), entries: Vec::new() }
}

fn profile(lists: BTreeMap<(Direction, bool), AccessList>, options: &MudOptions) -> MudProfile {
    let has = |is_used: fn(&Entry) -> bool| lists.values().flat_map(|list| &list.entries).any(is_used);
    let extensions = [
        (has(|entry| !entry.protocols.is_empty()), MudProfile::PROTOCOL_EXTENSION),
        (has(|entry| entry.name_evidence.is_some()), MudProfile::NAME_SOURCE_EXTENSION),
    ];
    let extensions = extensions.into_iter().filter(|(is_used, _)| *is_used);
    let extensions = extensions.map(|(_, name)| name.to_owned()).collect();
    let (mut from_device, mut to_device) = (Vec::new(), Vec::new());
    for ((direction, _), list) in lists {
        match direction {
            Direction::FromDevice => from_device.push(list),
            Direction::ToDevice => to_device.push(list),
        }
    }
    MudProfile {
        mud_version: 1,
        mud_url: options.mud_url.clone(),
        last_update: options.last_update.clone(),
        cache_validity_h: Some(options.cache_validity_h),
        is_supported: true,
        mud_signature: None,
        systeminfo: Some(systeminfo(&options.label)),
        mfg_name: None,
        model_name: None,
        firmware_rev: None,
        software_rev: None,
        documentation: None,
        extensions,
        from_device,
        to_device,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_picked_ports_become_a_range_and_others_stay() {
        let ports = |ports: &[u16]| ports.iter().map(|port| (Some(*port), Use::default())).collect();
        let written = |list: &[u16]| -> Vec<PortCondition> {
            conditions(&ports(list)).into_iter().filter_map(|(condition, _)| condition).collect()
        };
        assert_eq!(written(&[80, 9000]), [PortCondition::Equal(80), PortCondition::Equal(9000)]);
        let many: Vec<u16> = [80].into_iter().chain((0..17).map(|n| 40_000 + 10 * n)).collect();
        assert_eq!(written(&many), [PortCondition::Equal(80), PortCondition::Range(40_000, 40_160)]);
        let apart: Vec<u16> = [1883].into_iter().chain(60_001..=60_016).collect();
        assert_eq!(written(&apart), [PortCondition::Equal(1883), PortCondition::Range(60_001, 60_016)]);
    }

    #[test]
    fn solicited_node_addresses_are_one_block() {
        let check = |address: &str, expected: &str| {
            assert_eq!(group_prefix(address.parse().unwrap()).to_string(), expected);
        };
        check("ff02::1:ff12:3456", "ff02::1:ff00:0/104");
        check("ff02::fb", "ff02::fb/128");
        check("239.255.255.250", "239.255.255.250/32");
    }
}
