use serde_json::Value;

use super::{Claims, Reads, Record, Source};
use crate::{Field, Said, Statement};

/// The configuration that a Philips Hue bridge gives to anybody over HTTP (`/api/config`).
pub(super) const SOURCE: Source = Source {
    name: "hue",
    title: "the public configuration of Philips Hue bridges",
    reads: Reads::Documents(read),
    claims,
};

/// Members that the configuration has and no other document.
const MARKS: [&str; 3] = ["bridgeid", "modelid", "apiversion"];
const KEYS: [&str; 4] = ["name", "modelid", "swversion", "datastoreversion"];

fn read(document: &str, record: &mut Record) {
    if !document.contains("bridgeid") {
        return;
    }
    let Ok(Value::Object(answer)) = serde_json::from_str(document) else { return };
    if MARKS.iter().all(|mark| answer.contains_key(*mark)) {
        for key in KEYS {
            if let Some(Value::String(value)) = answer.get(key) {
                record.say(key, value);
            }
        }
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        match &*statement.key {
            "modelid" => {
                claims.declared(Field::Vendor, "Philips", statement);
                claims.declared(Field::Model, &statement.value, statement);
                claims.declared(Field::Type, "bridge", statement);
            }
            "name" => claims.likely(Field::Name, &statement.value, statement),
            _ => {}
        }
    }
}
