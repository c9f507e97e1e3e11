//! Trains on one capture and recognises the devices of another: `train_classify MONDAY.pcap TUESDAY.pcap`.
#![allow(clippy::print_stdout, reason = "an example prints what it found")]

use std::convert::Infallible;
use std::fs::File;
use std::num::NonZeroUsize;

use thingprint_flow::Capture;
use thingprint_instance::{Instance, InstanceOptions, Kind, Label, Labeled};
use thingprint_model::{Model, ModelError, TrainOptions};
use thingprint_pipeline::{Captures, Event, InstanceStage, Pipeline};

fn instances(path: &str) -> Vec<Instance> {
    let open = |path: String| Capture::new(path.clone(), move || Ok(Box::new(File::open(&path)?) as _));
    let source = Captures::new(true, || vec![open(path.to_owned())]);
    let mut all = Vec::new();
    let Ok(_) = Pipeline::default().run(&source, &InstanceStage::new(InstanceOptions::default()), |event| {
        match event {
            Event::Rows(rows) => all.extend(rows),
            Event::Restart => all.clear(),
        }
        Ok::<_, Infallible>(())
    });
    all
}

fn main() -> Result<(), ModelError> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [training, test] = &paths[..] else {
        println!("usage: train_classify TRAINING TEST");
        return Ok(());
    };
    // A label file would say what the devices are; here each one is a class of its own.
    let class = |instance: &Instance| Label::new(instance.device.to_string(), Kind::Iot);
    let labelled = |instance: Instance| Labeled { label: Some(class(&instance)), instance };
    let rows: Vec<Labeled> = instances(training).into_iter().map(labelled).collect();
    let model = Model::fit(&rows, &TrainOptions::default(), NonZeroUsize::MIN)?;
    let predictions: Vec<_> = instances(test).iter().map(|instance| model.predict(instance)).collect();
    for verdict in model.device_verdicts(&predictions) {
        println!("{} is {} ({:.2})", verdict.device, verdict.class, verdict.confidence);
    }
    Ok(())
}
