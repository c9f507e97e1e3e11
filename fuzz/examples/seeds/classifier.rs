use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Cursor;
use std::num::NonZeroUsize;

use thingprint_flow::{Capture, DeviceId, GatewayPolicy, Trace, TraceOptions};
use thingprint_fuzz::{body_of, model_files};
use thingprint_instance::{Builder, Instance, InstanceOptions, Kind, Label, Labeled, PartId, Partial};
use thingprint_model::{Model, Recipe, Scenario, Stage0Backend, Stage1Backend, TrainOptions};
use thingprint_protocol::Engine;
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, home};

use crate::seeds::Seeds;

/// Three windows of each device.
const DURATION_S: u64 = 3 * 3600;

/// Model files of the simulated home, small ones: with each back end, with one bag only, and of the recipe `best`.
pub(crate) fn add(seeds: &mut Seeds, part: &Partial) -> Result<Vec<Labeled>, Box<dyn Error>> {
    let rows = labelled_instances(part)?;
    let small = TrainOptions { trees: 2, ..TrainOptions::default() };
    let linfa = TrainOptions { stage0: Stage0Backend::Linfa, stage1: Stage1Backend::Smartcore, ..small };
    let ports = TrainOptions { scenario: Scenario::Ports, ..small };
    let best = TrainOptions { trees: 2, ..TrainOptions::of(Recipe::Best) };
    for (options, classes) in [(small, 9), (small, 3), (linfa, 3), (ports, 4), (best, 3)] {
        let rows: Vec<_> = rows.iter().filter(|(class, _)| *class < classes).map(|(_, row)| row).collect();
        let mut file = Vec::new();
        Model::fit(rows, &options, NonZeroUsize::MIN)?.write_to(&mut file)?;
        seeds.add("model_files", &[&[1], &file[..]].concat())?;
        let body = body_of(&file).ok_or("a model file has a body")?;
        model_files(&body);
        seeds.add("model_files", &body)?;
    }
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// The instances of the simulated home, each with the number of its class.
fn labelled_instances(part: &Partial) -> Result<Vec<(usize, Labeled)>, Box<dyn Error>> {
    let labels: BTreeMap<DeviceId, String> = home()?
        .labels()
        .into_iter()
        .map(|device| Ok((device.mac.parse()?, device.label)))
        .collect::<Result<_, thingprint_flow::ParseDeviceError>>()?;
    let classes: BTreeSet<&String> = labels.values().collect();
    let label = |instance: Instance| {
        let class = labels.get(&instance.device)?.clone();
        let number = classes.iter().position(|other| **other == class)?;
        Some((number, Labeled { instance, label: Some(Label::new(class, Kind::Iot)) }))
    };
    let instances = part.assemble(&InstanceOptions::default(), &GatewayPolicy::default()).instances;
    Ok(instances.into_iter().filter_map(label).collect())
}

/// The home as one part.
pub(crate) fn part() -> Result<Partial, Box<dyn Error>> {
    part_of(DURATION_S)
}

/// Its first minute.
pub(crate) fn short_part() -> Result<Partial, Box<dyn Error>> {
    part_of(60)
}

fn part_of(duration_s: u64) -> Result<Partial, Box<dyn Error>> {
    let options = SimulationOptions { duration_s, ..SimulationOptions::default() };
    let mut capture = Vec::new();
    std::io::copy(&mut CaptureReader::new(Simulation::new(&home()?, options)?), &mut capture)?;
    let capture = Capture::once("home.pcap", Box::new(Cursor::new(capture)));
    let mut trace = Trace::new(vec![capture], TraceOptions::default());
    let engine = Engine::default();
    let options = InstanceOptions::default();
    let mut builder = Builder::new(options, &engine);
    while let Some(packet) = trace.next_packet() {
        builder.push(&packet);
    }
    let mut partial = Partial::default();
    if let (Some(part), _) = builder.finish(PartId::of_text("home"), None) {
        partial.insert(part);
    }
    Ok(partial)
}
