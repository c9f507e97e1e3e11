//! Text from outside, made safe for the place where it is shown. Names of hosts and devices, labels and everything else
//! that a capture holds may be chosen by somebody hostile.

use std::fmt::{self, Display, Write};

/// What stands for a character that must not be written.
pub const REPLACEMENT: char = '\u{fffd}';

/// Whether a character acts on the text around it, or is there without being seen: control characters, marks that turn the
/// direction of writing, separators of lines, and characters without a shape (the general category Cf and what Unicode calls
/// default ignorable, except the marks that choose between the two shapes of an emoji).
pub const fn is_control(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\0'..='\u{9f}' => true,
        _ => is_invisible(c),
    }
}

/// Unicode 16: general category Cf, Zl and Zp; `Default_Ignorable_Code_Point`; the fillers and the blank that look like
/// spaces and are letters.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Anything from outside, as a terminal may show it: `Display` escapes what [`terminal`] escapes.
///
/// ```
/// use thingprint_table::escape::Foreign;
///
/// assert_eq!(format!("failed to read {}", Foreign("a\x1b[2J")), "failed to read a\\u{1b}[2J");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Foreign<T>(pub T);

impl<T: Display> Display for Foreign<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// Escapes what is written through it.
struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_control(*c)) {
            let (before, from) = rest.split_at(at);
            write!(self.0, "{before}{}", c.escape_default())?;
            rest = from.get(c.len_utf8()..).unwrap_or_default();
        }
        self.0.write_str(rest)
    }
}

/// Text for a terminal: control characters are written as Rust escapes, so that they cannot move the cursor, set
/// colours or reorder a line.
pub fn terminal(text: &str) -> String {
    if !text.chars().any(is_control) {
        return text.to_owned();
    }
    Foreign(text).to_string()
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
        assert_eq!(terminal("ab\u{200b}c\u{feff}\u{e0041}\u{ad}"), "ab\\u{200b}c\\u{feff}\\u{e0041}\\u{ad}");
        assert_eq!(terminal("\u{2764}\u{fe0f} 日本語 é"), "\u{2764}\u{fe0f} 日本語 é");
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
            prop_assert_eq!(Foreign(&text).to_string(), terminal(&text));
            prop_assert!(text.chars().all(|c| is_control(c) || !c.is_control()));
            prop_assert!(!html(&text).contains(['<', '>', '"', '\'']));
            prop_assert!(!markdown(&text).chars().any(is_control));
        }
    }
}
