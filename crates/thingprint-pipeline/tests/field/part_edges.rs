//! Parts cut anywhere near a jump or a step of the clock, or a damaged time, give the instances of one reading.

use std::convert::Infallible;
use std::io::Cursor;

use thingprint_flow::{Capture, FlowOptions, GatewayPolicy, TraceOptions};
use thingprint_instance::{Instance, InstanceOptions, Part, PartId, Partial};
use thingprint_pipeline::{Captures, Event, InstanceStage, PartStage, Pipeline, Source, add_edges};
use thingprint_protocol::Engine;

use crate::wire::{Host, Timed, capture, udp};

/// The start of an hour.
const START_S: i64 = 1_717_372_800;
/// The year 2100.
const FAR: i64 = 2_385_072_000;

const CAMERA: Host = ([2, 0, 0x5e, 0x10, 0, 1], [192, 168, 7, 1]);
const HUB: Host = ([2, 0, 0x5e, 0x10, 0, 2], [192, 168, 7, 2]);

/// A datagram at each of these seconds, of the camera's flow to the hub and now and then of another one.
fn story(seconds: &[i64]) -> Vec<Timed> {
    let frame = |(number, second): (usize, &i64)| {
        let port = if number % 3 == 0 { 40_000 } else { 40_001 };
        ((START_S + second) * 1000, udp((CAMERA, port), (HUB, 9999)))
    };
    seconds.iter().enumerate().map(frame).collect()
}

fn pipeline(options: &InstanceOptions, keeps_gateways: bool) -> Pipeline {
    let flow = FlowOptions { forget_after_ns: None, ..options.flow.clone() };
    let gateways = GatewayPolicy { is_none: true, ..GatewayPolicy::default() };
    Pipeline { flow, gateways, keeps_gateways, ..Pipeline::default() }
}

fn one_reading(frames: &[Timed]) -> (Vec<Instance>, u64) {
    let options = InstanceOptions::default();
    let mut instances = Vec::new();
    let source = source(frames, false);
    let run = pipeline(&options, false).run(&source, &InstanceStage::new(options.clone()), |event| {
        if let Event::Rows(rows) = event {
            instances.extend(rows);
        }
        Ok::<_, Infallible>(())
    });
    let Ok(run) = run;
    instances.sort_by_key(|instance: &Instance| (instance.device, instance.window_start));
    (instances, run.summary.read.wrongly_timed)
}

fn source(frames: &[Timed], keeps_edges: bool) -> impl Source {
    let bytes = capture(frames);
    let trace = TraceOptions { keeps_edges, ..TraceOptions::default() };
    Captures::new(true, move || {
        let bytes = bytes.clone();
        vec![Capture::new("part.pcap", move || Ok(Box::new(Cursor::new(bytes.clone()))))]
    })
    .with(trace)
}

/// A part, and how many of its own frames were left out.
fn part(frames: &[Timed], number: usize) -> (Part, u64) {
    let options = InstanceOptions::default();
    let run = pipeline(&options, true).run(
        &source(frames, true),
        &PartStage::new(options.clone()),
        |_: Event<Infallible>| Ok::<_, Infallible>(()),
    );
    let Ok(run) = run;
    let id = PartId::of_text(&number.to_string());
    let mut part = Part::new(id, None, run.summary.evidence).with_times(run.summary.read.edges);
    for devices in run.rests {
        part.add(devices, run.summary.span);
    }
    (part, run.summary.read.wrongly_timed)
}

fn merged(frames: &[Timed], cuts: &[usize]) -> (Vec<Instance>, u64) {
    let options = InstanceOptions::default();
    let mut parts = Partial::default();
    let mut wrongly_timed = 0;
    let edges = [&[0], cuts, &[frames.len()]].concat();
    for (number, edge) in edges.windows(2).enumerate() {
        let (part, left_out) = part(&frames[edge[0]..edge[1]], number);
        parts.insert(part);
        wrongly_timed += left_out;
    }
    wrongly_timed += add_edges(&mut parts, &Engine::default(), (&options, TraceOptions::default()));
    let policy = GatewayPolicy { is_none: true, ..GatewayPolicy::default() };
    (parts.assemble(&options, &policy).instances, wrongly_timed)
}

/// A story cut before every frame, and before every two. Parts go by their times, so that one of nothing but frames in the
/// far future is behind all others.
fn cuts(seconds: &[i64]) -> Vec<Vec<usize>> {
    let all = seconds.len();
    let one = (1..all).map(|first| vec![first]);
    let two = (1..all).flat_map(|first| (first + 1..all).map(move |second| vec![first, second]));
    let is_lost = |cuts: &Vec<usize>| {
        let edges = [&[0], &cuts[..], &[all]].concat();
        edges.windows(2).any(|edge| seconds[edge[0]..edge[1]].iter().all(|second| *second == FAR))
    };
    one.chain(two).filter(|cuts| !is_lost(cuts)).collect()
}

fn check(seconds: &[i64]) {
    let frames = story(seconds);
    let expected = one_reading(&frames);
    assert!(!expected.0.is_empty());
    for cuts in cuts(seconds) {
        assert_eq!(merged(&frames, &cuts), expected, "{seconds:?} cut before {cuts:?}");
    }
}

/// The same of packets alone: parts go by their times, which a step back between them turns around.
fn check_packets(seconds: &[i64]) {
    let frames = story(seconds);
    let packets = |(instances, left_out): (Vec<Instance>, u64)| {
        (instances.iter().map(|instance| instance.counts.packets_up).sum::<u64>(), left_out)
    };
    let expected = packets(one_reading(&frames));
    for cuts in cuts(seconds) {
        assert_eq!(packets(merged(&frames, &cuts)), expected, "{seconds:?} cut before {cuts:?}");
    }
}

#[test]
fn a_jump_is_confirmed_over_the_edge() {
    check(&[0, 1, 2, 3, 1000, 1001, 1002, 1003]);
    check(&[0, 1, 2, 3, 4000, 4001, 4002, 4003, 9000, 9001, 9002]);
}

#[test]
fn frames_alone_in_the_future_are_left_out_at_an_edge() {
    check(&[0, 1, 2, 3, FAR, 4, 5, 6, 7, 8]);
    check(&[0, 1, 2, 3, FAR, FAR, 4, 5, 6, 7, 8]);
    check(&[0, 1, 2, 3, FAR, 4, FAR, 5, 6, 7, 8]);
    check(&[0, 1, 2, 3, FAR, 1000, 1001, 1002, 1003]);
}

#[test]
fn a_step_back_is_confirmed_over_the_edge() {
    check_packets(&[9000, 9001, 9002, 9003, 10, 11, 12, 13, 14]);
}

#[test]
fn a_trace_whose_frames_are_always_far_apart_is_the_same() {
    check(&[0, 400, 800, 1200, 1600, 2000, 2400]);
}

#[test]
fn frames_at_the_end_of_the_last_part_are_believed() {
    check(&[0, 1, 2, 3, 4, 1000, 1001]);
    check_packets(&[9000, 9001, 9002, 9003, 10, 11]);
}
