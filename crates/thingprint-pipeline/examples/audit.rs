//! Findings of best practice: `audit CAPTURE...` prints a line for each.
#![allow(clippy::print_stdout, reason = "an example prints what it found")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;

use thingprint_audit::{Policy, report::ObservationsBuilder};
use thingprint_flow::{Capture, FlowOptions, WindowLength};
use thingprint_pipeline::{Captures, Event, FlowStage, Pipeline};

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let open = |path: String| Capture::new(path.clone(), move || Ok(Box::new(File::open(&path)?) as _));
    let source = Captures::new(true, || paths.iter().cloned().map(open).collect());
    let flow = FlowOptions { window: WindowLength::Capture, ..FlowOptions::default() };
    let (pipeline, policy) = (Pipeline { flow, ..Pipeline::default() }, Policy::built_in("bcp2026"));
    let Some(policy) = policy else { return };
    let builder = || ObservationsBuilder::new(&pipeline.engine, &policy, None);
    let mut audit = builder();
    let stage = FlowStage { has_messages: true, ..FlowStage::default() };
    let Ok(run) = pipeline.run(&source, &stage, |event| {
        match event {
            Event::Rows(rows) => rows.into_iter().for_each(|row| audit.flow(row.device, row.flow)),
            Event::Restart => audit = builder(),
        }
        Ok::<_, Infallible>(())
    });
    let seen = audit.finish(BTreeMap::new(), run.summary.gateways, run.summary.span);
    for device in seen.audit.devices {
        for finding in device.findings {
            println!("{} {} {}: {}", device.device, finding.severity, finding.rule, finding.seen);
        }
    }
}
