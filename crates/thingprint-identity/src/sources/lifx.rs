use super::{Claims, Reads, Record, Source};
use crate::{Field, Said, Statement};

/// Answers of LIFX lamps over UDP (LIFX LAN protocol, "Packet Contents").
pub(super) const SOURCE: Source =
    Source { name: "lifx", title: "answers of LIFX lamps", reads: Reads::Payloads(read), claims };

const HEADER_BYTES: usize = 36;
/// The protocol number, 1024, with the bit that says that there is a target.
const PROTOCOL: u16 = 1024 | 1 << 12;
/// The lower thirteen bits of the field; above it are the origin and whether all are asked.
const PROTOCOL_MASK: u16 = 0x1fff;
const PROTOCOL_AT: usize = 2;
const KIND_AT: usize = 32;
/// Answers: which service there is, the name of a lamp, vendor and product.
const STATE_SERVICE: u16 = 3;
const STATE_LABEL: u16 = 25;
const STATE_VERSION: u16 = 33;
const LABEL_BYTES: usize = 32;

fn read(payload: &[u8], record: &mut Record) {
    let Some((header, body)) = payload.split_at_checked(HEADER_BYTES) else { return };
    let is_whole = word(header, 0).map(usize::from) == Some(payload.len());
    if !is_whole || word(header, PROTOCOL_AT).map(|word| word & PROTOCOL_MASK) != Some(PROTOCOL) {
        return;
    }
    match word(header, KIND_AT) {
        Some(STATE_SERVICE) => record.say("answer", "service"),
        Some(STATE_LABEL) => {
            let label = body.get(..LABEL_BYTES).unwrap_or_default();
            let label = label.split(|byte| *byte == 0).next().unwrap_or_default();
            record.say("label", &String::from_utf8_lossy(label));
        }
        Some(STATE_VERSION) => {
            if let Some(product) = word(body, 4) {
                record.say("product", &product.to_string());
            }
        }
        _ => {}
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        claims.declared(Field::Vendor, "LIFX", statement);
        if &*statement.key == "label" {
            claims.likely(Field::Name, &statement.value, statement);
        }
        claims.likely(Field::Type, "light", statement);
    }
}
