use crate::cursor::Cursor;
use crate::text::{escaped, push_escaped};

/// `E`: the name is written as in DNS, not as text (RFC 4702 §2.1).
const WIRE: u8 = 0x04;
/// RFC 1035 §3.1; a name here is not compressed (RFC 4702 §2.3.1).
const MOST_LABEL_BYTES: u8 = 63;

/// The name in option 81, without a final dot, bytes outside printable ASCII as `\xNN`; `None` where the client leaves it to
/// the server.
///
/// Clients are found that write a name as in DNS and do not say so: no text begins with a length.
pub(super) fn name(option: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(option);
    let [flags, _, _] = cursor.array()?;
    let name = cursor.rest();
    let is_wire = flags & WIRE != 0 || name.first().is_some_and(|&byte| byte < b' ');
    let name = if is_wire { labels(name)? } else { text(name) };
    (!name.is_empty()).then_some(name)
}

/// Labels, up to an empty one or, of a part of a name, to the end.
fn labels(bytes: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(bytes);
    let mut name = String::new();
    while let Some(length) = cursor.u8().filter(|&length| length > 0) {
        let label = cursor.take(usize::from(length)).filter(|_| length <= MOST_LABEL_BYTES)?;
        if !name.is_empty() {
            name.push('.');
        }
        for part in label.split_inclusive(|&byte| byte == b'.') {
            match part.split_last() {
                Some((b'.', before)) => {
                    name.push_str(&escaped(before));
                    push_escaped(&mut name, b'.');
                }
                _ => name.push_str(&escaped(part)),
            }
        }
    }
    Some(name)
}

/// A name as text, which some clients end with zeros.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|&byte| !matches!(byte, 0 | b'.')).map_or(0, |last| last + 1);
    escaped(bytes.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_are_read_as_labels_and_as_text() {
        let check = |option: &[u8], expected: Option<&str>| {
            assert_eq!(name(option).as_deref(), expected, "{}", option.escape_ascii());
        };
        check(b"\x05\0\0\x05cam81\x07example\x03net\0", Some("cam81.example.net"));
        check(b"\x04\0\0\x05cam81", Some("cam81"));
        check(b"\x01\xff\xffcam81.example.net", Some("cam81.example.net"));
        check(b"\0\0\0cam81.example.net.\0", Some("cam81.example.net"));
        check(b"\0\0\0\x05cam81\0", Some("cam81")); // as in DNS, unsaid
        check(b"\x04\0\0\x03a.b\x02\xff\xfe\0", Some("a\\x2eb.\\xff\\xfe"));
        check(b"\x04\0\0\0", None);
        check(b"\x05\0\0", None);
        check(b"\0\0\0", None);
        check(b"\x04\0", None);
        check(b"\x04\0\0\x09cam81", None);
        check(b"\x04\0\0\xc0\x0c", None);
    }
}
