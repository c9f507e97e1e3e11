use proptest::prelude::*;

use super::offset::Offset;
use super::{Extractor, Input, Value};
use crate::Span;
use crate::schema::Attribute;

fn extractor(json: &str) -> Extractor {
    let attribute: Attribute = serde_json::from_str(json).unwrap();
    Extractor::new(&attribute).unwrap().unwrap()
}

fn read(json: &str, payload: &[u8]) -> Option<Value> {
    extractor(json).read(Input { payload, may_be_request: true, may_be_response: false })
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned().into())
}

#[test]
fn offsets_are_computed_from_the_payload() {
    let payload = [3, 0, 1, 2, 0xff];
    let check = |text: &str, expected: Option<u64>| {
        let offset = Offset::parse(text, true).unwrap();
        assert_eq!(offset.value(&payload, Some(10)), expected, "{text}");
    };
    check("7", Some(7));
    check("from + 2 - 1", Some(11));
    check("$(0)", Some(3));
    check("$($(0))", Some(2));
    check("$(1, 2)", Some(1));
    check("$le(1, 2)", Some(0x100));
    check("$le($(0) - 2, 4)", Some(0xff02_0100));
    check("$(2) < 8 | $(3)", Some(0x102));
    check("1 + ($(2) < 8) | ($(3)) + 1", Some(0x104));
    check("from - $(4)", None);
    check("$(5)", None);
    check("$(4, 2)", None);
    check("1 < 33", None);
    check("4294967295 < 32 < 32", None);
}

#[test]
fn offsets_are_refused_where_they_are_wrong() {
    let check = |text: &str, span: (usize, usize), reason: &str| {
        let error = Offset::parse(text, false).unwrap_err();
        assert_eq!((error.span, error.reason.as_str()), (Span::new(span.0, span.1), reason), "{text}");
    };
    check("", (0, 0), "expected a number, `$(` or `(`");
    check("from", (0, 1), "expected a number, `$(` or `(`");
    check("1 +", (3, 3), "expected a number, `$(` or `(`");
    check("1 2", (2, 3), "expected `+`, `-`, `<`, `|` or the end");
    check("$1", (1, 2), "expected `(`");
    check("(1", (0, 1), "`(` without its `)`");
    check("(1 2)", (3, 4), "expected `+`, `-`, `<`, `|` or `)`");
    check("$(1, 9)", (5, 6), "expected 1 to 4 bytes");
    check("99999999999", (0, 11), "expected a number below 2^32");
    check(&"(".repeat(40), (32, 33), "nested too deep");
}

#[test]
fn captures_are_read_by_group() {
    let payload = b"HTTP/1.1 404 Not Found\r\nServer: lamp\xff\r\n";
    let check = |read_as: &str, value_type: &str, expected: Option<Value>| {
        let json = format!(r#"{{"name": "x", "type": "{value_type}", "read": {{"capture": {read_as}}}}}"#);
        assert_eq!(read(&json, payload), expected, "{json}");
    };
    check(r#"{"pattern": "^HTTP/[0-9.]+"}"#, "string", Some(string("HTTP/1.1")));
    check(r#"{"pattern": "^HTTP/\\S+ ([0-9]+)", "group": "1"}"#, "unsigned", Some(Value::Unsigned(404)));
    check(
        r#"{"pattern": "(?i)server: (?<name>[^\\r]*)", "group": "name"}"#,
        "string",
        Some(string("lamp\\xff")),
    );
    check(
        r#"{"pattern": "Server: ([^\\r]*)", "group": "1"}"#,
        "bytes",
        Some(Value::Bytes(b"lamp\xff".to_vec())),
    );
    let words = ["HTTP", "Not", "Found", "Server"].map(|word| Value::String(word.to_owned().into()));
    check(r#"{"pattern": "[A-Z][A-Za-z]+"}"#, "list", Some(Value::List(words.to_vec())));
    check(r#"{"pattern": "Host: "}"#, "string", None);
    check(r#"{"pattern": "HTTP"}"#, "unsigned", None);
}

#[test]
fn ranges_count_from_what_is_sought() {
    let payload = [9, 0x16, 3, 1, 0, 4, 0xc0, 0x2f, 0, 0x35];
    let check = |range: &str, rest: &str, expected: Option<Value>| {
        let json = format!(r#"{{"name": "x", "read": {{"range": {range}}}, {rest}}}"#);
        assert_eq!(read(&json, &payload), expected, "{json}");
    };
    let suites = r#"{"seek": "16 03", "from": "5", "to": "from + $(from - 2, 2)"}"#;
    let list = Value::List(vec![Value::Unsigned(0xc02f), Value::Unsigned(0x35)]);
    check(suites, r#""type": "list", "item-bytes": 2"#, Some(list));
    check(suites, r#""type": "bytes""#, Some(Value::Bytes(vec![0xc0, 0x2f, 0, 0x35])));
    check(suites, r#""type": "unsigned""#, Some(Value::Unsigned(0xc02f_0035)));
    check(r#"{"seek": "@1 16", "from": "1", "to": "2"}"#, r#""type": "unsigned""#, Some(Value::Unsigned(3)));
    check(r#"{"seek": "@0 16", "from": "1", "to": "2"}"#, r#""type": "unsigned""#, None);
    check(r#"{"from": "8", "to": "11"}"#, r#""type": "bytes""#, None);
    check(r#"{"from": "8", "to": "7"}"#, r#""type": "bytes""#, None);
}

#[test]
fn options_are_walked_to_the_one_that_is_wanted() {
    let payload = b"\x63\x82\x53\x63\x00\x35\x01\x03\x0c\x04lamp\x37\x02\x01\x03\x0c\x01x\xff\x0c\x01y";
    let check = |tag: &str, value_type: &str, expected: Option<Value>| {
        let json = format!(
            r#"{{"name": "x", "type": "{value_type}", "read": {{"option":
                {{"seek": "63 82 53 63", "tag": "{tag}", "lone-tags": [0], "end-tag": 255}}}}}}"#
        );
        assert_eq!(read(&json, payload), expected, "{json}");
    };
    check("0c", "string", Some(string("lamp")));
    check("0c 00-02", "string", Some(string("x")));
    check("35", "unsigned", Some(Value::Unsigned(3)));
    check("37", "list", Some(Value::List(vec![Value::Unsigned(1), Value::Unsigned(3)])));
    let both = [&b"lamp"[..], b"x"].map(|value| Value::Bytes(value.to_vec()));
    check("0c", "list", Some(Value::List(both.to_vec())));
    check("3c", "string", None);
}

#[test]
fn attributes_are_read_from_their_direction_alone() {
    let check = |direction: &str, expected: bool| {
        let json = format!(
            r#"{{"name": "x", "direction": "{direction}", "type": "bytes", "read": {{"range": {{"from": "0", "to": "1"}}}}}}"#
        );
        assert_eq!(read(&json, &[1]).is_some(), expected, "{direction}");
    };
    check("request", true);
    check("response", false);
    check("combined", true);
}

#[test]
fn readings_that_cannot_be_are_refused_with_their_field() {
    let check = |json: &str, expected: &str| {
        let attribute: Attribute = serde_json::from_str(json).unwrap();
        assert_eq!(Extractor::new(&attribute).unwrap_err().0, expected, "{json}");
    };
    check(
        r#"{"name": "x", "type": "string", "read": {"capture": {"pattern": "("}}}"#,
        "read.capture.pattern",
    );
    check(
        r#"{"name": "x", "type": "string", "read": {"capture": {"pattern": "a", "group": "1"}}}"#,
        "read.capture.group",
    );
    check(
        r#"{"name": "x", "type": "string", "read": {"range": {"from": "from", "to": "1"}}}"#,
        "read.range.from",
    );
    check(
        r#"{"name": "x", "type": "list", "item-bytes": 9, "read": {"range": {"from": "0", "to": "1"}}}"#,
        "item-bytes",
    );
    check(r#"{"name": "x", "type": "string", "read": {"option": {"tag": "@1 0c"}}}"#, "read.option.tag");
    check(
        r#"{"name": "x", "type": "string", "read": {"option": {"tag": "0c", "tag-bytes": 5}}}"#,
        "read.option.tag-bytes",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_offset_text_is_survived(text in "[0-9$()<|+, from-]{0,30}", payload in prop::collection::vec(any::<u8>(), 0..16)) {
        match Offset::parse(&text, true) {
            Ok(offset) => { offset.value(&payload, Some(3)); }
            Err(error) => prop_assert!(text.get(error.span.start..error.span.end).is_some(), "{error:?}"),
        }
    }

    #[test]
    fn any_payload_is_survived(payload in prop::collection::vec(any::<u8>(), 0..64)) {
        for json in [
            r#"{"name": "x", "type": "list", "read": {"capture": {"pattern": "(?s)(.)|$"}}}"#,
            r#"{"name": "x", "type": "list", "item-bytes": 3, "read": {"range": {"from": "$(0)", "to": "$(1) + $($(2), 4)"}}}"#,
            r#"{"name": "x", "type": "list", "read": {"option": {"tag": "??", "tag-bytes": 2, "length-bytes": 4}}}"#,
            r#"{"name": "x", "type": "list", "read": {"option": {"seek": "00", "tag": "00-7f", "lone-tags": [1]}}}"#,
        ] {
            read(json, &payload);
        }
    }
}
