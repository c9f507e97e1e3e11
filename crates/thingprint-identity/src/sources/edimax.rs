use super::{Claims, Reads, Record, Source};
use crate::knowledge::PatternKind;
use crate::{Certainty, Field, Said, Statement};

/// What plugs of Edimax answer to the search of their app (UDP port 20560): model, version and name in fields of fixed lengths.
pub(super) const SOURCE: Source = Source {
    name: "edimax",
    title: "answers of Edimax plugs to the search of their app",
    reads: Reads::Payloads(read),
    claims,
};

/// The address of the sender, in front of the mark.
const ADDRESS_BYTES: usize = 6;
const MARK: &[u8] = b"EDIMAX";
/// Between mark and model; the last four of them tell an answer from a question.
const HEADER_BYTES: usize = 10;
const ANSWER: [u8; 4] = [0x01, 0xa1, 0xfe, 0x5e];
/// The texts, each padded with zeros.
const FIELDS: [(&str, usize); 3] = [("model", 14), ("version", 8), ("name", 128)];

fn read(payload: &[u8], record: &mut Record) {
    let Some(rest) = payload.get(ADDRESS_BYTES..).and_then(|rest| rest.strip_prefix(MARK)) else { return };
    let Some((header, mut rest)) = rest.split_at_checked(HEADER_BYTES) else { return };
    if !header.ends_with(&ANSWER) {
        return;
    }
    for (key, length) in FIELDS {
        let (field, next) = rest.split_at(length.min(rest.len()));
        rest = next;
        let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
        record.say(key, &String::from_utf8_lossy(text));
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        match &*statement.key {
            "model" => {
                claims.declared(Field::Vendor, "Edimax", statement);
                claims.by_pattern((PatternKind::Model, &statement.value), Certainty::Declared, statement);
            }
            "name" => claims.likely(Field::Name, &statement.value, statement),
            _ => {}
        }
    }
}
