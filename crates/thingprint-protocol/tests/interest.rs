//! An engine for those who want few messages tells these as one that tells all.
#![allow(clippy::expect_used, reason = "a test that cannot go on should stop")]

mod wire;

use thingprint_protocol::{Interest, Limits, Message, Protocol, Sender};
use wire::Flow;

const DEVICE: Sender = Sender::Device;
const PEER: Sender = Sender::Peer;

/// What happens in a flow.
type Story = fn(&mut Flow);

/// Flows with their protocols and the messages in them.
const STORIES: [(Protocol, Story, usize); 3] =
    [(Protocol::Dns, look_up, 4), (Protocol::Tls, shake_hands, 2), (Protocol::Http, browse, 4)];

/// A flow on its way through an engine that tells these messages.
fn flow(interest: Interest) -> Flow {
    let mut flow = Flow::new(Limits::default());
    flow.engine = flow.engine.only(interest);
    flow
}

/// Two queries with their answers, over UDP.
fn look_up(flow: &mut Flow) {
    for id in 1..=2 {
        let query = wire::dns_query(id, "lamp");
        let mut answer = query.clone();
        answer[2] |= 0x80;
        flow.udp(DEVICE, &query);
        flow.udp(PEER, &answer);
    }
}

/// Hellos of both sides.
fn shake_hands(flow: &mut Flow) {
    flow.tcp(DEVICE, wire::syn(100));
    flow.tcp(DEVICE, wire::data(100, &wire::record(22, &wire::client_hello(&[0x1301, 0xc02f], 20))));
    flow.tcp(PEER, wire::data(900, &wire::record(22, &wire::server_hello(0xc02f))));
}

/// Requests, and responses that cannot be read without them: one to `HEAD` has no body.
fn browse(flow: &mut Flow) {
    let head = b"HEAD /a HTTP/1.1\r\n\r\n";
    let get = b"GET /b HTTP/1.1\r\n\r\n";
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n";
    let behind = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a short text");
    flow.tcp(DEVICE, wire::data(0, head));
    flow.tcp(PEER, wire::data(0, response));
    flow.tcp(DEVICE, wire::data(behind(head), get));
    flow.tcp(PEER, wire::data(behind(response), b"HTTP/1.1 404 Not Found\r\n\r\n"));
}

#[test]
fn wanted_messages_are_told_as_by_an_engine_that_tells_all() {
    for (protocol, story, messages) in STORIES {
        let mut all = flow(Interest::ALL);
        story(&mut all);
        assert_eq!(all.found.len(), messages, "{protocol:?}");
        for sender in [DEVICE, PEER] {
            let of_sender = |flow: Flow| -> Vec<Message> {
                flow.found
                    .into_iter()
                    .filter(|(from, _)| *from == sender)
                    .map(|(_, message)| message)
                    .collect()
            };
            let mut some = flow(Interest::NONE.and(protocol, sender));
            story(&mut some);
            let mut all = flow(Interest::ALL);
            story(&mut all);
            assert_eq!(of_sender(some), of_sender(all), "{protocol:?} from {sender:?}");
        }
    }
}

#[test]
fn protocols_are_told_to_those_who_want_no_message() {
    for (protocol, story, _) in STORIES {
        let mut none = flow(Interest::NONE);
        story(&mut none);
        assert_eq!(none.state.protocol(), Some(protocol));
        assert_eq!(none.budget.used_bytes(), 0);
    }
}

#[test]
fn the_protocol_does_not_depend_on_what_is_wanted() {
    let begin: Story = |flow| flow.tcp(DEVICE, wire::data(0, b"GET /a HTTP/1.1\r\nHost: lamp\r\n"));
    let forge: Story = |flow| {
        flow.udp(DEVICE, &[&b"\xc3\0\0\0\x01\x08"[..], &[7; 8], &[0, 0, 0x40, 0x20], &[9; 32]].concat());
        flow.udp(DEVICE, &wire::dns_query(1, "lamp"));
    };
    for (story, expected) in [(begin, Protocol::Http), (forge, Protocol::Quic)] {
        for interest in [Interest::ALL, Interest::NONE] {
            let mut flow = flow(interest);
            story(&mut flow);
            assert_eq!(flow.state.protocol(), Some(expected), "{interest:?}");
        }
    }
}

#[test]
fn what_nobody_wants_is_not_told() {
    let mut flow = flow(Interest::NONE);
    let queries: Vec<Vec<u8>> = (1..=5).map(|id| wire::framed(&wire::dns_query(id, "lamp"))).collect();
    flow.tcp(DEVICE, wire::data(0, &queries.concat()));
    assert_eq!((flow.found.len(), flow.state.protocol()), (0, Some(Protocol::Dns)));
    shake_hands(&mut flow);
    assert_eq!(flow.found.len(), 0);
}
