use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Prefix;

/// The network that rules are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportNetwork {
    /// Blocks of local addresses.
    local: BTreeSet<Prefix>,
    /// Who serves each class of controllers.
    controllers: BTreeMap<String, BTreeSet<IpAddr>>,
}

impl Default for ExportNetwork {
    /// A network of private and link-local addresses (RFC 1918, RFC 3927, RFC 4193, RFC 4291 §2.5.6), of which no
    /// controller is known.
    fn default() -> Self {
        let v4 = [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([169, 254, 0, 0], 16)];
        let v4 = v4.into_iter().map(|(octets, bits)| (IpAddr::from(Ipv4Addr::from_octets(octets)), bits));
        let v6 = [(0xfc00, 7), (0xfe80, 10)];
        let v6 = v6.into_iter().map(|(first, bits)| (Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0).into(), bits));
        let local = v4.chain(v6).filter_map(|(address, bits)| Prefix::new(address, bits)).collect();
        Self { local, controllers: BTreeMap::new() }
    }
}

impl ExportNetwork {
    /// Adds a block of local addresses.
    pub fn add_local(&mut self, block: Prefix) {
        self.local.insert(block);
    }

    /// Adds somebody who serves a class of controllers.
    pub fn add_controller(&mut self, class: &str, address: IpAddr) {
        self.controllers.entry(class.to_owned()).or_default().insert(address);
    }

    /// The blocks of local addresses of a version of IP, none within another one.
    pub(super) fn local(&self, is_ipv6: bool) -> Vec<Prefix> {
        Prefix::widest(self.local.iter().copied().filter(|block| block.is_ipv6() == is_ipv6))
    }

    /// Whether an address is one of the local networks.
    pub(super) fn is_local(&self, address: IpAddr) -> bool {
        self.local.iter().any(|block| block.contains(address))
    }

    /// Who serves a class, by a version of IP; empty where nobody is known to.
    pub(super) fn controllers(&self, class: &str, is_ipv6: bool) -> Vec<Prefix> {
        let known = self.controllers.get(class).into_iter().flatten();
        known.filter(|address| address.is_ipv6() == is_ipv6).map(|address| Prefix::host(*address)).collect()
    }
}
