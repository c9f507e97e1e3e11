/// Digits of the largest number.
const MOST_DIGITS: usize = 20;

/// Appends a number, for words that are spelled by the thousand.
pub(super) fn push_decimal(text: &mut String, number: u64) {
    let mut digits = [b'0'; MOST_DIGITS];
    let (mut rest, mut length) = (number, 0);
    for digit in digits.iter_mut().rev() {
        // A digit is below ten.
        *digit += (rest % 10) as u8;
        (rest, length) = (rest / 10, length + 1);
        if rest == 0 {
            break;
        }
    }
    let shown = digits.get(MOST_DIGITS - length..).unwrap_or_default();
    text.push_str(std::str::from_utf8(shown).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::push_decimal;

    #[test]
    fn numbers_are_as_the_standard_library_writes_them() {
        for number in [0, 9, 10, 32_768, 1_234_567_890, u64::MAX] {
            let mut text = String::from("u");
            push_decimal(&mut text, number);
            assert_eq!(text, format!("u{number}"));
        }
    }
}
