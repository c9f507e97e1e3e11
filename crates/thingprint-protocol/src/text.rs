/// Appends one byte of a text from outside: printable ASCII as it is, anything else as `\xNN`.
pub(crate) fn push_byte(text: &mut String, byte: u8) {
    if is_printable(byte) {
        text.push(char::from(byte));
    } else {
        push_escaped(text, byte);
    }
}

/// Appends one byte as `\xNN`.
pub(crate) fn push_escaped(text: &mut String, byte: u8) {
    text.push_str("\\x");
    push_hex(text, byte);
}

/// A text from outside, printable ASCII as it is, anything else as `\xNN`.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    // Nearly all texts are printable.
    if bytes.iter().all(|byte| is_printable(*byte)) {
        return std::str::from_utf8(bytes).unwrap_or_default().to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for run in bytes.chunk_by(|one, other| is_printable(*one) && is_printable(*other)) {
        match std::str::from_utf8(run) {
            Ok(plain) if run.len() > 1 => text.push_str(plain),
            _ => run.iter().for_each(|&byte| push_byte(&mut text, byte)),
        }
    }
    text
}

/// Bytes as two lower-case hexadecimal digits each.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for &byte in bytes {
        push_hex(&mut text, byte);
    }
    text
}

fn push_hex(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 0x0f] {
        text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
    }
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e)
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
