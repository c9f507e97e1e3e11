use super::{Claims, Reads, Record, Source};
use crate::knowledge::PatternKind;
use crate::{Certainty, Field, Said, Statement};

/// Names that hosts register by `NetBIOS` (RFC 1002 §4.2.2), and what they announce to the browser service in datagrams
/// (§4.4.1; Microsoft MS-BRWS §2.2.1, §2.2.3).
pub(super) const SOURCE: Source = Source {
    name: "netbios",
    title: "NetBIOS names that are registered, and announcements of hosts",
    reads: Reads::Payloads(read),
    claims,
};

/// Registration and refresh of a name: the opcodes, without the other bits of the flags.
const OPCODES: [u8; 3] = [0x28, 0x40, 0x48];
const OPCODE_MASK: u8 = 0xf8;
const HEADER_BYTES: usize = 12;
/// An encoded name (RFC 1001 §14.1): a length, and 32 letters.
const NAME_LETTERS: usize = 32;
/// Types of names, in their last byte, that are the host's: the workstation service, and the file server.
const HOST_TYPES: [u8; 2] = [0x00, 0x20];
/// Additional records of a registration: one, with flags of which the first bit says that a group has the name.
const GROUP_BIT: u8 = 0x80;
/// A datagram to a unique name, to a group, and to all.
const DATAGRAMS: [u8; 3] = [0x10, 0x11, 0x12];
const MAILSLOT: &[u8] = b"\\MAILSLOT\\BROWSE\0";
/// Announcements: of a host, and of the local master browser.
const ANNOUNCEMENTS: [u8; 2] = [0x01, 0x0f];
/// Command, update count, period: in front of the name.
const ANNOUNCED_NAME_AT: usize = 6;
const ANNOUNCED_NAME_BYTES: usize = 16;
/// Two bytes of version, four of type, two of browser version, two of signature: in front of the comment.
const COMMENT_AT: usize = ANNOUNCED_NAME_AT + ANNOUNCED_NAME_BYTES + 10;

fn read(payload: &[u8], record: &mut Record) {
    if payload.first().is_some_and(|kind| DATAGRAMS.contains(kind)) {
        announcement(payload, record);
    } else if payload.get(2).is_some_and(|flags| OPCODES.contains(&(flags & OPCODE_MASK))) {
        registration(payload, record);
    }
}

fn registration(payload: &[u8], record: &mut Record) {
    // One question and one additional record (RFC 1002 §4.2.2).
    if payload.get(4..HEADER_BYTES) != Some(&[0, 1, 0, 0, 0, 0, 0, 1]) {
        return;
    }
    let Some([length, encoded @ ..]) = payload.get(HEADER_BYTES..) else { return };
    let letters = encoded.get(..NAME_LETTERS).filter(|_| usize::from(*length) == NAME_LETTERS);
    let Some((name, kind)) = letters.and_then(decoded) else { return };
    // The record ends with two bytes of flags and an address.
    let flags = payload.len().checked_sub(6).and_then(|at| payload.get(at));
    let is_group = flags.is_none_or(|flags| flags & GROUP_BIT != 0);
    if HOST_TYPES.contains(&kind) && !is_group {
        record.say("registered_name", &name);
    }
}

/// The name and the type that 32 letters stand for: each half of a byte is a letter from A.
fn decoded(letters: &[u8]) -> Option<(String, u8)> {
    let halves: Option<Vec<u8>> =
        letters.iter().map(|letter| letter.checked_sub(b'A').filter(|half| *half < 16)).collect();
    let bytes: Vec<u8> =
        halves?.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, half| byte << 4 | half)).collect();
    let (kind, name) = bytes.split_last()?;
    Some((printable(name)?, *kind))
}

fn announcement(payload: &[u8], record: &mut Record) {
    let Some(at) = payload.windows(MAILSLOT.len()).position(|bytes| bytes == MAILSLOT) else { return };
    let Some(body) = payload.get(at + MAILSLOT.len()..) else { return };
    if !body.first().is_some_and(|command| ANNOUNCEMENTS.contains(command)) {
        return;
    }
    let name = body.get(ANNOUNCED_NAME_AT..ANNOUNCED_NAME_AT + ANNOUNCED_NAME_BYTES).unwrap_or_default();
    record.say("announced_name", &zero_ended(name));
    record.say("comment", &zero_ended(body.get(COMMENT_AT..).unwrap_or_default()));
}

fn zero_ended(bytes: &[u8]) -> String {
    bytes.split(|byte| *byte == 0).next().and_then(printable).unwrap_or_default()
}

fn printable(bytes: &[u8]) -> Option<String> {
    let is_text = bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e));
    is_text.then(|| bytes.iter().map(|byte| char::from(*byte)).collect::<String>().trim_end().to_owned())
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        if matches!(&*statement.key, "registered_name" | "announced_name") {
            claims.by_pattern((PatternKind::HostName, &statement.value), Certainty::Likely, statement);
            claims.likely(Field::Name, &statement.value, statement);
        }
    }
}
