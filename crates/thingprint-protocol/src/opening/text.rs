use super::{NEXT, begins_record, over, pass};
use crate::phase::Step;

/// First byte behind the length of a hello in SSL 2.0 form.
const SSL2_CLIENT_HELLO: u8 = 1;

/// Text, in lines or elements, of SMTP (RFC 3207), IMAP and POP3 (RFC 2595), FTP (RFC 4217), XMPP (RFC 6120 §5): a record
/// of TLS begins with a byte that no text has.
pub(super) fn read(bytes: &[u8]) -> Step {
    for (at, &byte) in bytes.iter().enumerate() {
        let may_be_ssl2 = byte & 0x80 != 0;
        match bytes.get(at + 2) {
            _ if begins_record(byte) => return pass_to(at, over()),
            Some(&kind) if may_be_ssl2 && kind == SSL2_CLIENT_HELLO => return pass_to(at, over()),
            None if may_be_ssl2 => return pass_to(at, Step::More),
            _ if byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n') => return Step::Done,
            _ => {}
        }
    }
    pass_to(bytes.len(), Step::More)
}

/// Goes past the text before a place; at the start of it, `step` is next.
fn pass_to(at: usize, step: Step) -> Step {
    if at > 0 { pass(at, NEXT) } else { step }
}
