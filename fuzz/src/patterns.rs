use serde_json::{Value, json};
use thingprint_protocol::schema::Model;
use thingprint_protocol::{Expression, dialect};

use crate::input::Input;
use crate::models::use_model;

/// Reads a text before a 0 as one of the languages in models, by the first byte, and uses it on the payload behind
/// the 0: byte patterns, regular expressions, Boolean expressions, offsets, options, those of the published form.
pub fn patterns(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.u8();
    let Ok(text) = str::from_utf8(input.line()) else { return };
    let payload = input.rest();
    match kind % 8 {
        0 => use_json(&one_matcher("byte", text), payload),
        1 => use_json(&one_matcher("string", text), payload),
        2 => check_expression(text, payload),
        3 => use_json(&one_reading(&json!({"capture": {"pattern": text}})), payload),
        4 => use_json(&one_reading(&json!({"range": {"from": text, "to": "from + $(0, 2)"}})), payload),
        5 => use_json(&one_reading(&json!({"range": {"seek": text, "from": "0", "to": "4"}})), payload),
        6 => use_json(&one_reading(&json!({"option": {"seek": "00", "tag": text, "end-tag": 255}})), payload),
        _ => use_published(text, payload),
    }
}

fn use_json(model: &Value, payload: &[u8]) {
    match Model::from_json(&model.to_string()) {
        Ok(model) => use_model(model, payload),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn one_matcher(kind: &str, pattern: &str) -> Value {
    json!({"contents": {"request": {"matchers": [{"id": "a", "type": kind, "pattern": pattern}]}}})
}

/// A model of any payload, from which one thing is read.
fn one_reading(read: &Value) -> Value {
    let mut model = one_matcher("byte", "??");
    model["attributes"] = json!([{"name": "a", "type": "bytes", "read": read}]);
    model
}

/// An expression that is written and read again has the same words and, whatever they are, the same value.
fn check_expression(text: &str, values: &[u8]) {
    let Ok(expression) = text.parse::<Expression>() else { return };
    let written = expression.to_string();
    let again = written.parse::<Expression>();
    let value = |expression: &Expression| {
        expression.value(&mut |word| {
            let place = usize::from(word.text.bytes().fold(0_u8, u8::wrapping_add));
            match values.get(place.checked_rem(values.len())?)? % 3 {
                0 => None,
                bit => Some(bit == 1),
            }
        })
    };
    assert!(again.is_ok_and(|again| value(&again) == value(&expression)), "{text:?}, {written:?}");
    let contents =
        json!({"request": {"matchers": [{"id": "a", "type": "byte", "pattern": "00"}], "eval": text}});
    use_json(&json!({"contents": contents}), values);
}

fn use_published(pattern: &str, payload: &[u8]) {
    let matcher = json!({"id": 1, "matcher-type": "matcher:regex", "matcher-pattern": {"pattern": pattern}});
    let attribute = json!({
        "name": "a", "parser-type": "parser:regex", "parser-pattern": {"pattern": pattern, "group": 0},
        "data-type": "STRING", "direction": "REQUEST",
    });
    let model = json!({
        "contents": {"request": {"matchers": [matcher], "eval": "1"}, "protocol": "request"},
        "attributes": [attribute],
    });
    if let Ok(model) = dialect::from_json(&model.to_string()) {
        use_model(model, payload);
    }
}
