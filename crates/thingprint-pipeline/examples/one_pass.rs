//! Instances, audit findings and the inventory in one reading: `one_pass CAPTURE...`.
#![allow(clippy::print_stdout, reason = "an example prints what it found")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;

use either::Either;
use thingprint_audit::{Auditor, Policy};
use thingprint_flow::{Capture, DeviceIndex, Flow};
use thingprint_instance::InstanceOptions;
use thingprint_pipeline::{Captures, Event, FlowStage, InstanceStage, InventoryStage, Pipeline};

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let source = Captures::new(true, || {
        let open = |path: String| Capture::new(path.clone(), move || Ok(Box::new(File::open(&path)?) as _));
        paths.iter().cloned().map(open).collect()
    });
    let flows = FlowStage { has_messages: true, ..FlowStage::default() };
    let stage = (InstanceStage::new(InstanceOptions::default()), (flows, InventoryStage));
    let pipeline = Pipeline::default();
    let (mut instances, mut devices) = (0, Vec::new());
    let Some(policy) = Policy::built_in("bcp2026") else { return };
    let mut auditor = Auditor::new(policy);
    let Ok(run) = pipeline.run(&source, &stage, |event| {
        let Event::Rows(rows) = event else { return Ok(()) };
        for row in rows {
            let row = match row {
                Either::Left(_) => {
                    instances += 1;
                    continue;
                }
                Either::Right(Either::Left(row)) => row,
                Either::Right(Either::Right(never)) => match never {},
            };
            let at = devices.iter().position(|device| *device == row.device).unwrap_or(devices.len());
            if at == devices.len() {
                devices.push(row.device);
            }
            let device = DeviceIndex::new(u32::try_from(at).unwrap_or(u32::MAX));
            auditor.flow(&pipeline.engine, &Flow { device, ..row.flow });
        }
        Ok::<_, Infallible>(())
    });
    let audit = auditor.finish(&devices, &BTreeMap::new());
    let findings: usize = audit.devices.iter().map(|device| device.findings.len()).sum();
    let listed: usize = run.rests.iter().map(|(_, ((), devices))| devices.len()).sum();
    println!("{instances} instances, {findings} findings, {listed} devices");
}
