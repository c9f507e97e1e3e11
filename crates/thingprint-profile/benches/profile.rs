//! What fingerprints and MUD profiles cost, by step, on the flows of a home.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::collections::BTreeSet;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thingprint_flow::{Capture, DeviceIndex, Flow, FlowOptions, Trace, TraceOptions, Tracker, WindowLength};
use thingprint_profile::{Fingerprints, KnownDevices, Matcher, MudBuilder, MudOptions, MudProfile};
use thingprint_protocol::{Detector, Engine, Heard};
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, home};

/// The flows of six hours of a home.
fn flows() -> Vec<Flow<Heard>> {
    let home = home().unwrap();
    let gateways = [home.network.gateway.to_string().parse().unwrap()].into();
    let options = SimulationOptions { duration_s: 6 * 3600, ..SimulationOptions::default() };
    let simulation = Simulation::new(&home, options).unwrap();
    let capture = Capture::once("simulated", Box::new(CaptureReader::new(simulation)));
    let mut trace = Trace::new(vec![capture], TraceOptions::default());
    let engine = Engine::default();
    let mut flows = Vec::new();
    let detector = Detector::collecting(&engine, |flow| flows.push(flow));
    let options = FlowOptions { window: WindowLength::Capture, gateways, ..FlowOptions::default() };
    let mut tracker = Tracker::new(options, detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    tracker.finish();
    flows
}

fn collected(flows: &[Flow<Heard>]) -> Fingerprints {
    let mut fingerprints = Fingerprints::default();
    for flow in flows {
        fingerprints.hear(flow);
    }
    fingerprints
}

/// A thousand devices: each device of the home under many names.
fn known(fingerprints: &Fingerprints) -> KnownDevices {
    let mut known = KnownDevices::default();
    let devices: Vec<_> = fingerprints.devices().collect();
    for (n, (_, traits)) in (0..1000).zip(devices.iter().cycle()) {
        known.learn(&format!("device {n}"), traits).unwrap();
    }
    known
}

fn fingerprint(criterion: &mut Criterion) {
    let flows = flows();
    let fingerprints = collected(&flows);
    let known = known(&fingerprints);
    let json = known.to_json().unwrap();
    let mut group = criterion.benchmark_group("fingerprint");
    group.throughput(Throughput::Elements(flows.len() as u64));
    group.bench_function("collect", |bencher| bencher.iter(|| collected(black_box(&flows))));
    group.throughput(Throughput::Elements(fingerprints.devices().count() as u64));
    group.bench_function("identify among 1000", |bencher| {
        let matcher = Matcher::new(&known);
        bencher.iter(|| {
            fingerprints
                .devices()
                .map(|(_, traits)| matcher.identify(&traits).candidates.len())
                .sum::<usize>()
        });
    });
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("read file", |bencher| {
        bencher.iter(|| KnownDevices::from_json(black_box(&json)).unwrap());
    });
    group.finish();
}

fn built(flows: &[Flow<Heard>]) -> MudBuilder {
    let mut builder = MudBuilder::default();
    for flow in flows {
        builder.hear(flow, None);
    }
    builder
}

fn mud(criterion: &mut Criterion) {
    let flows = flows();
    let devices: BTreeSet<DeviceIndex> = flows.iter().map(|flow| flow.device).collect();
    let builder = built(&flows);
    let options = MudOptions::new("device", "https://example.com/mud/device.json", "2026-01-01T00:00:00Z");
    let profiles: Vec<MudProfile> =
        devices.iter().map(|device| builder.profile(*device, &options).profile).collect();
    let mut group = criterion.benchmark_group("MUD");
    group.throughput(Throughput::Elements(flows.len() as u64));
    group.bench_function("collect", |bencher| bencher.iter(|| built(black_box(&flows))));
    group.throughput(Throughput::Elements(devices.len() as u64));
    group.bench_function("write", |bencher| {
        bencher.iter(|| {
            devices
                .iter()
                .map(|device| builder.profile(*device, &options).profile.to_json().len())
                .sum::<usize>()
        });
    });
    group.bench_function("check", |bencher| {
        bencher.iter(|| {
            let checked = devices.iter().zip(&profiles);
            checked.map(|(device, profile)| builder.check(*device, profile).denied_flows).sum::<u64>()
        });
    });
    group.finish();
}

criterion_group!(benches, fingerprint, mud);
criterion_main!(benches);
