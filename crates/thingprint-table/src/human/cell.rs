use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::layout::Stretch;
use crate::escape;
use crate::table::{ABSENT, Bag, Column, Type, View};

const ELLIPSIS: char = '…';

/// A value made ready to show.
pub(super) enum Shown {
    /// Kept whole.
    Whole(String),
    /// Wrapped where it is too wide.
    Text(String),
    /// Shortened to the first ones where it is too wide.
    Items(Vec<String>),
}

impl Shown {
    pub(super) fn of(column: &Column, row: usize) -> Self {
        let printable = |texts: Vec<String>| texts.iter().map(|text| escape::terminal(text)).collect();
        match column.values().view(row) {
            None => Self::Whole(ABSENT.to_owned()),
            Some(View::Text(_) | View::Json(_) | View::Prose(_) | View::Badges(_)) => {
                Self::Text(escape::terminal(&column.text(row)))
            }
            Some(View::List(texts)) => Self::items(printable(texts.clone())),
            Some(View::Bag(bag)) => Self::items(printable(most_frequent_first(bag))),
            Some(_) => Self::Whole(column.text(row)),
        }
    }

    fn items(items: Vec<String>) -> Self {
        if items.is_empty() { Self::Whole(ABSENT.to_owned()) } else { Self::Items(items) }
    }

    /// Width on one line.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Whole(text) | Self::Text(text) => width(text),
            Self::Items(items) => items.iter().map(|item| width(item) + 2).sum::<usize>() - 2,
        }
    }

    pub(super) fn stretch(&self) -> Stretch {
        match self {
            Self::Whole(_) => Stretch::Rigid,
            Self::Text(_) => Stretch::Wraps,
            Self::Items(_) => Stretch::Shortens,
        }
    }

    /// The lines that it takes in a column of this width.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        match self {
            Self::Whole(text) => vec![text.clone()],
            Self::Text(text) => wrap(text, width),
            Self::Items(items) => vec![shorten(items, width)],
        }
    }
}

/// Whether a column of these values stands to the right.
pub(super) fn is_right(r#type: Type) -> bool {
    matches!(r#type, Type::Unsigned | Type::Signed | Type::Real)
}

/// Columns that a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text with spaces to a width.
pub(super) fn pad(text: &str, to: usize, right: bool) -> String {
    let spaces = " ".repeat(to.saturating_sub(width(text)));
    if right { spaces + text } else { text.to_owned() + &spaces }
}

/// A header in lines of a width, broken after `_` and at spaces.
pub(super) fn wrap_header(name: &str, to: usize) -> Vec<String> {
    fill(header_words(name), to, "")
}

/// Width of the widest piece of a header that is not broken.
pub(super) fn widest_header_word(name: &str) -> usize {
    header_words(name).map(|word| width(word.trim_end())).max().unwrap_or(0)
}

fn header_words(name: &str) -> impl Iterator<Item = &str> {
    name.split_inclusive(['_', ' '])
}

/// Words by falling count, equal counts in the order of words.
pub(crate) fn most_frequent_first(bag: &Bag) -> Vec<String> {
    let mut words: Vec<(&String, &u64)> = bag.iter().collect();
    words.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown = |(word, count): (&String, &u64)| match count {
        1 => word.clone(),
        count => format!("{word} ×{count}"),
    };
    words.into_iter().map(shown).collect()
}

/// As many of the first items as fit, then how many were left out; the first one is there at least in part.
fn shorten(items: &[String], to: usize) -> String {
    let whole = items.join(", ");
    if width(&whole) <= to {
        return whole;
    }
    let mut fitting = None;
    let mut shown = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            shown.push_str(", ");
        }
        shown.push_str(item);
        if width(&shown) > to {
            break;
        }
        let line = format!("{shown} {ELLIPSIS} +{}", items.len() - index - 1);
        if index + 1 < items.len() && width(&line) <= to {
            fitting = Some(line);
        }
    }
    fitting.unwrap_or_else(|| first_cut(items, to))
}

/// The beginning of the first item, then how many others there are.
fn first_cut(items: &[String], to: usize) -> String {
    let rest = match items.len().saturating_sub(1) {
        0 => ELLIPSIS.to_string(),
        others => format!("{ELLIPSIS} +{others}"),
    };
    let first = items.first().map_or("", String::as_str);
    let (head, _) = split_at_width(first, to.saturating_sub(width(&rest)));
    head.to_owned() + &rest
}

/// Lines of at most a width, broken at spaces, and inside a word that is wider than a line.
fn wrap(text: &str, to: usize) -> Vec<String> {
    if width(text) <= to {
        return vec![text.to_owned()];
    }
    let mut words = Vec::new();
    for mut word in text.split(' ') {
        while width(word) > to {
            let (head, tail) = split_at_width(word, to);
            words.push(head);
            word = tail;
        }
        if !word.is_empty() {
            words.push(word);
        }
    }
    fill(words.into_iter(), to, " ")
}

/// Puts words into lines as long as they fit.
fn fill<'a>(words: impl Iterator<Item = &'a str>, to: usize, between: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if width(line) + between.len() + width(word.trim_end()) <= to => {
                line.push_str(between);
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// Splits so that the first part is as wide as possible within a width, and has at least one character.
fn split_at_width(text: &str, to: usize) -> (&str, &str) {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > to && index > 0 {
            return text.split_at(index);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bag_is_shortened_to_its_most_frequent_words() {
        let bag: Bag = [("443", 12), ("53", 40), ("8777", 1), ("123", 12)]
            .map(|(word, count)| (word.to_owned(), count))
            .into();
        let items = most_frequent_first(&bag);
        let check = |to, expected: &str| assert_eq!(shorten(&items, to), expected);
        check(80, "53 ×40, 123 ×12, 443 ×12, 8777");
        check(30, "53 ×40, 123 ×12, 443 ×12, 8777");
        check(29, "53 ×40, 123 ×12, 443 ×12 … +1");
        check(28, "53 ×40, 123 ×12 … +2");
        check(11, "53 ×40 … +3");
        check(10, "53 ×40… +3");
        check(8, "53 ×… +3");
    }

    #[test]
    fn a_text_is_wrapped_at_spaces_and_inside_long_words() {
        let check = |text, to, expected: &[&str]| assert_eq!(wrap(text, to), expected);
        check("Ring Doorbell", 20, &["Ring Doorbell"]);
        check("Ring Doorbell", 8, &["Ring", "Doorbell"]);
        check("abcdefghij k", 4, &["abcd", "efgh", "ij k"]);
        check("日本語", 4, &["日本", "語"]);
        check("日本", 1, &["日", "本"]);
    }

    #[test]
    fn headers_break_after_underscores() {
        assert_eq!(wrap_header("flow_volume_bytes", 7), ["flow_", "volume_", "bytes"]);
        assert_eq!(wrap_header("flow_volume_bytes", 12), ["flow_volume_", "bytes"]);
        assert_eq!(widest_header_word("flow_volume_bytes"), 7);
    }
}
