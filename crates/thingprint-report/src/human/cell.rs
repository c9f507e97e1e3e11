use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use thingprint_instance::Bag;

use super::layout::Stretch;
use crate::rfc3339;
use crate::table::{Values, View};

const ABSENT: &str = "-";
const ELLIPSIS: char = '…';
/// Digits that a measure is rounded to.
const SIGNIFICANT: i32 = 4;

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
    pub(super) fn of(view: Option<View<'_>>) -> Self {
        match view {
            None => Self::Whole(ABSENT.to_owned()),
            Some(View::Text(text)) => Self::Text(printable(text)),
            Some(View::Unsigned(count)) => Self::Whole(count.to_string()),
            Some(View::Signed(number)) => Self::Whole(number.to_string()),
            Some(View::Real(measure)) => Self::Whole(rounded(*measure)),
            Some(View::Flag(flag)) => Self::Whole(if *flag { "yes" } else { "no" }.to_owned()),
            Some(View::Time(time)) => Self::Whole(rfc3339::format(*time)),
            Some(View::List(texts)) => Self::items(texts.iter().map(|text| printable(text)).collect()),
            Some(View::Bag(bag)) => Self::items(most_frequent_first(bag)),
            Some(View::Json(json)) => Self::Text(printable(json.as_str())),
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
pub(super) fn is_right(values: &Values) -> bool {
    matches!(values, Values::Unsigned(_) | Values::Signed(_) | Values::Real(_))
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

/// Text that cannot steer the terminal: control characters and changes of writing direction are spelled out. Names of
/// hosts and devices come from outside.
fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.chars().any(steers) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| {
            let (kept, spelled) = if steers(c) { (None, Some(c.escape_default())) } else { (Some(c), None) };
            kept.into_iter().chain(spelled.into_iter().flatten())
        })
        .collect()
}

/// A measure rounded to four significant digits; digits before the point always stay.
fn rounded(measure: f64) -> String {
    if measure == 0.0 || !measure.is_finite() {
        return format!("{}", measure + 0.0);
    }
    let scientific = format!("{measure:.*e}", (SIGNIFICANT - 1).unsigned_abs() as usize);
    let exponent = scientific.rsplit_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok());
    match exponent {
        Some(exponent @ -4..15) => {
            let decimals = (SIGNIFICANT - 1 - exponent).max(0).unsigned_abs() as usize;
            without_trailing_zeros(&format!("{measure:.decimals$}")).to_owned()
        }
        _ => scientific,
    }
}

fn without_trailing_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// Words by falling count, equal counts in the order of words.
fn most_frequent_first(bag: &Bag) -> Vec<String> {
    let mut words: Vec<(&String, &u64)> = bag.iter().collect();
    words.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    words
        .into_iter()
        .map(
            |(word, count)| {
                if *count == 1 { printable(word) } else { format!("{} ×{count}", printable(word)) }
            },
        )
        .collect()
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
    fn measures_keep_four_digits_and_no_idle_zeros() {
        let check = |measure: f64, expected: &str| assert_eq!(rounded(measure), expected);
        check(0.0, "0");
        check(-0.0, "0");
        check(1.0, "1");
        check(0.982_34, "0.9823");
        check(12.345_6, "12.35");
        check(999.96, "1000");
        check(123_456.7, "123457");
        check(-3.5, "-3.5");
        check(0.000_123_46, "0.0001235");
        check(0.000_012_345, "1.234e-5");
        check(1e300, "1.000e300");
        check(f64::INFINITY, "inf");
    }

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

    #[test]
    fn what_could_steer_a_terminal_is_spelled_out() {
        assert_eq!(printable("a\x1b[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\nc\\u{202e}d");
        assert_eq!(printable("Küche"), "Küche");
    }
}
