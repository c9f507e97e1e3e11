use std::collections::BTreeSet;

use super::options::{FlowOptions, Identity};
use crate::{DeviceId, MacAddr, Packet, is_private};

/// Says which devices a packet belongs to.
#[derive(Clone, Debug)]
pub struct Identifier {
    identity: Identity,
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
        Self { identity: options.identity, gateways, only_gateway }
    }

    /// The devices that sent and that received a packet. A frame to oneself is one packet of one device.
    #[inline]
    pub fn ends_of(&self, packet: &Packet<'_>) -> Ends {
        let has_mac = packet.src_mac.is_some() || packet.dst_mac.is_some();
        let [sender, receiver] = match &packet.ip {
            Some(ip) if self.identity == Identity::Ip || !has_mac => {
                let device = |addr| is_private(addr).then_some(DeviceId::Ip(addr));
                [device(ip.src), device(ip.dst)]
            }
            None if self.identity == Identity::Ip => [None, None],
            _ => {
                let device = |mac: Option<MacAddr>| self.mac_device(mac?);
                [device(packet.src_mac), device(packet.dst_mac)]
            }
        };
        [sender, receiver.filter(|_| receiver != sender)]
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
