use crate::DeviceEntry;

/// Server ports of encrypted name resolution: DNS over TLS (RFC 7858) and over QUIC (RFC 9250).
const ENCRYPTED_DNS: [&str; 2] = ["tcp/853", "udp/853"];

/// What the place of a capture shows of the devices: whose traffic passes there, and in which directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vantage {
    /// Devices that sent anything.
    pub devices: u64,
    /// Devices whose packets to and from single hosts are there.
    pub both_ways: u64,
    /// Devices of which only packets to groups and broadcasts are there, as any port of a switch shows them.
    pub groups_only: u64,
    /// Devices that send to single hosts, and to which no packet comes.
    pub sends_only: u64,
    /// Names that were looked up in the clear.
    pub lookups: u64,
    /// Flows to servers of encrypted name resolution.
    pub encrypted_dns: u64,
}

impl Vantage {
    /// The vantage that an inventory shows.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a DeviceEntry>) -> Self {
        let mut vantage = Self::default();
        for entry in entries.into_iter().filter(|entry| entry.packets_up > 0) {
            vantage.devices += 1;
            let count = match (entry.unicast_up > 0, entry.packets_down > 0) {
                (true, true) => &mut vantage.both_ways,
                (true, false) => &mut vantage.sends_only,
                // What comes to a device that only speaks to groups are answers to them, seldom all of its traffic.
                (false, _) => &mut vantage.groups_only,
            };
            *count += 1;
            vantage.lookups += entry.names.values().sum::<u64>();
            let hidden = ENCRYPTED_DNS.iter().filter_map(|port| entry.server_ports.get(*port));
            vantage.encrypted_dns += hidden.sum::<u64>();
        }
        vantage
    }

    /// Whether most devices are seen by broadcasts alone, so that next to nothing is known of them.
    pub const fn is_switch_port(self) -> bool {
        self.groups_only * 2 > self.devices
    }

    /// Whether one direction of most devices that are seen at all is missing.
    pub const fn is_one_sided(self) -> bool {
        self.sends_only > self.both_ways
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use thingprint_flow::{MacAddr, Timestamp};

    use super::*;

    fn entry(unicast_up: u64, packets_down: u64) -> DeviceEntry {
        let times = (Timestamp::default(), Timestamp::default());
        let client = DeviceEntry::of_client(MacAddr::new([2, 0, 0, 0, 0, 1]), times);
        DeviceEntry { packets_up: 10, unicast_up, packets_down, ..client }
    }

    #[test]
    fn a_switch_port_without_mirroring_shows_broadcasts() {
        let vantage = Vantage::of(&[entry(0, 0), entry(0, 1), entry(5, 5)]);
        assert_eq!((vantage.devices, vantage.groups_only, vantage.both_ways), (3, 2, 1));
        assert!(vantage.is_switch_port() && !vantage.is_one_sided());
    }

    #[test]
    fn one_direction_of_a_tap_is_recognised() {
        let vantage = Vantage::of(&[entry(5, 0), entry(5, 0), entry(5, 5)]);
        assert!(vantage.is_one_sided() && !vantage.is_switch_port());
        let silent = DeviceEntry { packets_up: 0, ..entry(0, 0) };
        assert_eq!(Vantage::of(&[silent]), Vantage::default());
        assert!(!Vantage::default().is_switch_port() && !Vantage::default().is_one_sided());
    }

    #[test]
    fn encrypted_name_resolution_is_counted() {
        let ports =
            [("tcp/853", 3), ("udp/853", 1), ("udp/53", 9)].map(|(port, flows)| (port.to_owned(), flows));
        let names = BTreeMap::from([("a.example".to_owned(), 7)]);
        let vantage = Vantage::of(&[DeviceEntry { server_ports: ports.into(), names, ..entry(5, 5) }]);
        assert_eq!((vantage.lookups, vantage.encrypted_dns), (7, 4));
    }
}
