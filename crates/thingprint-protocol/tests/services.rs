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

/// A message of SMB 1 behind the four bytes of its length: a command, and what follows the header of 32 bytes.
fn smb1(command: u8, behind: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, 0xff];
    bytes.extend(b"SMB");
    bytes.push(command);
    bytes.resize(4 + 32, 0);
    bytes.extend(behind);
    bytes[3] = u8::try_from(bytes.len() - 4).unwrap();
    bytes
}

#[test]
fn smb_1_is_what_a_server_agrees_to() {
    let asks = smb1(0x72, b"\x00\x0c\x00\x02NT LM 0.12\x00");
    let dialects = |answer: &[u8]| over_tcp(&[(DEVICE, &asks), (PEER, answer)]);
    let words = [&[17, 1, 0][..], &[0; 32]].concat();
    assert_eq!(dialects(&smb1(0x72, &words)).as_deref(), Some("smb1"));
    assert_eq!(dialects(&smb1(0x72, &[1, 0, 0, 0, 0])).as_deref(), Some("smb1"), "the oldest dialect");
    assert_eq!(dialects(&smb1(0x72, &[1, 0xff, 0xff, 0, 0])), None, "none of these dialects");
    let newer = [b"\x00\x00\x00\x44\xfeSMB\x40\x00".as_slice(), &[0; 58]].concat();
    assert_eq!(dialects(&newer).as_deref(), Some("smb"), "a hello of version 1 leads to version 2");
    let running = [smb1(0x2e, &[0; 8]), smb1(0x2e, &[0; 8])];
    let running = over_tcp(&[(DEVICE, &running[0]), (PEER, &running[1])]);
    assert_eq!(running.as_deref(), Some("smb1"), "a connection that began before");
    let session = [b"\x81\x00\x00\x44".as_slice(), &[b' '; 68], &asks].concat();
    let agreed = [b"\x82\x00\x00\x00".as_slice(), &smb1(0x72, &words)].concat();
    assert_eq!(over_tcp(&[(DEVICE, &session), (PEER, &agreed)]).as_deref(), Some("smb1"), "over NetBIOS");
    assert_eq!(over_tcp(&[(DEVICE, &asks)]), None, "nobody agreed");
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
    check("snmp", b"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x04\x12\x34\x56\x78\x02\x01\x00");
    check("snmp", b"\x30\x82\x01\x26\x02\x01\x00\x04\x00\xa2\x82\x01\x1d\x02\x01\x07\x02\x01\x00");
    check("snmp", b"\x30\x2c\x02\x01\x00\x04\x06public\xa4\x1f\x06\x08\x2b\x06\x01\x04\x01"); // trap
    check("tftp", b"\x00\x01firmware.bin\x00octet\x00");
    check("tftp", b"\x00\x02config.txt\x00NetASCII\x00blksize\x001428\x00");
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
    // Version 3 of SNMP, a certificate, and a sequence with another tag where the request should be.
    none(over_udp(&[(DEVICE, b"\x30\x3a\x02\x01\x03\x30\x0f\x02\x02\x4a\x69\x02\x03\x00\xff\xe3")]));
    none(over_udp(&[(DEVICE, b"\x30\x26\x02\x01\x01\x04\x06public\xa9\x19\x02\x04\x12\x34\x56\x78")]));
    none(over_udp(&[(DEVICE, b"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x04\x04\x12\x34\x56\x78")]));
    // Data of TFTP, and a name without a mode.
    none(over_udp(&[(DEVICE, b"\x00\x03\x00\x01firmware")]));
    none(over_udp(&[(DEVICE, b"\x00\x01firmware.bin\x00binary\x00")]));
}
