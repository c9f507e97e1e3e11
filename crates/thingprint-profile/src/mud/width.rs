//! Entries joined where there are too many.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{DraftPeer, Drafter, Group, Use};
use super::profile::Direction;

const UDP: u8 = 17;

/// More addresses than these without a name, for one protocol and port, become an entry for any address: they are
/// taken from a pool, and a list of them tells nothing.
const MOST_ADDRESSES: usize = 64;
/// More addresses than these without a name, by UDP between ports that are not given out by name, are peers of a device
/// that finds its like through a relay: there are others tomorrow, at other ports of both sides.
const MOST_PEERS: usize = 16;

/// How far the entries of a written profile are widened. A file that is read has 16,384 entries and 4 MiB at most; where
/// what was seen takes more, the next width is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// As every profile: more than 64 addresses without a name, for one protocol and port, are any address, and more than
    /// 16 by UDP at ports that are not given out by name are peers, of which the device may have any.
    Seen,
    /// More than 64 peers with a name are any address, too.
    ManyNames,
    /// All peers but local ones and controllers are any address.
    AnyAddress,
    /// And all ports are any port; protocols that were spoken are not named.
    AnyPort,
}

impl Width {
    /// Peers, for one protocol and port, that stay apart.
    const fn most_peers(self) -> usize {
        match self {
            Self::Seen | Self::ManyNames => MOST_ADDRESSES,
            Self::AnyAddress | Self::AnyPort => 0,
        }
    }

    /// Whether a peer may become any address.
    fn joins(self, peer: &DraftPeer) -> bool {
        match peer {
            DraftPeer::Address(prefix) => !prefix.is_group() || self >= Self::AnyAddress,
            DraftPeer::Name(_) => self >= Self::ManyNames,
            DraftPeer::Controller(_) | DraftPeer::Local | DraftPeer::Anyone | DraftPeer::Peers => false,
        }
    }
}

impl Drafter<'_> {
    /// Makes one entry of those that are too many for this width. Widths are to be tried in order.
    pub(super) fn widen(&mut self, width: Width) {
        self.join_peers();
        let mut peers: BTreeMap<(Group, Option<u16>), Vec<Group>> = BTreeMap::new();
        for (group, ports) in self.groups.iter().filter(|(group, _)| width.joins(&group.peer)) {
            let wide = Group { peer: DraftPeer::Anyone, ..group.clone() };
            for port in ports.keys() {
                peers.entry((wide.clone(), *port)).or_default().push(group.clone());
            }
        }
        for ((wide, port), groups) in peers {
            if groups.len() <= width.most_peers() {
                continue;
            }
            let mut joined = Use::default();
            for group in groups {
                let Some(ports) = self.groups.get_mut(&group) else { continue };
                joined.join(ports.remove(&port).unwrap_or_default());
            }
            // No name tells anyone.
            joined.evidence = None;
            self.groups.entry(wide).or_default().entry(port).or_default().join(joined);
        }
        if width == Width::AnyPort {
            self.groups.values_mut().for_each(join_ports);
        }
    }
}

impl Drafter<'_> {
    /// Makes one entry of those for the peers of a device that has more of them than are worth a list.
    fn join_peers(&mut self) {
        let is_peer = |group: &Group| {
            matches!(&group.peer, DraftPeer::Address(prefix) if !prefix.is_group()) && group.protocol == UDP
        };
        for is_ipv6 in [false, true] {
            let groups = self.groups.iter().filter(|(group, _)| group.is_ipv6 == is_ipv6 && is_peer(group));
            let uses =
                groups.flat_map(|(group, ports)| ports.iter().map(move |(port, seen)| (group, *port, seen)));
            let picked: Vec<(Group, Option<u16>)> = uses
                .filter(|(_, _, seen)| seen.picks_ports())
                .map(|(group, port, _)| (group.clone(), port))
                .collect();
            let peers: BTreeSet<&DraftPeer> = picked.iter().map(|(group, _)| &group.peer).collect();
            if peers.len() <= MOST_PEERS {
                continue;
            }
            let mut joined = Use::default();
            for (group, port) in picked {
                let Some(ports) = self.groups.get_mut(&group) else { continue };
                joined.join(ports.remove(&port).unwrap_or_default());
            }
            joined.evidence = None;
            let wide =
                Group { is_ipv6, peer: DraftPeer::Peers, protocol: UDP, initiated: Direction::FromDevice };
            self.groups.entry(wide).or_default().entry(None).or_default().join(joined);
        }
    }
}

/// Makes one use of those of all ports.
fn join_ports(ports: &mut BTreeMap<Option<u16>, Use>) {
    let mut joined = Use::default();
    for seen in std::mem::take(ports).into_values() {
        joined.join(seen);
        joined.spoken.clear();
    }
    ports.insert(None, joined);
}
