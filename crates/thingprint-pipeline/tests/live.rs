//! A live reading gives what a stream of the same frames gives, and what it says of a window before its end is what that
//! window would be.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test")]

use std::convert::Infallible;
use std::io::{Cursor, Read};

use thingprint_flow::{Capture, DeviceIndex, Frame, Gateways, Timestamp, Trace, TraceOptions};
use thingprint_instance::{Instance, InstanceOptions};
use thingprint_pipeline::{Captures, Event, InstanceStage, Live, Pipeline};
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, home};

const SECOND_NS: i64 = 1_000_000_000;

/// Some hours of the simulated home as a capture.
fn captured(hours: u64) -> Vec<u8> {
    let options = SimulationOptions { duration_s: hours * 3600, ..SimulationOptions::default() };
    let mut bytes = Vec::new();
    let simulation = Simulation::new(&home().unwrap(), options).unwrap();
    CaptureReader::new(simulation).read_to_end(&mut bytes).unwrap();
    bytes
}

fn trace(bytes: Vec<u8>) -> Trace {
    Trace::new(vec![Capture::once("live", Box::new(Cursor::new(bytes)))], TraceOptions::default())
}

/// What a pipeline gives where the capture is a stream.
fn streamed(bytes: &[u8]) -> Vec<Instance> {
    let bytes = bytes.to_vec();
    let open = move || vec![Capture::once("live", Box::new(Cursor::new(bytes.clone())))];
    let mut rows = Vec::new();
    let stage = InstanceStage::new(InstanceOptions::default());
    let run = Pipeline::default().run(&Captures::new(false, open), &stage, |event| {
        if let Event::Rows(more) = event {
            rows.extend(more);
        }
        Ok::<_, Infallible>(())
    });
    let Ok(_) = run;
    rows
}

fn each_frame(bytes: &[u8], mut take: impl FnMut(Frame<'_>)) {
    let mut trace = trace(bytes.to_vec());
    while let Some((frame, _)) = trace.next_frame() {
        take(frame);
    }
}

#[test]
fn ticks_between_frames_change_no_row() {
    let bytes = captured(3);
    let expected = streamed(&bytes);
    assert!(expected.len() > 20, "{}", expected.len());
    let stage = InstanceStage::new(InstanceOptions::default());
    let mut live = Pipeline::default().live(&stage, Gateways::default());
    let mut rows = Vec::new();
    each_frame(&bytes, |frame| {
        // A clock that is asked just before the frame comes.
        live.tick(frame.time.plus_nanos(-1));
        live.frame(0, frame);
        rows.extend(live.take_rows());
    });
    let (last, _) = live.finish();
    rows.extend(last);
    assert!(rows == expected);
}

#[test]
fn windows_close_without_packets() {
    let bytes = captured(1);
    let stage = InstanceStage::new(InstanceOptions::default());
    let mut live = Pipeline::default().live(&stage, Gateways::default());
    assert_eq!(live.clock(), None);
    live.tick(Timestamp::from_seconds(1 << 40));
    assert_eq!(live.clock(), None, "there is no clock before the first frame");
    each_frame(&bytes, |frame| live.frame(0, frame));
    let clock = live.clock().unwrap();
    assert!(live.take_rows().is_empty());
    live.tick(clock.plus_nanos(400 * SECOND_NS));
    live.tick(clock);
    assert_eq!(live.clock(), Some(clock.plus_nanos(400 * SECOND_NS)), "it never moves back");
    assert!(live.take_rows() == streamed(&bytes));
}

/// The instances of all devices in the window under way.
fn so_far(live: &Live<'_, InstanceStage>, clock: Timestamp) -> Vec<Instance> {
    let mut all = Vec::new();
    for shard in live.shards() {
        let open = shard.open_flows(|_| true);
        let observer = shard.observer().observer();
        let window = InstanceOptions::default().flow.window.index_of(clock);
        let devices = (0u32..).map(DeviceIndex::new).zip(shard.devices());
        all.extend(devices.filter_map(|(index, _)| observer.provisional(index, window, &open)));
    }
    all.sort_by_key(|instance| instance.device);
    all
}

#[test]
fn a_window_so_far_is_what_it_would_be_if_nothing_more_came() {
    let bytes = captured(1);
    let stage = InstanceStage::new(InstanceOptions::default());
    let mut live = Pipeline::default().live(&stage, Gateways::default());
    each_frame(&bytes, |frame| live.frame(0, frame));
    let clock = live.clock().unwrap();
    let gateways = |rows: Vec<Instance>| -> Vec<Instance> {
        let expected = streamed(&bytes);
        rows.into_iter().filter(|row| expected.iter().any(|known| known.device == row.device)).collect()
    };
    let found = gateways(so_far(&live, clock));
    let (rows, _) = live.finish();
    assert_eq!(found.len(), rows.len());
    for (found, expected) in found.iter().zip(&rows) {
        assert_eq!(found.bags, expected.bags);
        assert_eq!(found.counts, expected.counts);
        assert_eq!(found.attributes, expected.attributes);
    }
}
