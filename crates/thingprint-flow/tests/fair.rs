//! Caps of the flow table that devices share: what one device does takes nothing of others.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use thingprint_flow::{
    DeviceId, DeviceIndex, Finished, Flow, FlowEnd, FlowOptions, Ip, LossCounts, LossKind, MacAddr, Observer,
    Packet, Tally, Timestamp, Tracker, WindowIndex, WindowLength,
};

const ROUTER: u32 = 1;
const FLOODER: u32 = 99;
/// Addresses from here on are made up.
const MADE_UP: u32 = 1000;

/// A UDP packet between two hosts, which are numbers of their MAC and IP addresses.
#[derive(Clone, Copy, Debug)]
struct Said {
    at_ms: i64,
    from: (u32, u16),
    to: (u32, u16),
}

fn mac(host: u32) -> MacAddr {
    let [a, b, c, d] = host.to_be_bytes();
    MacAddr::new([2, 0, a, b, c, d])
}

impl Said {
    fn packet(&self) -> Packet<'static> {
        let host = |(host, port): (u32, u16)| {
            let [_, b, c, d] = host.to_be_bytes();
            ([10, b, c, d].into(), port)
        };
        Packet {
            time: Timestamp::from_nanos(self.at_ms * 1_000_000),
            src_mac: Some(mac(self.from.0)),
            dst_mac: Some(mac(self.to.0)),
            wire_bytes: 60,
            ip: Some(Ip { total_bytes: 46, ..Ip::udp(host(self.from), host(self.to), &[]) }),
            other: None,
        }
    }
}

/// The flows of each device, and the devices that were forgotten.
#[derive(Debug, Default)]
struct Rows {
    ids: BTreeMap<DeviceIndex, DeviceId>,
    flows: BTreeMap<DeviceId, Vec<Row>>,
    forgotten: Vec<DeviceId>,
    /// Flows that were to go on over an edge and did not.
    abandoned: BTreeMap<DeviceId, u64>,
}

type Row = (WindowIndex, (u16, u16), (Timestamp, Timestamp), (Tally, Tally), FlowEnd, bool);

impl Observer for Rows {
    type State = ();

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        assert_eq!(self.ids.insert(device, id), None, "the index was free");
    }

    fn flow(&mut self, flow: Flow<()>) {
        let ports = (flow.local.port, flow.peer.port);
        let row = (
            flow.window,
            ports,
            (flow.first, flow.last),
            (flow.up, flow.down),
            flow.end,
            flow.is_established,
        );
        self.flows.entry(self.ids[&flow.device]).or_default().push(row);
    }

    fn abandon_flow(&mut self, device: DeviceIndex, (): ()) {
        *self.abandoned.entry(self.ids[&device]).or_default() += 1;
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.forgotten.extend(self.ids.remove(&device));
    }
}

fn options() -> FlowOptions {
    FlowOptions {
        gateways: BTreeSet::from([mac(ROUTER)]),
        max_flows: 64,
        max_devices: 16,
        ..FlowOptions::default()
    }
}

fn run(story: &[Said]) -> Finished<Rows> {
    let mut tracker = Tracker::new(options(), Rows::default());
    for said in story {
        tracker.push(&said.packet());
        assert!(tracker.open_flow_count() <= 64, "{}", tracker.open_flow_count());
    }
    tracker.finish()
}

/// What one device, or somebody who makes up addresses, floods the network with.
#[derive(Clone, Copy, Debug)]
enum Flood {
    Ports,
    Peers,
    Addresses,
    /// Addresses that answer each other.
    Pairs,
    /// Addresses that the router answers, as it seems.
    Answered,
}

impl Flood {
    fn packets(self, number: u32, at_ms: i64) -> Vec<Said> {
        let port = u16::try_from(number % 60_000).unwrap();
        let made_up = MADE_UP + number;
        let said = |from, to| Said { at_ms, from, to };
        match self {
            Self::Ports => vec![said((FLOODER, port), (ROUTER, 9))],
            Self::Peers => vec![said((FLOODER, 9), (MADE_UP, port)), said((FLOODER, 9), (ROUTER, port))],
            Self::Addresses => vec![said((made_up, 7), (ROUTER, 9))],
            Self::Pairs => {
                let pair = ((MADE_UP + 2 * number, 7), (MADE_UP + 2 * number + 1, 9));
                vec![said(pair.0, pair.1), said(pair.1, pair.0)]
            }
            Self::Answered => {
                vec![said((made_up, 7), (ROUTER, 9)), said((ROUTER, 9), (made_up, 7))]
            }
        }
    }
}

/// Devices that were answered in some flows each.
fn home() -> Vec<Said> {
    let exchange = |host, port| {
        let at_ms = i64::from(port);
        [
            Said { at_ms, from: (host, port), to: (ROUTER, 53) },
            Said { at_ms, from: (ROUTER, 53), to: (host, port) },
        ]
    };
    (10..14).flat_map(|host| (1..5).flat_map(move |port| exchange(host, port))).collect()
}

#[test]
fn the_device_with_most_flows_loses_those_that_were_silent_for_longest_and_it_is_told() {
    let flood = (0..1000).flat_map(|number| Flood::Ports.packets(number, 10 + i64::from(number)));
    let finished = run(&home().into_iter().chain(flood).collect::<Vec<_>>());
    let flooder = DeviceId::Mac(mac(FLOODER));
    let lost = finished.counts.flows_evicted;
    assert!(lost > 900, "{lost}");
    let by_device: Vec<_> = finished.left_out.by_size();
    assert_eq!(by_device.len(), 1, "{by_device:?}");
    assert_eq!((by_device[0].0, by_device[0].1[&LossKind::FLOWS]), (flooder, lost));
    assert_eq!(finished.observer.flows[&flooder].len(), 1000, "each is a row");
    let ends =
        |host| finished.observer.flows[&DeviceId::Mac(mac(host))].iter().map(|row| row.4).collect::<Vec<_>>();
    assert_eq!(ends(10), [FlowEnd::Edge; 4]);
}

#[test]
fn addresses_that_nobody_answered_are_forgotten_first_and_are_one_sum() {
    let flood = (0..1000).flat_map(|number| Flood::Addresses.packets(number, 10 + i64::from(number)));
    let finished = run(&home().into_iter().chain(flood).collect::<Vec<_>>());
    let Finished { observer, counts, left_out, .. } = finished;
    assert!(counts.devices_evicted >= 1000 - 16, "{counts:?}");
    assert_eq!(observer.forgotten.len() as u64, counts.devices_evicted);
    assert_eq!(left_out.by_size(), []);
    assert_eq!(left_out.others()[&LossKind::DEVICES], counts.devices_evicted);
    let first: Vec<_> = observer.forgotten.iter().take(2).copied().collect();
    assert_eq!(first, [MADE_UP, MADE_UP + 1].map(|host| DeviceId::Mac(mac(host))), "the oldest first");
    assert!((10..14).all(|host| !observer.forgotten.contains(&DeviceId::Mac(mac(host)))));
}

#[test]
fn flows_that_go_on_over_an_edge_have_a_fair_share_as_well() {
    // Windows of 30 s, over whose edges flows go on for 60 s: those of two windows at once.
    let options = FlowOptions { window: WindowLength::Span(30_000_000_000), ..options() };
    let open = |host, ports: std::ops::Range<u16>, at_ms| {
        ports.map(move |port| Said { at_ms, from: (host, port), to: (ROUTER, 9) })
    };
    let flood = open(FLOODER, 1..41, 29_900).chain(open(FLOODER, 51..91, 59_900));
    let mut story: Vec<_> = home().into_iter().chain(open(10, 5..10, 29_800)).chain(flood).collect();
    story.sort_by_key(|said| said.at_ms);
    let mut tracker = Tracker::new(options, Rows::default());
    for said in story {
        tracker.push(&said.packet());
    }
    tracker.tick(Timestamp::from_seconds(62));
    // 16 flows of the home, 5 more and 80 of the flooder; 56 stay, of which 21 are of the others.
    let lost = LossCounts::from([(LossKind::CARRIED_FLOWS, 45)]);
    assert_eq!(tracker.left_out().by_size(), [(DeviceId::Mac(mac(FLOODER)), &lost)]);
    assert_eq!(tracker.observer().abandoned.keys().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever one device does, or somebody who makes up addresses: the rows of devices that are neither are as they were.
    #[test]
    fn a_flood_leaves_the_rows_of_others_as_they_were(
        events in prop::collection::vec((10_u32..14, 1_u16..9, any::<bool>(), 0_i64..100_000), 1..60),
        floods in prop::collection::vec(
            prop_oneof![
                Just(Flood::Ports), Just(Flood::Peers), Just(Flood::Addresses), Just(Flood::Pairs), Just(Flood::Answered)
            ],
            1..60,
        ),
        many in 1_u32..40,
    ) {
        let (mut at_ms, mut number) = (100, 0);
        let (mut quiet, mut flooded) = (home(), home());
        for (place, (host, port, is_sent, gap_ms)) in events.into_iter().enumerate() {
            at_ms += gap_ms;
            let ends = ((host, port), (ROUTER, 53));
            let (from, to) = if is_sent { ends } else { (ends.1, ends.0) };
            quiet.push(Said { at_ms, from, to });
            flooded.push(Said { at_ms, from, to });
            if let Some(flood) = floods.get(place) {
                for _ in 0..many {
                    number += 1;
                    flooded.extend(flood.packets(number, at_ms));
                }
            }
        }
        let (mut quiet, mut flooded) = (run(&quiet).observer, run(&flooded).observer);
        for host in 10..14 {
            let id = DeviceId::Mac(mac(host));
            let [mut before, mut after] = [&mut quiet, &mut flooded].map(|rows| rows.flows.remove(&id).unwrap_or_default());
            before.sort_unstable_by_key(|row| (row.2, row.1));
            after.sort_unstable_by_key(|row| (row.2, row.1));
            prop_assert_eq!(before, after, "{}", host);
            prop_assert!(!flooded.forgotten.contains(&id));
        }
    }
}
