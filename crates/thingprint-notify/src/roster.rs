use std::collections::BTreeMap;

use serde::Serialize;
use thingprint_flow::DeviceId;
use thingprint_table::{escape, rfc3339};
use thingprint_watch::{DeviceRecord, Severities};

/// Devices that are shown, those seen last. Each is a device with four entities in Home Assistant, which no house has
/// thousands of; how many are left out is shown.
const MAX_DEVICES: usize = 1000;

/// The longest state of an entity in Home Assistant.
const MAX_STATE_CHARS: usize = 255;

/// The longest name: host names have at most 63 characters in a label.
const MAX_NAME_CHARS: usize = 64;

/// The devices as they are shown.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Roster {
    /// Each device.
    pub(crate) devices: BTreeMap<DeviceId, Shown>,
    /// All of them together.
    pub(crate) network: Network,
}

impl Roster {
    /// What is shown of devices.
    pub(crate) fn new(records: &[DeviceRecord]) -> Self {
        let mut latest: Vec<&DeviceRecord> = records.iter().collect();
        latest.sort_by_key(|record| (std::cmp::Reverse(record.sighting.last_seen), record.sighting.device));
        latest.truncate(MAX_DEVICES);
        let devices = latest.into_iter().map(|record| (record.sighting.device, Shown::new(record))).collect();
        Self { devices, network: Network::new(records) }
    }
}

/// What is shown of a device. Texts are free of control characters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Shown {
    /// Its address.
    device: String,
    /// What people call it: the label, else the host name, else the address.
    pub(crate) name: String,
    /// The class; `unknown` where the verdict is that, `None` without a verdict.
    class: Option<String>,
    /// The class of highest probability.
    best_guess: Option<String>,
    /// Confidence of the verdict in percent.
    confidence_percent: Option<f64>,
    /// Why it is unknown.
    reason: Option<String>,
    /// Findings that nobody acknowledged.
    findings: u64,
    /// Those that are errors.
    findings_error: u64,
    /// Those that are warnings.
    findings_warning: u64,
    /// Whether nobody acknowledged that it appeared.
    is_new: bool,
    /// Whether it is a gateway.
    is_gateway: bool,
    /// IP addresses that it sent from, at most 8.
    addresses: Vec<String>,
    /// Time of its first packet.
    first_seen: String,
    /// Since when the class is this one.
    since: Option<String>,
}

/// Addresses that are shown of a device: an IPv6 host collects many.
const MAX_ADDRESSES: usize = 8;

impl Shown {
    fn new(record: &DeviceRecord) -> Self {
        let sighting = &record.sighting;
        let verdict = record.verdict.as_ref();
        let device = sighting.device.to_string();
        let name = record.label.as_deref().or(sighting.host_name.as_deref());
        let name = name.map(|name| clean(name, MAX_NAME_CHARS)).filter(|name| !name.trim().is_empty());
        let class = verdict.map(|verdict| verdict.class.as_deref().unwrap_or("unknown"));
        Self {
            name: name.unwrap_or_else(|| device.clone()),
            device,
            class: class.map(|class| clean(class, MAX_STATE_CHARS)),
            best_guess: verdict.map(|verdict| clean(&verdict.best_guess, MAX_STATE_CHARS)),
            confidence_percent: verdict.map(|verdict| (verdict.confidence * 1000.0).round() / 10.0),
            reason: verdict
                .and_then(|verdict| verdict.reason.as_deref())
                .map(|why| clean(why, MAX_STATE_CHARS)),
            findings: total(record.findings),
            findings_error: record.findings.error,
            findings_warning: record.findings.warning,
            is_new: record.is_new,
            is_gateway: sighting.gateway.is_some(),
            addresses: sighting.addresses.iter().take(MAX_ADDRESSES).map(ToString::to_string).collect(),
            first_seen: rfc3339::format(sighting.first_seen),
            since: verdict.map(|verdict| rfc3339::format(verdict.since)),
        }
    }
}

/// All devices together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Network {
    /// Devices, gateways among them.
    devices: u64,
    /// Devices whose appearance nobody acknowledged.
    new_devices: u64,
    /// Devices of no known class.
    unknown_devices: u64,
    /// Findings that nobody acknowledged.
    findings: u64,
    /// Devices that are not shown one by one.
    left_out_devices: u64,
}

impl Network {
    fn new(records: &[DeviceRecord]) -> Self {
        let count = |is: fn(&DeviceRecord) -> bool| records.iter().filter(|record| is(record)).count() as u64;
        Self {
            devices: records.len() as u64,
            new_devices: count(|record| record.is_new),
            unknown_devices: count(|record| {
                record.verdict.as_ref().is_some_and(|verdict| verdict.class.is_none())
            }),
            findings: records.iter().map(|record| total(record.findings)).sum(),
            left_out_devices: records.len().saturating_sub(MAX_DEVICES) as u64,
        }
    }
}

const fn total(findings: Severities) -> u64 {
    findings.error.saturating_add(findings.warning).saturating_add(findings.note)
}

/// Text from outside for a place where people read it.
fn clean(text: &str, most_chars: usize) -> String {
    text.chars().map(escape::visible).take(most_chars).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use thingprint_flow::Timestamp;
    use thingprint_watch::{Sighting, Standing};

    use super::*;

    /// A device with a host name and a verdict.
    pub(crate) fn record(device: &str, host_name: Option<&str>, class: Option<&str>) -> DeviceRecord {
        let sighting = Sighting {
            device: device.parse().unwrap(),
            gateway: None,
            is_randomised: false,
            addresses: vec!["192.0.2.7".parse().unwrap()],
            host_name: host_name.map(str::to_owned),
            vendor_class: None,
            identity: None,
            names: Vec::new(),
            server_ports: Vec::new(),
            served_ports: Vec::new(),
            services: Vec::new(),
            first_seen: Timestamp::from_seconds(1_700_000_000),
            last_seen: Timestamp::from_seconds(1_700_000_060),
            packets_up: 1,
            packets_down: 1,
        };
        let verdict = Standing {
            class: class.map(str::to_owned),
            best_guess: "camera".to_owned(),
            confidence: 0.98765,
            likeness: None,
            reason: class.is_none().then(|| "like no class".to_owned()),
            family: None,
            windows: 3,
            since: Timestamp::from_seconds(1_700_000_000),
        };
        DeviceRecord {
            sighting,
            label: None,
            verdict: Some(verdict),
            provisional: None,
            windows: 3,
            findings: Severities { error: 1, warning: 2, note: 0 },
            open_events: 0,
            is_new: true,
            is_muted: false,
        }
    }

    #[test]
    fn a_device_is_shown_by_label_host_name_or_address() {
        let mac = "a8:40:7c:0b:33:f2";
        let mut known = record(mac, Some("hub\u{202e}\n{{ 1 }}"), Some("camera"));
        assert_eq!(Shown::new(&known).name, "hub\u{fffd} {{ 1 }}");
        known.label = Some("attic hub".to_owned());
        assert_eq!(Shown::new(&known).name, "attic hub");
        assert_eq!(Shown::new(&record(mac, Some(" \n"), None)).name, mac);
        let shown = serde_json::to_value(Shown::new(&record(mac, None, None))).unwrap();
        assert_eq!(shown["name"], mac);
        assert_eq!((&shown["class"], &shown["reason"]), (&"unknown".into(), &"like no class".into()));
        assert_eq!((&shown["confidence_percent"], &shown["findings"]), (&98.8.into(), &3.into()));
        assert_eq!(shown["first_seen"], "2023-11-14T22:13:20Z");
    }

    #[test]
    fn the_latest_devices_are_shown_and_the_others_counted() {
        let records: Vec<DeviceRecord> = (0..1003_u32)
            .map(|number| {
                let mut one = record("a8:40:7c:0b:33:f2", Some(&"n".repeat(500)), Some("camera"));
                one.sighting.device = DeviceId::Ip(std::net::Ipv4Addr::from_bits(number).into());
                one.sighting.last_seen = Timestamp::from_seconds(i64::from(number));
                one
            })
            .collect();
        let roster = Roster::new(&records);
        assert_eq!(roster.devices.len(), MAX_DEVICES);
        assert!(!roster.devices.contains_key(&"0.0.0.2".parse().unwrap()));
        assert!(roster.devices.contains_key(&"0.0.0.3".parse().unwrap()));
        assert_eq!((roster.network.devices, roster.network.left_out_devices), (MAX_DEVICES as u64 + 3, 3));
        assert!(roster.devices.values().all(|shown| shown.name.len() == MAX_NAME_CHARS));
    }
}
