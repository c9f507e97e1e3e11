use super::{NEXT, begins_record, over, pass};
use crate::phase::Step;

/// The length of a request for encryption, and the high bytes of its code.
const REQUEST: [u8; 7] = [0, 0, 0, 8, 0x04, 0xd2, 0x16];
/// The last byte of its code: for TLS, for GSSAPI.
const CODES: [u8; 2] = [0x2f, 0x30];

/// Requests for encryption, and answers of one letter (`PostgreSQL`, "Message Flow", SSL Session Encryption).
pub(super) fn read(bytes: &[u8]) -> Step {
    match bytes {
        [] => Step::More,
        [byte, ..] if begins_record(*byte) => over(),
        [b'S' | b'N' | b'G', ..] => pass(1, NEXT),
        _ if bytes.len() <= REQUEST.len() && REQUEST.starts_with(bytes) => Step::More,
        _ if bytes.starts_with(&REQUEST)
            && bytes.get(REQUEST.len()).is_some_and(|code| CODES.contains(code)) =>
        {
            pass(REQUEST.len() + 1, NEXT)
        }
        _ => Step::Done,
    }
}
