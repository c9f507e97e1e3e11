//! Each parser alone: hostile bytes, cut messages, and how messages are written as JSON.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod wire;

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value, json};
use thingprint_flow::{TcpFlags, TcpSegment, Transport};
use thingprint_protocol::schema::Reading;
use thingprint_protocol::{Engine, Inspection, Limits, Message, ModelSet, Protocol, Sender, parsers};

const SEARCH: &[u8] =
    b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
    ST: ssdp:all\r\n\r\n";
const REQUEST: &[u8] =
    b"POST /a HTTP/1.1\r\nHost: lamp\r\nUser-Agent: u\r\nAuthorization: Basic c2VjcmV0\r\n\
    Content-Length: 3\r\n\r\nabc";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: lamp/1\r\nTransfer-Encoding: chunked\r\n\r\n";
const CONTROL: &[u8] = &[0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
const MDNS: &[u8] = b"\0\0\x84\0\0\0\0\x03\0\0\0\0\
    \x04_hap\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x07\x04Lamp\xc0\x0c\
    \xc0\x27\0\x21\x80\x01\0\0\0\x78\0\x0d\0\0\0\0\x1f\x90\x04lamp\xc0\x16\
    \xc0\x27\0\x10\x80\x01\0\0\x11\x94\0\x05\x04md=1";

/// Every parser that reads a payload on its own.
fn read_all(payload: &[u8]) -> Vec<Message> {
    let length = payload.len();
    let http = match parsers::http(payload) {
        parsers::Head::Complete { message, length, .. } => {
            assert!(length <= payload.len());
            Some(message)
        }
        parsers::Head::Partial => parsers::cut_http(payload),
        parsers::Head::NotHttp => {
            assert!(!parsers::may_begin_http(payload));
            None
        }
    };
    let quic = match parsers::QuicHandshake::default().read(payload) {
        parsers::QuicReading::Message(message) => Some(Message::QuicInitial(message)),
        parsers::QuicReading::Quic | parsers::QuicReading::Other => None,
    };
    let found = [
        parsers::dns(payload, length).map(Message::Dns),
        parsers::ntp(payload, length).map(Message::Ntp),
        parsers::ntp_control(payload, length).map(Message::NtpControl),
        parsers::dhcp(payload).map(Message::Dhcp),
        parsers::ssdp(payload, 1).map(Message::Ssdp),
        parsers::client_hello(payload).map(Message::ClientHello),
        parsers::server_hello(payload).map(Message::ServerHello),
        Some(Message::Certificates(parsers::certificates(payload))),
        http,
        quic,
    ];
    found.into_iter().flatten().chain(read_registered(payload)).collect()
}

/// What each parser of the registry reads, from a datagram and from the beginning of a stream.
fn read_registered(payload: &[u8]) -> Vec<Message> {
    let packet = wire::packet(Transport::Udp, payload);
    let datagrams = Protocol::PARSED.iter().filter_map(|&protocol| parsers::datagram(protocol, &packet));
    let streams = Protocol::PARSED.iter().filter_map(|&protocol| parsers::stream(protocol, payload));
    datagrams.chain(streams).collect()
}

#[test]
fn every_built_in_model_has_the_parser_of_its_name() {
    let models = ModelSet::built_in_models();
    let names: Vec<String> = Protocol::PARSED
        .iter()
        .map(|protocol| serde_json::to_value(protocol).unwrap().as_str().unwrap().to_owned())
        .collect();
    let first: Vec<String> = models.iter().map(|model| model.name().to_owned()).take(names.len()).collect();
    assert_eq!(first, names, "those without a parser come behind");
    for model in models.iter().take(names.len()) {
        let is_parsed = model.attributes.iter().any(|attribute| match &attribute.read {
            Reading::Builtin(parser) => parser == model.name(),
            _ => false,
        });
        assert!(is_parsed, "{}", model.name());
    }
}

/// One message of each kind, as it stands in a payload.
fn samples() -> Vec<Vec<u8>> {
    let hello = wire::client_hello(&[0x1301, 0xc02f], 40);
    vec![
        wire::dns_query(7, "lamp"),
        wire::ntp_request(),
        wire::dhcp_discover(),
        hello.get(4..).unwrap_or_default().to_vec(),
        wire::server_hello(0x1301).get(4..).unwrap_or_default().to_vec(),
        CONTROL.to_vec(),
        MDNS.to_vec(),
        SEARCH.to_vec(),
        REQUEST.to_vec(),
        RESPONSE.to_vec(),
    ]
}

#[test]
fn cut_messages_are_read_without_panic() {
    for sample in samples() {
        assert!(read_all(&sample).len() > 1, "{}", sample.escape_ascii());
        for cut in 0..sample.len() {
            let part = &sample[..cut];
            let _ = read_all(part);
            let _ = (parsers::dns(part, sample.len()), parsers::ntp(part, sample.len()));
            let _ = parsers::ntp_control(part, sample.len());
        }
    }
}

fn check_json(message: &Message, expected: &Value) {
    assert_eq!(serde_json::to_value(message).unwrap(), *expected);
}

#[test]
fn messages_are_written_in_snake_case() {
    check_json(
        &Message::Mdns(parsers::dns(MDNS, MDNS.len()).unwrap()),
        &json!({
            "message": "mdns", "id": 0, "flags": 0x8400, "answer_count": 3, "questions": [], "answers": [
                {"name": "_hap._tcp.local", "rtype": 12, "ttl_s": 4500, "data": {"name": "lamp._hap._tcp.local"}},
                {"name": "lamp._hap._tcp.local", "rtype": 33, "ttl_s": 120, "data": {"service":
                    {"priority": 0, "weight": 0, "port": 8080, "target": "lamp.local"}}},
                {"name": "lamp._hap._tcp.local", "rtype": 16, "ttl_s": 4500, "data": {"text": ["md=1"]}},
            ],
        }),
    );
    check_json(
        &Message::Ntp(parsers::ntp(&wire::ntp_request(), 48).unwrap()),
        &json!({
            "message": "ntp", "leap": 0, "version": 4, "mode": 3, "stratum": 0, "poll": 0, "precision": 0,
            "reference_id": "00000000", "origin": "0000000000000000", "receive": "0000000000000000",
            "transmit": "0000000000000000", "is_nts": false,
        }),
    );
    check_json(
        &Message::NtpControl(parsers::ntp_control(CONTROL, CONTROL.len()).unwrap()),
        &json!({"message": "ntp_control", "version": 2, "mode": 6, "is_response": false, "opcode": 2}),
    );
    let hello = wire::client_hello(&[0x1301, 0xc02f], 0);
    check_json(
        &Message::ClientHello(parsers::client_hello(&hello[4..]).unwrap()),
        &json!({
            "message": "client_hello", "version": "TLSv12", "cipher_suites": ["1301", "c02f"], "extensions": [21],
            "server_name": null, "supported_versions": [], "groups": [], "point_formats": [],
            "signature_algorithms": [], "alpn": [], "resumes": [], "malformed": false,
        }),
    );
    let message =
        serde_json::to_value(Message::Dhcp(parsers::dhcp(&wire::dhcp_discover()).unwrap())).unwrap();
    assert_eq!(message["message"], "dhcp");
    assert_eq!(message["host_name"], "lamp");
    assert_eq!(message["options"][1], json!({"code": 12, "value": "6c616d70"}));
    let message = serde_json::to_value(Message::Ssdp(parsers::ssdp(SEARCH, 4).unwrap())).unwrap();
    assert_eq!((&message["search_target"], &message["ip_ttl"]), (&json!("ssdp:all"), &json!(4)));
}

/// An engine that knows one model of the crate.
fn only(name: &str) -> Engine {
    let models = ModelSet::built_in_models().into_iter().filter(|model| model.name() == name);
    Engine::with_models(Arc::new(ModelSet::compile(models).unwrap()), Limits::default())
}

/// Whether the model of this name tells a payload.
fn is_admitted(engine: &Engine, transport: Transport, payload: &[u8]) -> bool {
    let mut state = Inspection::default();
    let packet = wire::packet(transport, payload);
    engine.inspect(&packet, Sender::Peer, &mut state, &mut engine.budget(), &mut |_| {});
    state.model().is_some()
}

/// Checks that the models admit what their parsers accept.
fn check_models(payload: &[u8]) -> Result<(), TestCaseError> {
    static DATAGRAMS: LazyLock<[Engine; 4]> = LazyLock::new(|| ["dns", "ntp", "dhcp", "ssdp"].map(only));
    static HTTP: LazyLock<Engine> = LazyLock::new(|| only("http"));
    let length = payload.len();
    let is_accepted = [
        parsers::dns(payload, length).is_some(),
        parsers::ntp(payload, length).is_some() || parsers::ntp_control(payload, length).is_some(),
        parsers::dhcp(payload).is_some(),
        parsers::ssdp(payload, 64).is_some(),
    ];
    for (engine, is_accepted) in DATAGRAMS.iter().zip(is_accepted) {
        let name = engine.models().models()[0].name();
        prop_assert_eq!(is_admitted(engine, Transport::Udp, payload), is_accepted, "{}", name);
    }
    let is_accepted = matches!(parsers::http(payload), parsers::Head::Complete { .. });
    let stream = Transport::Tcp(TcpSegment { seq: 0, ack: 0, flags: TcpFlags(wire::ACK) });
    prop_assert!(!is_accepted || is_admitted(&HTTP, stream, payload));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn models_admit_what_parsers_accept(
        sample in prop::sample::select(samples()),
        changes in prop::collection::vec((0..64_usize, any::<u8>()), 0..4),
    ) {
        let mut payload = sample;
        for (at, byte) in changes {
            if let Some(place) = payload.get_mut(at) {
                *place = byte;
            }
        }
        check_models(&payload)?;
    }

    #[test]
    fn the_model_of_ntp_admits_what_the_parser_accepts(
        first: u8,
        start in (0..18_u8, prop_oneof![0..=26_u8, 0xf6..=0xff_u8], prop_oneof![0..=10_u8, 0x7e..=0xff_u8]),
        delay in prop_oneof![Just([0, 0]), Just([0, 0x3f]), Just([0, 0x40]), Just([0xff, 0xc0]), any::<[u8; 2]>()],
        dispersion in prop_oneof![Just([0, 0]), Just([0, 0xff]), Just([1, 0]), any::<[u8; 2]>()],
        rest in prop_oneof![Just(vec![0; 38]), Just(vec![7; 38]), prop::collection::vec(any::<u8>(), 0..80)],
    ) {
        let header = [first, start.0, start.1, start.2, delay[0], delay[1], 0, 0, dispersion[0], dispersion[1]];
        check_models(&[&header[..], &rest].concat())?;
    }

    #[test]
    fn the_model_of_ntp_admits_control_messages(
        first: u8,
        code in prop::sample::select(vec![0_u8, 1, 2, 42, 0x82]),
        implementation in 0..4_u8,
        zeros in 0..60_usize,
    ) {
        check_models(&[&[first, code, implementation, code][..], &vec![0; zeros]].concat())?;
        check_models(&[&[first, 0, implementation, code][..], &vec![0; zeros]].concat())?;
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(payload in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read_all(&payload);
    }

    #[test]
    fn changed_messages_are_read_without_panic(
        sample in prop::sample::select(samples()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut payload = sample;
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        let messages = read_all(&payload);
        // Whatever is read can be written.
        prop_assert!(serde_json::to_string(&messages).is_ok());
    }

    #[test]
    fn no_secret_is_written(
        secret in "[a-zA-Z0-9+/]{12,40}",
        name in prop::sample::select(vec!["Authorization", "proxy-authorization", "AUTHORIZATION "]),
        before in prop::sample::select(vec![
            "", "Basic ", "Basic\t", "Digest  ", "Bearer \t ", "Basic\r\n ", "token=", "Basic:", "x=\"y\", key=", "=",
            "Basic\x0b", "\\",
        ]),
        after in prop::sample::select(vec!["", " ", "=", ", more", "\t"]),
    ) {
        let head = format!("GET / HTTP/1.1\r\n{name}: {before}{secret}{after}\r\n\r\n");
        let messages = read_all(head.as_bytes());
        prop_assert!(messages.iter().any(|message| matches!(message, Message::HttpRequest(_))));
        let shown = format!("{messages:?}");
        prop_assert!(!shown.contains(&secret));
        prop_assert!(!serde_json::to_string(&messages).unwrap().contains(&secret));
    }
}
