//! The inventory of devices where there is too much of some: a fair share of each.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use proptest::prelude::*;
use thingprint_flow::{DeviceId, DeviceLosses, FlowOptions, Ip, MacAddr, Packet, Timestamp, Tracker};
use thingprint_instance::{DeviceEntry, Inventory, InventoryRecord};
use thingprint_protocol::{Detector, Engine};

const ROUTER: MacAddr = MacAddr::new([0x14, 0xcc, 0x20, 0, 0, 3]);
/// Room for some hundred words.
const FEW: usize = 32 << 10;

/// A packet of UDP: the number of a device, the last bytes of its address, the server and its port, and what is said.
type Said<'a> = (u8, u16, [u8; 4], u16, &'a [u8]);

fn device(number: u8) -> MacAddr {
    MacAddr::new([0x70, 0xee, 0x50, 0, 0, number])
}

/// A DNS query, RFC 1035 §4.1.
fn query(name: &str) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

/// Devices say something, and the router answers each.
fn listed(said: &[Said<'_>], most_bytes: usize) -> (Vec<DeviceEntry>, DeviceLosses) {
    let options = FlowOptions { gateways: [ROUTER].into(), ..FlowOptions::default() };
    let inventory = Inventory::with_limit(&Engine::default(), most_bytes);
    let mut tracker = Tracker::new(options, Detector::new(&Engine::default(), inventory));
    for (at, (number, address, server, port, payload)) in (0..).zip(said) {
        let [high, low] = address.to_be_bytes();
        let own = ([192, 168, high, low].into(), 40_000);
        let packet = |is_sent: bool| Packet {
            time: Timestamp::from_nanos(at * 1_000_000),
            src_mac: Some(if is_sent { device(*number) } else { ROUTER }),
            dst_mac: Some(if is_sent { ROUTER } else { device(*number) }),
            wire_bytes: 100,
            ip: Some(if is_sent {
                Ip::udp(own, ((*server).into(), *port), payload)
            } else {
                Ip::udp(((*server).into(), *port), own, b"x")
            }),
            other: None,
        };
        tracker.push(&packet(true));
        tracker.push(&packet(false));
    }
    let inventory = tracker.finish().observer.into_observer();
    let losses = inventory.left_out();
    let entries = inventory.into_records().into_iter().filter_map(InventoryRecord::into_device);
    (entries.collect(), losses)
}

/// What is listed of a device, without times.
fn entry(entries: &[DeviceEntry], number: u8) -> DeviceEntry {
    let entry = entries.iter().find(|entry| entry.device == DeviceId::Mac(device(number))).unwrap();
    DeviceEntry { first_seen: None, last_seen: None, ..entry.clone() }
}

#[test]
fn names_of_one_device_take_no_room_of_others_and_are_counted() {
    let names: Vec<Vec<u8>> = (0..2000).map(|n| query(&format!("{n}.flood.example"))).collect();
    let quiet = [query("lamp.example"), query("cloud.example")];
    let resolver = [192, 168, 1, 1];
    let home: Vec<Said<'_>> = (1..4).map(|number| (number, 300, resolver, 53, &quiet[0][..])).collect();
    let home: Vec<Said<'_>> = home.into_iter().chain([(2, 300, [203, 0, 113, 5], 123, &b"x"[..])]).collect();
    let flood: Vec<Said<'_>> = names.iter().map(|name| (9, 9, resolver, 53, &name[..])).collect();
    let said: Vec<Said<'_>> = flood[..1000].iter().chain(&home).chain(&flood[1000..]).copied().collect();
    let (alone, nothing) = listed(&home, FEW);
    assert!(nothing.is_empty());
    let (entries, losses) = listed(&said, FEW);
    for number in 1..4 {
        assert_eq!(entry(&entries, number), entry(&alone, number));
    }
    let kept = entry(&entries, 9).names;
    let lost = losses.of(DeviceId::Mac(device(9))).unwrap();
    let lost: Vec<(&str, u64)> = lost.iter().map(|(kind, count)| (kind.name(), *count)).collect();
    assert_eq!(lost, [("names", 2000 - kept.len() as u64)]);
    assert!((100..260).contains(&kept.len()), "{}: a name takes more than 112 bytes", kept.len());
    assert!(kept.contains_key("1999.flood.example") && !kept.contains_key("0.flood.example"), "the latest");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever one device does, others are listed as they were.
    #[test]
    fn a_flood_by_one_device_changes_no_other_entry(
        flood in prop::collection::vec((any::<u16>(), any::<u16>(), any::<bool>(), any::<u16>()), 0..600),
        before in any::<bool>(),
    ) {
        let quiet = query("lamp.example");
        let home: Vec<Said<'_>> = (1..6)
            .flat_map(|number| [(number, 300, [192, 168, 1, 1], 53, &quiet[..]), (number, 300, [203, 0, 113, number], 443, b"x")])
            .collect();
        let names: Vec<Vec<u8>> = flood.iter().map(|(n, ..)| query(&format!("{n}.example"))).collect();
        let flood: Vec<Said<'_>> = flood
            .iter()
            .zip(&names)
            .map(|((address, port, is_query, peer), name)| {
                let [high, low] = peer.to_be_bytes();
                if *is_query { (9, *address, [192, 168, 1, 1], 53, &name[..]) } else { (9, *address, [198, 18, high, low], *port | 1, &b"x"[..]) }
            })
            .collect();
        let said: Vec<Said<'_>> = if before { [flood, home.clone()].concat() } else { [home.clone(), flood].concat() };
        let (alone, _) = listed(&home, FEW);
        let (entries, losses) = listed(&said, FEW);
        for number in 1..6 {
            prop_assert_eq!(entry(&entries, number), entry(&alone, number));
            prop_assert!(losses.of(DeviceId::Mac(device(number))).is_none());
        }
    }
}
