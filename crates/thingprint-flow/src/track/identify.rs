use std::collections::BTreeSet;

use super::options::{FlowOptions, Identity};
use crate::{DeviceId, Ip, LocalNets, MacAddr, Packet};

/// Says which devices a packet belongs to.
#[derive(Clone, Debug)]
pub struct Identifier {
    identity: Identity,
    local_nets: LocalNets,
    gateways: BTreeSet<MacAddr>,
    // Nearly every network has one gateway.
    only_gateway: Option<MacAddr>,
}

/// The devices that sent and that received a packet.
pub type Ends = [Option<DeviceId>; 2];

impl Identifier {
    /// An identifier by these options.
    pub fn new(options: &FlowOptions) -> Self {
        let gateways = options.gateways.clone();
        let only_gateway = gateways.first().copied().filter(|_| gateways.len() == 1);
        let FlowOptions { identity, local_nets, .. } = options;
        Self { identity: *identity, local_nets: local_nets.clone(), gateways, only_gateway }
    }

    /// The devices that sent and that received a packet. A frame to oneself is one packet of one device.
    #[inline]
    pub fn ends_of(&self, packet: &Packet<'_>) -> Ends {
        let has_mac = packet.src_mac.is_some() || packet.dst_mac.is_some();
        let [sender, receiver] = match &packet.ip {
            Some(ip) if self.identity == Identity::Ip || !has_mac => self.ends_by_address(packet, ip),
            None if self.identity == Identity::Ip => [None, None],
            _ => {
                let device = |mac: Option<MacAddr>| self.mac_device(mac?);
                [device(packet.src_mac), device(packet.dst_mac)]
            }
        };
        [sender, receiver.filter(|_| receiver != sender)]
    }

    /// The device at the other end of a packet, if there is one; nothing where both ends are the same.
    #[expect(
        clippy::option_option,
        reason = "no other end, and another end that is no device, are two things"
    )]
    pub(super) fn peer_of(
        &self,
        own: DeviceId,
        packet: &Packet<'_>,
        ip: &Ip<'_>,
    ) -> Option<Option<DeviceId>> {
        let is_loop = packet.src_mac.is_some() && packet.src_mac == packet.dst_mac || ip.src == ip.dst;
        let [sender, receiver] = self.ends_of(packet);
        (!is_loop).then_some(if sender == Some(own) { receiver } else { sender })
    }

    /// The hosts inside; what goes to many is received by none of them.
    fn ends_by_address(&self, packet: &Packet<'_>, ip: &Ip<'_>) -> Ends {
        let host = |addr| self.local_nets.is_local(addr).then_some(DeviceId::Ip(addr));
        let is_broadcast =
            packet.dst_mac.is_some_and(MacAddr::is_group) || self.local_nets.is_broadcast(ip.dst);
        [host(ip.src), host(ip.dst).filter(|_| !is_broadcast)]
    }

    #[inline]
    fn mac_device(&self, mac: MacAddr) -> Option<DeviceId> {
        (mac.is_host() && !self.is_gateway(mac)).then_some(DeviceId::Mac(mac))
    }

    #[inline]
    fn is_gateway(&self, mac: MacAddr) -> bool {
        match self.only_gateway {
            Some(gateway) => mac == gateway,
            None => self.gateways.contains(&mac),
        }
    }
}
