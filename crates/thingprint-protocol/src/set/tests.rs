use std::net::Ipv4Addr;

use thingprint_flow::{Ip, Transport};

use super::{Headers, ModelSet};
use crate::schema::Model;

/// A model that wants a payload to begin with a byte.
fn model(name: &str, byte: &str, metadata: &str) -> Model {
    let text = format!(
        r#"{{"info": {{"abbreviation": "{name}"}}, "metadata": {metadata},
            "contents": {{"request": {{"matchers": [{{"id": "a", "type": "byte", "pattern": "@0 {byte}"}}]}}}}}}"#
    );
    Model::from_json(&text).unwrap()
}

fn packet(dst: Ipv4Addr, dst_port: u16) -> Ip<'static> {
    Ip::udp(([192, 0, 2, 1].into(), 40000), (dst.into(), dst_port), b"a")
}

fn candidates(set: &ModelSet, packet: &Ip<'_>, first: u8) -> Vec<String> {
    let named = |(index, _)| set.model(index).unwrap().name().to_owned();
    set.candidates(Headers::of(packet), &[first]).map(named).collect()
}

#[test]
fn the_first_byte_and_the_ports_order_what_is_tried() {
    let port = |port: u16| format!(r#"{{"server-ports": [{{"ip-protocol": "udp", "port": {port}}}]}}"#);
    let set = ModelSet::compile([
        model("a", "10-1f", &port(1000)),
        model("b", "18-2f", &port(2000)),
        model("c", "??", "{}"),
        model("d", "10-ff", r#"{"ip-protocols": ["tcp"]}"#),
    ])
    .unwrap();
    let host = Ipv4Addr::new(192, 0, 2, 9);
    let check = |port: u16, first: u8, expected: &[&str]| {
        assert_eq!(candidates(&set, &packet(host, port), first), expected, "{first:02x} to port {port}");
    };
    check(1, 0x00, &["c"]);
    check(1, 0x10, &["a", "c"]);
    check(1, 0x18, &["a", "b", "c"]);
    check(2000, 0x18, &["b", "a", "c"]);
    check(2000, 0x10, &["a", "c"]);
}

#[test]
fn headers_rule_models_out() {
    let metadata = r#"{"traffic-mode": ["multicast"], "ether-types": ["0x0800"]}"#;
    let set = ModelSet::compile([model("group", "??", metadata)]).unwrap();
    let check = |dst: [u8; 4], expected: bool| {
        assert_eq!(candidates(&set, &packet(dst.into(), 1), 0).len(), usize::from(expected), "{dst:?}");
    };
    check([224, 0, 0, 251], true);
    check([192, 0, 2, 9], false);
    check([255, 255, 255, 255], false);
}

#[test]
fn standard_ports_are_those_of_the_model() {
    let set = ModelSet::built_in();
    let place = set.models().iter().position(|model| model.name() == "ntp").unwrap();
    let ntp = super::ModelIndex::all().nth(place).unwrap();
    assert!(set.standard_port(ntp, 123, Transport::Udp));
    assert!(!set.standard_port(ntp, 124, Transport::Udp));
    assert!(!set.standard_port(ntp, 123, Transport::Other(1)));
}

#[test]
fn models_of_ones_own_replace_and_precede() {
    let names = |own: Vec<Model>| -> Vec<String> {
        let set = ModelSet::built_in_with(own).unwrap();
        set.models().iter().map(|model| model.name().to_owned()).collect()
    };
    let built_in = names(vec![]);
    assert_eq!(names(vec![model("dns", "00", "{}")]), built_in);
    let more = names(vec![model("lamp", "00", "{}"), model("tls", "00", "{}"), model("lamp", "01", "{}")]);
    assert_eq!(more[0], "lamp");
    assert_eq!(more[1..], built_in);
}

#[test]
fn two_models_without_a_name_are_refused() {
    let unnamed = || Model { info: crate::schema::Info::default(), ..model("x", "00", "{}") };
    assert!(ModelSet::built_in_with(vec![unnamed(), model("lamp", "01", "{}")]).is_ok());
    let error = ModelSet::built_in_with(vec![unnamed(), unnamed()]).unwrap_err();
    assert_eq!(error.to_string(), "model unnamed, info.abbreviation: another model has no name either");
}

#[test]
fn too_many_models_are_refused() {
    let error = ModelSet::compile(vec![Model::default(); 65536]).unwrap_err();
    assert_eq!(error.to_string(), "model unnamed, info.abbreviation: a set has at most 65535 models");
}

#[test]
fn a_parser_reads_alone() {
    let mut both = model("x", "00", "{}");
    both.attributes = serde_json::from_str(
        r#"[{"name": "a", "type": "unsigned", "read": {"builtin": "ntp"}},
            {"name": "b", "type": "bytes", "read": {"range": {"from": "0", "to": "1"}}}]"#,
    )
    .unwrap();
    let error = ModelSet::compile([both]).unwrap_err();
    let expected =
        "model x, attributes[1].read: the parser \"ntp\" reads the messages, and no pattern beside it";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_cannot_be_compiled_is_told_with_its_place() {
    let check = |contents: &str, expected: &str| {
        let text = format!(r#"{{"info": {{"abbreviation": "x"}}, "contents": {contents}}}"#);
        let error = ModelSet::compile([Model::from_json(&text).unwrap()]).unwrap_err();
        assert_eq!(error.to_string(), expected, "{contents}");
    };
    let byte =
        |id: &str, pattern: &str| format!(r#"{{"id": "{id}", "type": "byte", "pattern": "{pattern}"}}"#);
    let request =
        |matchers: String, rest: &str| format!(r#"{{"request": {{"matchers": [{matchers}]{rest}}}}}"#);
    check(
        &request(byte("a", "1"), ""),
        "model x, contents.request.matchers[0].pattern: expected two hexadecimal digits at byte 0 of \"1\"",
    );
    check(
        &request(byte("a b", "16"), ""),
        "model x, contents.request.matchers[0].id: invalid id \"a b\": use letters, digits, `-` and `_`",
    );
    check(
        &request([byte("a", "16"), byte("a", "17")].join(","), ""),
        "model x, contents.request.matchers[1].id: another matcher has the id \"a\"",
    );
    check(
        &request(byte("a", "16"), r#", "eval": "a and b""#),
        "model x, contents.request.eval: unknown matcher \"b\" at byte 6 of \"a and b\"",
    );
    check(
        &request(String::new(), ""),
        "model x, contents.request.matchers: a direction needs at least one matcher",
    );
    check(
        r#"{"select": "request"}"#,
        "model x, contents.select: unknown direction \"request\" in these contents at byte 0 of \"request\"",
    );
    let many: Vec<String> = (0..33).map(|id| byte(&id.to_string(), "16")).collect();
    check(
        &request(many.join(","), ""),
        "model x, contents.request.matchers: a direction has at most 32 matchers",
    );
}
