use proptest::prelude::*;

use super::{BodyLength, Head, may_begin, parse_cut, parse_head};
use crate::{Credential, HttpRequest, HttpResponse, HttpVersion, Message, Uri};

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
        uri: Uri::new("/api/1?x=y".to_owned()),
        version: VERSION_1_1,
        host: Some(Uri::new("Lamp.example".to_owned())),
        user_agent: Some("lamp/1.0".into()),
        authentication: Vec::new(),
        password_fields: Vec::new(),
        field_order: Some("host,user-agent".to_owned()),
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
        phrase: "Not Yours".into(),
        server: Some("cam".into()),
        authentication_types: vec!["Basic".to_owned()],
    };
    assert_eq!(found, expected);
}

/// Forms that RFC 9112 forbids or warns of, and that devices send.
#[test]
fn odd_heads_are_read_all_the_same() {
    assert_eq!(request(b"POST /a HTTP/1.0\nHost: a\n\n").host.as_ref().map(Uri::reveal), Some("a"));
    assert_eq!(request(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n").host.as_ref().map(Uri::reveal), Some("a"));
    assert_eq!(request(b"GET / HTTP/1.1\r\nHOST:a\r\n\r\n").host.as_ref().map(Uri::reveal), Some("a"));
    assert_eq!(request(b"GET /a b c HTTP/1.1\r\n\r\n").uri.reveal(), "/a b c");
    assert_eq!(request(b"GET  /a  HTTP/1.1  \r\n\r\n").uri.reveal(), "/a");
    assert_eq!(request(b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n").uri.reveal(), "/\\xc3\\xa9");
    assert_eq!(request(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n").method, "GET");
    assert_eq!(request(b"SSDP_X / http/1.1\r\n\r\n").version, VERSION_1_1);
    let folded =
        request(b"GET / HTTP/1.1\r\nUser-Agent: a\r\n b\r\n\tc\r\nno colon\r\n d\r\nHost: h\r\n\r\n");
    assert_eq!(
        (folded.user_agent.as_deref(), folded.host.as_ref().map(Uri::reveal)),
        (Some("a b c"), Some("h"))
    );
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
    assert_eq!((oldest.uri.reveal(), oldest.version), ("/index.html", HttpVersion { major: 0, minor: 9 }));
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
        b"HTTP/1.1200 OK\r\n\r\n",
        b"HTTP/1.1 +20 OK\r\n\r\n",
        b"HTTP/1.1 2\x01",
        b"HTTP/1.1 2000 OK\r\n\r\n",
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
        Message::HttpRequest(request) => assert_eq!(request.host.as_ref().map(Uri::reveal), Some("lamp")),
        other => panic!("expected a request, found {other:?}"),
    }
    for cut in 0..20 {
        assert_eq!(parse_head(&b"HTTP/1.1 404 None\r\n\r\n"[..cut]), Head::Partial, "cut at {cut}");
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
    check("POST / HTTP/1.1\r\nContent-Length: +5", BodyLength::UntilClose);
    check("POST / HTTP/1.1\r\nContent-Length: 12\r\nTransfer-Encoding: unchunked", BodyLength::Bytes(12));
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
    let check = |line: &str, scheme: Option<&str>, secret: Option<&str>| {
        let head = format!("GET / HTTP/1.1\r\n{line}\r\n\r\n");
        let request = request(head.as_bytes());
        let [authentication] = &request.authentication[..] else { panic!("one: {line}") };
        let authentication = authentication.clone();
        assert_eq!(authentication.scheme.as_deref(), scheme, "{line}");
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
    check("Authorization: Basic dXNlcjpwYXNz", Some("Basic"), Some("dXNlcjpwYXNz"));
    check("Authorization: Basic\tdXNlcjpwYXNz", Some("Basic"), Some("dXNlcjpwYXNz"));
    check("Authorization: Basic\r\n dXNlcjpwYXNz", Some("Basic"), Some("dXNlcjpwYXNz"));
    check("proxy-authorization:Digest  a=b, c=d", Some("Digest"), Some("a=b, c=d"));
    check("Authorization: dXNlcjpwYXNz", None, Some("dXNlcjpwYXNz"));
    check("Authorization: token=dXNlcjpwYXNz", None, Some("token=dXNlcjpwYXNz"));
    check("Authorization: user=a, key=b", None, Some("user=a, key=b"));
    check("Authorization:", None, None);
}

#[test]
fn all_that_a_request_sends_is_told_and_hidden() {
    let head = b"GET / HTTP/1.1\r\nProxy-Authorization: Basic cHcx\r\nAuthorization: Digest pw2\r\n\
                 Authorization: Bearer pw3\r\nAuthorization: pw4\r\n\r\n";
    let mut message = Message::HttpRequest(request(head));
    let json = serde_json::to_value(&message).unwrap();
    let sent = |scheme: Option<&str>| serde_json::json!({"authentication_type": scheme, "credential": "***"});
    let expected = [Some("Digest"), Some("Bearer"), None, Some("Basic")].map(sent);
    assert_eq!(json["authentication"].as_array().unwrap(), &expected);
    let secrets = ["cHcx", "pw2", "pw3", "pw4"];
    assert!(secrets.iter().all(|secret| !format!("{message:?}").contains(secret)));
    message.show_credentials();
    let shown = serde_json::to_string(&message).unwrap();
    assert!(secrets.iter().all(|secret| shown.contains(secret)));
    assert!(secrets.iter().all(|secret| !format!("{message:?}").contains(secret)));
}

/// RFC 9110 §11.6.1 and its examples in §11.6.1 and §5.6.4, in forms that servers send.
#[test]
fn every_scheme_that_a_response_asks_for_is_told() {
    let check = |lines: &str, expected: &[&str]| {
        let head = format!("HTTP/1.1 401 No\r\n{lines}\r\n\r\n");
        assert_eq!(response(head.as_bytes()).authentication_types, expected, "{lines}");
    };
    check("WWW-Authenticate: Basic", &["Basic"]);
    check("WWW-Authenticate: Digest realm=\"c\", nonce=\"n\", Basic realm=\"c\"", &["Digest", "Basic"]);
    check(
        "WWW-Authenticate: Digest realm=\"c\"\r\nWWW-Authenticate: Basic realm=\"c\"",
        &["Digest", "Basic"],
    );
    check(
        "Proxy-Authenticate: Basic\r\nWWW-Authenticate: Negotiate YWI=, NTLM",
        &["Negotiate", "NTLM", "Basic"],
    );
    check("WWW-Authenticate: Negotiate, Basic realm=x", &["Negotiate", "Basic"]);
    check("WWW-Authenticate: Digest realm=\"a, Basic b\", qop=\"auth,auth-int\"", &["Digest"]);
    check("WWW-Authenticate: Digest realm=\"a\\\", Basic b\", stale = true,opaque=x", &["Digest"]);
    check("WWW-Authenticate: New a=\"\\\\\", Basic realm=\"c\"", &["New", "Basic"]);
    check("WWW-Authenticate: ,, Basic ,\r\n\tDigest a=b", &["Basic", "Digest"]);
    check("WWW-Authenticate: Digest algorithm=MD5, Digest algorithm=SHA-256", &["Digest"]);
    check("WWW-Authenticate: Basic:realm=\"c\"", &["Basic"]);
    check("WWW-Authenticate: realm=\"c\"", &[]);
    check("WWW-Authenticate:", &[]);
    let many: Vec<String> = (0..500).map(|number| format!("S{number}")).collect();
    let head = format!("HTTP/1.1 401 No\r\nWWW-Authenticate: {}\r\n\r\n", many.join(","));
    assert_eq!(response(head.as_bytes()).authentication_types, many[..64]);
}

#[test]
fn secrets_in_targets_are_not_written_unless_asked() {
    for target in [
        "u:pw@h:443",
        "/?next=http://u:pw@h/",
        "http://u:a/pw@h/",
        "/login?password=pw",
        "http://u:pw@lamp/a@b",
    ] {
        let head = format!("CONNECT {target} HTTP/1.1\r\nHost: u:pw@h\r\nCookie: id=pw\r\n\r\n");
        let mut message = Message::HttpRequest(request(head.as_bytes()));
        let json = |message: &Message| serde_json::to_value(message).unwrap();
        assert!(!format!("{message:?} {}", json(&message)).contains("pw"), "{target}");
        message.show_credentials();
        assert_eq!(json(&message)["uri"], target);
        assert_eq!(json(&message)["host"], "u:pw@h");
        assert!(!format!("{message:?}").contains("pw"), "{target}");
    }
}

#[test]
fn a_request_is_written_in_snake_case() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic eA==\r\n\r\n";
    let json = serde_json::to_value(Message::HttpRequest(request(bytes))).unwrap();
    let expected = serde_json::json!({
        "message": "http_request", "method": "GET", "uri": "/", "version": "1.1", "host": "a",
        "user_agent": null, "authentication": [{"authentication_type": "Basic", "credential": "***"}],
        "password_fields": [],
        "field_order": "host,authorization",
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

    /// Whether a line is HTTP does not depend on where it is cut.
    #[test]
    fn every_part_of_a_first_line_may_become_one(
        version in "(?i:HTTP)/[01](\\.[019])?|ICY",
        blanks in "[ \t]{0,2}",
        status in "[0-9]{3,4}",
        rest in "[ \tA-c\\x00-\\x0c\r]{0,6}",
        target in "[ /a\t\r\\x01\\x0c]{0,4}",
    ) {
        for line in [
            format!("{version}{blanks}{status}{rest}\r\n"),
            format!("{version}{blanks}{status} {rest}\r\n"),
            format!("GET {target} {version}{rest}\r\n"),
            format!("GET {blanks}{target}\r\n"),
        ] {
            if parse_cut(line.as_bytes()).is_none() {
                continue;
            }
            let line_bytes = line.find('\n').unwrap_or_default();
            for cut in 0..line_bytes {
                prop_assert!(may_begin(&line.as_bytes()[..cut]), "{line:?} cut at {cut}");
            }
        }
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
        prop_assert_eq!(Some(found.uri.reveal()), strict.path);
        prop_assert_eq!(found.host.as_ref().map(Uri::reveal), Some(host.as_str()));
        prop_assert_eq!(body(bytes.as_bytes()).0, status.unwrap().unwrap());
    }
}
