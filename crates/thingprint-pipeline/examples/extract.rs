//! Captures to instances: `extract CAPTURE...` prints a line for each device and hour, as soon as it is final.
#![allow(clippy::print_stdout, reason = "an example prints what it found")]

use std::convert::Infallible;
use std::fs::File;

use thingprint_flow::Capture;
use thingprint_instance::InstanceOptions;
use thingprint_pipeline::{Captures, Event, InstanceStage, Pipeline};

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let source = Captures::new(true, || {
        let open = |path: String| Capture::new(path.clone(), move || Ok(Box::new(File::open(&path)?) as _));
        paths.iter().cloned().map(open).collect()
    });
    let stage = InstanceStage::new(InstanceOptions::default());
    let Ok(run) = Pipeline::default().run(&source, &stage, |event| {
        match event {
            Event::Rows(rows) => {
                for row in rows {
                    let (device, hour, flows) = (row.device, row.window_start, row.counts.flows);
                    println!("{device} {hour} {flows} flows");
                }
            }
            Event::Restart => println!("again: the gateway is another"),
        }
        Ok::<_, Infallible>(())
    });
    println!("{} frames, gateways {:?}", run.summary.read.frames, run.summary.gateways.macs());
}
