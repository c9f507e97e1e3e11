//! Windows under way are what a reading would give that ends there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests stop the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io::{Cursor, Read};

use thingprint_flow::{
    Capture, CaptureWriter, DeviceId, Frame, GatewayPolicy, MacAddr, Timestamp, Trace, TraceOptions,
};
use thingprint_instance::{Instance, InstanceOptions};
use thingprint_pipeline::{Captures, Event, InstanceStage, Pipeline, WindowSoFar};
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

fn source(bytes: &[u8]) -> Captures<impl Fn() -> Vec<Capture> + Sync> {
    let bytes = bytes.to_vec();
    let open = move || vec![Capture::once("home", Box::new(Cursor::new(bytes.clone())))];
    Captures::new(true, open)
}

/// A pipeline that knows the home's gateway: the beginning of a trace shows none.
fn pipeline() -> Pipeline {
    let gateway = MacAddr::new(home().unwrap().network.gateway.0);
    Pipeline {
        gateways: GatewayPolicy { given: BTreeSet::from([gateway]), ..GatewayPolicy::default() },
        ..Pipeline::default()
    }
}

fn finals(bytes: &[u8]) -> Vec<Instance> {
    let mut rows = Vec::new();
    let stage = InstanceStage::new(InstanceOptions::default());
    let run = pipeline().run(&source(bytes), &stage, |event| {
        if let Event::Rows(more) = event {
            rows.extend(more);
        }
        Ok::<_, Infallible>(())
    });
    let Ok(_) = run;
    rows
}

fn so_far(bytes: &[u8], after_s: &[u32]) -> Vec<WindowSoFar> {
    let mut windows = Vec::new();
    pipeline().windows_so_far(&source(bytes), (&InstanceOptions::default(), after_s), |w| windows.push(w));
    windows
}

fn each_frame(bytes: &[u8], mut take: impl FnMut(Frame<'_>)) {
    let open = Capture::once("home", Box::new(Cursor::new(bytes.to_vec())));
    let mut trace = Trace::new(vec![open], TraceOptions::default());
    while let Some((frame, _)) = trace.next_frame() {
        take(frame);
    }
}

/// The frames before a time, as a capture.
fn until(bytes: &[u8], end: Timestamp) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    each_frame(bytes, |frame| {
        if frame.time < end {
            writer.write(frame.time, frame.bytes, frame.wire_bytes).unwrap();
        }
    });
    writer.finish().unwrap()
}

/// Time of the first frame that each device sends.
fn first_frames(bytes: &[u8]) -> BTreeMap<DeviceId, Timestamp> {
    let mut first = BTreeMap::new();
    each_frame(bytes, |frame| {
        let sender = MacAddr::new(frame.bytes[6..12].try_into().unwrap());
        first.entry(DeviceId::Mac(sender)).or_insert(frame.time);
    });
    first
}

#[test]
fn a_window_so_far_is_that_of_a_capture_that_ends_there() {
    let bytes = captured(1);
    let windows = so_far(&bytes, &[60]);
    let mut compared = 0;
    for (device, first) in first_frames(&bytes).into_iter().take(6) {
        let cut = until(&bytes, first.plus_nanos(60 * SECOND_NS));
        let expected = finals(&cut).into_iter().find(|row| row.device == device);
        let found = windows.iter().filter_map(|window| window.instance.as_ref());
        let found = found.clone().find(|instance| instance.device == device);
        assert_eq!(
            found.map(|row| (&row.bags, &row.counts)),
            expected.as_ref().map(|row| (&row.bags, &row.counts))
        );
        compared += u32::from(expected.is_some());
    }
    assert!(compared >= 3, "{compared}");
}

#[test]
fn windows_grow_up_to_what_they_are_in_the_end() {
    let bytes = captured(2);
    let windows = so_far(&bytes, &[10, 300, 3600]);
    let at = |seconds: u32| -> BTreeMap<(DeviceId, Timestamp), &Instance> {
        let of = windows.iter().filter(|window| window.after_s == seconds);
        let instances = of.filter_map(|window| window.instance.as_ref());
        instances.map(|instance| ((instance.device, instance.window_start), instance)).collect()
    };
    let (early, later, last) = (at(10), at(300), at(3600));
    let rows = finals(&bytes);
    assert_eq!(last.len(), rows.len());
    for row in &rows {
        let key = (row.device, row.window_start);
        assert_eq!((&last[&key].bags, &last[&key].counts), (&row.bags, &row.counts));
        let packets = |window: &BTreeMap<_, &Instance>| {
            window.get(&key).map_or(0, |instance: &&Instance| instance.counts.packets_up)
        };
        assert!(packets(&early) <= packets(&later) && packets(&later) <= row.counts.packets_up);
    }
    let packets = |window: &BTreeMap<_, &Instance>| -> u64 {
        window.values().map(|instance: &&Instance| instance.counts.packets_up).sum()
    };
    assert!(packets(&early) * 2 < packets(&later) && packets(&later) * 2 < packets(&last));
}

#[test]
fn what_is_kept_of_a_device_is_counted() {
    let windows = so_far(&captured(1), &[60, 1800]);
    let mean = |seconds: u32, of: fn(&WindowSoFar) -> u64| {
        let values: Vec<u64> = windows.iter().filter(|w| w.after_s == seconds).map(of).collect();
        values.iter().sum::<u64>() as f64 / values.len() as f64
    };
    let flows = windows.iter().filter(|window| window.kept.open_flows > 0);
    assert!(flows.clone().count() > 3);
    for window in flows {
        // A flow has two addresses of 16 bytes at least.
        assert!(window.kept.flow_bytes >= 32 * window.kept.open_flows, "{:?}", window.kept);
    }
    let bytes: fn(&WindowSoFar) -> u64 = |window| window.kept.window_bytes;
    assert!(mean(60, bytes) < mean(1800, bytes), "words are kept until the window is final");
}
