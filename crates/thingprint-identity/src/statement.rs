use std::fmt;

/// Longest value and longest key that are kept, in bytes; names of models and systems are shorter.
const MOST_VALUE_BYTES: usize = 256;
const MOST_KEY_BYTES: usize = 64;

/// What a device said of itself, word for word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// The source, by its name in the registry: `dhcp`, `dns_sd`.
    pub source: &'static str,
    /// What it is about, in the words of the source: `host_name`, `_hap._tcp md`.
    pub key: Box<str>,
    /// What was said: 256 bytes at most, without space around.
    pub value: Box<str>,
}

impl Statement {
    /// A statement; `None` if nothing is said.
    pub(crate) fn new(source: &'static str, key: &str, value: &str) -> Option<Self> {
        let value = readable(cut(value.trim(), MOST_VALUE_BYTES).trim());
        let key = cut(key, MOST_KEY_BYTES);
        (!value.is_empty() && !key.is_empty()).then(|| Self { source, key: key.into(), value: value.into() })
    }

    /// Bytes that it takes, about.
    pub(crate) const fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.key.len() + self.value.len()
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}={}", self.source, self.key, self.value)
    }
}

/// The first bytes of a text, without a part of a character.
fn cut(text: &str, most_bytes: usize) -> &str {
    let end = (0..=most_bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// A text whose bytes outside ASCII are written `\xNN`, with the letters that these bytes are in UTF-8; as it is where they
/// are none, or where one is a control character.
fn readable(text: &str) -> String {
    if !text.contains("\\x") {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, after.get(2..)) {
            (Some(byte), Some(after)) => {
                bytes.push(byte);
                rest = after;
            }
            _ => return text.to_owned(),
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    let letters = String::from_utf8(bytes).ok();
    letters.filter(|text| !text.chars().any(char::is_control)).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Option<String> {
        Statement::new("dhcp", "host_name", text).map(|statement| statement.value.into())
    }

    #[test]
    fn a_value_is_bounded_and_never_empty() {
        assert_eq!(value(" lamp "), Some("lamp".to_owned()));
        assert_eq!((value(""), value("  ")), (None, None));
        assert_eq!(value(&"é".repeat(200)).map(|value| value.len()), Some(256));
    }

    #[test]
    fn letters_come_back_and_control_characters_do_not() {
        assert_eq!(value("K\\xc3\\xbcche"), Some("Küche".to_owned()));
        for text in ["a\\x1b[31m", "a\\xff", "a\\x", "a\\xg0", "a\\x4"] {
            assert_eq!(value(text), Some(text.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_short_statement(key in ".*", text in ".*") {
            if let Some(statement) = Statement::new("dhcp", &key, &text) {
                prop_assert!(statement.key.len() <= MOST_KEY_BYTES && statement.value.len() <= MOST_VALUE_BYTES);
            }
        }
    }
}
