use std::collections::BTreeSet;

use thingprint_flow::DeviceId;
use thingprint_report::Labels;

use crate::messages::counted;

/// Devices without a label that are told apart; addresses cost nothing to make up.
const MOST_DEVICES: usize = 1 << 16;

/// The devices of rows that were written, while there are not too many, and all that have a label.
#[derive(Clone, Debug, Default)]
pub(crate) struct DevicesSeen {
    labelled: BTreeSet<DeviceId>,
    others: BTreeSet<DeviceId>,
    /// Whether there are more of the others.
    has_more: bool,
}

impl DevicesSeen {
    /// Sees a device.
    pub(crate) fn see(&mut self, device: DeviceId, labels: &Labels) {
        if labels.has(device) {
            self.labelled.insert(device);
        } else if self.others.len() < MOST_DEVICES {
            self.others.insert(device);
        } else if !self.has_more {
            self.has_more = !self.others.contains(&device);
        }
    }

    /// Those that have a label, and others, so that every kind of address that identifies a device is among them.
    pub(crate) fn for_labels(&self) -> BTreeSet<DeviceId> {
        // Addresses of one kind stand before those of the other.
        let ends = [self.others.first(), self.others.last()];
        self.labelled.iter().chain(ends.into_iter().flatten()).copied().collect()
    }

    /// How many there are, as `9 devices`.
    pub(crate) fn in_words(&self) -> String {
        let count = counted((self.labelled.len() + self.others.len()) as u64, "device", "devices");
        if self.has_more { format!("more than {count}") } else { count }
    }
}

/// How many devices there are, how many of them showed themselves by frames without IP alone, and how many gateways: every command
/// counts them alike.
pub(crate) fn devices_in_words((devices, silent): (usize, usize), gateways: usize) -> String {
    let counts = counted(devices as u64, "device", "devices");
    let silent = match silent {
        0 => String::new(),
        some => format!(" ({some} seen by ARP or such frames alone)"),
    };
    let gateways = match gateways {
        0 => String::new(),
        some => format!(" and {}", counted(some as u64, "gateway", "gateways")),
    };
    format!("{counts}{silent}{gateways}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use thingprint_flow::MacAddr;

    fn device(number: u32) -> DeviceId {
        let [a, b, c, d] = number.to_be_bytes();
        DeviceId::Mac(MacAddr::new([2, 0, a, b, c, d]))
    }

    #[test]
    fn devices_are_counted_apart_from_gateways() {
        assert_eq!(devices_in_words((1, 0), 0), "1 device");
        assert_eq!(
            devices_in_words((9, 2), 1),
            "9 devices (2 seen by ARP or such frames alone) and 1 gateway"
        );
    }

    #[test]
    fn devices_with_a_label_are_seen_however_many_others_there_are() {
        let labels =
            Labels::read(&b"mac,label,kind\n02:01:00:00:00:01,lamp,iot\n"[..], "labels.csv").unwrap();
        let mut seen = DevicesSeen::default();
        seen.see(device(1), &labels);
        assert_eq!(seen.in_words(), "1 device");
        for number in 0..70_000 {
            seen.see(device(number), &labels);
        }
        let lamp = "02:01:00:00:00:01".parse().unwrap();
        seen.see(lamp, &labels);
        let address = "192.168.1.20".parse().unwrap();
        let mut mixed = DevicesSeen::default();
        for device in [device(1), device(2), address] {
            mixed.see(device, &labels);
        }
        assert!(mixed.for_labels().contains(&address) && mixed.for_labels().contains(&device(1)));
        assert!(seen.for_labels().contains(&lamp) && !seen.for_labels().contains(&device(35_000)));
        assert_eq!(seen.in_words(), "more than 65537 devices");
    }
}
