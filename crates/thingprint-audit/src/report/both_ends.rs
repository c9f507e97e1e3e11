use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use thingprint_flow::{Flow, is_private};

/// Addresses of devices, and of peers, that are remembered; flows between others count twice where both ends are audited.
const MOST_ADDRESSES: usize = 1 << 16;

/// Which flows are seen by both of their ends, so that a sum over devices counts them twice.
#[derive(Debug, Default)]
pub(crate) struct BothEnds {
    /// Addresses of whoever has flows.
    locals: BTreeSet<IpAddr>,
    /// Flows by the address of the peer, where it may be a device.
    by_peer: BTreeMap<IpAddr, u64>,
}

impl BothEnds {
    /// Takes in a flow of a device or a gateway.
    pub(crate) fn note<S>(&mut self, flow: &Flow<S>) {
        let (local, peer) = (flow.local.addr, flow.peer.addr);
        if self.locals.len() < MOST_ADDRESSES {
            self.locals.insert(local);
        }
        let may_be_device = is_private(peer) || self.locals.contains(&peer);
        if may_be_device && (self.by_peer.len() < MOST_ADDRESSES || self.by_peer.contains_key(&peer)) {
            *self.by_peer.entry(peer).or_default() += 1;
        }
    }

    /// How many flows were seen by both ends.
    pub(crate) fn flows(&self) -> u64 {
        let seen = self.by_peer.iter().filter(|(peer, _)| self.locals.contains(peer));
        seen.map(|(_, flows)| flows).sum::<u64>() / 2
    }
}
