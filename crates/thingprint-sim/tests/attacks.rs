//! What an attack adds to a home, and what it leaves alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use thingprint_sim::{Attack, AttackKind, Home, SimError, Simulation, SimulationOptions, home};

/// Monday, 3 June 2024, 00:00 UTC.
const START_S: i64 = 1_717_372_800;

fn reflection(packets_per_s: f64) -> Attack {
    let kind = AttackKind::UdpReflection { port: 1900, request_bytes: 94, response_bytes: 320 };
    Attack { device: "camera".to_owned(), kind, start_s: START_S + 3600, duration_s: 600, packets_per_s }
}

fn flood(packets_per_s: f64) -> Attack {
    Attack { kind: AttackKind::TcpSyn { port: 80 }, ..reflection(packets_per_s) }
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
fn attacks_that_make_no_sense_are_refused() {
    let cases = [
        (Attack { device: "nobody".to_owned(), ..flood(1.0) }, "attack[0].device"),
        (flood(0.0), "attack[0].packets_per_s"),
        (flood(f64::NAN), "attack[0].packets_per_s"),
        (Attack { start_s: -1, ..flood(1.0) }, "attack[0].start_s"),
    ];
    for (attack, field) in cases {
        let home = home().unwrap();
        let error = Simulation::with_attacks(&home, SimulationOptions::default(), &[attack]).err().unwrap();
        assert!(matches!(&error, SimError::Field { field: found, .. } if found == field), "{error}");
    }
}
