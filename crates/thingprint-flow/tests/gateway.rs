//! Which MAC addresses are gateways.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use thingprint_flow::{
    GatewayEvidence, GatewayPolicy, GatewayReason, Ip, MacAddr, NonIp, Packet, TcpFlags, TcpSegment,
    Timestamp, Transport,
};

const CAMERA: MacAddr = MacAddr::new([0x70, 0xee, 0x50, 0, 0, 1]);
const PLUG: MacAddr = MacAddr::new([0x50, 0xc7, 0xbf, 0, 0, 2]);
const ROUTER: MacAddr = MacAddr::new([0x14, 0xcc, 0x20, 0, 0, 3]);
const OTHER: MacAddr = MacAddr::new([0x14, 0xcc, 0x20, 0, 0, 4]);

/// Sees a packet from one end to the other.
fn see(evidence: &mut GatewayEvidence, from: (MacAddr, &str), to: (MacAddr, &str)) {
    see_payload(evidence, from, to, (Transport::Udp, &[]));
}

fn see_payload(
    evidence: &mut GatewayEvidence,
    from: (MacAddr, &str),
    to: (MacAddr, &str),
    (transport, payload): (Transport, &[u8]),
) {
    let ip = Ip { transport, payload, ..ip_between(from.1, to.1) };
    evidence.observe(&frame(from.0, to.0, Some(ip), None));
}

/// An empty UDP packet.
fn ip_between(src: &str, dst: &str) -> Ip<'static> {
    Ip::udp((src.parse().unwrap(), 1), (dst.parse().unwrap(), 2), &[])
}

fn frame<'a>(from: MacAddr, to: MacAddr, ip: Option<Ip<'a>>, other: Option<NonIp<'a>>) -> Packet<'a> {
    let time = Timestamp::from_nanos(0);
    Packet { time, src_mac: Some(from), dst_mac: Some(to), wire_bytes: 60, ip, other }
}

/// A conversation of a local address with each of so many servers, through a MAC address.
fn talk(evidence: &mut GatewayEvidence, device: MacAddr, through: MacAddr, servers: usize) {
    for server in 0..servers {
        let server = format!("52.0.0.{server}");
        see(evidence, (device, "192.168.1.10"), (through, &server));
        see(evidence, (through, &server), (device, "192.168.1.10"));
    }
}

fn decided(evidence: &GatewayEvidence) -> Vec<(MacAddr, GatewayReason)> {
    GatewayPolicy::default().decide(evidence).0.into_iter().collect()
}

#[test]
fn a_device_that_asks_for_any_number_of_addresses_hides_no_gateway() {
    let mut evidence = GatewayEvidence::default();
    for number in 0..10_000_u32 {
        let [a, b, c, d] = (0x0b00_0000 + number).to_be_bytes();
        see(&mut evidence, (PLUG, "192.168.1.11"), (ROUTER, &format!("{a}.{b}.{c}.{d}")));
    }
    talk(&mut evidence, CAMERA, ROUTER, 12);
    assert_eq!(decided(&evidence), [(ROUTER, GatewayReason::Forwards)]);
}

#[test]
fn made_up_addresses_hide_no_gateway() {
    let mut evidence = GatewayEvidence::default();
    let made_up = |number: u32| {
        let [a, b, c, d] = number.to_be_bytes();
        MacAddr::new([2, 0, a, b, c, d])
    };
    for number in 0..100_000 {
        see(&mut evidence, (made_up(number), "10.1.2.3"), (CAMERA, "192.168.1.10"));
    }
    talk(&mut evidence, CAMERA, ROUTER, 12);
    for number in 100_000..300_000 {
        see(&mut evidence, (made_up(number), "52.1.2.3"), (CAMERA, "192.168.1.10"));
    }
    assert_eq!(decided(&evidence), [(ROUTER, GatewayReason::Forwards)]);
}

#[test]
fn who_forwards_for_eight_addresses_is_a_gateway_and_there_may_be_several() {
    let mut evidence = GatewayEvidence::default();
    talk(&mut evidence, CAMERA, ROUTER, 7);
    assert_ne!(decided(&evidence).first().map(|(_, why)| *why), Some(GatewayReason::Forwards));
    talk(&mut evidence, CAMERA, ROUTER, 8);
    talk(&mut evidence, PLUG, OTHER, 100);
    assert_eq!(decided(&evidence), [(ROUTER, GatewayReason::Forwards), (OTHER, GatewayReason::Forwards)]);
    let labelled = GatewayPolicy { labelled: BTreeSet::from([OTHER]), ..GatewayPolicy::default() };
    assert_eq!(labelled.decide(&evidence).macs(), BTreeSet::from([ROUTER]), "a labelled device never is one");
}

#[test]
fn addresses_of_its_own_make_nobody_a_gateway() {
    let mut evidence = GatewayEvidence::default();
    for host in 0..9 {
        let own = format!("129.94.0.{host}");
        see(&mut evidence, (CAMERA, &own), (ROUTER, "52.0.0.1"));
        see(&mut evidence, (ROUTER, "52.0.0.1"), (CAMERA, &own));
    }
    assert_eq!(
        decided(&evidence),
        [(CAMERA, GatewayReason::Forwards)],
        "nine public addresses, none claimed"
    );
    let mac = CAMERA.octets();
    for host in 0..9 {
        let mut arp = [0, 1, 8, 0, 6, 4, 0, 2, 0, 0, 0, 0, 0, 0, 129, 94, 0, host];
        arp[8..14].copy_from_slice(&mac);
        let other = NonIp { ether_type: 0x0806, payload: &arp };
        evidence.observe(&frame(CAMERA, ROUTER, None, Some(other)));
    }
    assert!(!decided(&evidence).contains(&(CAMERA, GatewayReason::Forwards)));
}

#[test]
fn advertisements_and_virtual_routers_name_gateways() {
    let mut evidence = GatewayEvidence::default();
    let advertisement = |lifetime: u8| [134, 0, 0, 0, 64, 0, 0, lifetime, 0, 0, 0, 0, 0, 0, 0, 0];
    let icmp = Transport::Other(58);
    see_payload(&mut evidence, (OTHER, "fe80::4"), (CAMERA, "ff02::1"), (icmp, &advertisement(0)));
    assert_eq!(decided(&evidence), []);
    see_payload(&mut evidence, (ROUTER, "fe80::3"), (CAMERA, "ff02::1"), (icmp, &advertisement(9)));
    let vrrp = MacAddr::new([0, 0, 0x5e, 0, 1, 7]);
    see(&mut evidence, (vrrp, "192.168.1.1"), (CAMERA, "192.168.1.10"));
    assert_eq!(
        decided(&evidence),
        [(vrrp, GatewayReason::VirtualRouter), (ROUTER, GatewayReason::Advertises)]
    );
}

#[test]
fn a_router_that_only_receives_is_found_until_it_is_addressed_itself() {
    let mut evidence = GatewayEvidence::default();
    see(&mut evidence, (CAMERA, "192.168.1.10"), (ROUTER, "52.0.0.1"));
    assert_eq!(decided(&evidence), [(ROUTER, GatewayReason::ReceivesOnly)]);
    see(&mut evidence, (CAMERA, "192.168.1.10"), (ROUTER, "192.168.1.1"));
    assert_eq!(decided(&evidence), []);
}

#[test]
fn with_few_addresses_the_one_with_most_sources_for_two_devices_or_most_packets_for_one() {
    let mut evidence = GatewayEvidence::default();
    see(&mut evidence, (ROUTER, "192.168.1.1"), (CAMERA, "192.168.1.10"));
    talk(&mut evidence, CAMERA, ROUTER, 2);
    assert_eq!(decided(&evidence), [(ROUTER, GatewayReason::MostPackets)]);
    see(&mut evidence, (OTHER, "9.9.9.9"), (PLUG, "192.168.1.11"));
    see(&mut evidence, (PLUG, "192.168.1.11"), (OTHER, "192.168.1.4"));
    assert_eq!(decided(&evidence), [], "two devices, and nobody answers both");
    see(&mut evidence, (ROUTER, "52.0.0.9"), (PLUG, "192.168.1.11"));
    assert_eq!(decided(&evidence), [(ROUTER, GatewayReason::MostSources)]);
}

#[test]
fn what_the_user_says_holds() {
    let mut evidence = GatewayEvidence::default();
    talk(&mut evidence, CAMERA, ROUTER, 9);
    let given = GatewayPolicy { given: BTreeSet::from([PLUG, OTHER]), ..GatewayPolicy::default() };
    assert_eq!(given.decide(&evidence).macs(), BTreeSet::from([PLUG, OTHER]));
    let none = GatewayPolicy { is_none: true, ..GatewayPolicy::default() };
    assert!(none.decide(&evidence).is_empty());
}

#[test]
fn evidence_of_parts_adds_up() {
    let (mut whole, mut parts) = (GatewayEvidence::default(), [(); 2].map(|()| GatewayEvidence::default()));
    for (at, part) in parts.iter_mut().enumerate() {
        for server in 0..6 {
            let server = format!("52.0.{at}.{server}");
            for evidence in [&mut whole, part] {
                see(evidence, (CAMERA, "192.168.1.10"), (ROUTER, &server));
                see(evidence, (ROUTER, &server), (CAMERA, "192.168.1.10"));
            }
        }
    }
    let [mut first, second] = parts;
    assert_ne!(decided(&first), decided(&whole));
    first.merge(&second);
    first.merge(&second);
    assert_eq!(decided(&first), decided(&whole));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    /// What is taken in again by [`GatewayEvidence::observe_again`] comes to the same as observing each packet.
    #[test]
    fn packets_between_known_addresses_may_be_taken_in_again(
        packets in prop::collection::vec((0..2_u8, 0..2_u8, 0..140_u8, 0..140_u8, 0..20_u8), 0..400),
    ) {
        let mac = |number: u8| MacAddr::new([0x14, 0xcc, 0x20, 0, 0, number]);
        let address = |number: u8| if number < 4 { format!("10.0.0.{number}") } else { format!("52.0.0.{number}") };
        let (mut each, mut again) = (GatewayEvidence::default(), GatewayEvidence::default());
        let mut known = HashMap::new();
        // So much that all is known of one of them.
        let received = (4..140).map(|server| (1, 0, 1, server, 1));
        let sent = (4..140).map(|server| (0, 1, server, 1, 1));
        for (from, to, src, dst, kind) in received.chain(sent).chain(packets) {
            // A neighbour advertisement claims an address, which may undo that all is known of a gateway.
            let (advertises, number) = (kind == 0, dst);
            let (src, dst) = if advertises { ("2001:db8::1".into(), "2001:db8::2".into()) } else { (address(src), address(dst)) };
            let payload: Vec<u8> = [&[136, 0, 0, 0, 0, 0, 0, 0][..], &[0; 10], &[0xff, 0xff, 52, 0, 0, number]].concat();
            let transport = if advertises { Transport::Other(58) } else { Transport::Tcp(TcpSegment { seq: 0, ack: 0, flags: TcpFlags(0) }) };
            let ip = Ip { transport, payload: &payload, ..ip_between(&src, &dst) };
            let packet = frame(mac(from), mac(to), Some(ip), None);
            each.observe(&packet);
            let key = (from, to, src, dst);
            let is_taken = known.get(&key).is_some_and(|repeat| again.observe_again(*repeat, &ip));
            if !is_taken {
                known.insert(key, again.observe(&packet));
            }
        }
        prop_assert_eq!(each, again);
    }
}

/// So many packets of the camera for itself, and a gateway beside it.
fn camera_that_talks(packets: usize) -> GatewayEvidence {
    let mut evidence = GatewayEvidence::default();
    talk(&mut evidence, PLUG, ROUTER, 12);
    for at in 0..packets {
        see(&mut evidence, (CAMERA, "192.168.1.10"), (ROUTER, &format!("52.1.{}.1", at % 20)));
    }
    evidence
}

/// What somebody forges of a device: conversations with so many servers, and a router advertisement.
fn forge(evidence: &mut GatewayEvidence, device: MacAddr, servers: usize) {
    talk(evidence, OTHER, device, servers);
    let advertisement = [134, 0, 0, 0, 64, 0, 0, 30];
    let payload = (Transport::Other(58), &advertisement[..]);
    see_payload(evidence, (device, "fe80::1"), (OTHER, "fe80::2"), payload);
}

#[test]
fn a_few_forged_packets_hide_no_device_that_speaks_for_itself() {
    // Of a camera that turns to hosts outside, an advertisement is of no weight: four times as many packets as for 12 servers, and
    // 32, are enough.
    let mut evidence = camera_that_talks(81);
    forge(&mut evidence, CAMERA, 12);
    assert_eq!(decided(&evidence), [(ROUTER, GatewayReason::Forwards)]);
    // Beside fewer, it is taken for a gateway, and that is doubtful.
    let mut evidence = camera_that_talks(80);
    forge(&mut evidence, CAMERA, 12);
    let found: Vec<MacAddr> = decided(&evidence).into_iter().map(|(mac, _)| mac).collect();
    assert_eq!(found, [ROUTER, CAMERA]);
    let doubtful = |mac| evidence.weight(mac).unwrap().is_doubtful(GatewayReason::Forwards);
    assert!(doubtful(CAMERA) && !doubtful(ROUTER));
}

#[test]
fn any_number_of_forged_advertisements_hides_no_device_that_turns_to_hosts_outside() {
    let mut evidence = camera_that_talks(33);
    let advertisement = [134, 0, 0, 0, 64, 0, 0, 30];
    for _ in 0..1000 {
        let payload = (Transport::Other(58), &advertisement[..]);
        see_payload(&mut evidence, (CAMERA, "fe80::1"), (OTHER, "fe80::2"), payload);
    }
    assert_eq!(decided(&evidence), [(ROUTER, GatewayReason::Forwards)]);
}

#[test]
fn a_device_that_is_made_a_gateway_by_any_number_of_forged_packets_is_in_doubt() {
    let mut evidence = camera_that_talks(100);
    for _ in 0..50 {
        forge(&mut evidence, CAMERA, 12);
    }
    let found: Vec<MacAddr> = decided(&evidence).into_iter().map(|(mac, _)| mac).collect();
    assert_eq!(found, [ROUTER, CAMERA]);
    let weight = |mac| evidence.weight(mac).unwrap();
    assert!(weight(CAMERA).others > 2 * weight(CAMERA).own);
    assert!(weight(CAMERA).is_doubtful(GatewayReason::Forwards));
    assert!(!weight(ROUTER).is_doubtful(GatewayReason::Forwards));
}

#[test]
fn a_gateway_that_is_asked_for_any_number_of_answers_stays_one() {
    let mut evidence = camera_that_talks(20);
    talk(&mut evidence, CAMERA, ROUTER, 40);
    for _ in 0..2000 {
        see(&mut evidence, (ROUTER, "192.168.1.1"), (OTHER, "192.168.1.20"));
    }
    assert!(evidence.weight(ROUTER).unwrap().own > 8 * evidence.weight(ROUTER).unwrap().others);
    let before = GatewayPolicy::default().decide(&evidence);
    // Somebody who claims to be one beside it changes nothing of that,
    talk(&mut evidence, PLUG, OTHER, 12);
    let both = [(ROUTER, GatewayReason::Forwards), (OTHER, GatewayReason::Forwards)];
    assert!(decided(&evidence).iter().all(|found| both.contains(found)));
    assert!(decided(&evidence).contains(&both[0]));
    // nor takes somebody away who was one before that forwards more than it.
    for _ in 0..20 {
        talk(&mut evidence, PLUG, OTHER, 12);
    }
    assert!(!decided(&evidence).contains(&both[0]));
    assert!(GatewayPolicy::default().decide_again(before, &evidence).contains(ROUTER));
}

#[test]
fn forged_packets_hide_no_device_where_no_gateway_is_seen() {
    let mut evidence = GatewayEvidence::default();
    for _ in 0..200 {
        see(&mut evidence, (CAMERA, "192.168.1.10"), (ROUTER, "52.1.1.1"));
    }
    see(&mut evidence, (CAMERA, "192.168.1.10"), (ROUTER, "192.168.1.1"));
    talk(&mut evidence, PLUG, CAMERA, 3);
    assert_eq!(decided(&evidence), []);
    talk(&mut evidence, OTHER, CAMERA, 3);
    assert_eq!(decided(&evidence), []);
}
