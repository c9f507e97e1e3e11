//! Streams weeks of the simulated testbed through the extractor, without a file, and prints how many instances each
//! class has beside how many the profiles ask for.
//!
//! `cargo run --release -p thingprint-sim --example testbed -- [WEEKS] [SEED]`

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use thingprint_flow::{Capture, GatewayPolicy, Trace, TraceOptions};
use thingprint_instance::{Builder, Instance, InstanceOptions, PartId, Partial};
use thingprint_protocol::{Engine, Limits};
use thingprint_sim::{CaptureReader, Home, Simulation, SimulationOptions, unsw28};

/// As much of each frame as the extractor looks at: headers, names and hellos.
const SNAPLEN: u32 = 600;

/// The link address of the testbed's access point.
const GATEWAY: &str = "14:cc:20:51:33:ea";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let weeks: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let home = unsw28()?;
    let start_s = home.trace.map_or(0, |trace| trace.start_s);
    let options = SimulationOptions { start_s, duration_s: weeks * 7 * 86_400, seed, snaplen: Some(SNAPLEN) };
    let began = Instant::now();
    let (instances, traffic) = extract(&home, options)?;
    let took_s = began.elapsed().as_secs_f64();
    println!("class                    hours  asked for (26 weeks)");
    let found = by_class(&home, &instances);
    for (class, asked) in asked_for(&home) {
        println!("{class:24} {:>5}  {asked:>5}", found.get(&class).copied().unwrap_or(0));
    }
    let Traffic { packets, bytes, streamed } = traffic;
    println!("{} instances, {packets} packets of {bytes} bytes, {streamed} bytes streamed", instances.len());
    println!("{took_s:.1} s, {:.2} million packets/s", packets as f64 / took_s / 1e6);
    Ok(())
}

/// What went through.
struct Traffic {
    packets: u64,
    /// True lengths of all frames.
    bytes: u64,
    /// Bytes of the capture itself.
    streamed: u64,
}

fn extract(home: &Home, options: SimulationOptions) -> Result<(Vec<Instance>, Traffic), Box<dyn Error>> {
    let count = Arc::new(AtomicU64::new(0));
    let reader = CaptureReader::new(Simulation::new(home, options)?);
    let reader = Counted { reader, count: count.clone() };
    let mut trace = Trace::new(vec![Capture::once("simulated", Box::new(reader))], TraceOptions::default());
    let mut instance_options = InstanceOptions::default();
    instance_options.flow.gateways = [GATEWAY.parse()?].into();
    let engine = Engine::new(Limits::default());
    let mut builder = Builder::new(instance_options.clone(), &engine);
    let (mut packets, mut bytes) = (0, 0);
    while let Some(packet) = trace.next_packet() {
        packets += 1;
        bytes += u64::from(packet.wire_bytes);
        builder.push(&packet);
    }
    let (part, _) = builder.finish(PartId::of_text("simulated"), None);
    let mut partial = Partial::default();
    partial.insert(part.ok_or("the simulation has no packets")?);
    let instances = partial.assemble(&instance_options, &GatewayPolicy::default()).instances;
    Ok((instances, Traffic { packets, bytes, streamed: count.load(Ordering::Relaxed) }))
}

/// Counts what is read.
struct Counted {
    reader: CaptureReader,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

fn by_class(home: &Home, instances: &[Instance]) -> BTreeMap<String, u64> {
    let labels: BTreeMap<String, String> =
        home.labels().into_iter().map(|device| (device.mac, device.label)).collect();
    let mut found = BTreeMap::new();
    for instance in instances {
        let class = labels.get(&instance.device.to_string()).map_or("(no device)", String::as_str);
        *found.entry(class.to_owned()).or_default() += 1;
    }
    found
}

fn asked_for(home: &Home) -> BTreeMap<String, u64> {
    let mut asked = BTreeMap::new();
    for profile in &home.profiles {
        let seen = profile.presence.hours.as_ref().map_or(0, |hours| u64::from(hours.seen));
        *asked.entry(profile.label.clone()).or_default() += seen * profile.units.len() as u64;
    }
    asked
}
