use super::{over, pass};
use crate::cursor::Cursor;
use crate::phase::{Phase, Step};

/// How a line of version 1 begins, and how long it is at most.
const LINE: &[u8] = b"PROXY ";
const MOST_LINE_BYTES: usize = 107;
/// How a header of version 2 begins; version, family and length follow.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The header that a proxy puts before a connection (the PROXY protocol §2.1, §2.2); the other side has none.
pub(super) fn read(bytes: &[u8]) -> Step {
    if bytes.starts_with(LINE) {
        return match bytes.iter().take(MOST_LINE_BYTES).position(|&byte| byte == b'\n') {
            Some(end) => pass(end + 1, Phase::HAND_OVER),
            None if bytes.len() < MOST_LINE_BYTES => Step::More,
            None => Step::Done,
        };
    }
    if bytes.starts_with(SIGNATURE) {
        return header(Cursor::new_at(bytes, SIGNATURE.len()));
    }
    if LINE.starts_with(bytes) || SIGNATURE.starts_with(bytes) { Step::More } else { over() }
}

fn header(mut cursor: Cursor<'_>) -> Step {
    let (_version, _family) = (cursor.u8(), cursor.u8());
    cursor.u16().map_or(Step::More, |length| pass(cursor.position() + usize::from(length), Phase::HAND_OVER))
}
