//! Protocols that begin in the middle of a connection: TLS behind STARTTLS, and anything behind a proxy.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod wire;

use thingprint_protocol::{Interest, Limits, Message, Protocol, Sender};
use wire::{ACK, Flow, SYN, Segment, client_hello, data, record, records, server_hello};

const DEVICE: Sender = Sender::Device;
const PEER: Sender = Sender::Peer;

/// What both sides say, one after the other, before TLS begins.
struct Story {
    service: &'static str,
    said: Vec<(Sender, Vec<u8>)>,
}

fn story(service: &'static str, said: &[(Sender, &[u8])]) -> Story {
    Story { service, said: said.iter().map(|(sender, bytes)| (*sender, bytes.to_vec())).collect() }
}

fn stories() -> Vec<Story> {
    let proxy_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x08\x9c\x40\x01\xbb";
    let mysql_request = [&[0x20, 0, 0, 1, 5, 0xae, 0xff, 0x1a, 0, 0, 0, 1, 45][..], &[0; 23]].concat();
    vec![
        story("smtp", &[
            (PEER, b"220 mail.example.net ESMTP\r\n"),
            (DEVICE, b"EHLO camera\r\n"),
            (PEER, b"250-mail.example.net\r\n250 STARTTLS\r\n"),
            (DEVICE, b"STARTTLS\r\n"),
            (PEER, b"220 go on\r\n"),
        ]),
        story("imap", &[
            (PEER, b"* OK ready\r\n"),
            (DEVICE, b"a1 STARTTLS\r\n"),
            (PEER, b"a1 OK begin\r\n"),
        ]),
        story("pop3", &[(PEER, b"+OK hello\r\n"), (DEVICE, b"STLS\r\n"), (PEER, b"+OK begin\r\n")]),
        story("xmpp", &[
            (DEVICE, b"<?xml version='1.0'?><stream:stream to='example.net' xmlns='jabber:client'>"),
            (PEER, b"<?xml version='1.0'?><stream:stream from='example.net'><stream:features><starttls/></stream:features>"),
            (DEVICE, b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            (PEER, b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        ]),
        story("ftp", &[(PEER, b"220 hello\r\n"), (DEVICE, b"AUTH TLS\r\n"), (PEER, b"234 begin\r\n")]),
        story("ldap", &[
            (DEVICE, b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
            (PEER, b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"),
        ]),
        story("postgresql", &[(DEVICE, &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]), (PEER, b"S")]),
        story("mysql", &[(PEER, b"\x0f\0\0\0\x0a8.0.36\0abcdefg"), (DEVICE, &mysql_request)]),
        story("http", &[
            (DEVICE, b"CONNECT api.example.net:443 HTTP/1.1\r\nHost: api.example.net\r\n\r\n"),
            (PEER, b"HTTP/1.1 407 Who are you\r\nContent-Length: 2\r\n\r\nno"),
            (DEVICE, b"CONNECT api.example.net:443 HTTP/1.1\r\nProxy-Authorization: Basic YTpi\r\n\r\n"),
            (PEER, b"HTTP/1.1 200 Connection established\r\n\r\n"),
        ]),
        story("http", &[
            (DEVICE, b"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"),
            (PEER, b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.0, HTTP/1.1\r\nContent-Length: 2\r\n\r\nno"),
            (DEVICE, b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"),
            (PEER, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0, HTTP/1.1\r\nConnection: Upgrade\r\n\r\n"),
        ]),
        story("socks", &[(DEVICE, b"\x04\x01\x01\xbb\xc0\0\x02\x07lamp\0"), (PEER, b"\0\x5a\0\0\0\0\0\0")]),
        story("socks", &[
            (DEVICE, b"\x04\x01\x01\xbb\0\0\0\x01\0api.example.net\0"),
            (PEER, b"\0\x5a\x01\xbb\0\0\0\0"),
        ]),
        story("socks", &[
            (DEVICE, b"\x05\x02\0\x02"),
            (PEER, b"\x05\x02"),
            (DEVICE, b"\x01\x04lamp\x06secret"),
            (PEER, b"\x01\0"),
            (DEVICE, b"\x05\x01\0\x03\x0fapi.example.net\x01\xbb"),
            (PEER, b"\x05\0\0\x01\0\0\0\0\0\0"),
        ]),
        story("proxy", &[(DEVICE, b"PROXY TCP4 192.0.2.7 198.51.100.4 40000 443\r\n")]),
        story("proxy", &[(DEVICE, proxy_2)]),
        story("rdp", &[
            (DEVICE, b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0"),
            (PEER, b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0"),
        ]),
    ]
}

/// A flow on its way, with the place that each side has reached in its stream.
struct Talk {
    flow: Flow,
    next: [u32; 2],
}

impl Talk {
    fn new(interest: Interest) -> Self {
        let mut flow = Flow::new(Limits::default());
        flow.engine = flow.engine.only(interest);
        let mut talk = Self { flow, next: [100, 7000] };
        talk.flow.tcp(DEVICE, Segment { seq: 99, flags: SYN, payload: &[] });
        talk.flow.tcp(PEER, Segment { seq: 6999, flags: SYN | ACK, payload: &[] });
        talk
    }

    /// Sends bytes in segments of at most `most` bytes.
    fn say(&mut self, sender: Sender, bytes: &[u8], most: usize) {
        for part in bytes.chunks(most) {
            let next = &mut self.next[usize::from(sender == PEER)];
            self.flow.tcp(sender, data(*next, part));
            *next = next.wrapping_add(u32::try_from(part.len()).unwrap());
        }
    }

    fn say_all(&mut self, said: &[(Sender, Vec<u8>)], most: usize) {
        for (sender, bytes) in said {
            self.say(*sender, bytes, most);
        }
    }

    fn shake_hands(&mut self, most: usize) {
        self.say(DEVICE, &records(&client_hello(&[0x1301, 0xc02f], 40), 16384), most);
        self.say(PEER, &[record(22, &server_hello(0xc02f)), record(20, &[1])].concat(), most);
    }

    fn hellos(&self) -> Vec<(Sender, &'static str)> {
        let kind = |message: &Message| match message {
            Message::ClientHello(_) => Some("client"),
            Message::ServerHello(_) => Some("server"),
            _ => None,
        };
        self.flow.found.iter().filter_map(|(sender, message)| Some((*sender, kind(message)?))).collect()
    }

    /// The services, as a flow that ends now has them.
    fn services(mut self) -> Vec<String> {
        self.flow.engine.close(&mut self.flow.state, &mut self.flow.budget, &mut |_, _| {});
        assert_eq!(self.flow.budget.used_bytes(), 0);
        self.flow.engine.services(&self.flow.state).into_iter().map(str::to_owned).collect()
    }
}

#[test]
fn hellos_are_found_behind_openings_however_they_are_cut() {
    for Story { service, said } in stories() {
        for most in [1, 2, 3, 7, 2000] {
            let mut talk = Talk::new(Interest::ALL);
            talk.say_all(&said, most);
            talk.shake_hands(most);
            assert_eq!(talk.hellos(), [(DEVICE, "client"), (PEER, "server")], "{service} {most} {said:?}");
            assert_eq!(talk.services(), [service, "tls"], "{service} {most}");
        }
    }
}

#[test]
fn a_caller_who_wants_hellos_alone_gets_the_same() {
    let wanted = Interest::NONE.and(Protocol::Tls, DEVICE);
    for Story { service, said } in stories() {
        for (interest, hellos) in [(wanted, 1), (Interest::NONE, 0)] {
            let mut talk = Talk::new(interest);
            talk.say_all(&said, 2000);
            talk.shake_hands(2000);
            let found = talk.hellos().iter().filter(|(sender, _)| *sender == DEVICE).count();
            assert!(found >= hellos, "{service}");
            assert_eq!(talk.services(), [service, "tls"], "{service}");
        }
    }
}

#[test]
fn one_side_alone_is_enough() {
    for sender in [DEVICE, PEER] {
        for Story { service, said } in stories() {
            // The other side alone says what these are.
            if matches!(
                (service, sender),
                ("postgresql" | "proxy" | "pop3" | "ftp", PEER) | ("socks" | "http", _) | ("mysql", DEVICE)
            ) {
                continue;
            }
            let mut talk = Talk::new(Interest::ALL);
            let heard = said.iter().filter(|(from, _)| *from == sender);
            heard.for_each(|(_, bytes)| talk.say(sender, bytes, 2000));
            match sender {
                DEVICE => talk.say(DEVICE, &records(&client_hello(&[0x1301], 0), 16384), 2000),
                PEER => talk.say(PEER, &records(&server_hello(0x1301), 16384), 2000),
            }
            let found = talk.hellos().len();
            assert_eq!(
                (found, talk.services()),
                (1, vec![service.to_owned(), "tls".to_owned()]),
                "{sender:?}"
            );
        }
    }
}

#[test]
fn openings_lie_one_inside_another() {
    let mut talk = Talk::new(Interest::ALL);
    talk.say(DEVICE, b"PROXY TCP4 192.0.2.7 198.51.100.4 40000 25\r\n", 2000);
    talk.say(PEER, b"220 mail.example.net ESMTP\r\n", 2000);
    talk.say(DEVICE, b"EHLO camera\r\nSTARTTLS\r\n", 2000);
    talk.say(PEER, b"250 STARTTLS\r\n220 go on\r\n", 2000);
    talk.shake_hands(2000);
    assert_eq!(talk.hellos().len(), 2);
    assert_eq!(talk.services(), ["proxy", "smtp", "tls"]);
}

#[test]
fn any_protocol_may_follow_a_proxy() {
    let mut talk = Talk::new(Interest::ALL);
    talk.say(DEVICE, b"\x05\x01\0", 2000);
    talk.say(PEER, b"\x05\0", 2000);
    talk.say(DEVICE, b"\x05\x01\0\x01\xc0\0\x02\x07\0\x50", 2000);
    talk.say(PEER, b"\x05\0\0\x01\0\0\0\0\0\0", 2000);
    talk.say(DEVICE, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2000);
    talk.say(PEER, b"HTTP/1.1 204 No\r\n\r\n", 2000);
    assert_eq!(talk.flow.found.len(), 3);
    assert_eq!(talk.services(), ["socks", "http"]);
}

#[test]
fn what_stays_in_the_clear_is_one_service_and_no_loss() {
    let mut talk = Talk::new(Interest::ALL);
    talk.say(PEER, b"220 mail.example.net ESMTP\r\n", 2000);
    talk.say(DEVICE, b"EHLO camera\r\nMAIL FROM:<a@example.net>\r\nDATA\r\n", 2000);
    talk.say(DEVICE, "a line of a long mail\r\n".repeat(3000).as_bytes(), 1400);
    let losses = talk.flow.budget.losses();
    assert_eq!(losses, thingprint_protocol::Losses::default());
    assert_eq!(talk.services(), ["smtp"]);
}

#[test]
fn a_proxy_that_refuses_opens_nothing() {
    let mut talk = Talk::new(Interest::ALL);
    talk.say(DEVICE, b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", 2000);
    talk.say(PEER, b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", 2000);
    talk.say(DEVICE, b"GET / HTTP/1.1\r\n\r\n", 2000);
    talk.say(PEER, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 2000);
    assert_eq!(talk.flow.found.len(), 4);
}

#[test]
fn a_server_that_refuses_to_upgrade_stays_in_the_clear() {
    let mut talk = Talk::new(Interest::ALL);
    let asks = b"GET / HTTP/1.1\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n";
    for _ in 0..3 {
        talk.say(DEVICE, asks, 2000);
        talk.say(PEER, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 2000);
    }
    assert_eq!(talk.flow.found.len(), 6);
    assert_eq!(talk.services(), ["http"]);
}
