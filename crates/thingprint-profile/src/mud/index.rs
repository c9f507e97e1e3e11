//! The entries of one policy, found by peer and port.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{Hit, Miss, Scene};
use super::port::PortCondition;
use super::prefix::Prefix;
use super::profile::{Action, Direction, Entry, Ethernet, Peer, TransportMatch};

/// An entry with its place among all of the profile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'p> {
    pub(super) place: usize,
    pub(super) list: &'p str,
    pub(super) entry: &'p Entry,
}

/// Finds what decides for a contact without a look at each entry: those that ask for other peers, or for another single
/// port, are passed over.
#[derive(Debug)]
pub(super) struct EntryIndex<'p> {
    entries: Vec<Placed<'p>>,
    groups: Vec<SamePeer<'p>>,
    by_prefix: BTreeMap<Prefix, Vec<usize>>,
    by_name: BTreeMap<&'p str, Vec<usize>>,
    /// Groups that ask for neither.
    others: Vec<usize>,
    /// Lengths of prefixes.
    bits: BTreeSet<u8>,
    /// The first entry of each protocol.
    firsts: BTreeMap<ProtocolKey, usize>,
}

/// The conditions of an entry on the other side's addresses.
type PeerKey<'p> = (&'p [Peer], Option<&'p Ethernet>, Option<Prefix>, Option<&'p str>);
/// The conditions on protocols: `EtherType`, version of IP and protocol, header after it.
type ProtocolKey = (Option<u16>, Option<(bool, Option<u8>)>, Option<u8>);

/// Entries of the same conditions on the other side, as places in the list of entries, in order.
#[derive(Debug, Default)]
struct SamePeer<'p> {
    /// The first entry of each protocol.
    firsts: BTreeMap<ProtocolKey, usize>,
    by_destination: BTreeMap<u16, Vec<usize>>,
    by_source: BTreeMap<u16, Vec<usize>>,
    /// Entries without a single port.
    others: Vec<usize>,
    /// What is there already: a second entry of the same conditions never decides.
    known: BTreeSet<(Option<TransportMatch>, ProtocolKey, bool)>,
    first: Option<&'p Entry>,
}

impl Placed<'_> {
    /// The entry as `list/entry`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.list, self.entry.name)
    }
}

impl<'p> EntryIndex<'p> {
    /// An index of the entries of one policy, in the order of the file.
    pub(super) fn new(direction: Direction, entries: Vec<Placed<'p>>) -> Self {
        let mut index = Self {
            entries: Vec::new(),
            groups: Vec::new(),
            by_prefix: BTreeMap::new(),
            by_name: BTreeMap::new(),
            others: Vec::new(),
            bits: BTreeSet::new(),
            firsts: BTreeMap::new(),
        };
        let mut known: BTreeMap<PeerKey<'p>, usize> = BTreeMap::new();
        for (at, placed) in entries.iter().enumerate() {
            index.firsts.entry(protocol_key(placed.entry)).or_insert(at);
            let key = peer_key(placed.entry, direction);
            let group = *known.entry(key).or_insert_with(|| index.new_group(key));
            if let Some(group) = index.groups.get_mut(group) {
                group.add(at, placed.entry);
            }
        }
        index.entries = entries;
        index
    }

    fn new_group(&mut self, (_, _, prefix, name): PeerKey<'p>) -> usize {
        let group = self.groups.len();
        self.groups.push(SamePeer::default());
        match (prefix, name) {
            (Some(prefix), _) => {
                self.bits.insert(prefix.bits());
                self.by_prefix.entry(prefix).or_default().push(group);
            }
            (None, Some(name)) => self.by_name.entry(name).or_default().push(group),
            (None, None) => self.others.push(group),
        }
        group
    }

    /// Whether an entry asks for a peer by its name.
    pub(super) fn asks_for_names(&self) -> bool {
        !self.by_name.is_empty()
    }

    /// The first entry that matches; if none does, what the nearest misses, which is the first of those that miss least.
    pub(super) fn decide(&self, scene: &Scene<'_>) -> Result<(Placed<'p>, Hit), (Miss, Option<Placed<'p>>)> {
        let open = self.open_groups(scene);
        let mut near: Vec<usize> = open.iter().flat_map(|group| group.near(scene)).collect();
        near.sort_unstable();
        let mut initiator = None;
        for placed in near.into_iter().filter_map(|at| self.entries.get(at)) {
            match scene.judge(placed.entry) {
                Ok(hit) => return Ok((*placed, hit)),
                Err(Miss::Initiator) => initiator = initiator.or(Some(*placed)),
                Err(_) => {}
            }
        }
        if initiator.is_some() {
            return Err((Miss::Initiator, initiator));
        }
        if let Some(at) = open.iter().filter_map(|group| self.first(&group.firsts, scene)).min() {
            return Err((Miss::Port, self.entries.get(at).copied()));
        }
        match self.first(&self.firsts, scene) {
            Some(at) => Err((Miss::Peer, self.entries.get(at).copied())),
            None => Err((Miss::Protocol, self.entries.first().copied())),
        }
    }

    /// The first entry for the protocol of a contact, of the first ones of each.
    fn first(&self, firsts: &BTreeMap<ProtocolKey, usize>, scene: &Scene<'_>) -> Option<usize> {
        let is_met = |at: &usize| self.entries.get(*at).is_some_and(|it| scene.is_protocol(it.entry));
        firsts.values().copied().filter(is_met).min()
    }

    /// The groups whose conditions on the other side hold.
    fn open_groups(&self, scene: &Scene<'_>) -> Vec<&SamePeer<'p>> {
        let prefixes = self.bits.iter().filter_map(|bits| Prefix::new(scene.contact.peer, *bits));
        let by_prefix = prefixes.filter_map(|prefix| self.by_prefix.get(&prefix)).flatten();
        let names = scene.names.known(scene.device, scene.contact);
        let by_name = names.filter_map(|name| self.by_name.get(name)).flatten();
        let asked: BTreeSet<&usize> = by_prefix.chain(by_name).chain(&self.others).collect();
        let groups = asked.into_iter().filter_map(|group| self.groups.get(*group));
        groups.filter(|group| group.first.is_some_and(|entry| scene.is_side(entry))).collect()
    }
}

impl<'p> SamePeer<'p> {
    fn add(&mut self, at: usize, entry: &'p Entry) {
        self.first.get_or_insert(entry);
        let protocol = protocol_key(entry);
        self.firsts.entry(protocol).or_insert(at);
        if !self.known.insert((entry.transport, protocol, entry.action == Action::Accept)) {
            return;
        }
        let (source, destination) = match entry.transport {
            Some(
                TransportMatch::Tcp { source, destination, .. } | TransportMatch::Udp { source, destination },
            ) => (source, destination),
            Some(TransportMatch::Icmp { .. }) | None => (None, None),
        };
        match (source, destination) {
            (_, Some(PortCondition::Equal(port))) => self.by_destination.entry(port).or_default().push(at),
            (Some(PortCondition::Equal(port)), _) => self.by_source.entry(port).or_default().push(at),
            _ => self.others.push(at),
        }
    }

    /// The entries whose single port, if they ask for one, is one of the contact's.
    fn near(&self, scene: &Scene<'_>) -> impl Iterator<Item = usize> {
        let (sender, receiver) = scene.sender_receiver();
        let by_destination = self.by_destination.range(receiver.low..=receiver.high);
        let by_source = self.by_source.range(sender.low..=sender.high);
        let single = by_destination.chain(by_source).flat_map(|(_, entries)| entries);
        single.chain(&self.others).copied()
    }
}

fn peer_key(entry: &Entry, direction: Direction) -> PeerKey<'_> {
    let network = entry.network.as_ref();
    let (prefix, name) = match direction {
        Direction::FromDevice => {
            (network.and_then(|it| it.destination), network.and_then(|it| it.destination_name.as_deref()))
        }
        Direction::ToDevice => {
            (network.and_then(|it| it.source), network.and_then(|it| it.source_name.as_deref()))
        }
    };
    (&entry.peers, entry.ethernet.as_ref(), prefix, name)
}

fn protocol_key(entry: &Entry) -> ProtocolKey {
    let ethertype = entry.ethernet.as_ref().and_then(|header| header.ethertype);
    let transport = entry.transport.map(|header| match header {
        TransportMatch::Tcp { .. } => 0,
        TransportMatch::Udp { .. } => 1,
        TransportMatch::Icmp { .. } => 2,
    });
    (ethertype, entry.network.as_ref().map(|header| (header.is_ipv6, header.protocol)), transport)
}

#[cfg(test)]
mod tests;
