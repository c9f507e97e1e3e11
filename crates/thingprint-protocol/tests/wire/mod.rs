//! Packets and messages written in code, for the tests of this crate.
#![allow(clippy::expect_used, reason = "a test that cannot go on should stop")]
#![allow(dead_code, reason = "each test program uses a part")]

use thingprint_flow::{Ip, TcpFlags, TcpSegment, Transport};
use thingprint_protocol::{Budget, Engine, Inspection, Limits, Message, Sender};

pub(crate) const SYN: u8 = 0x02;
pub(crate) const SYN_ACK: u8 = 0x12;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const PUSH_ACK: u8 = 0x18;

/// One flow on its way through an engine.
pub(crate) struct Flow {
    pub(crate) engine: Engine,
    pub(crate) state: Inspection,
    pub(crate) budget: Budget,
    pub(crate) found: Vec<(Sender, Message)>,
}

impl Flow {
    pub(crate) fn new(limits: Limits) -> Self {
        let engine = Engine::new(limits);
        let budget = engine.budget();
        Self { engine, state: Inspection::default(), budget, found: Vec::new() }
    }

    /// Sends a TCP segment.
    pub(crate) fn tcp(&mut self, sender: Sender, segment: Segment<'_>) {
        let Segment { seq, flags, payload } = segment;
        let transport = Transport::Tcp(TcpSegment { seq, ack: 0, flags: TcpFlags(flags) });
        self.send(sender, &packet(transport, payload));
    }

    /// Sends a UDP datagram.
    pub(crate) fn udp(&mut self, sender: Sender, payload: &[u8]) {
        self.send(sender, &packet(Transport::Udp, payload));
    }

    pub(crate) fn send(&mut self, sender: Sender, packet: &Ip<'_>) {
        let found = &mut self.found;
        let mut keep = |message| found.push((sender, message));
        self.engine.inspect(packet, sender, &mut self.state, &mut self.budget, &mut keep);
    }

    /// The messages found, without their senders.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.found.iter().map(|(_, message)| message.clone()).collect()
    }
}

/// A TCP segment.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) seq: u32,
    pub(crate) flags: u8,
    pub(crate) payload: &'a [u8],
}

/// A SYN that starts a stream at `start`.
pub(crate) fn syn(start: u32) -> Segment<'static> {
    Segment { seq: start.wrapping_sub(1), flags: SYN, payload: &[] }
}

/// A segment with data, pushed: without that, a few zeros would be padding.
pub(crate) fn data(seq: u32, payload: &[u8]) -> Segment<'_> {
    Segment { seq, flags: PUSH_ACK, payload }
}

pub(crate) fn packet(transport: Transport, payload: &[u8]) -> Ip<'_> {
    Ip { transport, ..Ip::udp(([192, 0, 2, 1].into(), 40000), ([192, 0, 2, 2].into(), 8883), payload) }
}

/// A DNS query for a name below `example.com`.
pub(crate) fn dns_query(id: u16, label: &str) -> Vec<u8> {
    let length = u8::try_from(label.len()).expect("a short label");
    let id = id.to_be_bytes();
    [&id[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0, length], label.as_bytes(), b"\x07example\x03com\0\0\x01\0\x01"]
        .concat()
}

/// The query as it stands in a TCP stream.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&length16(message)[..], message].concat()
}

/// A `ClientHello` that offers these suites and has a padding extension of `padding` bytes.
pub(crate) fn client_hello(suites: &[u16], padding: usize) -> Vec<u8> {
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let padding = vec![0; padding];
    let extension = [&[0, 21][..], &length16(&padding), &padding].concat();
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0],
        &length16(&suites),
        &suites,
        &[1, 0],
        &length16(&extension),
        &extension,
    ]
    .concat();
    handshake(1, &body)
}

/// A `ServerHello` that chooses this suite.
pub(crate) fn server_hello(suite: u16) -> Vec<u8> {
    handshake(2, &[&[3, 3][..], &[8; 32], &[0], &suite.to_be_bytes(), &[0, 0, 0]].concat())
}

/// A `HelloRetryRequest` (RFC 8446 §4.1.3).
pub(crate) fn retry_request() -> Vec<u8> {
    let random = b"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\
                   \xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
    handshake(2, &[&[3, 3][..], random, &[0, 0x13, 1, 0, 0, 0]].concat())
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &length16(body), body].concat()
}

/// A handshake message in records of at most `most` bytes each.
pub(crate) fn records(message: &[u8], most: usize) -> Vec<u8> {
    message.chunks(most).flat_map(|part| record(22, part)).collect()
}

/// One record (RFC 8446 §5.1).
pub(crate) fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &length16(fragment), fragment].concat()
}

/// An NTP request of version 4.
pub(crate) fn ntp_request() -> Vec<u8> {
    let mut bytes = vec![0; 48];
    bytes[0] = 0x23;
    bytes
}

/// A DHCP DISCOVER with a host name.
pub(crate) fn dhcp_discover() -> Vec<u8> {
    let mut bytes = vec![0; 236];
    bytes[..3].copy_from_slice(&[1, 1, 6]);
    bytes.extend_from_slice(b"\x63\x82\x53\x63\x35\x01\x01\x0c\x04lamp\x37\x02\x01\x03\xff");
    bytes
}

fn length16(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).expect("a short vector").to_be_bytes()
}
