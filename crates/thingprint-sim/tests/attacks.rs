//! What an attack adds to a home, and what it leaves alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::io::Read;
use std::net::Ipv4Addr;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use thingprint_flow::Capture;
use thingprint_sim::{
    Attack, AttackKind, AttackTraffic, CaptureReader, DnsTunnel, Exfiltration, Frames, Home, Mac, PortScan,
    SimError, Simulation, SimulationOptions, SsdpReflection, Target, TcpSyn, TelnetScan, UdpReflection, home,
};

/// Monday, 3 June 2024, 00:00 UTC.
const START_S: i64 = 1_717_372_800;

fn reflection(packets_per_s: f64) -> Attack {
    let kind =
        AttackKind::UdpReflection(UdpReflection { port: 1900, request_bytes: 94, response_bytes: 320 });
    Attack { device: "camera".to_owned(), kind, start_s: START_S + 3600, duration_s: 600, packets_per_s }
}

fn flood(packets_per_s: f64) -> Attack {
    Attack { kind: AttackKind::TcpSyn(TcpSyn { port: 80 }), ..reflection(packets_per_s) }
}

fn play(home: &Home, attacks: &[Attack]) -> Vec<(i64, Vec<u8>)> {
    let options =
        SimulationOptions { start_s: START_S, duration_s: 2 * 3600, ..SimulationOptions::default() };
    let mut simulation = Simulation::with_attacks(home, options, attacks).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = simulation.next_frame() {
        frames.push((frame.time_ns, frame.bytes.to_vec()));
    }
    frames
}

/// The frames that attacks add, in order; checks that they add and change nothing.
fn added(attacks: &[Attack]) -> Vec<(i64, Vec<u8>)> {
    let home = home().unwrap();
    let plain = play(&home, &[]);
    let mut all = play(&home, attacks);
    assert!(all.is_sorted_by_key(|(time_ns, _)| *time_ns));
    let mut rest = plain.iter().peekable();
    all.retain(|frame| rest.next_if(|next| *next == frame).is_none());
    assert_eq!(rest.next(), None, "the home behaves otherwise under attack");
    all
}

/// Whether a frame of the attack comes from the device, and its transport.
fn check(frame: &[u8]) -> (bool, TransportSlice<'_>) {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let Some(NetSlice::Ipv4(ip)) = &packet.net else { panic!("no IPv4") };
    let header = ip.header().to_header();
    assert_eq!(header.header_checksum, header.calc_header_checksum());
    let from_device = header.source[0] == 192;
    let stranger = if from_device { header.destination } else { header.source };
    assert_eq!((stranger[0], stranger[1] & 0xfe), (198, 18));
    (from_device, packet.transport.unwrap())
}

#[test]
fn a_reflection_sends_requests_at_its_rate_and_an_answer_to_each() {
    let frames = added(&[reflection(10.0)]);
    let (mut requests, mut answers) = (0, 0);
    for (time_ns, frame) in &frames {
        let after_s = time_ns / 1_000_000_000 - START_S;
        assert!((3600..4200).contains(&after_s), "{after_s}");
        let (from_device, TransportSlice::Udp(udp)) = check(frame) else { panic!("no UDP") };
        let (port, bytes) = if from_device { (udp.source_port(), 320) } else { (udp.destination_port(), 94) };
        assert_eq!((port, udp.payload().len()), (1900, bytes));
        *(if from_device { &mut answers } else { &mut requests }) += 1;
    }
    assert!((5700..6300).contains(&requests), "{requests}");
    assert!((requests - answers..=requests).contains(&answers) && requests - answers < 3, "{answers}");
}

#[test]
fn a_flood_is_answered_as_far_as_the_device_has_room() {
    for (rate, opened, answers) in [(1.0, 500..700, 1400..2100), (100.0, 58_000..62_000, 30_000..34_000)] {
        let (mut syn, mut syn_ack) = (0, 0);
        for (_, frame) in added(&[flood(rate)]) {
            let (from_device, TransportSlice::Tcp(tcp)) = check(&frame) else { panic!("no TCP") };
            assert!(tcp.syn() && tcp.ack() == from_device);
            *(if from_device { &mut syn_ack } else { &mut syn }) += 1;
        }
        assert!(opened.contains(&syn), "{syn} at {rate}");
        assert!(answers.contains(&syn_ack), "{syn_ack} at {rate}");
    }
}

#[test]
fn attacks_repeat_and_do_not_disturb_each_other() {
    let both = [reflection(5.0), flood(5.0)];
    let frames = added(&both);
    assert!(frames == added(&both));
    let alone = added(&both[..1]);
    assert!(alone.iter().all(|frame| frames.contains(frame)));
}

#[test]
fn unsupported_attacks_are_refused() {
    let cases = [
        (Attack { device: "nobody".to_owned(), ..flood(1.0) }, "attack[0].device"),
        (flood(0.0), "attack[0].packets_per_s"),
        (flood(f64::NAN), "attack[0].packets_per_s"),
        (Attack { start_s: -1, ..flood(1.0) }, "attack[0].start_s"),
        (
            Attack { kind: AttackKind::PortScan(PortScan { highest_port: 0 }), ..flood(1.0) },
            "attack[0].highest_port",
        ),
    ];
    for (attack, field) in cases {
        let home = home().unwrap();
        let error = Simulation::with_attacks(&home, SimulationOptions::default(), &[attack]).err().unwrap();
        assert!(matches!(&error, SimError::Field { field: found, .. } if found == field), "{error}");
    }
}

/// A device of a captured network.
const TARGET: Target = Target {
    mac: Mac([0x70, 0xee, 0x50, 0, 0, 1]),
    ip: Ipv4Addr::new(192, 168, 1, 10),
    ttl: 255,
    gateway: Mac([0x14, 0xcc, 0x20, 0, 0, 3]),
    resolver: Ipv4Addr::new(192, 168, 1, 1),
};

/// A frame of an attack on it.
#[derive(Debug)]
struct Seen {
    time_ns: i64,
    is_up: bool,
    peer: Ipv4Addr,
    own_port: u16,
    peer_port: u16,
    /// Flags of TCP; `None` for UDP.
    flags: Option<u8>,
    payload: Vec<u8>,
}

/// Ten minutes at ten packets a second; checks the ends of every frame.
fn on_target(kind: AttackKind) -> Vec<Seen> {
    on_target_at(kind, 10.0)
}

fn on_target_at(kind: AttackKind, packets_per_s: f64) -> Vec<Seen> {
    let attack = Attack { kind, ..reflection(packets_per_s) };
    let options =
        SimulationOptions { start_s: START_S, duration_s: 2 * 3600, ..SimulationOptions::default() };
    let mut traffic = AttackTraffic::new(&[(TARGET, attack)], options).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = traffic.next_frame() {
        frames.push(seen(frame.time_ns, frame.bytes));
    }
    assert!(frames.is_sorted_by_key(|frame| frame.time_ns));
    frames
}

fn seen(time_ns: i64, bytes: &[u8]) -> Seen {
    let packet = SlicedPacket::from_ethernet(bytes).unwrap();
    let Some(NetSlice::Ipv4(ip)) = &packet.net else { panic!("no IPv4") };
    let (from, to) = (ip.header().source_addr(), ip.header().destination_addr());
    let is_up = from == TARGET.ip;
    assert!(is_up != (to == TARGET.ip));
    let (own_mac, peer_mac) = if is_up { (&bytes[6..12], &bytes[..6]) } else { (&bytes[..6], &bytes[6..12]) };
    let peer = if is_up { to } else { from };
    let is_host = peer == Ipv4Addr::new(192, 168, 1, 251);
    assert_eq!(own_mac, TARGET.mac.0);
    assert_eq!(peer_mac == TARGET.gateway.0, !is_host);
    assert!(!is_up || ip.header().ttl() == TARGET.ttl);
    let (source, destination, flags, payload) = match packet.transport.unwrap() {
        TransportSlice::Udp(udp) => (udp.source_port(), udp.destination_port(), None, udp.payload().to_vec()),
        TransportSlice::Tcp(tcp) => {
            let flags = tcp.slice()[13];
            (tcp.source_port(), tcp.destination_port(), Some(flags), tcp.payload().to_vec())
        }
        other => panic!("neither TCP nor UDP: {other:?}"),
    };
    let (own_port, peer_port) = if is_up { (source, destination) } else { (destination, source) };
    Seen { time_ns, is_up, peer, own_port, peer_port, flags, payload }
}

const SYN: u8 = 0x02;
const RST_ACK: u8 = 0x14;

#[test]
fn a_device_answers_each_search_three_times() {
    let frames = on_target(AttackKind::SsdpReflection(SsdpReflection {}));
    let (answers, searches): (Vec<&Seen>, Vec<&Seen>) = frames.iter().partition(|frame| frame.is_up);
    assert!((5700..6300).contains(&searches.len()), "{}", searches.len());
    assert!((3 * searches.len() - 6..=3 * searches.len()).contains(&answers.len()), "{}", answers.len());
    assert!(frames.iter().all(|frame| frame.own_port == 1900 && frame.peer == frames[0].peer));
    assert!(searches.iter().all(|search| search.payload.starts_with(b"M-SEARCH * HTTP/1.1\r\n")));
    assert!(answers.iter().all(|answer| answer.payload.starts_with(b"HTTP/1.1 200 OK\r\n")));
}

#[test]
fn a_scan_for_telnet_opens_connections_that_hardly_anybody_answers() {
    let frames = on_target(AttackKind::TelnetScan(TelnetScan { port: 23 }));
    let (openings, refusals): (Vec<&Seen>, Vec<&Seen>) = frames.iter().partition(|frame| frame.is_up);
    assert!((5700..6300).contains(&openings.len()), "{}", openings.len());
    assert!((200..400).contains(&refusals.len()), "{}", refusals.len());
    assert!(openings.iter().all(|opening| opening.flags == Some(SYN) && opening.peer_port == 23));
    assert!(refusals.iter().all(|refusal| refusal.flags == Some(RST_ACK)));
    let strangers: BTreeSet<Ipv4Addr> = openings.iter().map(|opening| opening.peer).collect();
    assert!(strangers.len() > 5000, "{}", strangers.len());
}

#[test]
fn a_scan_of_ports_is_refused_at_each() {
    let frames = on_target(AttackKind::PortScan(PortScan { highest_port: 10_000 }));
    let (refusals, openings): (Vec<&Seen>, Vec<&Seen>) = frames.iter().partition(|frame| frame.is_up);
    assert!((5700..6300).contains(&openings.len()), "{}", openings.len());
    assert!((openings.len() - 2..=openings.len()).contains(&refusals.len()));
    assert!(openings.iter().all(|opening| opening.flags == Some(SYN)));
    assert!(refusals.iter().all(|refusal| refusal.flags == Some(RST_ACK)));
    let ports: BTreeSet<u16> = openings.iter().map(|opening| opening.own_port).collect();
    assert!(ports.len() > 4000 && ports.range(10_001..).next().is_none() && !ports.contains(&0));
}

#[test]
fn exfiltration_is_one_connection_that_goes_out() {
    let frames = on_target(AttackKind::Exfiltration(Exfiltration { port: 443, segment_bytes: 1400 }));
    let first: Vec<(bool, u8)> =
        frames.iter().take(4).map(|frame| (frame.is_up, frame.flags.unwrap())).collect();
    assert_eq!(first, [(true, SYN), (false, 0x12), (true, 0x10), (true, 0x18)]);
    let ends: BTreeSet<_> =
        frames.iter().map(|frame| (frame.peer, frame.own_port, frame.peer_port)).collect();
    assert_eq!(ends.len(), 1);
    let data: usize = frames.iter().filter(|frame| frame.is_up).map(|frame| frame.payload.len()).sum();
    assert!((5700 * 1400..6300 * 1400).contains(&data), "{data}");
    assert!(frames.iter().all(|frame| frame.is_up || frame.payload.is_empty()));
}

#[test]
fn exfiltration_sends_no_data_before_the_connection_is_open() {
    let kind = AttackKind::Exfiltration(Exfiltration { port: 443, segment_bytes: 100 });
    let frames = on_target_at(kind, 1000.0);
    let flags: Vec<u8> = frames.iter().take(4).map(|frame| frame.flags.unwrap()).collect();
    assert_eq!(flags, [SYN, 0x12, 0x10, 0x18]);
}

#[test]
fn a_tunnel_asks_the_resolver_for_names_of_one_domain_that_never_repeat() {
    let frames = on_target(AttackKind::DnsTunnel(DnsTunnel {}));
    let queries: Vec<&Seen> = frames.iter().filter(|frame| frame.is_up).collect();
    assert!((5700..6300).contains(&queries.len()), "{}", queries.len());
    assert!(frames.iter().all(|frame| (frame.peer, frame.peer_port) == (TARGET.resolver, 53)));
    assert!(
        queries.iter().all(|query| query.payload.windows(13).any(|bytes| bytes == b"\x07example\x03net\0"))
    );
    let names: BTreeSet<&[u8]> = queries.iter().map(|query| &query.payload[12..]).collect();
    assert_eq!(names.len(), queries.len());
}

#[test]
fn attacks_alone_are_a_capture() {
    let attacks = [(TARGET, reflection(1.0)), (TARGET, flood(1.0))];
    let options = SimulationOptions { start_s: START_S, snaplen: Some(60), ..SimulationOptions::default() };
    let mut bytes = Vec::new();
    let traffic = AttackTraffic::new(&attacks, options).unwrap();
    CaptureReader::new(traffic).read_to_end(&mut bytes).unwrap();
    assert_eq!(&bytes[16..20], 60_u32.to_le_bytes());
    let capture = Capture::once("attacks", Box::new(std::io::Cursor::new(bytes)));
    let mut trace = thingprint_flow::Trace::new(vec![capture], thingprint_flow::TraceOptions::default());
    let mut packets = 0;
    while let Some(placed) = trace.next_placed() {
        packets += usize::from(placed.packet.ip.is_some());
    }
    // 600 requests with answers, 600 openings with three answers each.
    assert!((3200..4000).contains(&packets), "{packets}");
    let refused = AttackTraffic::new(&[(TARGET, flood(0.0))], options).err().unwrap();
    assert_eq!(
        refused.to_string(),
        "attacks: field 'attack[0].packets_per_s': must be above 0 and at most 1000000"
    );
}
