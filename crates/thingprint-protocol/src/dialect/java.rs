//! Regular expressions of Java as ours, which know no look-around.
//!
//! A look-behind at the start and a look-ahead at the end, which is where the published models have them, become plain
//! parts around a group: `(?<=X)Y(?=Z)` finds in the same place what the group of `X(Y)Z` finds there.
use crate::{Span, SyntaxError};

/// The group that stands for all that an expression with look-around matches.
const WHOLE: &str = "whole";

/// In Java, `.` does not match a carriage return either.
const LINES: &str = "(?R)";

/// An expression without look-around.
pub(super) fn regex(java: &str) -> String {
    format!("{LINES}{java}")
}

/// An expression for a group of a Java expression, and that group's name.
pub(super) fn capture(java: &str, group: u32) -> Result<(String, Option<String>), SyntaxError> {
    let parts = Parts::split(java)?;
    if parts.before.is_none() && parts.after.is_none() {
        return Ok((regex(java), (group > 0).then(|| group.to_string())));
    }
    let plain = |part: Option<&str>| part.map_or_else(String::new, |part| format!("(?:{part})"));
    let (before, after) = (plain(parts.before), plain(parts.after));
    Ok(if group == 0 {
        (format!("{LINES}{before}(?<{WHOLE}>{}){after}", parts.middle), Some(WHOLE.to_owned()))
    } else {
        (format!("{LINES}{before}{}{after}", parts.middle), Some(group.to_string()))
    })
}

/// An expression taken apart.
struct Parts<'a> {
    /// What a look-behind at the start wants.
    before: Option<&'a str>,
    middle: &'a str,
    /// What a look-ahead at the end wants.
    after: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(java: &'a str) -> Result<Self, SyntaxError> {
        let groups = look_arounds(java)?;
        let (mut before, mut after) = (None, None);
        let mut middle = 0..java.len();
        for LookAround { span, inner_start, is_behind } in groups {
            let inner = java.get(inner_start..span.end - 1);
            if is_behind && span.start == 0 {
                before = inner;
                middle.start = span.end;
            } else if !is_behind && span.end == java.len() {
                after = inner;
                middle.end = span.start;
            } else {
                let reason =
                    "a look-behind is read at the start of an expression only, a look-ahead at its end";
                return Err(SyntaxError::new(span, reason));
            }
        }
        Ok(Self { before, middle: java.get(middle).unwrap_or_default(), after })
    }
}

struct LookAround {
    span: Span,
    inner_start: usize,
    is_behind: bool,
}

/// The positive look-arounds that are in no other one; a negative one is an error.
fn look_arounds(java: &str) -> Result<Vec<LookAround>, SyntaxError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = java.get(at..).filter(|rest| !rest.is_empty()) {
        let opening = ["(?<=", "(?="].into_iter().find(|opening| rest.starts_with(opening));
        if let Some(negative) = ["(?<!", "(?!", "(?>"].into_iter().find(|opening| rest.starts_with(opening)) {
            return Err(SyntaxError::new(
                Span::new(at, at + negative.len()),
                "no plain expression says this",
            ));
        }
        let Some(opening) = opening else {
            at += unit(rest);
            continue;
        };
        let Some(length) = group_length(rest) else {
            return Err(SyntaxError::new(Span::new(at, at + opening.len()), "`(` without its `)`"));
        };
        found.push(LookAround {
            span: Span::new(at, at + length),
            inner_start: at + opening.len(),
            is_behind: opening == "(?<=",
        });
        at += length;
    }
    Ok(found)
}

/// Length of the group that the text begins with.
fn group_length(text: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        match rest.chars().next() {
            Some('(') => depth += 1,
            Some(')') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += unit(rest);
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Length of an escape, a class, or a single sign at the start of a text.
fn unit(text: &str) -> usize {
    let mut signs = text.char_indices();
    match signs.next() {
        Some((_, '\\')) => signs.next().map_or(1, |(at, escaped)| at + escaped.len_utf8()),
        Some((_, '[')) => class_length(text),
        Some((_, sign)) => sign.len_utf8(),
        None => 0,
    }
}

/// Length of a class, up to the first `]` that is neither escaped nor its first member.
fn class_length(text: &str) -> usize {
    let mut at = if text.starts_with("[^") { 2 } else { 1 };
    let first = at;
    while let Some(sign) = text.get(at..).and_then(|rest| rest.chars().next()) {
        at += match sign {
            '\\' => 1 + text.get(at + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8),
            ']' if at > first => return at + 1,
            _ => sign.len_utf8(),
        };
    }
    text.len()
}
