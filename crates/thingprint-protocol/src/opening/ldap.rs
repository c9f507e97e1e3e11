use super::{NEXT, begins_record, over, pass};
use crate::cursor::Cursor;
use crate::phase::Step;

/// A BER SEQUENCE, which every LDAP message is (RFC 4511 §4.1.1).
const SEQUENCE: u8 = 0x30;
/// A length of up to 127 is one byte; else the low bits say how many bytes it has.
const LONG: u8 = 0x80;
const MOST_LENGTH_BYTES: u8 = 4;

/// Messages of LDAP up to the answer to `StartTLS` (RFC 4511 §4.14).
pub(super) fn read(bytes: &[u8]) -> Step {
    match bytes.first() {
        None => Step::More,
        Some(&byte) if begins_record(byte) => over(),
        Some(&SEQUENCE) => message(bytes),
        Some(_) => Step::Done,
    }
}

fn message(bytes: &[u8]) -> Step {
    let mut cursor = Cursor::new_at(bytes, 1);
    let Some(first) = cursor.u8() else { return Step::More };
    let length_bytes = first & !LONG;
    if first & LONG == 0 {
        return pass(cursor.position() + usize::from(first), NEXT);
    }
    if !(1..=MOST_LENGTH_BYTES).contains(&length_bytes) {
        return Step::Done;
    }
    let Some(length) = cursor.take(usize::from(length_bytes)) else { return Step::More };
    let length = length.iter().fold(0_usize, |length, &byte| length << 8 | usize::from(byte));
    pass(cursor.position().saturating_add(length), NEXT)
}
