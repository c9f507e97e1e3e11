//! HTTP over the segments of a connection: messages one after another, whatever lies between them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod wire;

use proptest::prelude::*;
use thingprint_flow::{TcpFlags, TcpSegment, Transport};
use thingprint_protocol::{Limits, Message, Protocol, Sender};
use wire::Flow;

/// The first words of each message.
fn told(flow: &Flow) -> Vec<String> {
    let told = flow.found.iter().map(|(_, message)| match message {
        Message::HttpRequest(request) => format!("{} {}", request.method, request.uri),
        Message::HttpResponse(response) => format!("{} {}", response.status, response.phrase),
        other => panic!("{other:?}"),
    });
    told.collect()
}

/// A stream in both directions, in turns.
fn talk(turns: &[(Sender, &str)]) -> Flow {
    let mut flow = Flow::new(Limits::default());
    let mut next = [0_u32; 2];
    for (sender, text) in turns {
        let seq = &mut next[usize::from(*sender == Sender::Peer)];
        flow.tcp(*sender, wire::data(*seq, text.as_bytes()));
        *seq += u32::try_from(text.len()).unwrap();
    }
    flow
}

const DEVICE: Sender = Sender::Device;
const PEER: Sender = Sender::Peer;

#[test]
fn a_connection_is_used_again_and_again() {
    let flow = talk(&[
        (DEVICE, "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nsome body"),
        (PEER, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nHTTP/1.1 500 "),
        (PEER, "in a body of 30 b"),
        (DEVICE, "GET /b HTTP/1.1\r\n\r\n"),
        (
            PEER,
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n5;x=y\r\nHTTP/\r\n0\r\n\r\n",
        ),
        (DEVICE, "HEAD /c HTTP/1.1\r\n\r\n"),
        (PEER, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
        (DEVICE, "GET /d HTTP/1.1\r\n\r\n"),
        (PEER, "HTTP/1.0 302 Found\r\n\r\nuntil the end"),
        (PEER, "HTTP/1.1 200 OK\r\n\r\n"),
    ]);
    let expected = [
        "POST /a",
        "100 Continue",
        "200 OK",
        "GET /b",
        "404 Not Found",
        "HEAD /c",
        "200 OK",
        "GET /d",
        "302 Found",
    ];
    assert_eq!(told(&flow), expected);
    assert_eq!(flow.state.protocol(), Some(Protocol::Http));
    assert_eq!(flow.budget.used_bytes(), 0);
}

#[test]
fn requests_that_do_not_wait_for_their_responses_are_answered_in_order() {
    let flow = talk(&[
        (DEVICE, "HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nHEAD /c HTTP/1.1\r\n\r\n"),
        (PEER, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        (PEER, "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nHTTP/1.1 "),
        (PEER, "HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n"),
        (PEER, "HTTP/1.1 203 Hint\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let expected = ["HEAD /a", "GET /b", "HEAD /c", "200 OK", "201 Created", "202 Accepted", "203 Hint"];
    assert_eq!(told(&flow), expected);
}

#[test]
fn bytes_that_are_kept_are_not_printed() {
    let mut flow = talk(&[(DEVICE, "GET / HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\n")]);
    flow.tcp(DEVICE, wire::data(200, b"c2VjcmV0"));
    assert!(flow.budget.used_bytes() > 0);
    let shown = format!("{:?}", flow.state);
    assert!(
        !shown.contains("c2VjcmV0") && !shown.contains(&format!("{:?}", b"c2Vj").replace(['[', ']'], "")),
        "{shown}"
    );
}

#[test]
fn a_tunnel_is_followed_inside() {
    let flow = talk(&[
        (DEVICE, "CONNECT a.example:443 HTTP/1.1\r\n\r\n"),
        (PEER, "HTTP/1.1 200 Established\r\n\r\n"),
        (PEER, "HTTP/1.1 200 OK\r\n\r\n"),
    ]);
    assert_eq!(told(&flow), ["CONNECT a.example:443", "200 Established", "200 OK"]);
}

#[test]
fn text_of_other_protocols_is_let_go() {
    for text in
        ["221 mail ready\r\n", "LIST anonymous\r\n", "SSH-2.0-OpenSSH\r\n", "hello world\n", "GET out\r\n"]
    {
        let flow = talk(&[(PEER, text), (PEER, "HTTP/1.1 200 OK\r\n\r\n")]);
        assert_eq!((told(&flow), flow.budget.used_bytes()), (vec![], 0), "{text:?}");
    }
}

#[test]
fn a_head_that_the_capture_cuts_is_told_as_far_as_it_goes() {
    let whole = b"GET /a HTTP/1.1\r\nHost: lamp.example\r\nUser-Agent: lamp/1.0\r\n\r\n";
    let check = |captured: usize, expected: &[&str]| {
        let mut flow = Flow::new(Limits::default());
        let segment = TcpSegment { seq: 0, ack: 0, flags: TcpFlags(wire::ACK) };
        let mut packet = wire::packet(Transport::Tcp(segment), &whole[..captured]);
        packet.payload_bytes = u32::try_from(whole.len()).unwrap();
        flow.send(DEVICE, &packet);
        assert_eq!(told(&flow), expected, "{captured} bytes");
        assert_eq!(flow.state.protocol().is_some(), !expected.is_empty());
        assert_eq!(flow.budget.used_bytes(), 0);
    };
    check(40, &["GET /a"]);
    check(17, &["GET /a"]);
    check(10, &[]);
}

#[test]
fn a_head_that_is_too_long_is_told_as_far_as_it_is_kept() {
    let head = format!("GET /a HTTP/1.1\r\nCookie: {}\r\n\r\n", "x".repeat(20_000));
    let flow = talk(&[(DEVICE, &head[..9000]), (DEVICE, &head[9000..])]);
    assert_eq!(told(&flow), ["GET /a"]);
    assert_eq!(flow.budget.used_bytes(), 0);
    let uri = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(6000));
    assert_eq!(told(&talk(&[(DEVICE, &uri[..3000]), (DEVICE, &uri[3000..])])).len(), 1);
}

/// One direction of a connection with bodies of both kinds.
const RESPONSES: &str = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n0123456789HTTP/1.1 500 No\r\n\r\n01234567890\
                         HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nX: y\r\n\r\n\
                         HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n";

proptest! {
    #[test]
    fn any_cutting_and_order_of_segments_gives_the_same_messages(
        cuts in prop::collection::vec(0..RESPONSES.len(), 0..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let mut places: Vec<usize> = cuts.into_iter().chain([0, RESPONSES.len()]).collect();
        places.sort_unstable();
        let mut segments: Vec<_> = places.windows(2).map(|pair| (pair[0], &RESPONSES.as_bytes()[pair[0]..pair[1]])).collect();
        for pair in order.chunks_exact(2) {
            let (one, other) = (pair[0].index(segments.len()), pair[1].index(segments.len()));
            segments.swap(one, other);
        }
        let mut flow = Flow::new(Limits::default());
        flow.tcp(PEER, wire::syn(0));
        for (seq, payload) in segments {
            flow.tcp(PEER, wire::data(u32::try_from(seq).unwrap(), payload));
        }
        prop_assert_eq!(told(&flow), ["200 OK", "201 Created", "204 No Content", "304 Not Modified"]);
        prop_assert_eq!(flow.budget.used_bytes(), 0);
    }
}
