use serde_json::Value;

use super::{Claims, Reads, Record, Source};
use crate::{Certainty, Field, Said, Statement};

/// Answers of the TP-Link Smart Home protocol: JSON in which each byte is the exclusive or with the byte before it in the
/// cipher text, the first with 171; over TCP a length of four bytes stands in front.
pub(super) const SOURCE: Source = Source {
    name: "tp_link",
    title: "answers of the TP-Link Smart Home protocol",
    reads: Reads::Payloads(read),
    claims,
};

const KEY: u8 = 171;
const LENGTH_BYTES: usize = 4;
/// `{"`, encrypted: what each message begins with.
const BEGINNING: [u8; 2] = [KEY ^ b'{', KEY ^ b'{' ^ b'"'];
const KEYS: [&str; 8] = ["alias", "model", "dev_name", "description", "type", "mic_type", "sw_ver", "hw_ver"];

fn read(payload: &[u8], record: &mut Record) {
    let framed = payload.split_at_checked(LENGTH_BYTES).filter(|(length, body)| {
        let length: Option<[u8; LENGTH_BYTES]> = (*length).try_into().ok();
        length.is_some_and(|length| u32::from_be_bytes(length) as usize == body.len())
    });
    let body = framed.map_or(payload, |(_, body)| body);
    if !body.starts_with(&BEGINNING) {
        return;
    }
    let Ok(answer) = serde_json::from_slice::<Value>(&decrypted(body)) else { return };
    let Some(Value::Object(info)) = answer.pointer("/system/get_sysinfo") else { return };
    for key in KEYS {
        if let Some(Value::String(value)) = info.get(key) {
            record.say(key, value);
        }
    }
}

fn decrypted(body: &[u8]) -> Vec<u8> {
    let keys = std::iter::once(KEY).chain(body.iter().copied());
    body.iter().zip(keys).map(|(byte, key)| byte ^ key).collect()
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        let value = &*statement.value;
        match &*statement.key {
            "model" => {
                claims.declared(Field::Vendor, "TP-Link", statement);
                claims.declared(Field::Model, value, statement);
            }
            "alias" => claims.likely(Field::Name, value, statement),
            "type" | "mic_type" => {
                claims.by_type_code("tp-link", value, Certainty::Declared, statement);
            }
            _ => {}
        }
    }
}
