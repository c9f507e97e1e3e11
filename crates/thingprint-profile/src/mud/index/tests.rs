use std::net::IpAddr;

use proptest::prelude::*;
use thingprint_flow::{
    DeviceIndex, Flow, FlowOptions, Ip, MacAddr, Packet, Timestamp, Tracker, WindowLength,
};
use thingprint_protocol::{Detector, Engine, Heard};

use super::*;
use crate::mud::contact::{Contact, Host, HostSource, Place};
use crate::mud::controllers::Controllers;
use crate::mud::names::Names;
use crate::mud::port::PortSpan;
use crate::mud::profile::Network;

const PEERS: [&str; 4] = ["192.168.1.9", "203.0.113.5", "203.0.113.9", "2001:db8::1"];

/// Some device.
fn device() -> DeviceIndex {
    let (own, peer): (IpAddr, IpAddr) = ([192, 168, 1, 7].into(), [203, 0, 113, 5].into());
    let ip = Ip::udp((own, 40_000), (peer, 53), &[]);
    let mac = |last| Some(MacAddr::new([2, 0, 0, 0, 0, last]));
    let time = Timestamp::from_nanos(1);
    let packet = Packet { time, src_mac: mac(7), dst_mac: mac(1), wire_bytes: 42, ip: Some(ip), other: None };
    let (engine, mut found) = (Engine::default(), None);
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| found = Some(flow.device));
    let options = FlowOptions { window: WindowLength::Capture, ..FlowOptions::default() };
    let mut tracker = Tracker::new(options, detector);
    tracker.push(&packet);
    drop(tracker.finish());
    found.unwrap()
}

fn any_direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::FromDevice), Just(Direction::ToDevice)]
}

fn any_port() -> impl Strategy<Value = u16> {
    prop_oneof![Just(53_u16), Just(443), Just(444), 1000_u16..1003]
}

fn any_condition() -> impl Strategy<Value = Option<PortCondition>> {
    prop_oneof![
        Just(None),
        any_port().prop_map(|port| Some(PortCondition::Equal(port))),
        any_port().prop_map(|port| Some(PortCondition::AtLeast(port))),
    ]
}

fn any_transport() -> impl Strategy<Value = Option<TransportMatch>> {
    let opened = proptest::option::of(any_direction());
    (0..4_u8, any_condition(), any_condition(), opened).prop_map(|(kind, source, destination, initiated)| {
        match kind {
            0 => Some(TransportMatch::Tcp { source, destination, initiated }),
            1 => Some(TransportMatch::Udp { source, destination }),
            2 => Some(TransportMatch::Icmp { kind: None, code: None }),
            _ => None,
        }
    })
}

fn any_network() -> impl Strategy<Value = Option<Network>> {
    let prefix = || {
        proptest::option::of(prop_oneof![
            Just("203.0.113.5/32"),
            Just("203.0.113.0/24"),
            Just("192.168.0.0/16"),
            Just("2001:db8::/32")
        ])
    };
    let name = || proptest::option::weighted(0.3, prop_oneof![Just("a.example"), Just("b.example")]);
    let protocol = proptest::option::of(prop_oneof![Just(6_u8), Just(17), Just(1)]);
    let network = (any::<bool>(), protocol, prefix(), prefix(), name(), name());
    let network = network.prop_map(|(is_ipv6, protocol, source, destination, from, to)| {
        let prefix = |text: &str| text.parse::<Prefix>().unwrap();
        Network {
            is_ipv6,
            protocol,
            source: source.map(prefix),
            destination: destination.map(prefix),
            source_name: from.map(str::to_owned),
            destination_name: to.map(str::to_owned),
        }
    });
    proptest::option::of(network)
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let peers = prop_oneof![
        3 => Just(vec![]),
        1 => Just(vec![Peer::LocalNetworks]),
        1 => Just(vec![Peer::Controller("urn:x".to_owned())]),
    ];
    let ethernet =
        proptest::option::weighted(0.2, Just(Ethernet { ethertype: Some(0x0800), ..Ethernet::default() }));
    (peers, ethernet, any_network(), any_transport(), any::<bool>()).prop_map(
        |(peers, ethernet, network, transport, is_accepted)| Entry {
            name: "entry".to_owned(),
            peers,
            ethernet,
            network,
            transport,
            unjudged: Vec::new(),
            action: if is_accepted { Action::Accept } else { Action::Drop },
            protocols: Vec::new(),
            name_evidence: None,
        },
    )
}

fn any_contact() -> impl Strategy<Value = (Contact, PortSpan)> {
    let protocol = prop_oneof![Just(6_u8), Just(17), Just(1)];
    let host = proptest::option::of(prop_oneof![Just("a.example"), Just("c.example")]);
    (0..PEERS.len(), protocol, any_direction(), any_port(), any_port(), any_port(), host).prop_map(
        |(peer, protocol, initiated, server, one, two, host)| {
            let contact = Contact {
                peer: PEERS[peer].parse().unwrap(),
                place: if peer == 0 { Place::Local } else { Place::Internet },
                protocol,
                initiated,
                server_port: (protocol != 1).then_some(server),
                client_port: None,
                service: None,
                host: host.map(|name| Host { name: name.to_owned(), source: HostSource::ServerName }),
            };
            (contact, PortSpan { low: one.min(two), high: one.max(two) })
        },
    )
}

/// What a look at each entry finds: the place of the one that decides, or of the nearest with what it misses.
fn plain(entries: &[Entry], scene: &Scene<'_>) -> Result<(usize, Hit), (Miss, Option<usize>)> {
    let mut nearest: Option<(Miss, usize)> = None;
    for (place, entry) in entries.iter().enumerate() {
        match scene.judge(entry) {
            Ok(hit) => return Ok((place, hit)),
            Err(miss) if nearest.is_none_or(|(nearest, _)| miss > nearest) => nearest = Some((miss, place)),
            Err(_) => {}
        }
    }
    Err(nearest.map_or((Miss::Protocol, None), |(miss, place)| (miss, Some(place))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_index_finds_what_a_look_at_each_entry_does(
        entries in prop::collection::vec(any_entry(), 0..12),
        direction in any_direction(),
        contacts in prop::collection::vec(any_contact(), 1..6),
    ) {
        let placed = entries.iter().enumerate().map(|(place, entry)| Placed { place, list: "list", entry });
        let index = EntryIndex::new(direction, placed.collect());
        let (names, controllers, device) = (Names::new(0), Controllers::default(), device());
        for (contact, client_ports) in &contacts {
            let (names, controllers, client_ports) = (&names, &controllers, *client_ports);
            let scene = Scene { names, controllers, device, contact, client_ports, direction };
            let found = index.decide(&scene).map(|(placed, hit)| (placed.place, hit));
            let found = found.map_err(|(miss, nearest)| (miss, nearest.map(|placed| placed.place)));
            prop_assert_eq!(found, plain(&entries, &scene), "{:?}", contact);
        }
    }
}
