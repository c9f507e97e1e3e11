//! What a pipeline gives must not depend on threads, on how packets arrive, or on which stages run together.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test")]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::{Cursor, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;

use thingprint_flow::{Capture, FlowOptions, GatewayPolicy, MacAddr, WindowLength};
use thingprint_instance::{Instance, InstanceOptions};
use thingprint_pipeline::{
    Captures, Event, FlowRow, FlowStage, InstanceStage, InventoryStage, Pipeline, Source, Stage, Summary,
};
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, home};

/// Some hours of the simulated home as a capture.
fn captured(hours: u64) -> Arc<[u8]> {
    let options = SimulationOptions { duration_s: hours * 3600, ..SimulationOptions::default() };
    let mut bytes = Vec::new();
    let simulation = Simulation::new(&home().unwrap(), options).unwrap();
    CaptureReader::new(simulation).read_to_end(&mut bytes).unwrap();
    bytes.into()
}

fn source(bytes: &Arc<[u8]>, is_rewindable: bool) -> impl Source {
    let bytes = Arc::clone(bytes);
    Captures::new(is_rewindable, move || {
        let bytes = Arc::clone(&bytes);
        vec![Capture::new("home.pcap", move || Ok(Box::new(Cursor::new(Vec::from(&*bytes)))))]
    })
}

fn pipeline(threads: usize, window: WindowLength) -> Pipeline {
    Pipeline {
        flow: FlowOptions { window, ..FlowOptions::default() },
        threads: NonZeroUsize::new(threads).unwrap(),
        ..Pipeline::default()
    }
}

/// The rows of a run, in the order in which they came, with the sizes of the batches that they came in.
fn run<S: Stage>(pipeline: &Pipeline, source: &impl Source, stage: &S) -> (Vec<S::Row>, Vec<usize>, Summary) {
    let (mut rows, mut sizes) = (Vec::new(), Vec::new());
    let run = pipeline.run(source, stage, |event| {
        match event {
            Event::Rows(more) => {
                sizes.push(more.len());
                rows.extend(more);
            }
            Event::Restart => rows.clear(),
        }
        Ok::<_, Infallible>(())
    });
    let Ok(run) = run;
    (rows, sizes, run.summary)
}

fn instances(pipeline: &Pipeline, source: &impl Source) -> Vec<Instance> {
    run(pipeline, source, &InstanceStage::new(InstanceOptions::default())).0
}

#[test]
fn threads_change_nothing() {
    let bytes = captured(6);
    let source = source(&bytes, true);
    let hours = |threads| instances(&pipeline(threads, WindowLength::default()), &source);
    let one = hours(1);
    assert!(one.len() > 40, "{}", one.len());
    let outline = |row: &FlowRow| (row.id, row.device, row.flow.closed_at, row.flow.bytes(), row.flow.end);
    let stage = FlowStage { has_messages: true, ..FlowStage::default() };
    let flows = |threads| -> Vec<_> {
        let (rows, _, _) = run(&pipeline(threads, WindowLength::Capture), &source, &stage);
        rows.iter().map(outline).collect()
    };
    let all_flows = flows(1);
    assert!(all_flows.len() > 500, "{}", all_flows.len());
    for threads in [2, 3, 8] {
        assert_eq!(hours(threads), one, "{threads} threads");
        assert_eq!(flows(threads), all_flows, "{threads} threads");
    }
}

#[test]
fn rows_come_while_packets_are_read_in_the_order_of_windows() {
    let bytes = captured(5);
    for threads in [1, 2] {
        let stage = InstanceStage::new(InstanceOptions::default());
        let pipeline = pipeline(threads, WindowLength::default());
        let (rows, sizes, _) = run(&pipeline, &source(&bytes, true), &stage);
        assert!(sizes.len() >= 4, "the rows of a window come when it is final: {sizes:?}");
        assert!(rows.is_sorted_by_key(|row| (row.window_start, row.device)));
    }
}

#[test]
fn what_cannot_be_read_twice_gives_the_same_rows() {
    let bytes = captured(3);
    for threads in [1, 2] {
        let pipeline = pipeline(threads, WindowLength::default());
        let file = instances(&pipeline, &source(&bytes, true));
        assert_eq!(instances(&pipeline, &source(&bytes, false)), file, "{threads} threads");
    }
}

#[test]
fn a_pair_of_stages_gives_what_each_gives_alone() {
    let bytes = captured(3);
    let source = source(&bytes, true);
    let pipeline = pipeline(2, WindowLength::default());
    let stage = InstanceStage::new(InstanceOptions::default());
    let mut rows = Vec::new();
    let both = pipeline.run(&source, &(stage, InventoryStage), |event| {
        if let Event::Rows(more) = event {
            rows.extend(more.into_iter().filter_map(either::Either::left));
        }
        Ok::<_, Infallible>(())
    });
    let Ok(both) = both;
    assert_eq!(rows, instances(&pipeline, &source));
    let Ok(alone) = pipeline.run(&source, &InventoryStage, |_| Ok::<_, Infallible>(()));
    let devices: Vec<_> = both.rests.into_iter().flat_map(|(_, devices)| devices).collect();
    assert_eq!(devices, alone.rests.concat());
    assert!(!devices.is_empty());
}

#[test]
fn gateways_that_are_named_or_denied_are_believed() {
    let bytes = captured(1);
    let source = source(&bytes, true);
    let devices = |gateways: GatewayPolicy| -> BTreeSet<_> {
        let pipeline = Pipeline { gateways, ..pipeline(1, WindowLength::default()) };
        instances(&pipeline, &source).into_iter().map(|row| row.device).collect()
    };
    let found = devices(GatewayPolicy::default());
    let gateway: MacAddr = home().unwrap().network.gateway.to_string().parse().unwrap();
    let given = GatewayPolicy { given: BTreeSet::from([gateway]), ..GatewayPolicy::default() };
    assert_eq!(devices(given), found);
    let all = devices(GatewayPolicy { is_none: true, ..GatewayPolicy::default() });
    assert_eq!(all.len(), found.len() + 1);
}

#[test]
fn a_sink_that_fails_ends_the_run_on_every_number_of_threads() {
    let bytes = captured(4);
    for threads in [1, 2, 4] {
        let stage = InstanceStage::new(InstanceOptions::default());
        let pipeline = pipeline(threads, WindowLength::default());
        let failed = pipeline.run(&source(&bytes, true), &stage, |_| Err("full"));
        assert_eq!(failed.map(|_| ()), Err("full"), "{threads} threads");
    }
}
