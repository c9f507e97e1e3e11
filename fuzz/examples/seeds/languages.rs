use std::error::Error;

use thingprint_protocol::ModelSet;

use crate::seeds::Seeds;

/// A text of each language, by the number that the target `patterns` knows it by, and a payload for it.
const TEXTS: [(u8, &str, &[u8]); 17] = [
    (0, "@0 16 03 (01|02|03) ?? ??", b"\x16\x03\x01\0\0"),
    (0, "[00-0f 80]{2,4} . ff", b"\x01\x80\x05\x09\xff"),
    (0, "(7e (01 02|03{3})){1,2}", b"\x7e\x01\x02\x7e\x03\x03\x03"),
    (1, r"^(?:GET|POST) /\S* HTTP/\d\.\d\r\n", b"GET / HTTP/1.1\r\n"),
    (1, r"(?s-u)^.{2}\x01\x00[^\xff]+\bend$", b"ab\x01\0x end"),
    (1, r"(?i)a{2,5}?|[[:alpha:]&&[^b]]+(?:c|)*", b"AAAc"),
    (2, "a and not (b or c)", b"\x01\x02\0"),
    (2, "a & !(b | c-1) or NOT d_2", b"\x02\x01"),
    (3, r"^host: (?<a>\S+)", b"host: lamp"),
    (4, "2 + $(1) - ($(0, 2) < 4 | 1)", b"\0\x03abcdefgh"),
    (5, "63 82 53 63", b"\0\x63\x82\x53\x63abcdef"),
    (6, "35", b"\0\x35\x01\x07\xff"),
    (6, "(0c|3c)", b"\0\x0c\x04lamp\x3c\x02ab\xff"),
    (7, r"(?<=host: ).*?(?=\r\n)", b"host: lamp\r\n"),
    (7, r"on|off(\d+)\.", b"off12."),
    (7, r"(?<=((?i)(x: ))).*? (.*?)z", b"X: a bz"),
    (7, r"\QGET\E [^\s]++\p{Alpha}", b"GET ab"),
];

/// A model in the form in which the protocol paper published its own.
const PUBLISHED: &str = r#"{
"info": {"abbreviation": "lamp", "namespace": "home:lamp", "protocol-url": "https://example.org/lamp"},
"metadata": {"ether-types": ["0x0800"], "ip-protocols": [17], "server-port": {"port": [5000]}, "traffic-mode": ["UNICAST"]},
"contents": {
"request": {"matchers": [
{"id": 1, "matcher-type": "matcher:byteseek", "matcher-pattern": {"pattern": "16 03", "index": 0}},
{"id": 2, "matcher-type": "matcher:regex", "matcher-pattern": {"pattern": "on|off"}}], "eval": "1 & 2"},
"protocol": "request"},
"attributes": [
{"name": "a", "parser-type": "parser:regex", "parser-pattern": {"pattern": "(?<=x: )y*?(?=z)", "group": 0}, "data-type": "STRING", "direction": "REQUEST"},
{"name": "b", "parser-type": "parser:byteseek:range", "parser-pattern": {"from": "1", "to": "from + 2"}, "data-type": "BYTES", "direction": "COMBINED"}
]}"#;

/// Models, with every part that one can have.
const OWN: [&str; 4] = [
    include_str!("../../src/lamp.json"),
    include_str!("../../src/meter.json"),
    r#"{"info": {"abbreviation": "clock"}, "metadata": {"server-ports": [{"ip-protocol": "udp", "port": 8883}]},
"contents": {"request": {"matchers": [{"id": "any", "type": "byte", "pattern": "@0 23"}]}},
"attributes": [{"name": "version", "type": "unsigned", "read": {"builtin": "ntp"}}]}"#,
    r#"{"contents": {"request": {"matchers": [
{"id": "mark", "type": "byte", "pattern": "@0 00"},
{"id": "steady", "type": "statistical", "pattern": {"statistic": "share", "of": "gap", "within": [0.9, 2.1], "at-least": 1, "packets": 2}},
{"id": "small", "type": "statistical", "pattern": {"statistic": "maximum", "at-most": 8, "packets": 3}}],
"eval": "mark and small and steady"}}}"#,
];

/// Seeds for the readers of models and of the languages in them.
pub(crate) fn add(seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    for (kind, text, payload) in TEXTS {
        seeds.add("patterns", &[&[kind], text.as_bytes(), &[0], payload].concat())?;
    }
    let built_in = ModelSet::built_in_models();
    let built_in = built_in.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    let models = built_in.iter().map(String::as_str).chain(OWN).chain([PUBLISHED]);
    for (model, payload) in models.zip(TEXTS.iter().map(|(.., payload)| payload).cycle()) {
        seeds.add("models", &[model.as_bytes(), &[0], payload].concat())?;
    }
    Ok(())
}
