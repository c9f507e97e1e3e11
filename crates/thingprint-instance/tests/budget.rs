//! The budget of bytes for words: the device with the most words loses some, and no other device.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use proptest::prelude::*;
use thingprint_flow::{DeviceId, DeviceLosses, Identity, Ip, MacAddr, Packet, Timestamp, Tracker};
use thingprint_instance::{Bag, BagName, Instance, InstanceObserver, InstanceOptions};
use thingprint_protocol::{Detector, Engine};

const ROUTER: MacAddr = MacAddr::new([0x14, 0xcc, 0x20, 0, 0, 3]);
/// What a word takes beside its text.
const WORD_BYTES: usize = 96;

fn device(number: u8) -> MacAddr {
    MacAddr::new([0x70, 0xee, 0x50, 0, 0, number])
}

/// A packet of a device to a host, a millisecond after the one before.
fn push(
    tracker: &mut Tracker<Detector<InstanceObserver>>,
    (at, number): (usize, u8),
    (mac, dst): (MacAddr, [u8; 4]),
    (port, payload): (u16, &[u8]),
) {
    let length = u32::try_from(payload.len()).unwrap();
    tracker.push(&Packet {
        time: Timestamp::from_nanos(i64::try_from(at).unwrap() * 1_000_000),
        src_mac: Some(mac),
        dst_mac: Some(if dst[0] >= 224 { MacAddr::new([1, 0, 0x5e, 0, 0, 0xfb]) } else { ROUTER }),
        wire_bytes: length + 42,
        ip: Some(Ip::udp(([192, 168, 1, number].into(), 40_000), (dst.into(), port), payload)),
        other: None,
    });
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

fn tracker(options: &InstanceOptions) -> Tracker<Detector<InstanceObserver>> {
    let observer = InstanceObserver::draining(options.clone());
    Tracker::new(options.flow.clone(), Detector::new(&Engine::default(), observer))
}

fn end(tracker: Tracker<Detector<InstanceObserver>>) -> (Vec<Instance>, DeviceLosses) {
    let mut observer = tracker.finish().observer.into_observer();
    (observer.take_ready(), observer.left_out())
}

/// The instances of devices that look up names, and what they lack.
fn looked_up(queries: &[(u8, String)], options: &InstanceOptions) -> (Vec<Instance>, DeviceLosses) {
    let mut tracker = tracker(options);
    for (at, (number, name)) in queries.iter().enumerate() {
        push(&mut tracker, (at, *number), (device(*number), [192, 168, 1, 1]), (53, &query(name)));
    }
    end(tracker)
}

fn names(instances: &[Instance], number: u8) -> Bag {
    let instance = instances.iter().find(|instance| instance.device == DeviceId::Mac(device(number)));
    instance.unwrap().bags.get(BagName::DOMAINS).unwrap().clone()
}

fn options() -> InstanceOptions {
    let mut options = InstanceOptions { evidence: BagName::DOMAINS.into(), ..InstanceOptions::default() };
    options.flow.gateways = [ROUTER].into();
    options
}

/// Two quiet devices among the queries of two that flood.
fn flood(lengths: &[(u8, usize)]) -> Vec<(u8, String)> {
    let mut queries: Vec<(u8, String)> = lengths
        .iter()
        .enumerate()
        .map(|(at, (number, length))| (1 + number % 2, format!("{}{at}.example", "x".repeat(*length))))
        .collect();
    for name in 0..5 {
        for number in [3, 4] {
            let at = (name * 37 + usize::from(number)) % (queries.len() + 1);
            queries.insert(at, (number, format!("quiet{name}.example")));
        }
    }
    queries
}

#[test]
fn the_device_with_most_words_loses_some_and_is_reported() {
    let lengths: Vec<(u8, usize)> = (0..400).map(|at| (u8::from(at % 4 == 0), 30)).collect();
    let options = InstanceOptions { max_bytes: 16 << 10, ..options() };
    let (instances, losses) = looked_up(&flood(&lengths), &options);
    let found: Vec<usize> = (1..=4).map(|number| names(&instances, number).len()).collect();
    assert!(found[0] < 300 && found[0] > 30, "{found:?}");
    assert_eq!(found[2..], [5, 5]);
    let dropped: u64 = losses.totals().values().sum();
    let kept: u64 = instances.iter().flat_map(|row| row.bags.get(BagName::DOMAINS).unwrap().values()).sum();
    assert_eq!(kept + dropped, 410, "dropped words are counted");
    assert_eq!(losses.by_size()[0].0, DeviceId::Mac(device(1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever two devices look up, others have their words, and all of them together no more bytes than there are.
    #[test]
    fn a_flood_takes_no_words_of_others(
        lengths in prop::collection::vec((any::<u8>(), 1_usize..50), 0..400),
        device_bytes in 2_000_usize..40_000,
        all_bytes in 4_000_usize..40_000,
    ) {
        let options = InstanceOptions { max_device_bytes: device_bytes, max_bytes: all_bytes, ..options() };
        let (instances, _) = looked_up(&flood(&lengths), &options);
        let (alone, _) = looked_up(&flood(&[]), &options);
        for number in [3, 4] {
            prop_assert_eq!(names(&instances, number), names(&alone, number));
        }
        let bytes = |bag: &Bag| bag.keys().map(|word| WORD_BYTES + word.len()).sum::<usize>();
        let all: Vec<usize> =
            instances.iter().map(|row| bytes(row.bags.get(BagName::DOMAINS).unwrap())).collect();
        prop_assert!(all.iter().sum::<usize>() <= all_bytes, "{all:?}");
        prop_assert!(all.iter().all(|bytes| *bytes <= device_bytes), "{all:?}");
    }
}

/// A packet of an address that nobody answers, to a device.
fn made_up(tracker: &mut Tracker<Detector<InstanceObserver>>, at: usize, number: u16) {
    let [high, low] = number.to_be_bytes();
    tracker.push(&Packet {
        time: Timestamp::from_nanos(i64::try_from(at).unwrap() * 1_000_000),
        src_mac: Some(MacAddr::new([2, 0x44, 0, 0, high, low])),
        dst_mac: Some(device(3)),
        wire_bytes: 60,
        ip: Some(Ip::udp(([10, 9, high, low].into(), 40_000), ([192, 168, 1, 3].into(), 9), b"x")),
        other: None,
    });
}

/// An answer of the router to a device.
fn answer(tracker: &mut Tracker<Detector<InstanceObserver>>, at: usize, number: u8) {
    tracker.push(&Packet {
        time: Timestamp::from_nanos(i64::try_from(at).unwrap() * 1_000_000),
        src_mac: Some(ROUTER),
        dst_mac: Some(device(number)),
        wire_bytes: 60,
        ip: Some(Ip::udp(([192, 168, 1, 1].into(), 53), ([192, 168, 1, number].into(), 40_000), b"x")),
        other: None,
    });
}

/// Four devices that are answered, with so many made-up addresses in between.
fn among(made_up_addresses: u16, options: &InstanceOptions) -> (Vec<Instance>, DeviceLosses) {
    let mut tracker = tracker(options);
    let mut at = 0;
    for round in 0..8_u16 {
        for number in 3..7 {
            let name = format!("quiet{round}.example");
            push(&mut tracker, (at, number), (device(number), [192, 168, 1, 1]), (53, &query(&name)));
            answer(&mut tracker, at, number);
            at += 1;
        }
        for number in (0..made_up_addresses).filter(|number| number % 8 == round) {
            made_up(&mut tracker, at, number);
            at += 1;
        }
    }
    end(tracker)
}

#[test]
fn made_up_addresses_take_no_instance_of_devices() {
    let options = InstanceOptions { max_bytes: 64 << 10, ..options() };
    let is_home = |instance: &&Instance| instance.device >= DeviceId::Mac(device(0));
    let bags = |instances: &[Instance]| -> Vec<(DeviceId, Bag)> {
        let home = instances.iter().filter(is_home);
        home.map(|row| (row.device, row.bags.get(BagName::DOMAINS).unwrap().clone())).collect()
    };
    let (alone, none) = among(0, &options);
    assert!((alone.len(), none.is_empty()) == (4, true));
    assert_eq!(bags(&alone)[3].1.len(), 8);
    let (instances, losses) = among(4000, &options);
    assert_eq!(bags(&instances), bags(&alone));
    let lost: u64 = losses.totals().values().sum();
    assert_eq!(instances.len() as u64 - 4 + lost, 4000, "what is lost is counted");
    assert!(lost > 3000, "{lost}: a window takes more than 192 bytes");
    assert!(losses.of(DeviceId::Mac(device(3))).is_none());
}

/// A query in a flow of its own, with the answer.
fn answered(
    tracker: &mut Tracker<Detector<InstanceObserver>>,
    (at, port): (usize, u16),
    (mac, address): (MacAddr, [u8; 4]),
    name: &str,
) {
    let time = Timestamp::from_nanos(i64::try_from(at).unwrap() * 1_000_000);
    let (host, server) = ((address.into(), port), ([52, 0, 0, 1].into(), 53));
    let question = query(name);
    for (src, dst, ip) in
        [(mac, ROUTER, Ip::udp(host, server, &question)), (ROUTER, mac, Ip::udp(server, host, b"x"))]
    {
        let ip = Some(ip);
        tracker.push(&Packet {
            time,
            src_mac: Some(src),
            dst_mac: Some(dst),
            wire_bytes: 90,
            ip,
            other: None,
        });
    }
}

/// Four devices that are answered in 60 flows, with so many made-up addresses in between that are answered in one each.
fn among_answered(made_up_addresses: u16, options: &InstanceOptions) -> (Vec<Instance>, DeviceLosses) {
    let (mut tracker, mut at) = (tracker(options), 0);
    for round in 0..60_u16 {
        for number in 3..7 {
            let own = (device(number), [192, 168, 1, number]);
            answered(&mut tracker, (at, 40_000 + round), own, &format!("name{round}.of{number}.example"));
            at += 1;
        }
        for number in (0..made_up_addresses).filter(|number| number % 60 == round) {
            let [high, low] = number.to_be_bytes();
            let made_up = (MacAddr::new([2, 0x55, 0, 0, high, low]), [10, 8, high, low]);
            answered(&mut tracker, (at, 40_000), made_up, &format!("x{number}.example"));
            at += 1;
        }
    }
    end(tracker)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// However many addresses are made up and answered once, devices that are answered often keep windows and words.
    #[test]
    fn addresses_that_are_answered_once_take_nothing_of_devices(made_up in 0_u16..4000, room in 160_usize..400) {
        let options = InstanceOptions { max_bytes: room << 10, ..options() };
        let bags = |instances: &[Instance]| -> Vec<Bag> { (3..7).map(|number| names(instances, number)).collect() };
        let (alone, none) = among_answered(0, &options);
        prop_assert!(none.is_empty() && bags(&alone).iter().all(|bag| bag.len() == 60));
        let (instances, losses) = among_answered(made_up, &options);
        prop_assert_eq!(bags(&instances), bags(&alone));
        prop_assert!(losses.of(DeviceId::Mac(device(3))).is_none());
    }
}

/// Devices by their IP addresses, with what they declare.
fn behind_a_router() -> InstanceOptions {
    let mut options = InstanceOptions { evidence: BagName::DECLARED.into(), ..InstanceOptions::default() };
    (options.flow.identity, options.flow.is_identity_given) = (Identity::Ip, true);
    options
}

fn search(agent: &str) -> String {
    format!("M-SEARCH * HTTP/1.1\r\nST: x\r\nUSER-AGENT: {agent}\r\n\r\n")
}

#[test]
fn behind_a_router_the_own_address_is_that_of_what_a_group_was_sent() {
    let options = behind_a_router();
    let mut tracker = tracker(&options);
    let unicast = search("unit cc20");
    push(&mut tracker, (0, 7), (ROUTER, [192, 168, 2, 2]), (1900, unicast.as_bytes()));
    let group = search("unit ee50");
    push(&mut tracker, (1, 7), (device(7), [239, 255, 255, 250]), (1900, group.as_bytes()));
    let (instances, _) = end(tracker);
    let agents: Vec<&String> = instances[0].bags.get(BagName::DECLARED).unwrap().keys().collect();
    assert!(
        agents.iter().any(|word| *word == "ssdp-agent:unit cc20"),
        "the digits of the router do not identify the unit: {agents:?}"
    );
    assert!(agents.iter().any(|word| *word == "ssdp-agent:unit *"), "{agents:?}");
}

#[test]
fn a_text_is_spelled_again_once_the_own_address_is_known() {
    let mut tracker = tracker(&behind_a_router());
    let agent = search("unit ee50");
    for at in 0..2 {
        push(&mut tracker, (at, 7), (ROUTER, [192, 168, 2, 2]), (1900, agent.as_bytes()));
    }
    push(&mut tracker, (2, 7), (device(7), [239, 255, 255, 250]), (1900, agent.as_bytes()));
    let (instances, _) = end(tracker);
    let declared = instances[0].bags.get(BagName::DECLARED).unwrap();
    let counts = ["ssdp-agent:unit ee50", "ssdp-agent:unit *"].map(|word| declared.get(word).copied());
    assert_eq!(counts, [Some(2), Some(1)]);
}
