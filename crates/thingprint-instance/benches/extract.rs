//! The steps from a capture in memory to instances: reading and decoding, the flow table, everything.
#![allow(missing_docs, reason = "criterion makes an undocumented main")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;
use std::io::{Cursor, Read};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use thingprint_flow::{Capture, FlowOptions, GatewayPolicy, Observer, Trace, TraceOptions, Tracker};
use thingprint_instance::{Builder, InstanceOptions, PartId, Partial};
use thingprint_protocol::{Engine, Limits};
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, home};

/// Six simulated hours of a home, as a capture file in memory.
fn simulated() -> Vec<u8> {
    let options = SimulationOptions { duration_s: 6 * 3600, ..SimulationOptions::default() };
    let simulation = Simulation::new(&home().expect("the built-in home"), options).expect("six hours");
    let mut bytes = Vec::new();
    CaptureReader::new(simulation).read_to_end(&mut bytes).expect("memory");
    bytes
}

fn trace(bytes: &[u8]) -> Trace {
    let capture = Capture::once("simulated", Box::new(Cursor::new(bytes.to_vec())));
    Trace::new(vec![capture], TraceOptions::default())
}

/// An observer that looks at nothing.
struct Nothing;

impl Observer for Nothing {
    type State = ();
}

fn steps(criterion: &mut Criterion) {
    let bytes = simulated();
    let mut frames = 0;
    let mut counted = trace(&bytes);
    while counted.next_packet().is_some() {
        frames += 1;
    }
    let mut group = criterion.benchmark_group("capture to instances");
    group.throughput(Throughput::Elements(frames));
    group.bench_function(BenchmarkId::from_parameter("read and decode"), |bencher| {
        bencher.iter(|| {
            let mut trace = trace(&bytes);
            while let Some(packet) = trace.next_packet() {
                black_box(packet.time);
            }
        });
    });
    group.bench_function(BenchmarkId::from_parameter("and track"), |bencher| {
        bencher.iter(|| {
            let (mut trace, mut tracker) = (trace(&bytes), Tracker::new(FlowOptions::default(), Nothing));
            while let Some(packet) = trace.next_packet() {
                tracker.push(&packet);
            }
            tracker.finish().counts
        });
    });
    group.bench_function(BenchmarkId::from_parameter("and extract"), |bencher| {
        let (engine, options) = (Engine::new(Limits::default()), InstanceOptions::default());
        bencher.iter(|| {
            let (mut trace, mut builder) = (trace(&bytes), Builder::new(options.clone(), &engine));
            while let Some(packet) = trace.next_packet() {
                builder.push(&packet);
            }
            let (part, _) = builder.finish(PartId::of_text("simulated"), None);
            let mut partial = Partial::default();
            partial.insert(part.expect("frames"));
            partial.assemble(&options, &GatewayPolicy::default()).instances.len()
        });
    });
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
