use super::{NEXT, begins_record, over, pass};
use crate::phase::Step;

/// The version before each packet, and an unused byte (RFC 2126 §4.3).
const HEADER: [u8; 2] = [3, 0];

/// Packets of the ISO transport service over TCP, in which the Remote Desktop Protocol asks for TLS (MS-RDPBCGR §1.3.1.1).
pub(super) fn read(bytes: &[u8]) -> Step {
    match bytes {
        [byte, ..] if begins_record(*byte) => over(),
        [first, second, high, low, ..] if [*first, *second] == HEADER => {
            match usize::from(u16::from_be_bytes([*high, *low])) {
                length @ 4.. => pass(length, NEXT),
                _ => Step::Done,
            }
        }
        [3] | [3, 0] | [3, 0, _] | [] => Step::More,
        _ => Step::Done,
    }
}
