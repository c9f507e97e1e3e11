/// Characters that a text from outside takes in a message; names of files and lines of tcpdump are shorter.
const MOST_CHARS: usize = 500;

/// A text from outside as a message shows it: without control characters, and not long.
pub(crate) fn printable(text: &str) -> String {
    let mut shown: String =
        text.chars().take(MOST_CHARS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MOST_CHARS).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_length_are_held_back() {
        assert_eq!(printable("a\x1b[31m\nb"), "a\u{fffd}[31m\u{fffd}b");
        assert_eq!(printable(&"x".repeat(501)), format!("{}...", "x".repeat(500)));
        assert_eq!(printable(&"x".repeat(500)), "x".repeat(500));
    }
}
