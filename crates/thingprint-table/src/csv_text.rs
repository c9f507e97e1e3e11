//! Texts in cells of CSV. A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, which may send the
//! sheet away or start a program, and shows control characters or leaves them out. So a text from a network is written with
//! `'` before such a sign, and with `\u{1b}` for a character that is not seen. Both come back when the cell is read.

use std::borrow::Cow;

use crate::escape;

/// What a spreadsheet shows as text.
const TEXT_MARK: char = '\'';
/// Begins the name of a character.
const NAMED: &str = "\\u{";
/// Digits of the longest number of a character.
const NUMBER_DIGITS: usize = 6;

/// A text as a cell: neutral, and in quotes where it needs them.
///
/// ```
/// use thingprint_table::csv_text;
///
/// assert_eq!(csv_text::cell("=1+1,2"), "\"'=1+1,2\"");
/// assert_eq!(csv_text::read("'=1+1,2"), "=1+1,2");
/// ```
pub fn cell(text: &str) -> String {
    quoted(&neutral(text))
}

/// A text as it is, in quotes where it needs them (RFC 4180, section 2).
pub fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A text without a formula at its start and without characters that are not seen.
pub fn neutral(text: &str) -> Cow<'_, str> {
    let named = named(text);
    if is_formula(&named) { Cow::Owned(format!("{TEXT_MARK}{named}")) } else { named }
}

/// The text of a cell that [`neutral`] made; any other text as it is.
pub fn read(cell: &str) -> Cow<'_, str> {
    let text = cell.strip_prefix(TEXT_MARK).filter(|text| is_formula(text)).unwrap_or(cell);
    unnamed(text)
}

/// Whether a spreadsheet would compute the text, were it not for the marks before it. A number is computed to itself, and a
/// sign alone to nothing.
fn is_formula(text: &str) -> bool {
    let bare = text.trim_start_matches(TEXT_MARK);
    let formula = bare.strip_prefix(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    formula.is_some_and(|formula| !formula.is_empty()) && bare.parse::<f64>().is_err()
}

/// The text with names for characters that are not seen, and for a backslash that a name could begin with.
fn named(text: &str) -> Cow<'_, str> {
    if !text.contains(escape::is_control) && !text.contains(NAMED) {
        return Cow::Borrowed(text);
    }
    let mut named = String::with_capacity(text.len() + NUMBER_DIGITS);
    for (at, c) in text.char_indices() {
        let is_name = c == '\\' && text.get(at..).is_some_and(|rest| rest.starts_with(NAMED));
        if is_name || escape::is_control(c) { named.extend(c.escape_unicode()) } else { named.push(c) }
    }
    Cow::Owned(named)
}

/// The text with the characters that names stand for.
fn unnamed(text: &str) -> Cow<'_, str> {
    if !text.contains(NAMED) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(NAMED) {
        plain.push_str(before);
        if let Some((c, behind)) = character(after) {
            plain.push(c);
            rest = behind;
        } else {
            plain.push_str(NAMED);
            rest = after;
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The character that a text begins with the number of, and what follows it.
fn character(text: &str) -> Option<(char, &str)> {
    let (digits, behind) = text.split_once('}')?;
    let is_number =
        (1..=NUMBER_DIGITS).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_number)?;
    Some((char::from_u32(number)?, behind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_and_what_is_not_seen_are_neutral() {
        let check = |text: &str, expected: &str| {
            assert_eq!(neutral(text), expected, "{text:?}");
            assert_eq!(read(expected), text, "{expected:?}");
        };
        check("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
        check("@SUM(1)", "'@SUM(1)");
        check("-2+3", "'-2+3");
        check("+4915112345", "+4915112345");
        check("-0.5", "-0.5");
        check("\t=1", "\\u{9}=1");
        check("\r=1", "\\u{d}=1");
        check("'=1", "''=1");
        check("'twas", "'twas");
        check("-", "-");
        check("a=b", "a=b");
        check("＝1+x", "'＝1+x");
        check("a\u{1b}[2Jb\u{202e}", "a\\u{1b}[2Jb\\u{202e}");
        check("C:\\users\\u{41}", "C:\\users\\u{5c}u{41}");
        check("C:\\users", "C:\\users");
        check("\\u{", "\\u{5c}u{");
    }

    #[test]
    fn what_is_no_name_stays() {
        for text in ["\\u{", "\\u{}", "\\u{110000}", "\\u{d800}", "\\u{+41}", "\\u{0000041}", "\\u{41", "'a"]
        {
            assert_eq!(read(text), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "['=+@\\\\u{}0-9a-f\t\r\n,\"\u{1b}\u{202e}x-]{0,12}", other: String) {
            for text in [text, other] {
                let cell = neutral(&text);
                prop_assert!(!cell.chars().any(escape::is_control), "{cell:?}");
                prop_assert!(cell.len() < 2 || !cell.starts_with(['=', '@']), "{cell:?}");
                prop_assert_eq!(read(&cell), text.as_str());
            }
        }
    }
}
