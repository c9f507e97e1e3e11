use super::{Lint, lint};
use crate::ModelSet;
use crate::schema::Model;

/// The warnings of a model whose contents are these.
fn warnings(contents: &str) -> Vec<String> {
    let text = format!(r#"{{"info": {{"abbreviation": "x"}}, "contents": {contents}}}"#);
    lint(&Model::from_json(&text).unwrap()).iter().map(Lint::to_string).collect()
}

/// The warnings of a direction.
fn of_request(matchers: &str, eval: &str) -> Vec<String> {
    warnings(&format!(r#"{{"request": {{"matchers": [{matchers}], "eval": "{eval}"}}}}"#))
}

fn byte(id: &str, pattern: &str) -> String {
    format!(r#"{{"id": "{id}", "type": "byte", "pattern": "{pattern}"}}"#)
}

fn string(id: &str, pattern: &str) -> String {
    format!(r#"{{"id": "{id}", "type": "string", "pattern": "{pattern}"}}"#)
}

#[test]
fn our_own_models_are_clean() {
    for model in ModelSet::built_in_models() {
        assert_eq!(lint(&model), [], "{}", model.name());
    }
}

#[test]
fn patterns_that_match_everything_or_nothing_are_told() {
    let check = |matcher: String, expected: &str| {
        let expected: Vec<String> = (!expected.is_empty())
            .then(|| format!("warning: contents.request.matchers[0].pattern: {expected}"))
            .into_iter()
            .collect();
        assert_eq!(of_request(&matcher, "a"), expected, "{matcher}");
    };
    check(byte("a", "@0 16"), "");
    check(string("a", "x*"), "matches everything, even nothing at all");
    check(byte("a", "?? "), "matches every payload that is not empty");
    check(byte("a", "@0 [00-ff]"), "matches every payload that is not empty");
    check(string("a", "(?s)."), "matches every payload that is not empty");
    check(string("a", "."), "");
    check(string("a", "x^y"), "unreachable: nothing can match");
    let condition =
        |fields: &str| format!(r#"{{"id": "a", "type": "statistical", "pattern": {{{fields}}}}}"#);
    check(condition(r#""statistic": "mean", "at-least": 0"#), "holds for every flow");
    check(condition(r#""statistic": "mean", "at-least": 1"#), "");
    check(condition(r#""statistic": "share", "within": [0, 9], "at-most": 1"#), "holds for every flow");
}

#[test]
fn ids_are_checked_against_eval() {
    let two = format!("{}, {}", byte("a", "16"), byte("b", "17"));
    let check = |eval: &str, expected: &[&str]| assert_eq!(of_request(&two, eval), expected, "{eval}");
    check("a or b", &[]);
    check("a", &["warning: contents.request.matchers[1]: unreachable: `eval` never uses this matcher"]);
    check(
        "a and c",
        &[
            "error: contents.request.eval, bytes 6..7: there is no matcher with the id \"c\"",
            "warning: contents.request.matchers[1]: unreachable: `eval` never uses this matcher",
        ],
    );
    check(
        "a and (b or not b)",
        &["warning: contents.request.eval, bytes 7..8: \"b\" never changes the value"],
    );
    check("a and not a or b and not b", &["warning: contents.request.eval: is never true"]);
    check("a or not a or b", &["warning: contents.request.eval: is always true"]);
    check("a or", &["error: contents.request.eval, bytes 4..4: expected an id, `not` or `(`"]);
    let twins = format!("{}, {}", byte("a", "16"), byte("a", "16"));
    assert_eq!(
        of_request(&twins, "a"),
        [
            "error: contents.request.matchers[1].id: another matcher has the id \"a\"",
            "warning: contents.request.matchers[1].pattern: finds the same as \"a\"",
        ]
    );
}

#[test]
fn directions_are_checked_against_select() {
    let section = format!(r#"{{"matchers": [{}]}}"#, byte("a", "16"));
    let check = |select: &str, expected: &[&str]| {
        let contents = format!(r#"{{"request": {section}, "response": {section}, "select": "{select}"}}"#);
        assert_eq!(warnings(&contents), expected, "{select}");
    };
    check("request and response", &[]);
    check("request", &["warning: contents.response: `select` never uses this direction"]);
    check(
        "request | response | combined",
        &["error: contents.select, bytes 21..29: there is no direction \"combined\""],
    );
}

#[test]
fn what_the_rest_of_a_model_lacks_is_told() {
    let check = |text: &str, expected: &[&str]| {
        let lints = lint(&Model::from_json(text).unwrap());
        assert_eq!(lints.iter().map(Lint::to_string).collect::<Vec<_>>(), expected, "{text}");
    };
    check(
        "{}",
        &[
            "warning: info.abbreviation: a model without a name cannot be distinguished from others in outputs",
            "warning: contents: nothing tells the protocol, so it is never found",
        ],
    );
    check(
        r#"{
            "info": {"abbreviation": "x"},
            "metadata": {
                "ip-protocols": ["udp"],
                "server-ports": [{"ip-protocol": "tcp", "port": 1}, {"ip-protocol": "tcp", "port": 1}]
            },
            "contents": {"request": {"matchers": [{"id": "a", "type": "byte", "pattern": "1"}]}},
            "attributes": [
                {"name": "n", "type": "string", "read": {"builtin": "tls"}},
                {"name": "n", "type": "string", "read": {"builtin": "gopher"}}
            ]
        }"#,
        &[
            "error: attributes[1].read.builtin: unknown parser \"gopher\"",
            "error: contents.request.matchers[0].pattern, bytes 0..1: expected two hexadecimal digits",
            "warning: metadata.server-ports[0]: `ip-protocols` leaves this transport out",
            "warning: metadata.server-ports[1]: `ip-protocols` leaves this transport out",
            "warning: metadata.server-ports[1]: stands here twice",
            "warning: attributes[0].read.builtin: the parser reads nothing of the model's transports",
        ],
    );
    check(
        r#"{
            "info": {"abbreviation": "x"},
            "contents": {"request": {"matchers": [{"id": "a", "type": "byte", "pattern": "16"}]}},
            "attributes": [{"name": "n", "type": "bytes", "read": {"range": {"from": "1 +", "to": "2"}}}]
        }"#,
        &["error: attributes[0].read.range.from, bytes 3..3: expected a number, `$(` or `(`"],
    );
}
