//! Instances, audit findings and the inventory in one reading: `one_pass CAPTURE...`.
#![allow(clippy::print_stdout, reason = "an example prints what it found")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;

use either::Either;
use thingprint_audit::{Policy, report::ObservationsBuilder};
use thingprint_flow::Capture;
use thingprint_instance::{InstanceOptions, InventoryRecord};
use thingprint_pipeline::{Captures, Event, FlowStage, InstanceStage, InventoryStage, Pipeline};

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let open = |path: String| Capture::new(path.clone(), move || Ok(Box::new(File::open(&path)?) as _));
    let source = Captures::new(true, || paths.iter().cloned().map(open).collect());
    let flows = FlowStage { has_messages: true, ..FlowStage::default() };
    let stage = (InstanceStage::new(InstanceOptions::default()), (flows, InventoryStage));
    let (pipeline, policy) = (Pipeline::default(), Policy::built_in("bcp2026"));
    let Some(policy) = policy else { return };
    let (mut instances, mut audit) = (0, ObservationsBuilder::new(&pipeline.engine, &policy, None));
    let Ok(run) = pipeline.run(&source, &stage, |event| {
        let Event::Rows(rows) = event else {
            // The gateways are others than the first frames showed: all comes again.
            (instances, audit) = (0, ObservationsBuilder::new(&pipeline.engine, &policy, None));
            return Ok(());
        };
        for row in rows {
            match row {
                Either::Left(_) => instances += 1,
                Either::Right(Either::Left(row)) => audit.flow(row.device, row.flow),
                Either::Right(Either::Right(never)) => match never {},
            }
        }
        Ok::<_, Infallible>(())
    });
    let seen = audit.finish(BTreeMap::new(), run.summary.gateways, run.summary.span);
    let findings: usize = seen.audit.devices.iter().map(|device| device.findings.len()).sum();
    let records = run.rests.into_iter().flat_map(|(_, ((), records))| records);
    let listed = records.filter_map(InventoryRecord::into_device).count();
    println!("{instances} instances, {findings} findings, {listed} devices");
}
