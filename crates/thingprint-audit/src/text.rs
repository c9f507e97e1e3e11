//! Texts from outside, kept short.

/// The longest text of a finding, in characters.
const MOST_CHARS: usize = 120;

/// The text, cut where it is too long.
pub(crate) fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{MOST_CHARS, bounded};

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(bounded("ssdp:alive".to_owned()), "ssdp:alive");
        let long = bounded("ä".repeat(MOST_CHARS + 1));
        assert_eq!((long.chars().count(), long.ends_with("ä…")), (MOST_CHARS + 1, true));
        assert_eq!(bounded("ä".repeat(MOST_CHARS)).chars().count(), MOST_CHARS);
    }
}
