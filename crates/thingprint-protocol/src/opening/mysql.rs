use super::{NEXT, over, pass};
use crate::phase::{Phase, Step};

/// The length and number before each packet.
const HEADER_BYTES: usize = 4;
/// `CLIENT_SSL` in the second byte of the client's capabilities.
const SSL: u8 = 0x08;
/// Body of a request for TLS, and of one before `MySQL` 4.1.
const REQUEST_BYTES: u8 = 32;
const OLD_REQUEST_BYTES: u8 = 5;
const PROTOCOL_10: u8 = 10;

/// The server's greeting, and the client's request for TLS, which has no answer (`MySQL`, "Connection Phase").
pub(super) fn read(phase: Phase, bytes: &[u8]) -> Step {
    if phase != Phase::BEGUN {
        return over();
    }
    match bytes {
        [length @ (REQUEST_BYTES | OLD_REQUEST_BYTES), 0, 0, 1, _, capabilities, ..] => {
            if capabilities & SSL == 0 {
                return Step::Done;
            }
            pass(HEADER_BYTES + usize::from(*length), NEXT)
        }
        [low, high, 0, 0, PROTOCOL_10, ..] => {
            pass(HEADER_BYTES + usize::from(u16::from_le_bytes([*low, *high])), NEXT)
        }
        _ if bytes.len() < HEADER_BYTES + 2 => Step::More,
        _ => Step::Done,
    }
}
