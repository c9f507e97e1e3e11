//! Which labels of a label file fit what was read.

use std::collections::BTreeSet;

use thingprint_flow::DeviceId;
use thingprint_report::Labels;

use crate::gateways::is_gateway;
use crate::messages::Say;

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
        let file = "mac,label,kind\n\
                    a8407c0b33f2,hub,iot\n\
                    30c4.6a10.7eb3,plug,iot\n\
                    02:00:00:00:00:01,gateway,non-iot\n";
        let labels = Labels::read(file.as_bytes(), "labels.csv").unwrap();
        let seen = seen.iter().map(|device| device.parse().unwrap()).collect();
        let lines = RefCell::new(Vec::new());
        report_labels(&labels, &seen, Said(&lines));
        lines.into_inner()
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
