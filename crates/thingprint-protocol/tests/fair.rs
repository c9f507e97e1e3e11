//! Bytes that devices share: what one keeps of streams and messages takes nothing of others.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod wire;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

use proptest::prelude::*;
use thingprint_flow::{
    DeviceId, DeviceLosses, FlowOptions, Ip, LossKind, MacAddr, Packet, TcpFlags, TcpSegment, Timestamp,
    Tracker, Transport,
};
use thingprint_protocol::{Detector, Engine, Heard, Limits, Losses, Message};
use wire::{PUSH_ACK, SYN, client_hello, dns_query, records};

const ROUTER: u32 = 1;
const FLOODER: u32 = 99;
const MADE_UP: u32 = 1000;

/// A packet of a host to or from the router.
#[derive(Clone, Debug)]
struct Said {
    at_ms: i64,
    host: u32,
    port: u16,
    is_sent: bool,
    transport: Transport,
    payload: Vec<u8>,
}

/// What flows said, by device and port; what was lost; and the most bytes of messages and streams that were kept.
struct Heards {
    heard: BTreeMap<(DeviceId, u16), Vec<Message>>,
    dropped: BTreeMap<DeviceId, u64>,
    left_out: DeviceLosses,
    losses: Losses,
}

fn mac(host: u32) -> MacAddr {
    let [a, b, c, d] = host.to_be_bytes();
    MacAddr::new([2, 0, a, b, c, d])
}

fn tcp(host: u32, port: u16, seq: u32, payload: &[u8]) -> Said {
    let flags = TcpFlags(if payload.is_empty() { SYN } else { PUSH_ACK });
    let transport = Transport::Tcp(TcpSegment { seq, ack: 0, flags });
    Said { at_ms: 0, host, port, is_sent: true, transport, payload: payload.to_vec() }
}

fn udp(host: u32, port: u16, payload: Vec<u8>) -> Said {
    Said { at_ms: 0, host, port, is_sent: true, transport: Transport::Udp, payload }
}

fn answered(said: Said) -> [Said; 2] {
    [said.clone(), Said { is_sent: false, ..said }]
}

/// A hello in two segments.
fn halves(host: u32, port: u16) -> [Said; 3] {
    let hello = records(&client_hello(&[0x1301, port], 300), 16384);
    let (first, second) = hello.split_at(200);
    [tcp(host, port, 9, &[]), tcp(host, port, 10, first), tcp(host, port, 210, second)]
}

fn run(limits: Limits, story: &[Said]) -> Heards {
    let heard = Rc::new(RefCell::new((BTreeMap::new(), BTreeMap::new())));
    let engine = Engine::new(limits);
    let detector = Detector::collecting(&engine, {
        let heard = Rc::clone(&heard);
        move |flow: thingprint_flow::Flow<Heard>| {
            let (messages, dropped) = &mut *heard.borrow_mut();
            let id = flow.local.addr;
            let all: &mut Vec<Message> = messages.entry((id, flow.local.port)).or_default();
            *dropped.entry(id).or_default() += flow.state.messages_dropped();
            all.extend(flow.state.messages.into_iter().map(|heard| heard.message));
        }
    });
    let options =
        FlowOptions { gateways: BTreeSet::from([mac(ROUTER)]), max_devices: 64, ..FlowOptions::default() };
    let mut tracker = Tracker::new(options, detector);
    for said in story {
        let [_, b, c, d] = said.host.to_be_bytes();
        let (own, other) = (([10, b, c, d].into(), said.port), ([192, 0, 2, 1].into(), 8443));
        let (src, dst) = if said.is_sent { (own, other) } else { (other, own) };
        let (src_mac, dst_mac) = if said.is_sent { (said.host, ROUTER) } else { (ROUTER, said.host) };
        tracker.push(&Packet {
            time: Timestamp::from_nanos(said.at_ms * 1_000_000),
            src_mac: Some(mac(src_mac)),
            dst_mac: Some(mac(dst_mac)),
            wire_bytes: 60,
            ip: Some(Ip { transport: said.transport, ..Ip::udp(src, dst, &said.payload) }),
            other: None,
        });
    }
    let finished = tracker.finish();
    let (mut left_out, losses) = (finished.left_out, finished.observer.losses());
    left_out.merge(finished.observer.left_out().clone());
    drop(finished.observer);
    let (heard, dropped) = Rc::try_unwrap(heard).unwrap().into_inner();
    let id = |host| {
        let IpAddr::V4(host) = host else { panic!("{host}") };
        let [_, b, c, d] = host.octets();
        DeviceId::Mac(mac(u32::from_be_bytes([0, b, c, d])))
    };
    Heards {
        heard: heard.into_iter().map(|((host, port), messages)| ((id(host), port), messages)).collect(),
        dropped: dropped.into_iter().map(|(host, count)| (id(host), count)).collect(),
        left_out,
        losses,
    }
}

/// Devices that were answered.
fn home() -> Vec<Said> {
    (10..14).flat_map(|host| answered(udp(host, 1, dns_query(1, "home")))).collect()
}

#[test]
fn streams_that_are_never_completed_take_no_bytes_of_others() {
    let flood = (0..4000_u16).flat_map(|port| halves(FLOODER, 1000 + port).into_iter().take(2));
    let [syn, first, second] = halves(10, 2000);
    let story: Vec<_> = home().into_iter().chain([syn, first]).chain(flood).chain([second]).collect();
    // 4,000 times 200 bytes.
    let heards = run(Limits { buffered_bytes: 100_000, ..Limits::default() }, &story);
    let hello = &heards.heard[&(DeviceId::Mac(mac(10)), 2000)];
    assert!(matches!(hello[..], [Message::ClientHello(_)]), "{hello:?}");
    let lost = heards.losses.buffers_dropped;
    assert!(lost > 3400, "{lost}");
    let by_device = heards.left_out.by_size();
    assert_eq!(by_device.len(), 1, "{by_device:?}");
    assert_eq!((by_device[0].0, by_device[0].1[&LossKind::STREAMS]), (DeviceId::Mac(mac(FLOODER)), lost));
}

#[test]
fn messages_of_one_device_take_no_room_of_others_and_its_first_ones_stay() {
    let name = "x".repeat(50);
    let queries = |host, port, many: u16| {
        let name = name.clone();
        (0..many).map(move |id| udp(host, port, dns_query(id, &name)))
    };
    let flood = (0..40).flat_map(|port| queries(FLOODER, 1000 + port, 100));
    let story: Vec<_> =
        home().into_iter().chain(queries(10, 7, 20)).chain(flood).chain(queries(11, 7, 20)).collect();
    let heards = run(Limits { message_bytes: 400_000, ..Limits::default() }, &story);
    for host in [10, 11] {
        assert_eq!(heards.heard[&(DeviceId::Mac(mac(host)), 7)].len(), 20, "{host}");
        assert_eq!(heards.dropped[&DeviceId::Mac(mac(host))], 0, "{host}");
    }
    let flooder = DeviceId::Mac(mac(FLOODER));
    let lost = heards.dropped[&flooder];
    let kept: usize =
        heards.heard.iter().filter(|((device, _), _)| *device == flooder).map(|(_, all)| all.len()).sum();
    assert_eq!(lost + kept as u64, 4000, "each is kept or counted");
    assert!(lost > 1000, "{lost}");
}

/// What somebody floods streams and messages with.
#[derive(Clone, Copy, Debug)]
enum Flood {
    Halves,
    MadeUpHalves,
    Pieces,
    Queries,
    Refused,
}

impl Flood {
    fn packets(self, number: u32) -> Vec<Said> {
        let port = 1000 + u16::try_from(number % 50_000).unwrap();
        match self {
            Self::Halves => halves(FLOODER, port).into_iter().take(2).collect(),
            Self::MadeUpHalves => halves(MADE_UP + number, port).into_iter().take(2).collect(),
            Self::Pieces => vec![tcp(FLOODER, 5, 9, &[]), tcp(FLOODER, 5, 2000 + 2 * number, b"\x16")],
            Self::Queries => (0..20).map(|id| udp(FLOODER, port, dns_query(id, &"q".repeat(60)))).collect(),
            Self::Refused => answered(udp(FLOODER, port, dns_query(1, &"r".repeat(60)))).to_vec(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever one device says, or somebody who makes up addresses: messages of devices that are neither are as they were.
    #[test]
    fn a_flood_takes_no_messages_of_others(
        events in prop::collection::vec((10_u32..14, 1_u16..6, any::<bool>(), 0_i64..2000), 1..30),
        floods in prop::collection::vec(
            prop_oneof![
                Just(Flood::Halves), Just(Flood::MadeUpHalves), Just(Flood::Pieces), Just(Flood::Queries),
                Just(Flood::Refused)
            ],
            1..30,
        ),
        many in 1_u32..40,
    ) {
        let (mut at_ms, mut number) = (0, 0);
        let (mut quiet, mut flooded) = (home(), home());
        // Each device has at most 5 streams of 200 bytes open, and at most 30 messages of some 300 bytes.
        let mut open: BTreeMap<(u32, u16), Vec<Said>> = BTreeMap::new();
        for (place, (host, port, is_stream, gap_ms)) in events.into_iter().enumerate() {
            at_ms += gap_ms;
            let said = if is_stream {
                let parts = open.entry((host, port)).or_insert_with(|| halves(host, 2000 + port).into());
                if parts.is_empty() { continue }
                parts.remove(0)
            } else {
                udp(host, port, dns_query(port, "home"))
            };
            let said = Said { at_ms, ..said };
            quiet.push(said.clone());
            flooded.push(said);
            if let Some(flood) = floods.get(place) {
                for _ in 0..many {
                    number += 1;
                    flooded.extend(flood.packets(number).into_iter().map(|said| Said { at_ms, ..said }));
                }
            }
        }
        let limits = Limits { buffered_bytes: 20_000, message_bytes: 200_000, ..Limits::default() };
        let (quiet, flooded) = (run(limits, &quiet), run(limits, &flooded));
        for host in 10..14 {
            let device = DeviceId::Mac(mac(host));
            let of = |heards: &Heards| {
                let heard = heards.heard.iter().filter(|((id, _), _)| *id == device);
                heard.map(|((_, port), messages)| (*port, messages.clone())).collect::<Vec<_>>()
            };
            prop_assert_eq!(of(&quiet), of(&flooded), "{}", host);
            prop_assert_eq!(flooded.left_out.of(device), None);
        }
    }
}
