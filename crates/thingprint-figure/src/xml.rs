//! Text that is safe inside elements and attributes of XML and HTML alike.

/// What stands for a character that must not be written.
const REPLACEMENT: char = '\u{fffd}';

/// The text with markup escaped. Controls, which XML forbids, and marks that turn the direction of reading, with
/// which a name on the network could make a label say something else, become U+FFFD; white space becomes a space.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(clean(other)),
        }
    }
    escaped
}

/// The character itself, or what is written in its place.
pub(crate) fn clean(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{fffe}' | '\u{ffff}' => REPLACEMENT,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            REPLACEMENT
        }
        c if c.is_control() => REPLACEMENT,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_controls_and_direction_are_escaped() {
        let check = |text: &str, expected: &str| assert_eq!(escape(text), expected, "{text:?}");
        check("a.example", "a.example");
        check("<script>&'\"", "&lt;script&gt;&amp;&#39;&quot;");
        check("a\tb\nc", "a b c");
        check("a\0b\u{1b}\u{7f}\u{85}\u{ffff}", "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
        check("\u{202e}gpj.exe", "\u{fffd}gpj.exe");
    }
}
