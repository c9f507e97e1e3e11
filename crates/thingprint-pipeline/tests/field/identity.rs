//! What identifies a device where link addresses do not separate hosts.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use thingprint_flow::{DeviceId, FlowOptions, GatewayPolicy, Identity, MacAddr, WindowLength};
use thingprint_pipeline::{Event, FlowRow, FlowStage, Pipeline, Summary};

use crate::wire::{Host, Timed, capture, source, tcp};

const ONE: [u8; 6] = [0x0a, 2, 2, 2, 2, 1];
const OTHER: [u8; 6] = [0x0a, 2, 2, 2, 2, 2];
const CAMERA: [u8; 4] = [192, 168, 7, 5];
const SERVER: [u8; 4] = [198, 51, 100, 20];

/// Two-way conversations; the link addresses of the way up and of the way down.
fn conversations(up: [[u8; 6]; 2], down: [[u8; 6]; 2], ports: std::ops::Range<u16>) -> Vec<Timed> {
    let mut frames = Vec::new();
    for port in ports {
        let at = i64::from(port) * 10;
        let host = |mac, ip| -> Host { (mac, ip) };
        let (camera, server) = (host(up[0], CAMERA), host(up[1], SERVER));
        frames.push((at, tcp((camera, port), (server, 443), (1000, 0), 0x02)));
        let (server, camera) = (host(down[0], SERVER), host(down[1], CAMERA));
        frames.push((at + 1, tcp((server, 443), (camera, port), (5000, 1001), 0x12)));
    }
    frames
}

fn flows(
    frames: &[Timed],
    flow: &FlowOptions,
    (is_rewindable, threads): (bool, usize),
) -> (Vec<FlowRow>, Summary) {
    let mut rows = Vec::new();
    let pipeline = Pipeline {
        flow: FlowOptions { window: WindowLength::Capture, ..flow.clone() },
        threads: NonZeroUsize::new(threads).unwrap(),
        ..Pipeline::default()
    };
    let run = pipeline.run(&source(vec![capture(frames)], is_rewindable), &FlowStage::default(), |event| {
        if let Event::Rows(more) = event {
            rows.extend(more);
        }
        Ok::<_, Infallible>(())
    });
    let Ok(run) = run;
    (rows, run.summary)
}

#[test]
fn one_pair_of_link_addresses_both_ways_leaves_the_ip_address() {
    let camera = DeviceId::Ip(CAMERA.into());
    for pair in [[OTHER, ONE], [[0; 6], [0; 6]], [ONE, ONE]] {
        let frames = conversations(pair, pair, 40_000..40_020);
        for how in [(true, 1), (true, 2), (false, 1), (false, 2)] {
            let (rows, summary) = flows(&frames, &FlowOptions::default(), how);
            assert_eq!(rows.len(), 20, "{pair:?} {how:?}");
            assert!(rows.iter().all(|row| row.device == camera && row.flow.is_client));
            assert!(rows.iter().all(|row| (row.flow.up.packets, row.flow.down.packets) == (1, 1)));
            assert_eq!(summary.read.identity(Identity::Mac), Identity::Ip);
            assert!(summary.gateways.is_empty(), "{:?}", summary.gateways);
        }
    }
}

#[test]
fn an_identity_that_was_given_is_kept() {
    let frames = conversations([OTHER, ONE], [OTHER, ONE], 40_000..40_020);
    let given = FlowOptions { is_identity_given: true, ..FlowOptions::default() };
    let (rows, summary) = flows(&frames, &given, (true, 1));
    assert!(rows.iter().all(|row| matches!(row.device, DeviceId::Mac(_))));
    assert_eq!(summary.read.identity(Identity::Mac), Identity::Mac);
}

#[test]
fn most_conversations_decide() {
    let mut frames = conversations([OTHER, ONE], [OTHER, ONE], 40_000..40_010);
    frames.extend(conversations([OTHER, ONE], [ONE, OTHER], 50_000..50_010));
    let identity =
        |frames: &[Timed]| flows(frames, &FlowOptions::default(), (true, 1)).1.read.identity(Identity::Mac);
    assert_eq!(identity(&frames), Identity::Mac, "half is not most");
    frames.extend(conversations([OTHER, ONE], [OTHER, ONE], 60_000..60_001));
    assert_eq!(identity(&frames), Identity::Ip);
    let one_way: Vec<Timed> = frames.into_iter().step_by(2).collect();
    assert_eq!(identity(&one_way), Identity::Mac, "one direction says nothing");
}

#[test]
fn conversations_of_one_sender_take_no_link_address_from_others() {
    const THIRD: [u8; 6] = [0x0a, 2, 2, 2, 2, 3];
    let mut frames = conversations([ONE, OTHER], [OTHER, ONE], 40_000..40_003);
    frames.extend(conversations([THIRD, OTHER], [OTHER, THIRD], 41_000..41_001));
    let forged = [[0x0a, 6, 6, 6, 6, 1], [0x0a, 6, 6, 6, 6, 2]];
    frames.extend(conversations(forged, forged, 42_000..44_000));
    for how in [(true, 1), (false, 2)] {
        let (_, summary) = flows(&frames, &FlowOptions::default(), how);
        assert_eq!(summary.read.identity(Identity::Mac), Identity::Mac, "{how:?}");
    }
}

#[test]
fn packets_of_a_stream_that_were_looked_at_first_are_not_lost() {
    let frames = conversations([OTHER, ONE], [ONE, OTHER], 1..20_000);
    let gateways = GatewayPolicy { is_none: true, ..GatewayPolicy::default() };
    let pipeline = Pipeline { gateways, ..Pipeline::default() };
    let source = source(vec![capture(&frames)], false);
    let Ok(run) = pipeline.run(&source, &FlowStage::default(), |_| Ok::<_, Infallible>(()));
    assert_eq!(run.summary.read.frames, 39_998);
}

#[test]
fn who_names_a_gateway_means_link_addresses() {
    let frames = conversations([OTHER, ONE], [OTHER, ONE], 40_000..40_010);
    for is_rewindable in [true, false] {
        let gateways = GatewayPolicy { given: [MacAddr::new(ONE)].into(), ..GatewayPolicy::default() };
        let pipeline = Pipeline { gateways, ..Pipeline::default() };
        let source = source(vec![capture(&frames)], is_rewindable);
        let Ok(run) = pipeline.run(&source, &FlowStage::default(), |_| Ok::<_, Infallible>(()));
        assert_eq!(run.summary.read.identity(Identity::Mac), Identity::Mac);
    }
}
