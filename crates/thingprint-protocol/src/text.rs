/// Room for a code and a sign in a list of codes.
const USUAL_CODE_BYTES: usize = 5;

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

/// Appends a code in lower-case hexadecimal digits: so many, or as many as it takes.
pub(crate) fn push_code(text: &mut String, code: u32, digits: u32) {
    let needed = (u32::BITS - code.leading_zeros()).div_ceil(4);
    for place in (0..needed.max(digits)).rev() {
        let digit = code.checked_shr(4 * place).unwrap_or(0) & 0x0f;
        text.push(char::from_digit(digit, 16).unwrap_or_default());
    }
}

/// Numbers, each as `push` appends it, with a sign between them.
pub(crate) fn listed<T: Copy>(numbers: &[T], sign: char, push: impl Fn(&mut String, T)) -> String {
    let mut text = String::with_capacity(USUAL_CODE_BYTES * numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        if at > 0 {
            text.push(sign);
        }
        push(&mut text, *number);
    }
    text
}

/// Numbers in decimal digits, with a sign between them.
pub(crate) fn decimals<T: Copy + Into<u32>>(numbers: &[T], sign: char) -> String {
    listed(numbers, sign, |text, number| push_decimal(text, number.into()))
}

fn push_decimal(text: &mut String, number: u32) {
    if number >= 10 {
        push_decimal(text, number / 10);
    }
    text.push(char::from_digit(number % 10, 10).unwrap_or_default());
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
    use super::{decimals, escaped, hex, listed, push_code};

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        let numbers = [0_u16, 9, 10, 99, 100, 0x0fff, 0xa00f, u16::MAX];
        let codes = numbers.map(u32::from).into_iter().chain([0x01_0080, u32::MAX]);
        let codes: Vec<u32> = codes.collect();
        for digits in [1, 4, 6, 8] {
            let expected = codes.iter().map(|code| format!("{code:0width$x}", width = digits as usize));
            let listed = listed(&codes, ',', |text, code| push_code(text, code, digits));
            assert_eq!(listed, expected.collect::<Vec<_>>().join(","));
        }
        let expected: Vec<String> = numbers.iter().map(u16::to_string).collect();
        assert_eq!(decimals(&numbers, '-'), expected.join("-"));
        assert_eq!(
            (decimals(&[u32::MAX], '-'), decimals::<u8>(&[], '-')),
            (u32::MAX.to_string(), String::new())
        );
    }

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
