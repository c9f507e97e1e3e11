//! How wide text is, and how it is made to fit.

use thingprint_table::escape::visible;

/// Rounding of glyphs to pixels.
const MARGIN: f64 = 1.02;
/// What stands for what was left out.
const ELLIPSIS: char = '…';

/// Greatest width of text in pixels at a font size in pixels: by Helvetica and by `DejaVu Sans`, the widest of the fonts that
/// browsers take for `sans-serif`. Room for less cuts labels off where the figure ends.
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
        'i' | 'j' | 'l' | '\'' => 278,
        'I' | ' ' | '.' | ',' => 318,
        ':' | ';' | '|' | '/' | '\\' | 'f' => 352,
        't' | '[' | ']' | '(' | ')' | '!' | '-' | 'J' => 410,
        'r' | '"' => 460,
        's' | 'z' | 'c' | '_' | '*' | '`' => 556,
        'k' | 'v' | 'x' | 'y' => 592,
        'L' | '?' => 560,
        'T' | 'F' | 'P' => 667,
        'a'..='e' | 'g' | 'h' | 'n'..='q' | 'u' | '0'..='9' | '$' | '{' | '}' => 636,
        'A' | 'B' | 'E' | 'K' | 'S' | 'V' | 'X'..='Z' => 722,
        'C' | 'D' | 'G' | 'H' | 'N' | 'O' | 'Q' | 'R' | 'U' | '&' => 787,
        'w' | '+' | '=' | '<' | '>' | '~' | '#' | '^' => 838,
        'm' | 'M' | 'W' | '%' | '@' | ELLIPSIS => 1015,
        '\u{1100}'..='\u{1efff}' if !('\u{1e00}'..='\u{2bff}').contains(&c) => 1000,
        '\u{1f000}'.. => 1300,
        _ => 800,
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
    fn no_common_font_is_wider() {
        // By the widths of glyphs in DejaVu Sans 2.37, at 12 pixels.
        for (text, pixels) in
            [("stack: syn:64:-:-:1452:1452:-:2", 185.94), ("network: arp:2:unicast", 135.68)]
        {
            assert!(width(text, 12.0) >= pixels, "{text}: {}", width(text, 12.0));
        }
    }

    #[test]
    fn text_is_wrapped_between_words() {
        assert_eq!(wrap("one two three", 10.0, 45.0), ["one two", "three"]);
        assert_eq!(wrap("", 10.0, 40.0), [""; 0]);
    }
}
