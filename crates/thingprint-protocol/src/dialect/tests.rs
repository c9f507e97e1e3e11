use proptest::prelude::*;

use super::{from_json, is_published, java};
use crate::schema::{IpProtocol, Matcher, Model, ServerPort};
use crate::{ModelSet, Span};

#[test]
fn look_around_becomes_a_group() {
    let check = |java: &str, group: u32, expected: (&str, Option<&str>)| {
        let (pattern, name) = java::capture(java, group).unwrap();
        assert_eq!((pattern.as_str(), name.as_deref()), expected, "{java}");
    };
    check("a(b)", 0, ("(?R)a(b)", None));
    check("a(b)", 1, ("(?R)a(b)", Some("1")));
    check("(?<=x: )y*?(?=\\r\\n)", 0, ("(?R)(?:x: )(?<whole>y*?)(?:\\r\\n)", Some("whole")));
    check("(?<=((?i)(x: ))).*? (.*?)z", 3, ("(?R)(?:((?i)(x: ))).*? (.*?)z", Some("3")));
    check("y(?=[)]|\\))", 0, ("(?R)(?<whole>y)(?:[)]|\\))", Some("whole")));
}

#[test]
fn other_look_around_is_refused_where_it_stands() {
    let check = |java: &str, span: (usize, usize)| {
        assert_eq!(
            java::capture(java, 0).err().map(|error| error.span),
            Some(Span::new(span.0, span.1)),
            "{java}"
        );
    };
    check("a(?<=b)c", (1, 7));
    check("a(?=b)c", (1, 6));
    check("a(?!b)", (1, 4));
    check("(?<!b)c", (0, 4));
    check("(?=b", (0, 3));
}

#[test]
fn a_model_in_the_published_form_is_read() {
    let text = r#"{
        "info": {"abbreviation": "lamp", "namespace": "home:lamp", "protocol-url": "https://example.org/lamp"},
        "metadata": {
            "ether-types": ["0x0800", "0x86DD"],
            "ip-protocols": [17],
            "server-port": {"port": [5000, 5001]},
            "traffic-mode": ["UNICAST"]
        },
        "contents": {
            "request": {
                "matchers": [
                    {"id": 1, "matcher-type": "matcher:byteseek", "matcher-pattern": {"pattern": "16 03", "index": 0}},
                    {"id": 2, "matcher-type": "matcher:regex", "matcher-pattern": {"pattern": "on|off"}}
                ],
                "eval": "1 & 2"
            },
            "protocol": "request"
        },
        "attributes": [
            {
                "name": "colour",
                "parser-type": "parser:byteseek:tlv",
                "parser-pattern": {"seek-pattern": "16 03", "tag-pattern": "0c [00 - 0E]", "tag-bit-length": 8},
                "data-type": "STRING",
                "direction": "REQUEST"
            }
        ]
    }"#;
    assert!(is_published(text));
    let model = from_json(text).unwrap();
    let port = |port| ServerPort { ip_protocol: IpProtocol::Udp, port };
    assert_eq!(model.metadata.server_ports, [port(5000), port(5001)]);
    assert_eq!(model.info.source, ["https://example.org/lamp"]);
    let request = model.contents.request.as_ref().unwrap();
    let byte = Matcher::Byte { id: "1".to_owned(), pattern: "@0 16 03".to_owned() };
    let string = Matcher::String { id: "2".to_owned(), pattern: "(?R)on|off".to_owned() };
    assert_eq!(request.matchers, [byte, string]);
    ModelSet::compile([model]).unwrap();
}

#[test]
fn a_field_that_the_form_does_not_have_is_refused() {
    let check = |text: &str, expected: &str| {
        let error = from_json(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(r#"{"infos": {}}"#, "unknown field `infos`");
    check(r#"{"metadata": {"ip-protocols": [1]}}"#, "protocol 1 has no payloads");
    check(
        r#"{"attributes": [{"name": "x", "parser-type": "parser:regex", "parser-pattern": {},
            "data-type": "STRING", "direction": "REQUEST"}]}"#,
        "attributes[0].parser-pattern.pattern: missing",
    );
}

#[test]
fn secrets_are_known_by_their_names() {
    let is_secret = |name: &str| {
        let text = format!(
            r#"{{"attributes": [{{"name": "{name}", "parser-type": "parser:regex", "parser-pattern": {{"pattern": "x"}},
                "data-type": "STRING", "direction": "REQUEST"}}]}}"#
        );
        from_json(&text).unwrap().attributes[0].secret
    };
    for name in ["authentication_credential", "soap_security_tag", "Password", "api-key"] {
        assert!(is_secret(name), "{name}");
    }
    for name in ["authentication_type", "uri", "user_agent", "method"] {
        assert!(!is_secret(name), "{name}");
    }
}

#[test]
fn our_own_form_is_another() {
    for model in ModelSet::built_in_models() {
        assert!(!is_published(&serde_json::to_string(&model).unwrap()), "{}", model.name());
    }
    assert!(!is_published("[]") && !is_published("{"));
    assert_eq!(from_json("{}").unwrap(), Model::default());
}

proptest! {
    #[test]
    fn any_expression_is_survived(java in r"[ab()\[\]\\?<=!:^é]{0,30}", group in 0_u32..4) {
        if let Err(error) = java::capture(&java, group) {
            prop_assert!(java.get(error.span.start..error.span.end).is_some());
        }
    }
}
