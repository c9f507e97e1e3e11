//! What it costs to judge the flows of a home, by policy: the rules alone, without reading, tracking and parsing.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use thingprint_audit::{Auditor, Policy};
use thingprint_flow::{Capture, DeviceId, Flow, FlowOptions, Trace, TraceOptions, Tracker, WindowLength};
use thingprint_protocol::{Detector, Engine, Heard};
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, unsafe_home};

/// The flows of two hours of a home in which each device breaks a rule, with the devices.
fn flows(engine: &Engine) -> (Vec<Flow<Heard>>, Vec<DeviceId>) {
    let home = unsafe_home().unwrap();
    let gateways = [home.network.gateway.to_string().parse().unwrap()].into();
    let options = SimulationOptions { duration_s: 2 * 3600, ..SimulationOptions::default() };
    let simulation = Simulation::new(&home, options).unwrap();
    let capture = Capture::once("simulated", Box::new(CaptureReader::new(simulation)));
    let mut trace = Trace::new(vec![capture], TraceOptions::default());
    let mut flows = Vec::new();
    let detector = Detector::collecting(engine, |flow| flows.push(flow));
    let options = FlowOptions { window: WindowLength::Capture, gateways, ..FlowOptions::default() };
    let mut tracker = Tracker::new(options, detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    let devices = tracker.finish().devices;
    (flows, devices)
}

fn judge(criterion: &mut Criterion) {
    let engine = Engine::default();
    let (flows, devices) = flows(&engine);
    let mut group = criterion.benchmark_group("judge");
    group.throughput(Throughput::Elements(flows.len() as u64));
    for name in ["bcp2026", "paper2024", "strict"] {
        let auditor = || Auditor::new(Policy::built_in(name).unwrap());
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                auditor,
                |mut auditor| {
                    for flow in &flows {
                        auditor.flow(&engine, black_box(flow));
                    }
                    auditor.finish(&devices, &BTreeMap::new())
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn read_policy(criterion: &mut Criterion) {
    criterion.bench_function("read policy", |bencher| {
        bencher.iter(|| Policy::built_in(black_box("bcp2026")).unwrap());
    });
}

criterion_group!(benches, judge, read_policy);
criterion_main!(benches);
