//! What a gateway says for itself, beside what it forwards.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use thingprint_flow::{DeviceId, FlowOptions, GatewayReason, MacAddr, WindowLength};
use thingprint_instance::{DeviceEntry, InstanceOptions};
use thingprint_pipeline::{
    Event, FlowRow, FlowStage, InstanceStage, InventoryStage, Pipeline, Stage, Summary,
};

use crate::wire::{Host, Timed, capture, forwarded, source, tcp, udp_with};

const GATEWAY: [u8; 6] = [2, 0, 0, 0, 0, 1];
const CAMERA: Host = ([2, 0, 0, 0, 0, 5], [192, 168, 7, 5]);
const ROUTER: Host = (GATEWAY, [192, 168, 7, 1]);
/// A host of another local network, which the gateway forwards for.
const PRINTER: Host = (GATEWAY, [192, 168, 9, 9]);
const HOW: [(bool, usize); 5] = [(true, 1), (true, 2), (true, 3), (false, 1), (false, 2)];

/// A DNS query for `a.example`, or its answer.
fn dns(is_answer: bool) -> Vec<u8> {
    let flags = if is_answer { 0x81 } else { 1 };
    [&[0, 7, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x01a\x07example\0\0\x01\0\x01"].concat()
}

/// The camera asks the router for names, and talks through it with servers and with a printer elsewhere.
fn frames() -> Vec<Timed> {
    let mut frames = Vec::new();
    for number in 0..10_u8 {
        let (at, port) = (i64::from(number) * 1000, 40_000 + u16::from(number));
        let server: Host = (GATEWAY, [198, 51, 100, number + 1]);
        frames.push((at, udp_with((CAMERA, port), (ROUTER, 53), &dns(false))));
        frames.push((at + 1, udp_with((ROUTER, 53), (CAMERA, port), &dns(true))));
        frames.push((at + 2, tcp((CAMERA, port), (server, 443), (1, 0), 0x02)));
        frames.push((at + 3, forwarded(tcp((server, 443), (CAMERA, port), (9, 2), 0x12), 14)));
        frames.push((at + 4, udp_with((CAMERA, port), (PRINTER, 53), &dns(false))));
        frames.push((at + 5, forwarded(udp_with((PRINTER, 53), (CAMERA, port), &dns(true)), 1)));
    }
    frames
}

fn run<S: Stage>(stage: &S, (is_rewindable, threads): (bool, usize)) -> (Vec<S::Row>, Vec<S::Rest>, Summary) {
    let mut rows = Vec::new();
    let pipeline = Pipeline {
        flow: FlowOptions { window: WindowLength::Capture, ..FlowOptions::default() },
        threads: NonZeroUsize::new(threads).unwrap(),
        shows_gateways: true,
        ..Pipeline::default()
    };
    let run = pipeline.run(&source(vec![capture(&frames())], is_rewindable), stage, |event| {
        if let Event::Rows(more) = event {
            rows.extend(more);
        }
        Ok::<_, Infallible>(())
    });
    let Ok(run) = run;
    (rows, run.rests, run.summary)
}

fn router() -> DeviceId {
    DeviceId::Mac(MacAddr::new(GATEWAY))
}

fn listed_gateway(how: (bool, usize)) -> DeviceEntry {
    let (_, rests, summary) = run(&InventoryStage, how);
    assert_eq!(summary.gateways.0.into_values().collect::<Vec<_>>(), [GatewayReason::Forwards], "{how:?}");
    let mut records = rests.into_iter().flatten().filter(|record| record.device() == router());
    records.next().unwrap().into_gateway(GatewayReason::Forwards)
}

#[test]
fn a_gateway_is_listed_with_its_own_addresses_and_what_it_serves() {
    for how in HOW {
        let gateway = listed_gateway(how);
        assert_eq!(gateway.gateway, Some(GatewayReason::Forwards));
        assert_eq!(gateway.addresses.keys().copied().collect::<Vec<_>>(), [std::net::IpAddr::from(ROUTER.1)]);
        assert_eq!(gateway.served_ports.into_iter().collect::<Vec<_>>(), [("udp/53".to_owned(), 10)]);
        assert_eq!(gateway.served_services.into_iter().collect::<Vec<_>>(), [("dns".to_owned(), 10)]);
        assert!(gateway.server_ports.is_empty() && gateway.names.is_empty(), "{how:?}");
        assert_eq!(gateway.packets_up, 10, "{how:?}");
    }
}

#[test]
fn flows_of_a_gateway_are_those_at_its_own_addresses() {
    let stage = FlowStage { has_messages: true, marks_own: true, ..FlowStage::default() };
    for how in HOW {
        let (rows, _, summary) = run(&stage, how);
        let (own, others): (Vec<FlowRow>, Vec<FlowRow>) =
            rows.into_iter().partition(|row| row.device == router());
        assert_eq!((own.len(), others.len(), summary.gateway_late), (10, 30, 0), "{how:?}");
        let is_dns = |row: &FlowRow| row.is_own && row.flow.local.port == 53 && !row.flow.is_client;
        assert!(own.iter().all(is_dns), "{how:?}");
    }
}

#[test]
fn gateways_are_no_devices_of_other_stages() {
    for how in HOW {
        let (rows, _, _) = run(&InstanceStage::new(InstanceOptions::default()), how);
        assert_eq!(
            rows.iter().map(|row| row.device).collect::<Vec<_>>(),
            [DeviceId::Mac(MacAddr::new(CAMERA.0))]
        );
        let (rows, _, _) = run(&FlowStage::default(), how);
        assert_eq!(rows.len(), 30, "{how:?}");
    }
}
