use super::{Claims, Reads, Record, Source};
use crate::{Field, Said, Statement};

/// What the MAX! Cube of eQ-3 answers to a search (UDP port 23272): a mark and its serial number.
pub(super) const SOURCE: Source = Source {
    name: "eq3",
    title: "answers of the MAX! Cube of eQ-3 to a search",
    reads: Reads::Payloads(read),
    claims,
};

/// A search has `eQ3Max*` in its place.
const MARK: &[u8] = b"eQ3MaxAp";
const SERIAL_BYTES: usize = 10;

fn read(payload: &[u8], record: &mut Record) {
    let serial = payload.strip_prefix(MARK).and_then(|rest| rest.get(..SERIAL_BYTES));
    if let Some(serial) = serial.filter(|serial| serial.iter().all(u8::is_ascii_alphanumeric)) {
        record.say("serial", &String::from_utf8_lossy(serial));
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        claims.declared(Field::Vendor, "eQ-3", statement);
        claims.declared(Field::Model, "MAX! Cube", statement);
        claims.declared(Field::Type, "bridge", statement);
    }
}
