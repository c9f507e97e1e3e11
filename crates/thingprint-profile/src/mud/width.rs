//! Entries joined where there are too many.

use std::collections::BTreeMap;

use super::draft::{DraftPeer, Drafter, Group, Use};

/// More addresses than these without a name, for one protocol and port, become an entry for any address: they are
/// taken from a pool, and a list of them tells nothing.
const MOST_ADDRESSES: usize = 64;

/// How far the entries of a written profile are widened. A file that is read has 16,384 entries and 4 MiB at most; where
/// what was seen takes more, the next width is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// As every profile: more than 64 addresses without a name, for one protocol and port, are any address.
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
            DraftPeer::Controller(_) | DraftPeer::Local | DraftPeer::Anyone => false,
        }
    }
}

impl Drafter<'_> {
    /// Makes one entry of those that are too many for this width. Widths are to be tried in order.
    pub(super) fn widen(&mut self, width: Width) {
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

/// Makes one use of those of all ports.
fn join_ports(ports: &mut BTreeMap<Option<u16>, Use>) {
    let mut joined = Use::default();
    for seen in std::mem::take(ports).into_values() {
        joined.join(seen);
        joined.spoken.clear();
    }
    ports.insert(None, joined);
}
