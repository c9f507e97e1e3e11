//! A clock that steps back: segments with a time of their own, on any number of threads.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use thingprint_flow::{FlowOptions, GatewayPolicy, Timestamp, WindowLength};
use thingprint_instance::{Attribute, Instance, InstanceOptions};
use thingprint_pipeline::{Event, FlowRow, FlowStage, InstanceStage, Pipeline, Stage, Summary};

use crate::wire::{Host, Timed, capture, source, udp};

const HOUR_MS: i64 = 3_600_000;
const START_MS: i64 = 1_717_372_800_000;

fn host(number: u8) -> Host {
    ([2, 0, 0x5e, 0x10, 0, number], [192, 168, 7, number])
}

/// A datagram a second of each of 20 devices, from a time on; each from a port of its own.
fn talk(from_ms: i64, seconds: u16) -> Vec<Timed> {
    let mut frames = Vec::new();
    for second in 0..seconds {
        for device in 1..=20 {
            let at = from_ms + i64::from(second) * 1000 + i64::from(device);
            frames.push((at, udp((host(device), 40_000 + second), (host(100), 9999))));
        }
    }
    frames
}

fn run<S: Stage>(
    frames: &[Timed],
    stage: &S,
    threads: usize,
    window: WindowLength,
) -> (Vec<S::Row>, Summary) {
    let mut rows = Vec::new();
    let pipeline = Pipeline {
        flow: FlowOptions { window, ..FlowOptions::default() },
        gateways: GatewayPolicy { is_none: true, ..GatewayPolicy::default() },
        threads: NonZeroUsize::new(threads).unwrap(),
        ..Pipeline::default()
    };
    let run = pipeline.run(&source(vec![capture(frames)], true), stage, |event| {
        if let Event::Rows(more) = event {
            rows.extend(more);
        }
        Ok::<_, Infallible>(())
    });
    let Ok(run) = run;
    (rows, run.summary)
}

fn instances(frames: &[Timed], threads: usize) -> (Vec<Instance>, Summary) {
    run(frames, &InstanceStage::new(InstanceOptions::default()), threads, WindowLength::default())
}

fn flows(frames: &[Timed], threads: usize) -> Vec<FlowRow> {
    run(frames, &FlowStage::default(), threads, WindowLength::Capture).0
}

#[test]
fn no_flow_lasts_from_before_a_step_back_to_after_it() {
    let mut frames = talk(START_MS, 30);
    frames.extend(talk(START_MS - HOUR_MS, 30));
    let rows = flows(&frames, 1);
    assert_eq!(rows.len(), 2 * 30 * 40, "each datagram is a flow of its sender and one of its receiver");
    assert!(rows.iter().all(|row| row.flow.duration_ns() == 0), "the same ports come again");
}

#[test]
fn windows_of_the_times_behind_a_step_back_are_open_again() {
    let mut frames = talk(START_MS + 2 * HOUR_MS, 100);
    frames.extend(talk(START_MS, 100));
    let (rows, summary) = instances(&frames, 1);
    assert_eq!(summary.counts.late_packets, 0);
    assert_eq!(summary.read.steps_back, [("0.pcap".to_owned(), 1)]);
    assert_eq!(rows.len(), 40);
    assert!(rows.iter().all(|row| row.counts.packets_up == 100), "{:?}", rows.first());
    let starts: Vec<_> = rows.iter().map(|row| row.window_start.as_nanos() / 1_000_000).collect();
    assert!(starts.is_sorted(), "no window was final before the end");
    assert_eq!((starts[0], starts[39]), (START_MS, START_MS + 2 * HOUR_MS));
}

#[test]
fn a_step_back_into_an_open_window_counts_in_the_same_instance() {
    let mut frames = talk(START_MS + 1_000_000, 100);
    frames.extend(talk(START_MS, 100));
    let (rows, _) = instances(&frames, 1);
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|row| row.counts.packets_up == 200));
    let mut sleeps = rows.iter().map(|row| row.attributes.get(Attribute::SLEEP_TIME_S));
    assert!(sleeps.all(|sleep_s| sleep_s == Some(1.0)), "no gap leads over the step");
}

#[test]
fn threads_change_nothing_about_segments() {
    let mut frames = Vec::new();
    for back in 0..6 {
        frames.extend(talk(START_MS + (12 - back * 2) * HOUR_MS, 120));
        frames.extend(talk(START_MS + (13 - back * 2) * HOUR_MS, 40));
    }
    let outline = |row: &FlowRow| (row.id, row.device, row.flow.closed_at, row.flow.end);
    let flow_rows = |threads| -> Vec<_> { flows(&frames, threads).iter().map(outline).collect() };
    let (rows, summary) = instances(&frames, 1);
    assert_eq!(summary.read.steps_back.first().map(|(_, steps)| *steps), Some(5));
    let all = flow_rows(1);
    assert_eq!(all.len(), 6 * 160 * 40);
    for threads in [2, 3, 8] {
        assert_eq!(instances(&frames, threads).0, rows, "{threads} threads");
        assert_eq!(flow_rows(threads), all, "{threads} threads");
    }
}

#[test]
fn a_frame_of_the_year_2100_changes_nothing_else() {
    let clean = talk(START_MS, 400);
    let mut damaged = clean.clone();
    let (_, bytes) = damaged[4000].clone();
    damaged.insert(4001, (4_102_444_800_000, bytes));
    let (rows, summary) = instances(&damaged, 2);
    assert_eq!(rows, instances(&clean, 2).0);
    assert_eq!((summary.read.wrongly_timed, summary.counts.late_packets), (1, 0));
    let last = summary.span.unwrap().1;
    assert!(last < Timestamp::from_seconds(START_MS / 1000 + 1000));
}
