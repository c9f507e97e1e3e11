use super::{Sum, put16};

/// An echo request (RFC 792), or the reply to it, with the 56 bytes of data that are usual.
pub(crate) fn echo(is_reply: bool, id: u16, sequence: u16) -> Vec<u8> {
    let mut message = vec![if is_reply { 0 } else { 8 }, 0, 0, 0];
    put16(&mut message, id);
    put16(&mut message, sequence);
    message.extend(0x10..0x10 + 56_u8);
    let checksum = Sum::default().bytes(&message).finish();
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}
