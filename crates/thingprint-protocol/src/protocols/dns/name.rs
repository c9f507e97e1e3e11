use crate::cursor::Cursor;
use crate::text::{push_byte, push_escaped};

/// RFC 1035 §3.1: octets of a name as sent, the lengths and the final zero included.
const MOST_NAME_BYTES: usize = 255;
/// A name of 255 octets has at most 127 labels, and nothing needs more pointers than labels.
const MOST_POINTERS: usize = 127;
/// Room for most names at once.
const USUAL_NAME_BYTES: usize = 64;
/// Pointers lead behind the header: nothing in it is a name.
const HEADER_BYTES: usize = 12;

/// Reads a name (RFC 1035 §3.1) with its compression pointers (§4.1.4), which have to lead backwards, and leaves the
/// cursor behind it.
pub(super) fn read<'a>(message: &'a [u8], cursor: &mut Cursor<'a>) -> Option<String> {
    let mut name = String::with_capacity(USUAL_NAME_BYTES);
    walk(message, cursor, |label| push_label(&mut name, label))?;
    if name.is_empty() {
        name.push('.');
    }
    name.make_ascii_lowercase();
    Some(name)
}

/// Leaves the cursor behind a name, which is checked but not written down.
pub(super) fn skip<'a>(message: &'a [u8], cursor: &mut Cursor<'a>) -> Option<()> {
    walk(message, cursor, |_| {})
}

fn walk<'a>(message: &'a [u8], cursor: &mut Cursor<'a>, mut visit: impl FnMut(&'a [u8])) -> Option<()> {
    let mut reader = Cursor::new_at(message, cursor.position());
    let mut end = None;
    let mut name_bytes = 0;
    let mut pointers = 0;
    // Where the labels read now begin: a pointer has to lead before it, so the walk ends.
    let mut run_start = reader.position();
    loop {
        let length = reader.u8()?;
        match length >> 6 {
            0 if length == 0 => break,
            0 => {
                let label = reader.take(usize::from(length))?;
                name_bytes += 1 + label.len();
                if name_bytes >= MOST_NAME_BYTES {
                    return None;
                }
                visit(label);
            }
            3 => {
                let target = usize::from(u16::from_be_bytes([length & 0x3f, reader.u8()?]));
                end.get_or_insert(reader.position());
                pointers += 1;
                if target < HEADER_BYTES || target >= run_start || pointers > MOST_POINTERS {
                    return None;
                }
                run_start = target;
                reader = Cursor::new_at(message, target);
            }
            // RFC 6891 §5: extended label types are no longer in use.
            _ => return None,
        }
    }
    *cursor = Cursor::new_at(message, end.unwrap_or_else(|| reader.position()));
    Some(())
}

fn push_label(name: &mut String, label: &[u8]) {
    if !name.is_empty() {
        name.push('.');
    }
    let is_plain = label.iter().all(|&byte| matches!(byte, 0x20..=0x7e) && byte != b'.');
    if let Some(text) = std::str::from_utf8(label).ok().filter(|_| is_plain) {
        return name.push_str(text);
    }
    for &byte in label {
        if byte == b'.' { push_escaped(name, byte) } else { push_byte(name, byte) }
    }
}
