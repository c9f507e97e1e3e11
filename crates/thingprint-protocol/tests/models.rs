//! Flows told by models that are data alone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod wire;

use std::sync::Arc;

use proptest::prelude::*;
use thingprint_flow::{Ip, TcpFlags, TcpSegment, Timestamp, Transport};
use thingprint_protocol::schema::Model;
use thingprint_protocol::{
    Budget, Described, Engine, FlowPacket, Inspection, Limits, Message, ModelSet, Protocol, Sender, Value,
};

/// One flow on its way through an engine with models of its own.
struct Flow {
    engine: Engine,
    state: Inspection,
    budget: Budget,
    found: Vec<Message>,
    /// Sequence numbers of both sides.
    next: [u32; 2],
    second: i64,
}

impl Flow {
    fn new(models: &[&str], limits: Limits) -> Self {
        let models = models.iter().map(|text| Model::from_json(text).unwrap());
        let engine = Engine::with_models(Arc::new(ModelSet::compile(models).unwrap()), limits);
        let (budget, state) = (engine.budget(), Inspection::default());
        Self { engine, state, budget, found: Vec::new(), next: [0, u32::MAX - 3], second: 0 }
    }

    fn of(model: &str) -> Self {
        Self::new(&[model], Limits::default())
    }

    fn udp(&mut self, sender: Sender, payload: &[u8]) -> &mut Self {
        self.send(sender, &wire::packet(Transport::Udp, payload));
        self
    }

    /// Sends the next bytes of a stream.
    fn tcp(&mut self, sender: Sender, payload: &[u8]) -> &mut Self {
        let next = &mut self.next[usize::from(sender == Sender::Peer)];
        let segment = TcpSegment { seq: *next, ack: 0, flags: TcpFlags(wire::ACK) };
        *next = next.wrapping_add(u32::try_from(payload.len()).unwrap());
        self.send(sender, &wire::packet(Transport::Tcp(segment), payload));
        self
    }

    fn send(&mut self, sender: Sender, packet: &Ip<'_>) {
        let time = Some(Timestamp::from_nanos(self.second * 1_000_000_000));
        self.second += 1;
        let found = &mut self.found;
        let seen = FlowPacket { packet, sender, time };
        self.engine.observe(seen, &mut self.state, &mut self.budget, &mut |message| found.push(message));
    }

    /// Ends the flow.
    fn close(&mut self) -> &mut Self {
        let found = &mut self.found;
        self.engine.close(&mut self.state, &mut self.budget, &mut |_, message| found.push(message));
        assert_eq!(self.budget.used_bytes(), 0);
        self
    }

    fn service(&self) -> Option<&str> {
        self.engine.service(&self.state)
    }

    /// What was read, without the model.
    fn described(&self) -> Vec<(Sender, Vec<(String, Value)>)> {
        let described = self.found.iter().map(|message| match message {
            Message::Described(Described { sender, attributes, .. }) => (*sender, attributes.clone()),
            other => panic!("{other:?}"),
        });
        described.collect()
    }
}

const DEVICE: Sender = Sender::Device;
const PEER: Sender = Sender::Peer;

/// A lamp's protocol: `ON name` or `OFF name`, answered by `OK` and a byte.
const LAMP: &str = r#"{
    "info": {"abbreviation": "lamp"},
    "contents": {
        "request": {"matchers": [{"id": "order", "type": "string", "pattern": "^(?:ON|OFF) [a-z]+\\n"}]},
        "response": {"matchers": [{"id": "ok", "type": "byte", "pattern": "@0 4f 4b ??"}]},
        "select": "request and response"
    },
    "attributes": [
        {"name": "lamp", "direction": "request", "type": "string",
         "read": {"capture": {"pattern": "^\\S+ (?<lamp>[a-z]+)", "group": "lamp"}}},
        {"name": "level", "direction": "response", "type": "unsigned", "read": {"range": {"from": "2", "to": "3"}}}
    ]
}"#;

fn lamp(text: &str) -> (Sender, Vec<(String, Value)>) {
    (DEVICE, vec![("lamp".to_owned(), Value::String(text.to_owned().into()))])
}

fn level(number: u64) -> (Sender, Vec<(String, Value)>) {
    (PEER, vec![("level".to_owned(), Value::Unsigned(number))])
}

#[test]
fn both_directions_are_needed_where_the_model_says_so() {
    let mut flow = Flow::of(LAMP);
    flow.udp(DEVICE, b"ON desk\n");
    assert_eq!((flow.service(), flow.found.len()), (None, 0));
    flow.udp(PEER, b"what?").udp(PEER, b"OK\x07");
    assert_eq!((flow.service(), flow.state.protocol()), (Some("lamp"), Some(Protocol::Described)));
    flow.udp(DEVICE, b"OFF door\n").udp(PEER, b"OK\0");
    assert_eq!(flow.described(), [lamp("desk"), level(7), lamp("door"), level(0)]);
    flow.state.close(&mut flow.budget);
    assert_eq!(flow.budget.used_bytes(), 0);
}

#[test]
fn it_does_not_matter_who_the_client_is() {
    let mut flow = Flow::of(LAMP);
    flow.udp(DEVICE, b"OK\x07").udp(PEER, b"ON desk\n");
    assert_eq!(flow.service(), Some("lamp"));
    let mut flow = Flow::of(LAMP);
    flow.udp(DEVICE, b"OK\x07").udp(DEVICE, b"ON desk\n");
    assert_eq!(flow.service(), None, "requests and responses go opposite ways");
}

#[test]
fn streams_are_told_by_how_they_begin() {
    let mut flow = Flow::of(LAMP);
    flow.tcp(DEVICE, b"O").tcp(DEVICE, b"N des").tcp(PEER, b"OK").tcp(DEVICE, b"k\nON door\n");
    assert_eq!(flow.service(), None);
    flow.tcp(PEER, b"\x07");
    assert_eq!(flow.service(), Some("lamp"));
    assert_eq!(flow.described(), [], "attributes may follow");
    flow.tcp(DEVICE, b"OFF desk\n").tcp(PEER, b"OK\0").close();
    assert_eq!(flow.described(), [lamp("desk"), level(7)], "a stream is read at its start");
}

#[test]
fn a_stream_of_another_kind_is_let_go_at_once() {
    let mut flow = Flow::of(LAMP);
    flow.tcp(DEVICE, b"X");
    assert_eq!(flow.budget.used_bytes(), 0, "nothing waits");
    flow.tcp(DEVICE, b"ON desk\n").tcp(PEER, b"OK\x07").close();
    assert_eq!((flow.service(), flow.found.len()), (None, 0));
}

#[test]
fn few_payloads_are_looked_at() {
    let mut flow = Flow::new(&[LAMP], Limits { undecided_payloads: 3, ..Limits::default() });
    flow.udp(DEVICE, b"ON desk\n").udp(PEER, b"what?").udp(PEER, b"what?").udp(PEER, b"OK\x07");
    assert_eq!(flow.service(), None);
    assert_eq!(flow.budget.used_bytes(), 0);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut flow = Flow::new(&[LAMP], Limits { buffered_bytes: 10, ..Limits::default() });
    flow.udp(DEVICE, b"ON desk\n").udp(PEER, b"OK\x07");
    assert_eq!(flow.service(), None);
    assert_eq!(flow.budget.losses().buffers_dropped, 1);
    assert_eq!(flow.budget.used_bytes(), 0);
}

#[test]
fn a_direction_that_must_not_hold_is_waited_for() {
    let model = r#"{
        "info": {"abbreviation": "quiet"},
        "contents": {
            "request": {"matchers": [{"id": "a", "type": "byte", "pattern": "@0 61"}]},
            "response": {"matchers": [{"id": "b", "type": "byte", "pattern": "@0 62"}]},
            "select": "request and not response"
        }
    }"#;
    let limits = Limits { undecided_payloads: 2, ..Limits::default() };
    let check = |payloads: [(Sender, &[u8]); 2], expected: Option<&str>| {
        let mut flow = Flow::new(&[model], limits);
        for (sender, payload) in payloads {
            flow.udp(sender, payload);
        }
        assert_eq!(flow.service(), expected, "{payloads:?}");
    };
    check([(DEVICE, b"a"), (PEER, b"c")], Some("quiet"));
    check([(PEER, b"c"), (DEVICE, b"a")], Some("quiet"));
    check([(DEVICE, b"a"), (DEVICE, b"a")], Some("quiet"));
    check([(DEVICE, b"a"), (PEER, b"b")], None);
    let mut flow = Flow::new(&[model], Limits::default());
    flow.udp(DEVICE, b"a").udp(PEER, b"c");
    assert_eq!(flow.service(), None, "it may still come");
    assert_eq!(flow.close().service(), Some("quiet"));
    let mut flow = Flow::new(&[model], Limits::default());
    assert_eq!(flow.tcp(DEVICE, b"a").close().service(), Some("quiet"), "nobody answers");
    let mut flow = Flow::new(&[model], limits);
    flow.tcp(DEVICE, b"abc").tcp(PEER, b"c");
    assert_eq!(flow.service(), Some("quiet"));
}

/// A model that looks for four bytes anywhere.
const MAGIC: &str = r#"{
    "info": {"abbreviation": "magic"},
    "contents": {"combined": {"matchers": [{"id": "m", "type": "byte", "pattern": "63 82 53 63"}]}}
}"#;

#[test]
fn a_model_that_is_open_does_not_keep_others_from_being_told() {
    let http = ModelSet::built_in_models().into_iter().find(|model| model.name() == "http").unwrap();
    let http = serde_json::to_string(&http).unwrap();
    let play = |parts: &[&[u8]]| {
        let mut flow = Flow::new(&[MAGIC, &http], Limits::default());
        for part in parts {
            flow.tcp(DEVICE, part);
        }
        flow.close();
        let service = flow.service().map(str::to_owned);
        (service, flow.found.len())
    };
    let http = (Some("http".to_owned()), 1);
    let magic = (Some("magic".to_owned()), 0);
    assert_eq!(play(&[b"GET / HTTP/1.1\r\n\r\n"]), http);
    assert_eq!(play(&[b"GET / HTTP/1.1\r\n\r\n\x63\x82\x53\x63"]), http, "the shorter proof counts");
    assert_eq!(play(&[b"GET / HTTP/1.1\r\n\r\n", b"\x63\x82\x53\x63"]), http);
    assert_eq!(play(&[b"GET /\x63\x82\x53\x63 HTTP/1.1\r\n\r\n"]), magic);
    assert_eq!(play(&[b"GET /\x63\x82\x53\x63", b" HTTP/1.1\r\n\r\n"]), magic);
    assert_eq!(play(&[b"....\x63\x82\x53", b"\x63"]), magic);
}

#[test]
fn what_is_left_of_a_stream_is_judged_when_it_ends() {
    let model = r#"{
        "info": {"abbreviation": "word"},
        "contents": {"request": {"matchers": [{"id": "w", "type": "string", "pattern": "^[a-z]+$"}]}}
    }"#;
    let mut flow = Flow::of(model);
    flow.tcp(DEVICE, b"lamp");
    assert_eq!(flow.service(), None, "more may follow");
    assert_eq!(flow.close().service(), Some("word"));
    let mut flow = Flow::of(model);
    assert_eq!(flow.tcp(DEVICE, b"Lamp").close().service(), None);
}

/// A protocol over streams with a second attribute behind the first line.
const USER: &str = r#"{
    "info": {"abbreviation": "set"},
    "contents": {"request": {"matchers": [{"id": "set", "type": "string", "pattern": "^SET [a-z]+\\n"}]}},
    "attributes": [
        {"name": "lamp", "type": "string", "read": {"capture": {"pattern": "^SET ([a-z]+)", "group": "1"}}},
        {"name": "user", "type": "string", "read": {"capture": {"pattern": "user=([a-z]+)", "group": "1"}}}
    ]
}"#;

#[test]
fn attributes_do_not_depend_on_how_a_stream_is_cut() {
    let text = b"SET lamp\n|user=bob\n";
    let attributes = |cut: usize| {
        let mut flow = Flow::of(USER);
        flow.tcp(DEVICE, &text[..cut]).tcp(DEVICE, &text[cut..]);
        assert_eq!(flow.service(), Some("set"), "the service is told at once");
        flow.close().described()
    };
    let string = |name: &str, text: &str| (name.to_owned(), Value::String(text.to_owned().into()));
    let expected = [(DEVICE, vec![string("lamp", "lamp"), string("user", "bob")])];
    for cut in 0..text.len() {
        assert_eq!(attributes(cut), expected, "cut at {cut}");
    }
    let mut flow = Flow::new(&[USER], Limits { pattern_bytes: 19, ..Limits::default() });
    flow.tcp(DEVICE, text);
    assert_eq!(flow.described(), expected, "all that is looked at is there");
}

#[test]
fn either_side_may_satisfy_what_is_combined() {
    for sender in [DEVICE, PEER] {
        let mut flow = Flow::of(MAGIC);
        flow.udp(sender, b"....\x63\x82\x53\x63");
        assert_eq!(flow.service(), Some("magic"));
        let mut flow = Flow::of(MAGIC);
        flow.tcp(sender, b"....\x63\x82").tcp(sender, b"\x53\x63");
        assert_eq!(flow.service(), Some("magic"));
    }
}

#[test]
fn a_parser_has_to_agree() {
    let model = r#"{
        "info": {"abbreviation": "clock"},
        "metadata": {"server-ports": [{"ip-protocol": "udp", "port": 8883}]},
        "contents": {"request": {"matchers": [{"id": "any", "type": "byte", "pattern": "@0 23"}]}},
        "attributes": [{"name": "version", "type": "unsigned", "read": {"builtin": "ntp"}}]
    }"#;
    let mut flow = Flow::of(model);
    flow.udp(DEVICE, b"#hello");
    assert_eq!(flow.service(), None, "neither pattern nor port is enough");
    flow.udp(DEVICE, &wire::ntp_request());
    assert_eq!((flow.service(), flow.state.protocol()), (Some("clock"), Some(Protocol::Ntp)));
    assert_eq!(flow.found.len(), 1);
}

#[test]
fn the_size_and_the_pace_of_packets_can_tell() {
    let model = r#"{
        "info": {"abbreviation": "beat"},
        "contents": {
            "request": {
                "matchers": [
                    {"id": "mark", "type": "byte", "pattern": "@0 00"},
                    {"id": "small", "type": "statistical",
                     "pattern": {"statistic": "maximum", "at-most": 8, "packets": 4}},
                    {"id": "steady", "type": "statistical",
                     "pattern": {"statistic": "share", "of": "gap", "within": [0.9, 2.1], "at-least": 1, "packets": 4}}
                ],
                "eval": "mark and small and steady"
            }
        }
    }"#;
    let play = |payloads: &[(Sender, &[u8])], is_udp: bool| {
        let mut flow = Flow::of(model);
        for (sender, payload) in payloads {
            if is_udp {
                flow.udp(*sender, payload);
            } else {
                flow.tcp(*sender, payload);
            }
        }
        let service = flow.service().map(str::to_owned);
        flow.state.close(&mut flow.budget);
        assert_eq!(flow.budget.used_bytes(), 0);
        service
    };
    let beats: [(Sender, &[u8]); 4] =
        [(DEVICE, b"\0a"), (PEER, &[9; 100]), (DEVICE, b"\0b"), (DEVICE, b"\0c")];
    let expected = Some("beat".to_owned());
    for is_udp in [true, false] {
        assert_eq!(play(&beats, is_udp), expected);
        assert_eq!(play(&beats[..3], is_udp), None, "too few packets");
        let mut other = beats;
        other[2].1 = &[0; 9];
        assert_eq!(play(&other, is_udp), None, "a large one");
        let mut other = beats;
        other[0].1 = b"a";
        assert_eq!(
            play(&other, is_udp),
            if is_udp { expected.clone() } else { None },
            "no mark at the start"
        );
    }
}

/// A model that only the sizes of four packets can tell.
const SMALL: &str = r#"{
    "info": {"abbreviation": "small"},
    "contents": {"combined": {"matchers": [
        {"id": "s", "type": "statistical", "pattern": {"statistic": "maximum", "at-most": 2, "packets": 4}}
    ]}}
}"#;

#[test]
fn a_flow_without_room_is_given_up_once() {
    let mut flow = Flow::new(&[SMALL], Limits { buffered_bytes: 10, ..Limits::default() });
    for _ in 0..50 {
        flow.udp(DEVICE, b"a");
    }
    assert_eq!((flow.service(), flow.budget.losses().buffers_dropped), (None, 1));
}

#[test]
fn what_conditions_need_is_let_go_once_they_decide_nothing() {
    let mut flow = Flow::of(SMALL);
    for _ in 0..20 {
        flow.udp(DEVICE, b"large");
    }
    assert_eq!((flow.service(), flow.budget.used_bytes()), (None, 0));
}

#[test]
fn datagrams_with_attributes_are_read_on() {
    let mut flow = Flow::of(LAMP);
    flow.udp(DEVICE, b"ON desk\n").udp(PEER, b"OK\x07");
    for _ in 0..100 {
        flow.udp(DEVICE, b"ON desk\n");
    }
    assert_eq!(flow.found.len(), 102);
}

proptest! {
    #[test]
    fn however_a_stream_is_cut_its_model_is_the_same(
        cuts in prop::collection::vec(1_usize..12, 0..8),
        text in prop::sample::select(vec!["ON desk\nmore of it", "ON desk", "OFF a\n", "OFX a\n", "OK7 and so on", "O"]),
    ) {
        let model = LAMP.replace("request and response", "request or response");
        let mut whole = Flow::of(&model);
        whole.tcp(DEVICE, text.as_bytes());
        let mut flow = Flow::of(&model);
        let mut rest = text.as_bytes();
        for cut in cuts {
            let (part, after) = rest.split_at(cut.min(rest.len()));
            flow.tcp(DEVICE, part);
            rest = after;
        }
        flow.tcp(DEVICE, rest);
        prop_assert_eq!(flow.service(), whole.service());
    }

    #[test]
    fn any_payloads_are_survived(
        payloads in prop::collection::vec((any::<bool>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..20),
    ) {
        let mut flow = Flow::of(LAMP);
        for (is_udp, is_device, payload) in payloads {
            let sender = if is_device { DEVICE } else { PEER };
            if is_udp {
                flow.udp(sender, &payload);
            } else {
                flow.tcp(sender, &payload);
            }
        }
        flow.state.close(&mut flow.budget);
        prop_assert_eq!(flow.budget.used_bytes(), 0);
    }
}

#[test]
fn secrets_are_not_written_unless_asked() {
    let mut flow = Flow::of(
        r#"{
        "contents": {"combined": {"matchers": [{"id": "1", "type": "string", "pattern": "^LOGIN"}]}},
        "attributes": [
            {"name": "key", "type": "string", "secret": true, "read": {"capture": {"pattern": "k[0-9]"}}},
            {"name": "keys", "type": "list", "secret": true, "read": {"capture": {"pattern": "k[0-9]"}}},
            {"name": "code", "type": "bytes", "secret": true, "read": {"range": {"from": "6", "to": "8"}}}
        ]
    }"#,
    );
    flow.udp(DEVICE, b"LOGIN k1 k2");
    let mut message = flow.found.remove(0);
    let json = |message: &Message| serde_json::to_string(message).unwrap();
    let hidden = r#"{"message":"described","key":"***","keys":["***","***"],"code":"***"}"#;
    assert_eq!(json(&message), hidden);
    assert!(!format!("{message:?}").contains("k1"));
    message.show_credentials();
    let shown = r#"{"message":"described","key":"k1","keys":["k1","k2"],"code":"6b31"}"#;
    assert_eq!(json(&message), shown);
    assert!(!format!("{message:?}").contains("k1"));
}

#[test]
fn numbers_may_have_the_least_significant_byte_first() {
    let mut flow = Flow::of(
        r#"{
            "info": {"abbreviation": "meter"},
            "contents": {"request": {"matchers": [{"id": "mark", "type": "byte", "pattern": "@0 4d 01"}]}},
            "attributes": [
                {"name": "value", "type": "unsigned", "byte-order": "little-endian",
                 "read": {"range": {"from": "2", "to": "from + 4"}}},
                {"name": "items", "type": "list", "item-bytes": 2, "byte-order": "little-endian",
                 "read": {"range": {"from": "$le(6, 2)", "to": "from + 4"}}},
                {"name": "unit", "type": "string", "byte-order": "little-endian",
                 "read": {"option": {"seek": "@0 4d 01 ??{10}", "tag": "07", "length-bytes": 2}}},
                {"name": "gone", "type": "unsigned", "read": {"range": {"from": "90", "to": "91"}}}
            ]
        }"#,
    );
    flow.udp(DEVICE, b"M\x01\x2a\0\0\x01\x08\0\x01\x02\x03\x04\x07\x02\0Wh");
    let [Message::Described(described)] = &flow.found[..] else { panic!("{:?}", flow.found) };
    let json = serde_json::to_value(described).unwrap();
    let expected =
        serde_json::json!({"value": 0x0100_002a, "items": [0x0201, 0x0403], "unit": "Wh", "gone": null});
    assert_eq!(json, expected);
}

#[test]
fn a_value_alone_is_refused_where_a_list_stands() {
    let text = r#"{"info": {"abbreviation": "x"}, "metadata": {"traffic-mode": "unicast"}}"#;
    let error = Model::from_json(text).unwrap_err().to_string();
    assert!(error.contains(r#"expected a list: write ["unicast"]"#), "{error}");
    let text = r#"{"metadata": {"server-ports": {"ip-protocol": "udp", "port": 7}}}"#;
    let error = Model::from_json(text).unwrap_err().to_string();
    assert!(error.contains("expected a list, in square brackets"), "{error}");
}
