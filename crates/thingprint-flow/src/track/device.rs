use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::options::{FlowOptions, Identity};
use crate::{DeviceId, Ip, MacAddr, Packet};

/// Number of a device inside one tracker, in order of appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceIndex(u32);

impl DeviceIndex {
    /// The number as an index of a slice.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// The devices of a trace, and which of them a packet belongs to.
#[derive(Debug)]
pub(super) struct Devices {
    ids: Vec<DeviceId>,
    table: HashTable<u32>,
    hasher: RandomState,
    identity: Identity,
    gateway: Option<MacAddr>,
    max: usize,
    pub(super) dropped: u64,
}

impl Devices {
    pub(super) fn new(options: &FlowOptions) -> Self {
        Self {
            ids: Vec::new(),
            table: HashTable::new(),
            hasher: RandomState::default(),
            identity: options.identity,
            gateway: options.gateway,
            max: options.max_devices,
            dropped: 0,
        }
    }

    pub(super) fn ids(&self) -> &[DeviceId] {
        &self.ids
    }

    /// The devices that sent and that receive a packet.
    pub(super) fn of(&mut self, packet: &Packet<'_>, ip: &Ip<'_>) -> [Option<DeviceIndex>; 2] {
        let by_ip = self.identity == Identity::Ip || (packet.src_mac.is_none() && packet.dst_mac.is_none());
        let [sender, receiver] = if by_ip {
            [ip.src, ip.dst].map(|addr| is_private(addr).then_some(DeviceId::Ip(addr)))
        } else {
            [packet.src_mac, packet.dst_mac].map(|mac| self.mac_device(mac))
        };
        let sender = sender.and_then(|id| self.index(id));
        let receiver = receiver.and_then(|id| self.index(id));
        // A frame to oneself is one packet of one device.
        [sender, receiver.filter(|_| receiver != sender)]
    }

    fn mac_device(&self, mac: Option<MacAddr>) -> Option<DeviceId> {
        // All zeros is what loopback interfaces and some drivers write for "none".
        mac.filter(|mac| !mac.is_group() && Some(*mac) != self.gateway && mac.octets() != [0; 6])
            .map(DeviceId::Mac)
    }

    fn index(&mut self, id: DeviceId) -> Option<DeviceIndex> {
        let hash = self.hasher.hash_one(id);
        let found = self.table.find(hash, |&at| self.ids.get(at as usize) == Some(&id));
        if let Some(&at) = found {
            return Some(DeviceIndex(at));
        }
        if self.ids.len() >= self.max {
            self.dropped += 1;
            return None;
        }
        let at = u32::try_from(self.ids.len()).ok()?;
        self.ids.push(id);
        let (ids, hasher) = (&self.ids, &self.hasher);
        self.table.insert_unique(hash, at, |&at| hasher.hash_one(ids[at as usize]));
        Some(DeviceIndex(at))
    }
}

/// Whether an address is one that a device in a local network has: RFC 1918, RFC 3927, RFC 4193, RFC 4291 §2.5.6.
pub fn is_private(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => addr.is_private() || addr.is_link_local(),
        IpAddr::V6(addr) => addr.is_unique_local() || addr.is_unicast_link_local(),
    }
}
