use super::pass;
use crate::cursor::Cursor;
use crate::phase::{Phase, Step};

/// The client's greeting is read; a password or its request follows (RFC 1928 §4, RFC 1929 §2).
const CLIENT: Phase = Phase::bounded(1);
/// The server's choice is read; its opinion of a password or its reply follows (RFC 1928 §6).
const SERVER: Phase = Phase::bounded(2);

const VERSION_4: u8 = 4;
const VERSION_5: u8 = 5;
/// Version of the negotiation by name and password.
const PASSWORD: u8 = 1;
const NO_METHOD: u8 = 0xff;
/// The first byte of a reply of version 4, and the second one where it is granted.
const REPLY_4: u8 = 0;
const GRANTED_4: u8 = 0x5a;
const REPLY_4_BYTES: usize = 8;

/// SOCKS 4, 4a and 5 up to the connection that was asked for.
pub(super) fn read(phase: Phase, bytes: &[u8]) -> Step {
    match (phase, bytes) {
        (_, []) | (SERVER, [VERSION_5]) | (Phase::BEGUN, [REPLY_4]) => Step::More,
        (CLIENT, [PASSWORD, ..]) => or_more(password(bytes), CLIENT),
        (CLIENT, [VERSION_5, ..]) | (SERVER, [VERSION_5, 0, ..]) => {
            or_more(address_end(bytes), Phase::HAND_OVER)
        }
        (SERVER, [PASSWORD, ..]) => or_more(bytes.get(1).map(|_| 2), SERVER),
        (Phase::BEGUN, [VERSION_4, ..]) => or_more(request_4(bytes), Phase::HAND_OVER),
        (Phase::BEGUN, [VERSION_5, ..]) => greeting(bytes),
        (Phase::BEGUN, [REPLY_4, GRANTED_4, ..]) => pass(REPLY_4_BYTES, Phase::HAND_OVER),
        _ => Step::Done,
    }
}

fn or_more(length: Option<usize>, then: Phase) -> Step {
    length.map_or(Step::More, |length| pass(length, then))
}

/// The methods that a client offers, or the one that a server chose: a server that chose passwords says next whether the
/// password is right, and no client offers GSSAPI before nothing at all.
fn greeting(bytes: &[u8]) -> Step {
    match bytes {
        [_, NO_METHOD, ..] => Step::Done,
        [_, 0, ..] | [_, 2, PASSWORD, 0, ..] => pass(2, SERVER),
        [] | [_] | [_, 2] | [_, 2, PASSWORD] => Step::More,
        [_, methods, ..] => pass(2 + usize::from(*methods), CLIENT),
    }
}

/// Length of a name and password.
fn password(bytes: &[u8]) -> Option<usize> {
    let mut cursor = Cursor::new_at(bytes, 1);
    cursor.vector8()?;
    cursor.vector8()?;
    Some(cursor.position())
}

/// Length of a request or reply of version 5, which ends with an address and a port.
fn address_end(bytes: &[u8]) -> Option<usize> {
    let mut cursor = Cursor::new_at(bytes, 3);
    let address_bytes = match cursor.u8()? {
        3 => usize::from(cursor.u8()?),
        4 => 16,
        _ => 4,
    };
    Some(cursor.position() + address_bytes + 2)
}

/// Length of a request of version 4: a user's name follows, and in 4a, where the address says so, the host's.
fn request_4(bytes: &[u8]) -> Option<usize> {
    let mut cursor = Cursor::new_at(bytes, 4);
    let address: [u8; 4] = cursor.array()?;
    let user_end = text_end(bytes, cursor.position())?;
    match address {
        [0, 0, 0, host] if host != 0 => text_end(bytes, user_end),
        _ => Some(user_end),
    }
}

/// Where a text that begins at a place ends, with its NUL.
fn text_end(bytes: &[u8], from: usize) -> Option<usize> {
    let length = bytes.get(from..)?.iter().position(|&byte| byte == 0)?;
    Some(from + length + 1)
}
