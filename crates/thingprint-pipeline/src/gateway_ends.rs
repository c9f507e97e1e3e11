use std::collections::BTreeMap;
use std::net::IpAddr;

use thingprint_flow::{DeviceId, Ends, FlowOptions, Identity, LocalNets, MacAddr, OwnAddresses, Packet};

/// Takes gateways for ends of packets that they may have at an address of their own: local ones, and those they claimed.
///
/// What they forward from and to the Internet is half of all traffic, and stays out so. What they forward between local
/// networks does not; shards tell that apart, since they know all addresses of their hosts by then.
#[derive(Debug)]
pub(crate) struct GatewayEnds {
    gateways: BTreeMap<MacAddr, OwnAddresses>,
    local_nets: LocalNets,
}

impl GatewayEnds {
    /// For the gateways of these options; there are none where addresses stand for devices.
    pub(crate) fn new(flow: &FlowOptions) -> Self {
        let macs = flow.gateways.iter().filter(|_| flow.identity == Identity::Mac);
        let gateways = macs.map(|mac| (*mac, OwnAddresses::default())).collect();
        Self { gateways, local_nets: flow.local_nets.clone() }
    }

    /// Adds gateways to the ends of a packet.
    #[inline]
    pub(crate) fn add_to(&mut self, ends: &mut Ends, packet: &Packet<'_>) {
        let [sender, receiver] = ends;
        if sender.is_none() {
            *sender = self.sender(packet);
        }
        if receiver.is_none() && packet.dst_mac != packet.src_mac {
            *receiver = self.receiver(packet);
        }
    }

    fn sender(&mut self, packet: &Packet<'_>) -> Option<DeviceId> {
        let mac = packet.src_mac?;
        let own = self.gateways.get_mut(&mac)?;
        own.observe(packet);
        let is_end = packet.ip.is_none_or(|ip| is_candidate(&self.local_nets, own, ip.src));
        is_end.then_some(DeviceId::Mac(mac))
    }

    fn receiver(&self, packet: &Packet<'_>) -> Option<DeviceId> {
        let mac = packet.dst_mac?;
        let own = self.gateways.get(&mac)?;
        let is_end = packet.ip.is_none_or(|ip| is_candidate(&self.local_nets, own, ip.dst));
        is_end.then_some(DeviceId::Mac(mac))
    }
}

fn is_candidate(local_nets: &LocalNets, own: &OwnAddresses, address: IpAddr) -> bool {
    local_nets.is_local(address) || own.contains(address)
}
