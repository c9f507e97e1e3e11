//! Services of devices that a model alone describes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod wire;

use thingprint_flow::Transport;
use thingprint_protocol::{Limits, Sender};
use wire::{Flow, data, syn};

const DEVICE: Sender = Sender::Device;
const PEER: Sender = Sender::Peer;

/// The service of a connection in which both sides say this, one after the other.
fn over_tcp(said: &[(Sender, &[u8])]) -> Option<String> {
    let mut flow = Flow::new(Limits::default());
    let mut next = [100, 7000];
    flow.tcp(DEVICE, syn(100));
    for (sender, bytes) in said {
        let next = &mut next[usize::from(*sender == PEER)];
        flow.tcp(*sender, data(*next, bytes));
        *next += u32::try_from(bytes.len()).unwrap();
    }
    service(flow)
}

fn over_udp(said: &[(Sender, &[u8])]) -> Option<String> {
    let mut flow = Flow::new(Limits::default());
    for (sender, bytes) in said {
        flow.send(*sender, &wire::packet(Transport::Udp, bytes));
    }
    service(flow)
}

fn service(mut flow: Flow) -> Option<String> {
    flow.engine.close(&mut flow.state, &mut flow.budget, &mut |_, _| {});
    assert_eq!(flow.budget.used_bytes(), 0);
    flow.engine.service(&flow.state).map(str::to_owned)
}

#[test]
fn services_over_tcp_are_detected() {
    let check = |expected: &str, said: &[(Sender, &[u8])]| {
        assert_eq!(over_tcp(said).as_deref(), Some(expected), "{said:?}");
    };
    check("ssh", &[(PEER, b"SSH-2.0-dropbear_2022.83\r\n")]);
    check("ssh", &[(DEVICE, b"SSH-1.99-client\n")]);
    check("rtsp", &[(DEVICE, b"OPTIONS rtsp://192.0.2.7/live RTSP/1.0\r\nCSeq: 1\r\n\r\n")]);
    check("rtsp", &[(PEER, b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n")]);
    check("sip", &[(DEVICE, b"REGISTER sip:example.net SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n")]);
    check("telnet", &[(PEER, b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23")]);
    check("telnet", &[(PEER, b"\xff\xfb\x01login: "), (DEVICE, b"\xff\xfd\x01")]);
    check(
        "modbus",
        &[
            (DEVICE, b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x6b\x00\x03"),
            (PEER, b"\x00\x01\x00\x00\x00\x09\x01\x03\x06\x02\x2b\x00\x00\x00\x64"),
        ],
    );
    check("ftp", &[(PEER, b"220 ready\r\n"), (DEVICE, b"USER camera\r\n")]);
    check("ftp", &[(PEER, b"220-hello\r\n220 ProFTPD Server\r\n")]);
    check("mqtt", &[(DEVICE, b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04lamp")]);
}

#[test]
fn services_over_udp_are_detected() {
    let check = |expected: &str, payload: &[u8]| {
        assert_eq!(over_udp(&[(DEVICE, payload)]).as_deref(), Some(expected), "{payload:02x?}");
    };
    check("coap", b"\x40\x01\x12\x34\xbb.well-known\x04core");
    check("coap", b"\x52\x02\x12\x34\xab\xcd\xb4lamp\xff1");
    check("coap", b"\x44\x01\x12\x34\x01\x02\x03\x04\x60\x54lamp"); // observe
    check("coap", b"\x40\x01\x12\x34\x3b192.0.2.123\x84lamp");
    check("stun", b"\x00\x01\x00\x00\x21\x12\xa4\x42\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c");
    check("sip", b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\n\r\n");
    check("bacnet", b"\x81\x0b\x00\x0c\x01\x20\xff\xff\x00\xff\x10\x08");
    check("bacnet", b"\x81\x04\x00\x12\xc0\x00\x02\x07\xba\xc0\x01\x20\xff\xff\x00\xff\x10\x08");
}

#[test]
fn what_looks_alike_is_not() {
    let none = |found: Option<String>| assert_eq!(found, None);
    none(over_tcp(&[(PEER, b"220 ready\r\n")]));
    none(over_tcp(&[(DEVICE, b"USER camera\r\n")]));
    none(over_tcp(&[(DEVICE, b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x6b\x00\x03")]));
    none(over_tcp(&[(DEVICE, b"SSH is down\r\n")]));
    none(over_tcp(&[(DEVICE, b"\xff\xfb\x01")]));
    none(over_udp(&[(DEVICE, b"\x40\x01\x12\x34")]));
    none(over_udp(&[(DEVICE, b"\x40\x00\x12\x34\xbb.well-known")]));
    none(over_udp(&[(
        DEVICE,
        b"\x00\x01\x00\x02\x21\x12\xa4\x42\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c",
    )]));
    none(over_udp(&[(DEVICE, b"\x81\x0b\x77\x0c\x01\x20")]));
}
