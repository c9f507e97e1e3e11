//! How wide text is, and how it is made to fit.

use thingprint_table::escape::visible;

/// Rounding and fonts that are somewhat wider than those that the widths are of.
const MARGIN: f64 = 1.04;
/// What stands for what was left out.
const ELLIPSIS: char = '…';

/// Estimated width of text in pixels at a font size in pixels, by the widths of Helvetica.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size / 1000.0 * MARGIN
}

/// The text, shortened in its middle where it is wider than `limit` pixels: names of hosts tell apart by both ends.
pub(crate) fn shorten(text: &str, size: f64, limit: f64) -> String {
    let text: String = text.chars().map(visible).collect();
    if width(&text, size) <= limit {
        return text;
    }
    let chars: Vec<char> = text.chars().collect();
    let pixels = |c: char| advance(c) * size / 1000.0 * MARGIN;
    let mut rest = limit - pixels(ELLIPSIS);
    let (mut head, mut tail) = (String::new(), Vec::new());
    let (mut front, mut back) = (chars.iter(), chars.iter().rev());
    for turn in 0..chars.len() {
        let Some(c) = (if turn % 2 == 0 { front.next() } else { back.next() }) else { break };
        rest -= pixels(*c);
        if rest < 0.0 {
            break;
        }
        if turn % 2 == 0 { head.push(*c) } else { tail.push(*c) }
    }
    let head = head.trim_end();
    let tail: String = tail.into_iter().rev().collect();
    format!("{head}{ELLIPSIS}{}", tail.trim_start())
}

/// The text in lines of at most `limit` pixels, broken between words; a word that is wider is shortened.
pub(crate) fn wrap(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shorten(word, size, limit);
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= limit => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Width of a character in thousandths of the font size.
fn advance(c: char) -> f64 {
    let thousandths = match c {
        'i' | 'j' | 'l' | '\'' => 222,
        'f' | 't' | 'I' | ' ' | '.' | ',' | ':' | ';' | '!' | '|' | '/' | '\\' | '[' | ']' => 278,
        'r' | '-' | '(' | ')' | '{' | '}' | '"' | '`' => 340,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 500,
        'm' | 'M' => 833,
        'w' | 'A'..='H' | 'K' | 'N' | 'P' | 'R'..='V' | 'X'..='Z' => 722,
        'O' | 'Q' => 778,
        'L' | 'a'..='z' | '0'..='9' | '_' | '$' | '#' | '?' | '*' | '^' => 556,
        '+' | '=' | '<' | '>' | '~' => 584,
        'W' | '%' | '@' | '&' | ELLIPSIS => 1015,
        '\u{1100}'..='\u{1efff}' if !('\u{1e00}'..='\u{2bff}').contains(&c) => 1000,
        '\u{1f000}'.. => 1300,
        _ => 780,
    };
    f64::from(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_keeps_both_ends() {
        let text = "softwareupdates.cdn.vendor.example";
        let short = shorten(text, 10.0, 90.0);
        assert!(width(&short, 10.0) <= 90.0, "{short}");
        assert!(short.starts_with("softw") && short.ends_with("ample"), "{short}");
        assert_eq!(shorten("short", 10.0, 90.0), "short");
        assert_eq!(shorten("long", 10.0, 0.0), "…");
    }

    #[test]
    fn text_is_wrapped_between_words() {
        assert_eq!(wrap("one two three", 10.0, 45.0), ["one two", "three"]);
        assert_eq!(wrap("", 10.0, 40.0), [""; 0]);
    }
}
