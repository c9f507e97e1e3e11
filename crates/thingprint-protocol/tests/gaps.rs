//! Streams of which a capture lost a part: what begins its own segment behind it is read again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod wire;

use thingprint_flow::{TcpFlags, TcpSegment, Transport};
use thingprint_protocol::{Limits, Losses, Message, Sender};
use wire::{Flow, client_hello, data, dns_query, framed, records, server_hello, syn};

const DEVICE: Sender = Sender::Device;
const PEER: Sender = Sender::Peer;

/// The segments of one side, each with whether it was captured.
struct Side {
    sender: Sender,
    next: u32,
}

impl Side {
    fn new(flow: &mut Flow, sender: Sender) -> Self {
        flow.tcp(sender, syn(1000));
        Self { sender, next: 1000 }
    }

    fn say(&mut self, flow: &mut Flow, bytes: &[u8]) {
        flow.tcp(self.sender, data(self.next, bytes));
        self.lose(bytes);
    }

    fn lose(&mut self, bytes: &[u8]) {
        self.next = self.next.wrapping_add(u32::try_from(bytes.len()).unwrap());
    }
}

/// What was found once the flow is over, in words.
fn found(flow: &mut Flow) -> Vec<String> {
    let found = &mut flow.found;
    flow.engine
        .close(&mut flow.state, &mut flow.budget, &mut |sender, message| found.push((sender, message)));
    assert_eq!(flow.budget.used_bytes(), 0);
    let word = |message: &Message| match message {
        Message::HttpRequest(request) => request.uri.to_string(),
        Message::HttpResponse(response) => response.status.to_string(),
        Message::Dns(message) => message.questions[0].name.clone(),
        Message::ClientHello(hello) => hello.cipher_suites_word(),
        Message::ServerHello(hello) => format!("{:04x}", hello.cipher_suite),
        other => panic!("{other:?}"),
    };
    flow.found.iter().map(|(_, message)| word(message)).collect()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: lamp.example\r\n\r\n").into_bytes()
}

#[test]
fn requests_and_responses_behind_a_gap_are_read() {
    let mut flow = Flow::new(Limits::default());
    let mut device = Side::new(&mut flow, DEVICE);
    let mut peer = Side::new(&mut flow, PEER);
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    device.say(&mut flow, &get("/1"));
    peer.say(&mut flow, response);
    device.lose(&get("/2"));
    peer.lose(response);
    device.say(&mut flow, &get("/3"));
    peer.say(&mut flow, b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(found(&mut flow), ["/1", "200", "/3", "404"]);
    let lost = u64::try_from(get("/2").len() + response.len()).unwrap();
    assert_eq!(flow.budget.losses(), Losses { gaps: 2, gap_bytes: lost, ..Losses::default() });
}

#[test]
fn a_message_that_lost_its_end_is_passed_over_up_to_the_next() {
    let mut flow = Flow::new(Limits::default());
    let mut device = Side::new(&mut flow, DEVICE);
    device.say(&mut flow, &get("/1"));
    device.say(&mut flow, b"POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n");
    device.say(&mut flow, &[b'x'; 1000]);
    device.lose(&[b'x'; 3098]);
    device.say(&mut flow, b"10\r\n0123456789abcdef\r\n");
    device.say(&mut flow, b"0\r\n\r\n");
    device.say(&mut flow, &get("/3"));
    device.say(&mut flow, &get("/4"));
    assert_eq!(found(&mut flow), ["/1", "/2", "/3", "/4"]);
}

#[test]
fn a_head_cut_by_the_capture_does_not_end_the_connection() {
    let mut flow = Flow::new(Limits::default());
    let mut next = 1000;
    flow.tcp(DEVICE, syn(next));
    for path in ["/1", "/2", "/3"] {
        let head = get(path);
        let transport = Transport::Tcp(TcpSegment { seq: next, ack: 0, flags: TcpFlags(wire::ACK) });
        let mut packet = wire::packet(transport, &head[..20]);
        packet.payload_bytes = u32::try_from(head.len()).unwrap();
        flow.send(DEVICE, &packet);
        next += packet.payload_bytes;
    }
    assert_eq!(found(&mut flow), ["/1", "/2", "/3"]);
    assert_eq!(flow.budget.losses().gaps, 3);
}

#[test]
fn queries_over_tcp_behind_a_gap_are_read() {
    let mut flow = Flow::new(Limits::default());
    let mut device = Side::new(&mut flow, DEVICE);
    device.say(&mut flow, &framed(&dns_query(1, "one")));
    device.lose(&framed(&dns_query(2, "two")));
    device.say(&mut flow, &framed(&dns_query(3, "three")));
    assert_eq!(found(&mut flow), ["one.example.com", "three.example.com"]);
}

#[test]
fn a_hello_behind_a_gap_is_read() {
    let mut flow = Flow::new(Limits::default());
    let mut device = Side::new(&mut flow, DEVICE);
    let mut peer = Side::new(&mut flow, PEER);
    device.lose(b"something");
    device.say(&mut flow, &records(&client_hello(&[0x1301], 0), 16384));
    peer.lose(&[0; 7]);
    peer.say(&mut flow, &records(&server_hello(0x1301), 16384));
    assert_eq!(found(&mut flow), ["1301", "1301"]);
    assert_eq!(flow.budget.losses().gaps, 2);
}

#[test]
fn a_gap_is_skipped_while_the_stream_goes_on() {
    let mut flow = Flow::new(Limits { pending_segments: 4, ..Limits::default() });
    let mut device = Side::new(&mut flow, DEVICE);
    device.say(&mut flow, &get("/1"));
    device.lose(&get("/2"));
    // Segments that touch are one piece, which is as long as a stream may be; more than that is passed over.
    for count in 3..600 {
        device.say(&mut flow, &get(&format!("/{count}")));
    }
    let last = flow.found.len();
    assert!(last > 300, "{last} found");
    device.lose(&get("/600"));
    device.say(&mut flow, &get("/601"));
    assert_eq!(found(&mut flow).last().unwrap(), "/601");
}

#[test]
fn a_segment_that_comes_late_is_not_read_twice() {
    let mut flow = Flow::new(Limits { pending_segments: 1, ..Limits::default() });
    let mut device = Side::new(&mut flow, DEVICE);
    device.say(&mut flow, &get("/1"));
    let late = device.next;
    device.lose(&get("/2"));
    device.say(&mut flow, &get("/3"));
    device.lose(&get("/4"));
    device.say(&mut flow, &get("/5"));
    flow.tcp(DEVICE, data(late, &get("/2")));
    flow.tcp(DEVICE, data(late, &get("/2")));
    let paths = found(&mut flow);
    assert_eq!(paths, ["/1", "/3", "/5"]);
}

#[test]
fn other_traffic_behind_a_gap_is_let_go_after_a_few_segments() {
    let mut flow = Flow::new(Limits::default());
    let mut device = Side::new(&mut flow, DEVICE);
    device.lose(&[7; 9]);
    for _ in 0..90 {
        device.say(&mut flow, &[7; 1000]);
    }
    device.say(&mut flow, &get("/too-late"));
    assert_eq!(found(&mut flow), [""; 0]);
}
