use std::collections::BTreeMap;

use thingprint_flow::{GatewayEvidence, GatewayPolicy, LocalNets, MacAddr, Packet};

/// Hosts that are remembered.
const MOST_HOSTS: usize = 1 << 16;

/// Whether captures are of several networks: gateways whose devices never exchange a packet.
#[derive(Debug, Default)]
pub struct NetworkSurvey {
    evidence: GatewayEvidence,
    places: BTreeMap<MacAddr, usize>,
    /// For each host another one of the same network, or itself.
    parents: Vec<usize>,
}

impl NetworkSurvey {
    /// A survey of no packet yet, for which the addresses of these networks are inside.
    pub fn with_local_nets(local_nets: LocalNets) -> Self {
        Self { evidence: GatewayEvidence::with_local_nets(local_nets), ..Self::default() }
    }

    /// Takes a packet; those of all captures are of one survey.
    pub fn observe(&mut self, packet: &Packet<'_>) {
        self.evidence.observe(packet);
        let host = |mac: Option<MacAddr>| mac.filter(|mac| mac.is_host());
        let (Some(sender), Some(receiver)) = (host(packet.src_mac), host(packet.dst_mac)) else { return };
        if let (Some(one), Some(other)) = (self.place(sender), self.place(receiver)) {
            let (one, other) = (self.shorten(one), self.shorten(other));
            if let Some(parent) = self.parents.get_mut(one) {
                *parent = other;
            }
        }
    }

    /// The gateways of each network, where there are several networks; else nothing.
    pub fn gateways(&self, policy: &GatewayPolicy) -> Vec<Vec<MacAddr>> {
        let mut networks: BTreeMap<usize, Vec<MacAddr>> = BTreeMap::new();
        for mac in policy.decide(&self.evidence).macs() {
            if let Some(place) = self.places.get(&mac) {
                networks.entry(self.root(*place)).or_default().push(mac);
            }
        }
        let mut networks: Vec<_> = networks.into_values().collect();
        networks.sort();
        if networks.len() < 2 { Vec::new() } else { networks }
    }

    /// Says that there are several networks, and what keeps them apart; `None` where there is one.
    pub fn in_words(&self, policy: &GatewayPolicy) -> Option<String> {
        let networks = self.gateways(policy);
        let gateways: Vec<String> = networks.iter().flatten().map(ToString::to_string).collect();
        (!networks.is_empty()).then(|| {
            format!(
                "the packets are of {} networks, whose devices never exchange any (gateways {}): --network-by of extract, devices and \
                 flows keeps them apart; other commands read one network at a time",
                networks.len(),
                gateways.join(", ")
            )
        })
    }

    fn place(&mut self, mac: MacAddr) -> Option<usize> {
        if let Some(place) = self.places.get(&mac) {
            return Some(*place);
        }
        let place = self.parents.len();
        if place >= MOST_HOSTS {
            return None;
        }
        self.places.insert(mac, place);
        self.parents.push(place);
        Some(place)
    }

    /// The root of a place, to which the way gets half as long.
    fn shorten(&mut self, mut place: usize) -> usize {
        while let Some(&parent) = self.parents.get(place).filter(|parent| **parent != place) {
            let Some(&next) = self.parents.get(parent) else { break };
            if let Some(parent) = self.parents.get_mut(place) {
                *parent = next;
            }
            place = next;
        }
        place
    }

    fn root(&self, mut place: usize) -> usize {
        while let Some(parent) = self.parents.get(place).filter(|parent| **parent != place) {
            place = *parent;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{GatewayPolicy, Ip, MacAddr, Packet, Timestamp};

    use super::NetworkSurvey;

    const fn mac(number: u8) -> MacAddr {
        MacAddr::new([2, 0, 0, 0, 0, number])
    }

    /// Packets of a device through its gateway, both ways, with twelve hosts of the Internet.
    fn talk(survey: &mut NetworkSurvey, device: u8, gateway: u8) {
        for host in 1..=12 {
            let (inside, outside) = ([192, 168, 1, device].into(), [52, 0, 0, host].into());
            for (from, to, src, dst) in
                [(device, gateway, inside, outside), (gateway, device, outside, inside)]
            {
                let ip = Ip::udp((src, 1), (dst, 2), &[]);
                survey.observe(&Packet {
                    time: Timestamp::default(),
                    src_mac: Some(mac(from)),
                    dst_mac: Some(mac(to)),
                    wire_bytes: 74,
                    ip: Some(ip),
                    other: None,
                });
            }
        }
    }

    #[test]
    fn gateways_whose_devices_never_speak_to_each_other_are_of_several_networks() {
        let mut survey = NetworkSurvey::default();
        talk(&mut survey, 1, 100);
        talk(&mut survey, 2, 100);
        assert!(survey.gateways(&GatewayPolicy::default()).is_empty());
        talk(&mut survey, 3, 200);
        assert_eq!(survey.gateways(&GatewayPolicy::default()), [vec![mac(100)], vec![mac(200)]]);
    }

    #[test]
    fn two_gateways_of_one_device_are_of_one_network() {
        let mut survey = NetworkSurvey::default();
        talk(&mut survey, 1, 100);
        talk(&mut survey, 3, 200);
        talk(&mut survey, 3, 100);
        assert!(survey.gateways(&GatewayPolicy::default()).is_empty());
    }
}
