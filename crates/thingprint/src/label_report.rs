//! Which labels of a label file fit what was read.

use std::collections::BTreeSet;

use thingprint_flow::DeviceId;
use thingprint_report::Labels;

use crate::gateways::is_gateway;
use crate::messages::{Say, counted};

/// Devices that a message names.
const MOST_NAMES: usize = 5;

/// Says how many of the labelled devices were seen, and names the others. Labels of gateways do not count, since these
/// are not devices.
pub(crate) fn report_labels(labels: &Labels, seen: &BTreeSet<DeviceId>, messages: impl Say) {
    let labelled: Vec<DeviceId> = labels.devices().filter(|device| !is_gateway(labels, *device)).collect();
    let missing: Vec<DeviceId> = labelled.iter().copied().filter(|device| !seen.contains(device)).collect();
    let (all, missed) = (labelled.len(), missing.len());
    if missed == 0 {
        return;
    }
    let others = report_other_identities(&missing, seen, messages);
    if others == all {
        return;
    }
    if missed == all {
        messages.warn(format!("none of the {all} labelled devices was seen: is it the right label file?"));
        return;
    }
    let verb = if all - missed == 1 { "was" } else { "were" };
    let names: Vec<String> = missing.iter().take(MOST_NAMES).map(|device| named(labels, *device)).collect();
    let more = if missed > MOST_NAMES { format!(" and {} more", missed - MOST_NAMES) } else { String::new() };
    messages.note(format!(
        "{} of {all} labelled devices {verb} seen; not seen: {}{more}",
        all - missed,
        names.join(", ")
    ));
}

/// Says which labels name devices by an address that identifies none here, and returns how many.
fn report_other_identities(missing: &[DeviceId], seen: &BTreeSet<DeviceId>, messages: impl Say) -> usize {
    let by_ip = |device: &&DeviceId| matches!(device, DeviceId::Ip(_));
    let ips_seen = seen.iter().filter(by_ip).count();
    let ips = missing.iter().filter(by_ip).count();
    let macs = missing.len() - ips;
    let count = |labels: usize| counted(labels as u64, "label names a device", "labels name devices");
    if ips > 0 && ips_seen == 0 && !seen.is_empty() {
        messages.warn(format!(
            "{} by IP address, and MAC addresses identify devices here: give MAC addresses in the label file, or --identity ip",
            count(ips)
        ));
        return ips;
    }
    if macs > 0 && ips_seen > 0 && ips_seen == seen.len() {
        messages.warn(format!(
            "{} by MAC address, and IP addresses identify devices here: give IP addresses in the label file, or --identity mac \
             where the link has MAC addresses",
            count(macs)
        ));
        return macs;
    }
    0
}

fn named(labels: &Labels, device: DeviceId) -> String {
    let classes: BTreeSet<&str> = labels.classes_of(device).collect();
    let classes: Vec<&str> = classes.into_iter().collect();
    format!("{} ({device})", classes.join(" or "))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fmt::Display;

    use super::*;

    /// Keeps what is said.
    #[derive(Clone, Copy)]
    struct Said<'a>(&'a RefCell<Vec<String>>);

    impl Say for Said<'_> {
        fn warn(self, text: impl Display) {
            self.0.borrow_mut().push(format!("warning: {text}"));
        }

        fn note(self, text: impl Display) {
            self.0.borrow_mut().push(text.to_string());
        }

        fn detail(self, _: impl Display) {}
    }

    fn said(seen: &[&str]) -> Vec<String> {
        said_of("a8407c0b33f2,hub,iot\n30c4.6a10.7eb3,plug,iot\n02:00:00:00:00:01,gateway,non-iot\n", seen)
    }

    fn said_of(rows: &str, seen: &[&str]) -> Vec<String> {
        let file = format!("mac,label,kind\n{rows}");
        let labels = Labels::read(file.as_bytes(), "labels.csv").unwrap();
        let seen = seen.iter().map(|device| device.parse().unwrap()).collect();
        let lines = RefCell::new(Vec::new());
        report_labels(&labels, &seen, Said(&lines));
        lines.into_inner()
    }

    #[test]
    fn labels_by_the_other_kind_of_address_are_counted_with_what_to_do() {
        let by_ip = "192.168.1.20,hub,iot\n192.168.1.21,plug,iot\n";
        let expected = "warning: 2 labels name devices by IP address, and MAC addresses identify devices here: give MAC addresses in \
                        the label file, or --identity ip";
        assert_eq!(said_of(by_ip, &["02:00:00:00:00:07"]), [expected]);
        assert_eq!(said_of(by_ip, &["192.168.1.20", "192.168.1.21"]), Vec::<String>::new());
        let mixed = "192.168.1.20,hub,iot\n02:00:00:00:00:07,plug,iot\n";
        assert_eq!(
            said_of(mixed, &["02:00:00:00:00:07"]),
            [
                "warning: 1 label names a device by IP address, and MAC addresses identify devices here: give MAC addresses in the \
                 label file, or --identity ip",
                "1 of 2 labelled devices was seen; not seen: hub (192.168.1.20)"
            ]
        );
        let by_mac = said_of("02:00:00:00:00:07,plug,iot\n", &["192.168.1.20"]);
        assert!(
            by_mac[0].starts_with("warning: 1 label names a device by MAC address, and IP"),
            "{by_mac:?}"
        );
        assert_eq!(by_mac.len(), 1);
    }

    #[test]
    fn labels_without_a_device_are_named() {
        assert_eq!(said(&["a8:40:7c:0b:33:f2", "30:c4:6a:10:7e:b3"]), Vec::<String>::new());
        assert_eq!(
            said(&["a8:40:7c:0b:33:f2", "02:00:00:00:00:07"]),
            ["1 of 2 labelled devices was seen; not seen: plug (30:c4:6a:10:7e:b3)"]
        );
        assert_eq!(
            said(&["02:00:00:00:00:07"]),
            ["warning: none of the 2 labelled devices was seen: is it the right label file?"]
        );
    }
}
