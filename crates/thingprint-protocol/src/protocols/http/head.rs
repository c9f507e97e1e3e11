use std::borrow::Cow;

use crate::HttpVersion;
use crate::text::{escaped, push_byte};

/// Longest method that is tried; the longest registered one (IANA "HTTP Methods") has 17 letters.
const MOST_METHOD_BYTES: usize = 24;
/// RFC 9112 §2.2: some clients send an empty line after a body, before the next request.
const MOST_LEADING_BYTES: usize = 4;
/// Longest list of header names that is kept.
const MOST_ORDER_BYTES: usize = 512;
const ICY: &[u8] = b"ICY ";
const HTTP: &[u8] = b"HTTP/";
const HTTP_0_9: HttpVersion = HttpVersion { major: 0, minor: 9 };

/// The parts of a head, in place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outline<'a> {
    /// All of it.
    Whole {
        /// The first line.
        start: StartLine<'a>,
        /// The lines after it.
        headers: Headers<'a>,
        /// Length, the empty line at the end included.
        length: usize,
    },
    /// Its beginning.
    Begun {
        /// The first line, once it is complete.
        start: Option<StartLine<'a>>,
        /// The lines after it that are there.
        headers: Headers<'a>,
    },
    /// No head begins here.
    Other,
}

/// The first line of a head.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartLine<'a> {
    /// `METHOD target HTTP/d.d`
    Request { method: &'a [u8], target: &'a [u8], version: HttpVersion },
    /// `HTTP/d.d ddd phrase`; `ICY` has no version.
    Response { version: Option<HttpVersion>, status: u16, phrase: &'a [u8] },
}

/// The header lines of a head.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Headers<'a>(&'a [u8]);

/// Finds the parts of the head at the start of `bytes`.
pub(crate) fn outline(bytes: &[u8]) -> Outline<'_> {
    let blank =
        bytes.iter().take(MOST_LEADING_BYTES).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let Some((line, block)) = bytes.get(blank..).and_then(split_line) else {
        let is_possible = may_become_start(bytes.get(blank..).unwrap_or_default());
        return if is_possible { begun(None, &[]) } else { Outline::Other };
    };
    let Some(start) = start_line(line) else { return Outline::Other };
    if matches!(start, StartLine::Request { version: HTTP_0_9, .. }) {
        return Outline::Whole { start, headers: Headers::default(), length: bytes.len() - block.len() };
    }
    let mut rest = block;
    while let Some((line, after)) = split_line(rest) {
        if line.is_empty() {
            let headers = Headers(block.get(..block.len() - rest.len()).unwrap_or_default());
            return Outline::Whole { start, headers, length: bytes.len() - after.len() };
        }
        rest = after;
    }
    begun(Some(start), block)
}

const fn begun<'a>(start: Option<StartLine<'a>>, block: &'a [u8]) -> Outline<'a> {
    Outline::Begun { start, headers: Headers(block) }
}

impl<'a> Headers<'a> {
    /// The value of the first header of this name, which is in lower case, as a text.
    pub(crate) fn text(self, name: &str) -> Option<String> {
        let [text] = self.texts([name]);
        text
    }

    /// The values of the first header of each of these names, which are in lower case, as texts.
    pub(crate) fn texts<const N: usize>(self, names: [&str; N]) -> [Option<String>; N] {
        let mut texts = [const { None }; N];
        for (found, value) in self.fields() {
            let mut places = names.iter().zip(&mut texts);
            if let Some((_, text)) = places.find(|(name, _)| found.eq_ignore_ascii_case(name.as_bytes())) {
                text.get_or_insert_with(|| escaped(&value));
            }
        }
        texts
    }

    /// The values of all headers of each of these names, which are in lower case, as sent: those of the first name first.
    pub(crate) fn values<const N: usize>(self, names: [&str; N]) -> impl Iterator<Item = Cow<'a, [u8]>> {
        let mut values = [const { Vec::new() }; N];
        for (found, value) in self.fields() {
            let mut places = names.iter().zip(&mut values);
            if let Some((_, values)) = places.find(|(name, _)| found.eq_ignore_ascii_case(name.as_bytes())) {
                values.push(value);
            }
        }
        values.into_iter().flatten()
    }

    /// The names in order, in lower case, joined by commas; as many as [`MOST_ORDER_BYTES`] hold.
    pub(crate) fn order(self) -> Option<String> {
        let mut order = String::new();
        let mut rest = self.0;
        while let Some(line) = next_line(&mut rest) {
            let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
            let Some(colon) = line.iter().position(|byte| *byte == b':').filter(|_| !is_folded) else {
                continue;
            };
            let name = line.get(..colon).unwrap_or_default().trim_ascii();
            if order.len() + name.len() >= MOST_ORDER_BYTES {
                break;
            }
            if !order.is_empty() {
                order.push(',');
            }
            for byte in name {
                push_byte(&mut order, byte.to_ascii_lowercase());
            }
        }
        (!order.is_empty()).then_some(order)
    }

    /// Names and values; a folded value (RFC 9112 §5.2) is joined with single blanks, a line without a colon left out.
    fn fields(self) -> impl Iterator<Item = (&'a [u8], Cow<'a, [u8]>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                let line = next_line(&mut rest)?;
                let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
                let (name, value) = line.split_at_checked(colon)?;
                let value = value.split_first().map(|(_, value)| value.trim_ascii());
                let mut value = value.map(Cow::Borrowed);
                while rest.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
                    let folded = next_line(&mut rest)?.trim_ascii();
                    if let Some(value) = &mut value {
                        let joined = value.to_mut();
                        joined.push(b' ');
                        joined.extend_from_slice(folded);
                    }
                }
                if let Some(Cow::Owned(joined)) = &mut value {
                    joined.truncate(joined.trim_ascii_end().len());
                }
                if let Some(value) = value {
                    return Some((name.trim_ascii(), value));
                }
            }
        })
    }
}

/// The next line, also a last one that is not ended.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if rest.is_empty() {
        return None;
    }
    let (line, after) = split_line(rest).unwrap_or((rest, &[]));
    *rest = after;
    Some(line)
}

/// The first line without its end, and what follows it; a line feed ends a line, with or without a carriage return.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (line, after) = bytes.split_at_checked(end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), after.get(1..)?))
}

fn start_line(line: &[u8]) -> Option<StartLine<'_>> {
    if let Some(rest) = strip_prefix_ignoring_case(line, HTTP) {
        let (version, rest) = version(rest)?;
        return status_line(Some(version), rest);
    }
    match line.strip_prefix(ICY) {
        Some(_) => status_line(None, line.get(ICY.len() - 1..)?),
        None => request_line(line),
    }
}

/// What follows the version: ` ddd phrase`.
fn status_line(version: Option<HttpVersion>, rest: &[u8]) -> Option<StartLine<'_>> {
    let after = without_blanks(rest);
    let (&[first, second, third], phrase) = after.split_first_chunk()?;
    let is_separate = after.len() < rest.len() && phrase.first().is_none_or(u8::is_ascii_whitespace);
    if !is_separate || !is_status(after) {
        return None;
    }
    let digits = [first, second, third].map(|digit| u16::from(digit - b'0'));
    let status = digits.into_iter().fold(0, |status, digit| 10 * status + digit);
    Some(StartLine::Response { version, status, phrase: phrase.trim_ascii() })
}

/// Whether three digits of a status code stand here, or as many as there are bytes.
fn is_status(bytes: &[u8]) -> bool {
    let may_be_first = bytes.first().is_none_or(|first| *first != b'0');
    may_be_first && bytes.iter().take(3).all(u8::is_ascii_digit)
}

fn without_blanks(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    bytes.get(blanks..).unwrap_or_default()
}

fn request_line(line: &[u8]) -> Option<StartLine<'_>> {
    let line = line.trim_ascii_end();
    let method_bytes = line.iter().position(|&byte| byte == b' ')?;
    let (method, rest) = line.split_at_checked(method_bytes)?;
    let rest = without_blanks(rest);
    if !is_method(method) || rest.iter().any(|byte| is_control(*byte)) {
        return None;
    }
    let last = rest.iter().rposition(|&byte| byte == b' ').map_or(0, |blank| blank + 1);
    let (target, word) = rest.split_at_checked(last)?;
    let target = target.trim_ascii_end();
    if let Some((version, [])) = strip_prefix_ignoring_case(word, HTTP).and_then(version) {
        return (!target.is_empty()).then_some(StartLine::Request { method, target, version });
    }
    let is_oldest = method == b"GET" && target.is_empty() && word.first() == Some(&b'/');
    is_oldest.then_some(StartLine::Request { method, target: word, version: HTTP_0_9 })
}

/// `d.d` or `d`, and what follows.
fn version(text: &[u8]) -> Option<(HttpVersion, &[u8])> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
    match text {
        [major, b'.', minor, rest @ ..] => {
            Some((HttpVersion { major: digit(*major)?, minor: digit(*minor)? }, rest))
        }
        [major, rest @ ..] => Some((HttpVersion { major: digit(*major)?, minor: 0 }, rest)),
        [] => None,
    }
}

/// Whether a line that is not complete yet may become a first line: whatever [`start_line`] takes, this takes cut
/// anywhere.
fn may_become_start(bytes: &[u8]) -> bool {
    if bytes.len() < HTTP.len()
        && HTTP.get(..bytes.len()).is_some_and(|http| http.eq_ignore_ascii_case(bytes))
    {
        return true;
    }
    if let Some(rest) = strip_prefix_ignoring_case(bytes, HTTP) {
        return match rest {
            [] => true,
            [major] | [major, b'.'] => major.is_ascii_digit(),
            _ => version(rest).is_some_and(|(_, rest)| may_become_status(rest)),
        };
    }
    if ICY.starts_with(bytes) || bytes.starts_with(ICY) {
        return may_become_status(bytes.get(ICY.len() - 1..).unwrap_or_default());
    }
    let mut words = bytes.splitn(2, |&byte| byte == b' ');
    let is_method_possible = words.next().is_some_and(is_method);
    let rest = words.next().unwrap_or_default().trim_ascii_end();
    is_method_possible && !rest.iter().any(|byte| is_control(*byte))
}

/// Whether what follows the version may become ` ddd phrase`.
fn may_become_status(rest: &[u8]) -> bool {
    let after = without_blanks(rest);
    let is_separate = rest.is_empty() || after.len() < rest.len();
    is_separate && is_status(after) && after.get(3).is_none_or(u8::is_ascii_whitespace)
}

/// Methods are tokens (RFC 9110 §9.1); all that are in use begin with a letter and have no other marks than these.
fn is_method(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_alphabetic)
        && word.len() <= MOST_METHOD_BYTES
        && word.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

const fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

fn strip_prefix_ignoring_case<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
