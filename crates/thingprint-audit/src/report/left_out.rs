use std::collections::BTreeMap;

use serde::Serialize;
use thingprint_flow::{DeviceId, DeviceLosses, LossCounts};

/// Devices that are named on a page.
const MOST_NAMED: usize = 50;

/// What caps left out, as JSON has it.
#[derive(Debug, Serialize)]
pub(crate) struct LeftOutDocument<'a> {
    /// The devices that lost anything, those first that lost most.
    devices: Vec<DeviceLoss<'a>>,
    /// What addresses lost that are not told apart.
    others: BTreeMap<&'a str, u64>,
}

#[derive(Debug, Serialize)]
struct DeviceLoss<'a> {
    device: String,
    label: Option<&'a str>,
    left_out: BTreeMap<&'a str, u64>,
}

impl<'a> LeftOutDocument<'a> {
    /// What these losses are, with labels of devices.
    pub(crate) fn of(losses: &'a DeviceLosses, labels: &'a BTreeMap<DeviceId, String>) -> Self {
        let devices = losses.by_size().into_iter().map(|(device, counts)| DeviceLoss {
            device: device.to_string(),
            label: labels.get(&device).map(String::as_str),
            left_out: named(counts),
        });
        Self { devices: devices.collect(), others: named(losses.others()) }
    }
}

/// What each device lost, in words: a line for each.
pub(crate) fn lines(losses: &DeviceLosses, labels: &BTreeMap<DeviceId, String>) -> Vec<String> {
    let name = |device: DeviceId| match labels.get(&device) {
        Some(label) => format!("{label} ({device})"),
        None => device.to_string(),
    };
    let devices = losses.by_size();
    let more = devices.len().saturating_sub(MOST_NAMED);
    let mut lines: Vec<String> = devices
        .into_iter()
        .take(MOST_NAMED)
        .map(|(device, counts)| format!("{}: left out {}", name(device), in_words(counts)))
        .collect();
    if more > 0 {
        lines.push(format!("{more} further devices lost less"));
    }
    if !losses.others().is_empty() {
        lines.push(format!("addresses that nobody answered: left out {}", in_words(losses.others())));
    }
    lines
}

fn named(counts: &LossCounts) -> BTreeMap<&str, u64> {
    counts.iter().map(|(kind, count)| (kind.name(), *count)).collect()
}

fn in_words(counts: &LossCounts) -> String {
    let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    counts.join(", ")
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{DeviceLosses, LossKind};

    use super::*;

    #[test]
    fn losses_are_told_by_device_in_words_and_in_json() {
        let device = |last: u8| -> DeviceId { format!("02:00:00:00:00:{last:02x}").parse().unwrap() };
        let mut losses = DeviceLosses::default();
        losses.add(device(1), LossKind::new("mud_flows"), 2);
        losses.add(device(2), LossKind::MESSAGES, 7);
        losses.add_other(LossKind::DEVICES, 9);
        let labels = BTreeMap::from([(device(1), "lamp".to_owned())]);
        let expected = [
            "02:00:00:00:00:02: left out 7 messages",
            "lamp (02:00:00:00:00:01): left out 2 mud flows",
            "addresses that nobody answered: left out 9 devices",
        ];
        assert_eq!(lines(&losses, &labels), expected);
        let document = serde_json::to_value(LeftOutDocument::of(&losses, &labels)).unwrap();
        let expected = serde_json::json!({
            "devices": [
                { "device": "02:00:00:00:00:02", "label": null, "left_out": { "messages": 7 } },
                { "device": "02:00:00:00:00:01", "label": "lamp", "left_out": { "mud_flows": 2 } },
            ],
            "others": { "devices": 9 },
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn many_devices_are_counted() {
        let mut losses = DeviceLosses::default();
        for number in 0..100 {
            losses.add(format!("02:00:00:00:00:{number:02x}").parse().unwrap(), LossKind::FLOWS, 1);
        }
        let lines = lines(&losses, &BTreeMap::new());
        assert_eq!((lines.len(), lines[50].as_str()), (51, "50 further devices lost less"));
    }
}
