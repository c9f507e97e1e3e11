use std::fmt::Write as _;

/// Appends one byte of a text from outside: printable ASCII as it is, anything else as `\xNN`.
pub(crate) fn push_byte(text: &mut String, byte: u8) {
    if matches!(byte, 0x20..=0x7e) {
        text.push(char::from(byte));
    } else {
        push_escaped(text, byte);
    }
}

/// Appends one byte as `\xNN`.
pub(crate) fn push_escaped(text: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "\\x{byte:02x}");
}

/// A text from outside, printable ASCII as it is, anything else as `\xNN`.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        push_byte(&mut text, byte);
    }
    text
}

/// Bytes as two lower-case hexadecimal digits each.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{escaped, hex};

    #[test]
    fn bytes_are_written_in_two_digits_each() {
        assert_eq!(hex(&[0, 0x0a, 0xff]), "000aff");
    }

    #[test]
    fn only_printable_ascii_stays() {
        assert_eq!(escaped(b"Lamp 1\\~"), "Lamp 1\\~");
        assert_eq!(escaped(b"\x1f\x7f\xc3\xa9\0"), "\\x1f\\x7f\\xc3\\xa9\\x00");
    }
}
