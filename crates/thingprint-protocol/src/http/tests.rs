#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use proptest::prelude::*;

use super::{BodyLength, Head, may_begin, parse_cut, parse_head};
use crate::{Credential, HttpRequest, HttpResponse, HttpVersion, Message};

const VERSION_1_0: HttpVersion = HttpVersion { major: 1, minor: 0 };
const VERSION_1_1: HttpVersion = HttpVersion { major: 1, minor: 1 };

fn request(bytes: &[u8]) -> HttpRequest {
    match parse_head(bytes) {
        Head::Complete { message: Message::HttpRequest(request), .. } => request,
        other => panic!("expected a request, found {other:?}"),
    }
}

fn response(bytes: &[u8]) -> HttpResponse {
    match parse_head(bytes) {
        Head::Complete { message: Message::HttpResponse(response), .. } => response,
        other => panic!("expected a response, found {other:?}"),
    }
}

fn body(bytes: &[u8]) -> (usize, BodyLength) {
    match parse_head(bytes) {
        Head::Complete { length, body, .. } => (length, body),
        other => panic!("expected a head, found {other:?}"),
    }
}

#[test]
fn a_request_is_read_field_by_field() {
    let found = request(b"GET /api/1?x=y HTTP/1.1\r\nHost: Lamp.example\r\nUser-Agent: lamp/1.0\r\n\r\n");
    let expected = HttpRequest {
        method: "GET".to_owned(),
        uri: "/api/1?x=y".to_owned(),
        version: VERSION_1_1,
        host: Some("Lamp.example".to_owned()),
        user_agent: Some("lamp/1.0".to_owned()),
        authentication: None,
    };
    assert_eq!(found, expected);
}

#[test]
fn a_response_is_read_field_by_field() {
    let found =
        response(b"HTTP/1.0 401 Not Yours\r\nServer: cam\r\nWWW-Authenticate: Basic realm=\"c\"\r\n\r\n");
    let expected = HttpResponse {
        version: Some(VERSION_1_0),
        status: 401,
        phrase: "Not Yours".to_owned(),
        server: Some("cam".to_owned()),
        authentication_type: Some("Basic".to_owned()),
    };
    assert_eq!(found, expected);
}

/// Forms that RFC 9112 forbids or warns of, and that devices send.
#[test]
fn odd_heads_are_read_all_the_same() {
    assert_eq!(request(b"POST /a HTTP/1.0\nHost: a\n\n").host.as_deref(), Some("a"));
    assert_eq!(request(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n").host.as_deref(), Some("a"));
    assert_eq!(request(b"GET / HTTP/1.1\r\nHOST:a\r\n\r\n").host.as_deref(), Some("a"));
    assert_eq!(request(b"GET /a b c HTTP/1.1\r\n\r\n").uri, "/a b c");
    assert_eq!(request(b"GET  /a  HTTP/1.1  \r\n\r\n").uri, "/a");
    assert_eq!(request(b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n").uri, "/\\xc3\\xa9");
    assert_eq!(request(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n").method, "GET");
    assert_eq!(request(b"SSDP_X / http/1.1\r\n\r\n").version, VERSION_1_1);
    let folded =
        request(b"GET / HTTP/1.1\r\nUser-Agent: a\r\n b\r\n\tc\r\nno colon\r\n d\r\nHost: h\r\n\r\n");
    assert_eq!((folded.user_agent.as_deref(), folded.host.as_deref()), (Some("a b c"), Some("h")));
    assert_eq!(response(b"HTTP/1.1 200\r\n\r\n").phrase, "");
    assert_eq!(response(b"HTTP/1.1  200  Fine \r\n\r\n").phrase, "Fine");
    assert_eq!(response(b"HTTP/1.1 200 \xff\r\n\r\n").phrase, "\\xff");
    let radio = response(b"ICY 200 OK\r\nServer: r\r\n\r\n");
    assert_eq!((radio.version, radio.status, radio.server.as_deref()), (None, 200, Some("r")));
}

#[test]
fn the_oldest_requests_are_one_line() {
    let bytes = b"GET /index.html\r\n";
    let oldest = request(bytes);
    assert_eq!((oldest.uri.as_str(), oldest.version), ("/index.html", HttpVersion { major: 0, minor: 9 }));
    assert_eq!(body(bytes), (bytes.len(), BodyLength::UntilClose));
}

#[test]
fn other_protocols_are_told_by_the_first_line() {
    for bytes in [
        &b"OPTIONS rtsp://192.0.2.7/ RTSP/1.0\r\n\r\n"[..],
        b"SIP/2.0 200 OK\r\n\r\n",
        b"USER lamp\r\n",
        b"220 ready\r\n",
        b"SSH-2.0-dropbear\r\n",
        b"GNUTELLA CONNECT/0.6\r\n\r\n",
        b"POST /path\r\n",
        b"GET path\r\n",
        b"GET HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 Low\r\n\r\n",
        b"HTTP/x.1 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 \x01\r\n\r\n",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        b"\x16\x03\x01",
        b"GE\0",
        b"GET /\0",
        b"HTTP/1.1 \x01",
    ] {
        assert_eq!(parse_head(bytes), Head::NotHttp, "{}", bytes.escape_ascii());
        assert!(!may_begin(bytes));
        assert_eq!(parse_cut(bytes), None);
    }
}

#[test]
fn a_head_that_is_cut_waits_for_more() {
    let whole = b"GET /a HTTP/1.1\r\nHost: lamp\r\nUser-Agent: u\r\n\r\n";
    for cut in 0..whole.len() {
        assert_eq!(parse_head(&whole[..cut]), Head::Partial, "cut at {cut}");
        assert!(may_begin(&whole[..cut]));
    }
    assert_eq!(parse_cut(&whole[..12]), None);
    match parse_cut(&whole[..28]).unwrap() {
        Message::HttpRequest(request) => assert_eq!(request.host.as_deref(), Some("lamp")),
        other => panic!("expected a request, found {other:?}"),
    }
    for cut in 0..20 {
        assert_eq!(parse_head(&b"HTTP/1.1 404 None\r\n\r\n"[..cut]), Head::Partial, "cut at {cut}");
    }
}

/// Else it would matter how a stream is cut.
#[test]
fn what_is_http_is_so_from_its_first_byte_on() {
    for whole in [
        &b"\r\n\r\nhttp/1.0 200 OK\n\n"[..],
        b"HTTP/1.1\x0c200\x0cOK\x0c\r\n\r\n",
        b"ICY 200 \xff\n\n",
        b"GET \x0c/ HTTP/1.1 \x0c\n\n",
        b"GET /old\x0c\n",
    ] {
        assert!(matches!(parse_head(whole), Head::Complete { .. }), "{}", whole.escape_ascii());
        for cut in 0..whole.len() {
            assert!(may_begin(&whole[..cut]), "{} cut at {cut}", whole.escape_ascii());
        }
    }
}

/// RFC 9112 §6.3.
#[test]
fn the_head_says_how_the_body_ends() {
    let check = |head: &str, expected| {
        let bytes = format!("{head}\r\n\r\nrest");
        assert_eq!(body(bytes.as_bytes()), (head.len() + 4, expected), "{head}");
    };
    check("GET / HTTP/1.1", BodyLength::Bytes(0));
    check("POST / HTTP/1.1\r\nContent-Length: 12", BodyLength::Bytes(12));
    check("POST / HTTP/1.1\r\nContent-Length: 5, 5", BodyLength::Bytes(5));
    check("POST / HTTP/1.1\r\nContent-Length: five", BodyLength::UntilClose);
    check("POST / HTTP/1.1\r\nContent-Length: 12\r\nTransfer-Encoding: gzip, Chunked", BodyLength::Chunked);
    check("PRI * HTTP/2.0", BodyLength::UntilClose);
    check("HTTP/1.1 200 OK", BodyLength::UntilClose);
    check("HTTP/1.1 200 OK\r\nContent-Length: 0", BodyLength::Bytes(0));
    check("HTTP/1.1 204 None\r\nContent-Length: 7", BodyLength::Bytes(0));
    check("HTTP/1.1 304 Same\r\nContent-Length: 7", BodyLength::Bytes(0));
    check("HTTP/1.1 100 Continue", BodyLength::Bytes(0));
    check("HTTP/1.1 101 Switching Protocols", BodyLength::UntilClose);
}

#[test]
fn credentials_are_not_written_unless_asked() {
    let check = |line: &str, scheme: &str, secret: Option<&str>| {
        let head = format!("GET / HTTP/1.1\r\n{line}\r\n\r\n");
        let request = request(head.as_bytes());
        let authentication = request.authentication.clone().unwrap();
        assert_eq!(authentication.scheme, scheme);
        assert_eq!(authentication.credential.as_ref().map(Credential::reveal), secret);
        let mut message = Message::HttpRequest(request);
        let json = |message: &Message| serde_json::to_string(message).unwrap();
        let Some(secret) = secret else { return };
        assert!(!format!("{message:?} {}", json(&message)).contains(secret));
        assert_eq!(authentication.credential.unwrap().to_string(), "***");
        message.show_credentials();
        assert!(json(&message).contains(secret));
        assert!(!format!("{message:?}").contains(secret));
    };
    check("Authorization: Basic dXNlcjpwYXNz", "Basic", Some("dXNlcjpwYXNz"));
    check("proxy-authorization:Digest  a=b, c=d", "Digest", Some("a=b, c=d"));
    check("Authorization: Negotiate", "Negotiate", None);
    let uri = |target: &str| request(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes()).uri;
    assert_eq!(uri("http://user:pass@lamp.example/a@b"), "http://***@lamp.example/a@b");
    assert_eq!(uri("http://lamp.example/a@b"), "http://lamp.example/a@b");
    assert_eq!(uri("/redirect?to=http://a:b@c/"), "/redirect?to=http://a:b@c/");
}

#[test]
fn a_request_is_written_in_snake_case() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic eA==\r\n\r\n";
    let json = serde_json::to_value(Message::HttpRequest(request(bytes))).unwrap();
    let expected = serde_json::json!({
        "message": "http_request", "method": "GET", "uri": "/", "version": "1.1", "host": "a",
        "user_agent": null, "authentication_type": "Basic", "credential": "***",
    });
    assert_eq!(json, expected);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let _ = (parse_head(&bytes), parse_cut(&bytes), may_begin(&bytes));
    }

    #[test]
    fn any_bytes_after_a_first_line_are_read_without_panic(rest: Vec<u8>) {
        let bytes = [&b"GET / HTTP/1.1\r\n"[..], &rest].concat();
        prop_assert_ne!(parse_head(&bytes), Head::NotHttp);
        prop_assert!(parse_cut(&bytes).is_some());
    }

    #[test]
    fn what_may_not_begin_never_does(
        start in prop::sample::select(vec!["HTTP/1.1 200 ", "http/1.1", "ICY 200 O", "GET /", "get ", ""]),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(b' ')], 0..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = [start.as_bytes(), &bytes].concat();
        let part = &whole[..cut.index(whole.len() + 1)];
        prop_assert!(may_begin(part) || parse_head(&whole) == Head::NotHttp);
    }

    /// Whatever a strict parser takes is read, with the same method, target, host and length.
    #[test]
    fn strict_heads_are_read_as_a_strict_parser_does(
        method in "[A-Z]{1,8}",
        target in "/[!-~]{0,20}",
        headers in prop::collection::vec(("[A-Za-z][A-Za-z0-9-]{0,8}", "[!-~]([ -~]{0,12}[!-~])?"), 0..5),
        host in "[a-z.]{1,12}",
    ) {
        let lines: Vec<String> = headers.iter().map(|(name, value)| format!("x{name}: {value}\r\n")).collect();
        let lines = lines.concat();
        let bytes = format!("{method} {target} HTTP/1.1\r\n{lines}Host: {host}\r\n\r\nbody");
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut strict = httparse::Request::new(&mut fields);
        let status = strict.parse(bytes.as_bytes());
        prop_assume!(status.is_ok());
        let found = request(bytes.as_bytes());
        prop_assert_eq!(Some(found.method.as_str()), strict.method);
        prop_assert_eq!(Some(found.uri.as_str()), strict.path);
        prop_assert_eq!(found.host.as_deref(), Some(host.as_str()));
        prop_assert_eq!(body(bytes.as_bytes()).0, status.unwrap().unwrap());
    }
}
