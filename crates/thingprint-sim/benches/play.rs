//! Time for one simulated frame, whole and captured short.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use thingprint_sim::{Home, Simulation, SimulationOptions, home, unsw28};

/// Six hours of a morning, which have every device of the home in them.
fn options(snaplen: Option<u32>) -> SimulationOptions {
    SimulationOptions { start_s: 1_717_405_200, duration_s: 6 * 3600, seed: 1, snaplen }
}

/// A day in the middle of the testbed's trace.
fn day_of_the_trace(home: &Home, snaplen: Option<u32>) -> SimulationOptions {
    let start_s = home.trace.unwrap().start_s + 60 * 86_400;
    SimulationOptions { start_s, duration_s: 86_400, seed: 1, snaplen }
}

fn play(home: &Home, options: SimulationOptions) -> u64 {
    drain(Simulation::new(home, options).unwrap())
}

fn drain(mut simulation: Simulation) -> u64 {
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
        let home = home().unwrap();
        group.throughput(Throughput::Elements(play(&home, options(snaplen))));
        group.bench_function(name, |bencher| bencher.iter(|| play(&home, options(snaplen))));
    }
    let testbed = unsw28().unwrap();
    let options = day_of_the_trace(&testbed, Some(600));
    group.throughput(Throughput::Elements(play(&testbed, options)));
    group.bench_function("testbed, snaplen 600", |bencher| {
        let ready = || Simulation::new(&testbed, options).unwrap();
        bencher.iter_batched(ready, drain, BatchSize::PerIteration);
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("testbed, made ready", |bencher| {
        bencher.iter(|| Simulation::new(&testbed, options).unwrap());
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
