//! Parts of a trace that was cut anywhere merge to what one reading gives.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use thingprint_flow::{
    GatewayPolicy, Ip, MacAddr, Packet, TcpFlags, TcpSegment, Timestamp, Tracker, Transport, WindowLength,
};
use thingprint_instance::{
    Assembled, Attribute, BagName, Builder, EdgeCounts, EvidenceSet, Instance, InstanceObserver,
    InstanceOptions, Part, PartFile, PartId, Partial,
};
use thingprint_protocol::{Detector, Engine, Limits};

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const FIN: u8 = 0x11;
const RST: u8 = 0x04;
const SERVER: Host = Host(9);
const CAMERA: Host = Host(1);
const PLUG: Host = Host(2);

/// A host of the network, by the last byte of its addresses; the server is behind the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Host(u8);

impl Host {
    const fn mac(self) -> MacAddr {
        MacAddr::new([0x70, 0xee, 0x50, 0, 0, self.0])
    }

    const fn addr(self) -> IpAddr {
        let addr = match self {
            SERVER => Ipv4Addr::new(52, 1, 2, 3),
            Self(number) => Ipv4Addr::new(192, 168, 1, number),
        };
        IpAddr::V4(addr)
    }
}

/// A frame of a story.
#[derive(Clone)]
struct Frame {
    at_ms: i64,
    ends: [(Host, u16); 2],
    transport: Transport,
    payload: Vec<u8>,
    bytes: u32,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(from, src_port), (to, dst_port)] = self.ends;
        let Self { at_ms, transport, bytes, .. } = self;
        write!(f, "{at_ms} {}:{src_port} > {}:{dst_port} {transport:?} {bytes}", from.0, to.0)
    }
}

impl Frame {
    /// A segment of the connection from the camera's port 40001 to the server's port 443.
    fn tcp(at_ms: i64, is_up: bool, flags: u8, (seq, ack): (u32, u32)) -> Self {
        let transport = Transport::Tcp(TcpSegment { seq, ack, flags: TcpFlags(flags) });
        let frame = Self { at_ms, transport, ..Self::udp(at_ms, (40_001, 443), Vec::new()) };
        if is_up { frame } else { frame.back() }
    }

    /// A datagram from the camera to the server.
    fn udp(at_ms: i64, ports: (u16, u16), payload: Vec<u8>) -> Self {
        let ends = [(CAMERA, ports.0), (SERVER, ports.1)];
        let bytes = 28 + u32::try_from(payload.len()).unwrap();
        Self { at_ms, ends, transport: Transport::Udp, payload, bytes }
    }

    fn dns(at_ms: i64) -> Self {
        let question =
            b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x07example\x00\x00\x01\x00\x01";
        Self::udp(at_ms, (40_000, 53), question.to_vec())
    }

    /// A DNS query for a name of one label.
    fn lookup(at_ms: i64, name: &str) -> Self {
        let mut question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00".to_vec();
        question.push(u8::try_from(name.len()).unwrap());
        question.extend(name.bytes());
        question.extend(b"\x07example\x00\x00\x01\x00\x01");
        Self::udp(at_ms, (40_000, 53), question)
    }

    fn ntp(at_ms: i64) -> Self {
        let mut request = vec![0x23];
        request.resize(48, 0);
        Self::udp(at_ms, (40_000, 123), request)
    }

    fn icmp(at_ms: i64, kind: u8) -> Self {
        Self { transport: Transport::Other(1), ..Self::udp(at_ms, (0, 0), vec![kind, 0, 0, 0]) }
    }

    fn back(self) -> Self {
        let [from, to] = self.ends;
        Self { ends: [to, from], ..self }
    }

    /// The same from or to another device.
    fn of(self, device: Host) -> Self {
        let ends = self.ends.map(|(host, port)| (if host == CAMERA { device } else { host }, port));
        Self { ends, ..self }
    }

    fn show(&self, with: impl FnOnce(&Packet<'_>)) {
        let [(from, src_port), (to, dst_port)] = self.ends;
        with(&Packet {
            time: Timestamp::from_nanos(self.at_ms * 1_000_000),
            src_mac: Some(from.mac()),
            dst_mac: Some(to.mac()),
            wire_bytes: self.bytes + 14,
            ip: Some(Ip {
                total_bytes: self.bytes,
                transport: self.transport,
                ..Ip::udp((from.addr(), src_port), (to.addr(), dst_port), &self.payload)
            }),
            other: None,
        });
    }
}

fn options(is_joy: bool, window_s: u64) -> InstanceOptions {
    let mut options = if is_joy { InstanceOptions::joy() } else { InstanceOptions::default() };
    options.evidence = EvidenceSet::all();
    options.flow.gateways = BTreeSet::from([SERVER.mac()]);
    options.flow.window = WindowLength::Span(window_s * 1_000_000_000);
    options
}

fn hourly() -> InstanceOptions {
    options(false, 3600)
}

/// What one reading hands out.
fn one_reading(story: &[Frame], options: &InstanceOptions) -> Vec<Instance> {
    let engine = Engine::new(Limits::default());
    let observer = Detector::new(&engine, InstanceObserver::draining(options.clone()));
    let mut tracker = Tracker::new(options.flow.clone(), observer);
    for frame in story {
        frame.show(|packet| tracker.push(packet));
    }
    let mut instances = tracker.finish().observer.into_observer().take_ready();
    instances.sort_by_key(|instance| (instance.device, instance.window_start));
    instances
}

fn part(story: &[Frame], options: &InstanceOptions, name: &str) -> Part {
    let engine = Engine::new(Limits::default());
    let mut builder = Builder::new(options.clone(), &engine);
    for frame in story {
        frame.show(|packet| builder.push(packet));
    }
    builder.finish(PartId::of_text(name), Some(name.to_owned())).0.unwrap()
}

/// The parts of a story that is cut before these frames.
fn parts(story: &[Frame], cuts: &[usize], options: &InstanceOptions) -> Vec<Part> {
    let mut cuts: Vec<usize> = cuts.iter().copied().filter(|cut| (1..story.len()).contains(cut)).collect();
    cuts.extend([0, story.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let pieces = cuts.windows(2).map(|pair| &story[pair[0]..pair[1]]);
    pieces.enumerate().map(|(at, piece)| part(piece, options, &at.to_string())).collect()
}

fn merged(parts: impl IntoIterator<Item = Part>, options: &InstanceOptions) -> Assembled {
    let mut partial = Partial::default();
    parts.into_iter().for_each(|part| partial.insert(part));
    partial.assemble(options, &GatewayPolicy { labelled: devices(), ..GatewayPolicy::default() })
}

fn devices() -> BTreeSet<MacAddr> {
    BTreeSet::from([CAMERA.mac(), PLUG.mac()])
}

/// A story gives the same cut before any of its frames, and before all of them, as in one reading.
fn check_every_cut(story: &[Frame], options: &InstanceOptions) -> Vec<Instance> {
    let expected = one_reading(story, options);
    for cut in 0..=story.len() {
        let merged = merged(parts(story, &[cut], options), options);
        assert_eq!(merged.instances, expected, "cut before frame {cut}");
        assert_eq!(merged.differences, EdgeCounts::default());
    }
    let all: Vec<usize> = (0..story.len()).collect();
    assert_eq!(merged(parts(story, &all, options).into_iter().rev(), options).instances, expected);
    expected
}

fn flows(instances: &[Instance]) -> Vec<u64> {
    instances.iter().map(|instance| instance.counts.flows).collect()
}

#[test]
fn a_connection_over_a_cut_is_one_flow() {
    let story = [
        Frame::tcp(0, true, SYN, (100, 0)),
        Frame::tcp(100, false, SYN_ACK, (500, 101)),
        Frame::tcp(200, true, ACK, (101, 501)),
        Frame::tcp(60_000, true, ACK, (101, 501)),
        Frame::tcp(61_000, false, ACK, (501, 201)),
        Frame::tcp(120_000, true, FIN, (201, 501)),
        Frame::tcp(120_100, false, FIN, (501, 202)),
        Frame::tcp(120_200, true, ACK, (202, 502)),
    ];
    let instances = check_every_cut(&story, &hourly());
    assert_eq!(flows(&instances), [1]);
    assert_eq!(instances[0].attributes.get(Attribute::FLOW_DURATION_S), Some(120.2));
}

#[test]
fn a_flow_that_ended_before_a_cut_takes_late_segments_for_as_long_as_idle() {
    let mut story = vec![Frame::tcp(0, true, SYN, (100, 0)), Frame::tcp(10_000, false, RST, (500, 101))];
    story.extend((1..10).map(|at| Frame::tcp(at * 50_000, true, ACK, (101, 501))));
    // The last to join comes at 300 s, less than 300 s after the RST; the rest is another flow.
    assert_eq!(flows(&check_every_cut(&story, &hourly())), [2]);
}

#[test]
fn fins_on_both_sides_of_a_cut_end_a_flow() {
    let mut story = vec![
        Frame::tcp(0, true, SYN, (100, 0)),
        Frame::tcp(1_000, true, FIN, (101, 501)),
        Frame::tcp(2_000, false, FIN, (501, 102)),
    ];
    story.extend((1..15).map(|at| Frame::tcp(at * 100_000, true, ACK, (102, 502))));
    assert_eq!(flows(&check_every_cut(&story, &hourly())), [2]);
}

#[test]
fn a_syn_behind_a_cut_repeats_or_begins() {
    let again = |seq| {
        [
            Frame::tcp(0, true, SYN, (100, 0)),
            Frame::tcp(100, false, SYN_ACK, (500, 101)),
            Frame::tcp(200, true, ACK, (101, 501)),
            Frame::tcp(300, false, ACK, (501, 131)),
            Frame::tcp(1_000, true, SYN, (seq, 0)),
            Frame::tcp(9_000, true, ACK, (seq + 1, 0)),
        ]
    };
    assert_eq!(flows(&check_every_cut(&again(100), &hourly())), [1]);
    assert_eq!(flows(&check_every_cut(&again(7_000), &hourly())), [2]);
}

#[test]
fn the_first_syn_anywhere_settles_the_client() {
    // By its ports the camera would be the client; the SYN says otherwise, whichever part has it.
    let story = [
        Frame::tcp(0, true, ACK, (1, 1)),
        Frame::tcp(10_000, true, ACK, (1, 1)),
        Frame::tcp(20_000, false, SYN, (0, 0)),
        Frame::tcp(30_000, true, ACK, (1, 1)),
    ];
    let instances = check_every_cut(&story, &hourly());
    assert!(instances[0].bags.get(BagName::PORTS).unwrap().is_empty());
    assert_eq!(instances[0].bags.get(BagName::SERVED_PORTS).unwrap().len(), 1);
}

#[test]
fn a_ping_goes_on_behind_a_cut() {
    let story: Vec<Frame> =
        (0..10).map(|at| Frame::icmp(at * 30_000, if at % 2 == 0 { 8 } else { 0 })).collect();
    assert_eq!(flows(&check_every_cut(&story, &hourly())), [1]);
}

#[test]
fn a_cut_hides_no_sleep_and_makes_none() {
    // The camera's connection is kept alive each 100 s and reset; what follows it within 300 s is asleep no more.
    let mut story: Vec<Frame> = (0..5).map(|at| Frame::tcp(at * 100_000, true, ACK, (1, 1))).collect();
    story.push(Frame::tcp(410_000, false, RST, (1, 1)));
    story.extend((5..9).map(|at| Frame::tcp(at * 100_000, true, ACK, (1, 1))));
    story.extend([Frame::dns(820_000), Frame::dns(905_000)]);
    let instances = check_every_cut(&story, &hourly());
    let sleep = instances[0].spread[&Attribute::SLEEP_TIME_S];
    // From 700 s to the flow that begins at 800 s there is nothing; so from there to 820 s, and to 905 s.
    assert_eq!((sleep.count, sleep.sum), (3, 205.0));
}

#[test]
fn bursts_go_on_behind_a_cut() {
    let times = [0, 500, 1_200, 60_000, 60_900, 61_800, 62_700, 400_000];
    let story: Vec<Frame> = times.into_iter().flat_map(|at| [Frame::dns(at), Frame::ntp(at + 1)]).collect();
    let instances = check_every_cut(&story, &hourly());
    for attribute in [Attribute::DNS_INTERVAL_S, Attribute::NTP_INTERVAL_S] {
        let interval = instances[0].spread[&attribute];
        assert_eq!((interval.count, interval.sum), (2, 400.0));
    }
}

#[test]
fn a_flow_of_more_packets_than_are_kept_is_exact_while_nothing_decides_by_them() {
    let mut story = vec![Frame::tcp(0, true, SYN, (100, 0))];
    story.extend((1..2000).map(|at| Frame::tcp(at * 100, at % 2 == 0, ACK, (101, 101))));
    story.push(Frame::tcp(900_000, true, RST, (101, 101)));
    let options = hourly();
    for cut in [1, 2, 600, 1999] {
        let merged = merged(parts(&story, &[cut], &options), &options);
        assert_eq!(merged.instances, one_reading(&story, &options));
        assert_eq!(merged.differences, EdgeCounts::default());
    }
    // Segments go on for 300 s after a reset: where the flow ended is not known any more, and that is counted.
    let mut story = vec![Frame::tcp(0, true, RST, (100, 0))];
    story.extend((1..4000).map(|at| Frame::tcp(at * 100, true, ACK, (101, 101))));
    let merged = merged(parts(&story, &[1], &options), &options);
    assert_eq!(merged.differences.flows, 1);
}

#[test]
fn each_window_of_a_part_has_room_for_its_words() {
    let story: Vec<Frame> =
        (0..200).map(|hour| Frame::lookup(hour * 3_600_000, &format!("host{hour:03}"))).collect();
    let options = InstanceOptions {
        evidence: BagName::DOMAINS.into(),
        max_device_bytes: 250,
        max_bytes: 1 << 20,
        ..hourly()
    };
    let expected = one_reading(&story, &options);
    assert!(expected.iter().all(|row| row.bags.get(BagName::DOMAINS).unwrap().len() == 1));
    for cuts in [&[][..], &[100]] {
        let merged = merged(parts(&story, cuts, &options), &options);
        assert_eq!(merged.instances, expected);
        assert!(merged.left_out.is_empty());
    }
}

#[test]
fn words_of_many_windows_share_the_room_of_a_part() {
    let minutes = 5_000;
    let story: Vec<Frame> =
        (0..minutes).map(|at| Frame::lookup(at * 60_000, &format!("host{at:05}"))).collect();
    let options =
        InstanceOptions { evidence: BagName::DOMAINS.into(), max_bytes: 4 << 10, ..options(false, 60) };
    let merged = merged(parts(&story, &[], &options), &options);
    let words: usize = merged.instances.iter().map(|row| row.bags.get(BagName::DOMAINS).unwrap().len()).sum();
    assert!((500..1_366).contains(&words), "{words} words of at least 96 bytes in 128 KiB");
    let dropped: u64 = merged.left_out.totals().values().sum();
    assert_eq!(words as u64 + dropped, 5_000);
}

#[test]
fn what_cannot_be_joined_is_counted() {
    // A ClientHello of two segments, RFC 5246 §7.4.1.2.
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x2f, 0x00, 0x2f, 1, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let record = [vec![22, 3, 1, 0, length + 4, 1, 0, 0, length], hello].concat();
    let segment = |at_ms, from: usize, to: usize| Frame {
        payload: record[from..to].to_vec(),
        ..Frame::tcp(at_ms, true, 0x18, (101 + u32::try_from(from).unwrap(), 1))
    };
    let story = [Frame::tcp(0, true, SYN, (100, 0)), segment(100, 0, 20), segment(200, 20, record.len())];
    let options = hourly();
    let messages = |cut| merged(parts(&story, &[cut], &options), &options).differences.messages;
    assert_eq!([0, 1, 2].map(messages), [0, 0, 1]);
    let late = merged([part(&story, &options, "0"), part(&story[1..], &options, "1")], &options);
    assert_eq!(late.differences.overlaps, 0, "frames may be out of order by as much as windows wait");
    let far: Vec<Frame> =
        story.iter().map(|frame| Frame { at_ms: frame.at_ms * 100, ..frame.clone() }).collect();
    let late = merged([part(&far, &options, "0"), part(&far[1..], &options, "1")], &options);
    assert_eq!(late.differences.overlaps, 1);
    let fragments = part(&story[..1], &options, "0").with_datagrams_cut(3);
    assert_eq!(merged([fragments.clone()], &options).differences.datagrams, 0, "nothing follows");
    assert_eq!(merged([fragments, part(&story[1..], &options, "1")], &options).differences.datagrams, 3);
}

fn segment() -> impl Strategy<Value = Frame> {
    let flags = select(vec![SYN, SYN, SYN_ACK, ACK, ACK, ACK, ACK, FIN, FIN, RST, 0x18, 0x14]);
    let number = || select(vec![1_u32, 2, 100, 101, 200, 4_000_000_000]);
    (any::<bool>(), flags, number(), number())
        .prop_map(|(is_up, flags, seq, ack)| Frame::tcp(0, is_up, flags, (seq, ack)))
}

fn frame() -> impl Strategy<Value = Frame> {
    let icmp = (select(vec![0_u8, 3, 8, 13]), any::<bool>()).prop_map(|(kind, is_up)| {
        let frame = Frame::icmp(0, kind);
        if is_up { frame } else { frame.back() }
    });
    let udp = any::<bool>().prop_map(|is_up| {
        let frame = Frame::udp(0, (40_000, 40_001), vec![0; 9]);
        if is_up { frame } else { frame.back() }
    });
    let kind = prop_oneof![
        6 => segment(),
        2 => udp,
        2 => icmp,
        1 => Just(Frame::dns(0)),
        1 => Just(Frame::ntp(0)),
    ];
    (kind, any::<bool>(), 0_u8..8, 40_u32..1500).prop_map(|(frame, is_plug, other, bytes)| {
        let frame = Frame { bytes, ..frame };
        let frame = if is_plug { frame.of(PLUG) } else { frame };
        // Some are from device to device.
        let ends = frame.ends.map(|(host, port)| {
            (if other == 0 && host == SERVER { Host(3 - u8::from(is_plug) - 1) } else { host }, port)
        });
        Frame { ends, ..frame }
    })
}

/// Frames of two devices, out of order by less than windows wait.
fn story() -> impl Strategy<Value = Vec<Frame>> {
    let step_ms = prop_oneof![
        2 => Just(0_i64),
        4 => 1_i64..2_000,
        4 => 2_000_i64..40_000,
        2 => 40_000_i64..110_000,
        2 => 200_000_i64..305_000,
    ];
    let behind_ms = prop_oneof![5 => Just(0_i64), 1 => 0_i64..1_900];
    let start_ms = prop_oneof![Just(0_i64), 3_000_000_i64..3_600_000];
    (start_ms, proptest::collection::vec((frame(), step_ms, behind_ms), 1..60)).prop_map(
        |(start_ms, frames)| {
            let mut clock_ms = start_ms + 10_000;
            let place = |(frame, step_ms, behind_ms)| {
                clock_ms += step_ms;
                Frame { at_ms: clock_ms - behind_ms, ..frame }
            };
            frames.into_iter().map(place).collect()
        },
    )
}

/// Whether parts cut there follow each other in time: of parts that lie within the disorder of frames, nothing says
/// which is first.
fn is_in_order(story: &[Frame], cuts: &[usize]) -> bool {
    let mut cuts: Vec<usize> = cuts.to_vec();
    cuts.push(0);
    cuts.push(story.len());
    cuts.sort_unstable();
    cuts.dedup();
    let spans: Vec<_> = cuts
        .windows(2)
        .map(|pair| {
            let times = || story[pair[0]..pair[1]].iter().map(|frame| frame.at_ms);
            (times().min(), times().max())
        })
        .collect();
    spans.is_sorted()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Parts of a trace that is cut anywhere, merged in any order and with repeats, give the instances of one reading.
    #[test]
    fn parts_cut_anywhere_merge_to_one_reading(
        story in story(),
        cuts in proptest::collection::vec(any::<Index>(), 0..5),
        order in proptest::collection::vec(any::<Index>(), 0..8),
        is_joy in proptest::bool::weighted(0.2),
        window_s in select(vec![60, 900, 3600, 86_400]),
    ) {
        let options = options(is_joy, window_s);
        let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(story.len())).collect();
        prop_assume!(is_in_order(&story, &cuts));
        let mut parts = parts(&story, &cuts, &options);
        for at in order {
            let at = at.index(parts.len());
            parts.push(parts[at].clone());
            parts.swap(0, at);
        }
        let merged = merged(parts, &options);
        prop_assert_eq!(merged.differences, EdgeCounts::default());
        let expected = one_reading(&story, &options);
        let differ: Vec<_> = merged.instances.iter().zip(&expected).filter(|(a, b)| a != b).collect();
        prop_assert!(differ.is_empty(), "{differ:#?}");
        prop_assert_eq!(merged.instances.len(), expected.len());
    }

    /// Merging is associative, commutative and unchanged by repeats, and parts are the same when written and read.
    #[test]
    fn merge_is_a_union(story in story(), cuts in proptest::collection::vec(any::<Index>(), 2)) {
        let options = hourly();
        let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(story.len())).collect();
        let parts = parts(&story, &cuts, &options);
        let single = |at: usize| {
            let mut partial = Partial::default();
            partial.insert(parts[at % parts.len()].clone());
            partial
        };
        let [a, b, c] = [0, 1, 2].map(single);
        let left = a.clone().merge(b.clone()).merge(c.clone());
        prop_assert_eq!(&left, &a.clone().merge(b.clone().merge(c.clone())));
        prop_assert_eq!(&left, &c.merge(b.clone()).merge(a.clone()));
        prop_assert_eq!(&left, &left.clone().merge(b).merge(a));
        let recipe = thingprint_instance::ExtractionRecipe::of(&options);
        let file = PartFile { recipe, gateways: BTreeSet::new(), settings: thingprint_instance::PartSettings::default(), share: None, parts: left };
        let mut bytes = Vec::new();
        file.write(&mut bytes).unwrap();
        prop_assert_eq!(PartFile::read(&mut bytes.as_slice()).unwrap(), file);
    }
}

#[test]
fn a_part_under_another_name_is_the_same_part() {
    let options = hourly();
    let story = [Frame::dns(0)];
    let rename = |name: &str| {
        let engine = Engine::new(Limits::default());
        let mut builder = Builder::new(options.clone(), &engine);
        for frame in &story {
            frame.show(|packet| builder.push(packet));
        }
        let mut partial = Partial::default();
        partial.insert(builder.finish(PartId::of_text("one"), Some(name.to_owned())).0.unwrap());
        partial
    };
    assert_eq!(rename("a").merge(rename("b")), rename("b").merge(rename("a")));
    assert_eq!(rename("a").merge(rename("b")).len(), 1);
}
