//! Text from outside, made safe for the place where it is shown. Names of hosts and devices, labels and everything else
//! that a capture holds may be chosen by somebody hostile.

/// What stands for a character that must not be written.
pub const REPLACEMENT: char = '\u{fffd}';

/// Whether a character changes how the text around it is shown: control characters, marks that turn the direction of
/// writing, and separators of lines.
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text for a terminal: control characters are written as Rust escapes, so that they cannot move the cursor, set
/// colours or reorder a line.
pub fn terminal(text: &str) -> String {
    if !text.chars().any(is_control) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_control(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    escaped
}

/// Text for elements and attributes of HTML and XML: markup is escaped, and characters are made [`visible`].
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(visible(other)),
        }
    }
    escaped
}

/// The character itself; a space for white space, and U+FFFD for what XML forbids and for other control characters.
pub fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{fffe}' | '\u{ffff}' => REPLACEMENT,
        c if is_control(c) => REPLACEMENT,
        c => c,
    }
}

/// Text for one line of Markdown: it cannot end a cell or begin markup, and runs of white space are one space.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, word) in text.split_whitespace().enumerate() {
        if at > 0 {
            escaped.push(' ');
        }
        for c in word.chars() {
            if matches!(c, '|' | '*' | '_' | '`' | '<' | '[' | ']' | '\\') {
                escaped.push('\\');
            }
            escaped.push(visible(c));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a hostile device may call itself.
    const HOSTILE: &str = "\u{1b}[2J<b>\u{202e}|`x`\n\u{61c}\u{0}&'\"\u{ffff}\u{85}\u{2028}";

    #[test]
    fn a_terminal_shows_hostile_text_as_it_is() {
        assert_eq!(terminal("a\x1b[2Jb\nc\u{202e}d\u{61c}"), "a\\u{1b}[2Jb\\nc\\u{202e}d\\u{61c}");
        assert_eq!(terminal("Küche"), "Küche");
    }

    #[test]
    fn a_page_has_no_markup_and_no_control_characters_of_outside() {
        let check = |text: &str, expected: &str| assert_eq!(html(text), expected, "{text:?}");
        check("a.example", "a.example");
        check("<script>&'\"", "&lt;script&gt;&amp;&#39;&quot;");
        check("a\tb\nc", "a b c");
        check("a\0b\u{1b}\u{7f}\u{85}\u{ffff}", "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
        check("\u{202e}gpj.exe", "\u{fffd}gpj.exe");
    }

    #[test]
    fn markdown_has_no_markup_of_outside() {
        assert_eq!(markdown(" a|b\n*c* [d](e) <f> \u{1b}g"), "a\\|b \\*c\\* \\[d\\](e) \\<f> \u{fffd}g");
    }

    #[test]
    fn no_escape_leaves_a_control_character() {
        for escaped in [terminal(HOSTILE), html(HOSTILE), markdown(HOSTILE)] {
            assert!(!escaped.chars().any(is_control), "{escaped:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_escaped(text: String) {
            prop_assert!(!terminal(&text).chars().any(is_control));
            prop_assert!(!html(&text).contains(['<', '>', '"', '\'']));
            prop_assert!(!markdown(&text).chars().any(is_control));
        }
    }
}
