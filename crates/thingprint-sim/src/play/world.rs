use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::beat::Pulse;
use crate::home::{Home, Network, Trace};
use crate::profile::{Mac, Profile, Unit, Upnp};

/// What all devices of a home share and none of them changes.
pub(crate) struct World {
    pub(crate) network: Network,
    /// The time that the home is known for.
    pub(super) trace: Option<Trace>,
    /// When the simulation is over.
    pub(crate) end_ns: i64,
    pub(super) pulses: BTreeMap<String, Pulse>,
    pub(super) peers: BTreeMap<String, Peer>,
}

/// A device of the home, as others see it.
pub(super) struct Peer {
    pub(super) mac: Mac,
    pub(super) ip: Ipv4Addr,
    pub(super) ttl: u8,
    /// Its identity with its own UUID.
    pub(super) upnp: Option<Upnp>,
}

impl World {
    pub(crate) fn new(home: &Home, end_ns: i64) -> Self {
        let network = home.network.clone();
        let pulses = home
            .rhythms
            .iter()
            .map(|(name, rhythm)| (name.clone(), Pulse::new(rhythm, network.utc_offset_s)))
            .collect();
        let peers = home
            .units()
            .map(|(profile, unit)| (unit.name.clone(), Peer::new(profile, unit, &network)))
            .collect();
        Self { network, trace: home.trace, end_ns, pulses, peers }
    }

    /// The gateway's address in the home.
    pub(super) fn gateway_ip(&self) -> Ipv4Addr {
        host(&self.network, 1)
    }

    /// The address of everyone in the home.
    pub(super) fn broadcast_ip(&self) -> Ipv4Addr {
        host(&self.network, 255)
    }

    /// Whether an address lies in the home.
    pub(super) fn is_local(&self, ip: Ipv4Addr) -> bool {
        ip.octets()[..3] == self.network.prefix.octets()[..3]
    }
}

impl Peer {
    fn new(profile: &Profile, unit: &Unit, network: &Network) -> Self {
        let upnp = profile.upnp.clone().map(|upnp| Upnp { uuid: unit.fill_in(&upnp.uuid), ..upnp });
        Self { mac: unit.mac, ip: host(network, unit.host), ttl: profile.stack.ttl, upnp }
    }
}

/// An address of the home's network.
pub(super) fn host(network: &Network, last: u8) -> Ipv4Addr {
    let [a, b, c, _] = network.prefix.octets();
    Ipv4Addr::new(a, b, c, last)
}
