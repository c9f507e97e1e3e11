//! What it costs to look at one packet, by what it carries.
#![allow(missing_docs, reason = "criterion's macros write the functions")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on should stop")]

#[path = "../tests/wire/mod.rs"]
mod wire;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thingprint_flow::{Ip, TcpFlags, TcpSegment, Transport};
use thingprint_protocol::{Engine, Inspection, Sender};

/// Packets of a device's flow, and how many of each run are counted.
struct Flow<'a> {
    name: &'static str,
    /// Sent once before.
    opening: Vec<Ip<'a>>,
    packets: Vec<Ip<'a>>,
}

fn segment(seq: u32, payload: &[u8]) -> Ip<'_> {
    wire::packet(Transport::Tcp(TcpSegment { seq, ack: 0, flags: TcpFlags(wire::ACK) }), payload)
}

fn segments(payload: &[u8], count: usize) -> Vec<Ip<'_>> {
    let size = payload.len().div_ceil(count);
    let starts = (0_u32..).step_by(size);
    starts.zip(payload.chunks(size)).map(|(seq, part)| segment(seq, part)).collect()
}

/// Packets of a flow that is open and decided.
fn measure_open(criterion: &mut Criterion, flow: &Flow<'_>) {
    let engine = Engine::default();
    let mut group = criterion.benchmark_group("open flow");
    group.throughput(Throughput::Elements(flow.packets.len() as u64));
    group.bench_function(flow.name, |bencher| {
        let mut budget = engine.budget();
        let mut state = Inspection::default();
        let mut found = 0_u64;
        for packet in &flow.opening {
            engine.inspect(packet, Sender::Device, &mut state, &mut budget, &mut |_| found += 1);
        }
        bencher.iter(|| {
            for packet in &flow.packets {
                let packet = black_box(packet);
                engine.inspect(packet, Sender::Device, &mut state, &mut budget, &mut |_| found += 1);
            }
            found
        });
    });
}

/// All packets of a new flow, from the first to the last.
fn measure_new(criterion: &mut Criterion, flow: &Flow<'_>) {
    let engine = Engine::default();
    let mut group = criterion.benchmark_group("new flow");
    group.throughput(Throughput::Elements(flow.packets.len() as u64));
    group.bench_function(flow.name, |bencher| {
        let mut budget = engine.budget();
        bencher.iter(|| {
            let mut state = Inspection::default();
            let mut found = 0_u64;
            for packet in &flow.packets {
                let packet = black_box(packet);
                engine.inspect(packet, Sender::Device, &mut state, &mut budget, &mut |_| found += 1);
            }
            state.close(&mut budget);
            found
        });
    });
}

fn inspect(criterion: &mut Criterion) {
    let bulk = [0x5a; 1448];
    let suites: Vec<u16> = (0xc001..0xc021).collect();
    let hello = wire::records(&wire::client_hello(&suites, 300), 16384);
    let query = wire::dns_query(7, "telemetry");
    let time = wire::ntp_request();
    let tcp_bulk = vec![segment(90_000, &bulk); 100];
    let udp_bulk = vec![wire::packet(Transport::Udp, &bulk); 100];
    let acknowledgements = vec![segment(90_000, &[]); 100];
    let open = [
        Flow { name: "TCP bulk data", opening: vec![segment(0, &bulk)], packets: tcp_bulk },
        Flow { name: "TCP without data", opening: segments(&hello, 1), packets: acknowledgements },
        Flow { name: "UDP bulk data", opening: udp_bulk.clone(), packets: udp_bulk.clone() },
        Flow { name: "DNS query", opening: vec![], packets: vec![wire::packet(Transport::Udp, &query); 100] },
        Flow {
            name: "NTP request",
            opening: vec![],
            packets: vec![wire::packet(Transport::Udp, &time); 100],
        },
    ];
    for flow in &open {
        measure_open(criterion, flow);
    }
    let new = [
        Flow { name: "ClientHello in 1 segment", opening: vec![], packets: segments(&hello, 1) },
        Flow { name: "ClientHello in 20 segments", opening: vec![], packets: segments(&hello, 20) },
        Flow { name: "TCP of another kind", opening: vec![], packets: vec![segment(0, &bulk)] },
        Flow { name: "UDP of another kind", opening: vec![], packets: udp_bulk[..8].to_vec() },
    ];
    for flow in &new {
        measure_new(criterion, flow);
    }
}

criterion_group!(benches, inspect);
criterion_main!(benches);
