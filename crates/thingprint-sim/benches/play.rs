//! Time for one simulated frame, whole and captured short.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thingprint_sim::{Simulation, SimulationOptions, home};

/// Six hours of a morning, which have every device of the home in them.
fn options(snaplen: Option<u32>) -> SimulationOptions {
    SimulationOptions { start_s: 1_717_405_200, duration_s: 6 * 3600, seed: 1, snaplen }
}

fn play(options: SimulationOptions) -> u64 {
    let mut simulation = Simulation::new(&home().unwrap(), options).unwrap();
    let mut frames = 0;
    while simulation.next_frame().is_some() {
        frames += 1;
    }
    frames
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("play");
    group.sample_size(10);
    for (name, snaplen) in [("whole", None), ("snaplen 96", Some(96))] {
        group.throughput(Throughput::Elements(play(options(snaplen))));
        group.bench_function(name, |bencher| bencher.iter(|| play(options(snaplen))));
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
