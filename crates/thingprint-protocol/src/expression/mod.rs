//! Boolean expressions over words: `hello and not (retry or alert)`, or `hello & !(retry | alert)`.
//!
//! `not` binds tighter than `and`, which binds tighter than `or`. A word is made of ASCII letters, digits, `-` and
//! `_`; the three operators are no words, however they are written.
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::{Span, SyntaxError};

/// A Boolean expression over `T`; one that was just parsed is over [`Word`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression<T = Word> {
    /// What the expression is about.
    Is(T),
    /// Not this.
    Not(Box<Self>),
    /// Each of these, of which there are at least two.
    And(Vec<Self>),
    /// One of these, of which there are at least two.
    Or(Vec<Self>),
}

/// A word of an expression, with its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word as written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl<T> Expression<T> {
    /// The value for values of the words, `None` being unknown (Kleene's logic): what is not known does not matter
    /// where the rest decides. Words are asked from left to right, and only while they matter.
    pub fn value(&self, of: &mut dyn FnMut(&T) -> Option<bool>) -> Option<bool> {
        match self {
            Self::Is(word) => of(word),
            Self::Not(inner) => inner.value(of).map(|value| !value),
            Self::And(parts) => decided_by(false, parts, of),
            Self::Or(parts) => decided_by(true, parts, of),
        }
    }

    /// The same expression over other words.
    pub fn try_map<U, E>(&self, of: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Expression<U>, E> {
        let all = |parts: &[Self], of: &mut dyn FnMut(&T) -> Result<U, E>| {
            parts.iter().map(|part| part.try_map(of)).collect::<Result<Vec<_>, E>>()
        };
        Ok(match self {
            Self::Is(word) => Expression::Is(of(word)?),
            Self::Not(inner) => Expression::Not(Box::new(inner.try_map(of)?)),
            Self::And(parts) => Expression::And(all(parts, of)?),
            Self::Or(parts) => Expression::Or(all(parts, of)?),
        })
    }

    /// The words from left to right.
    pub fn words(&self) -> Vec<&T> {
        match self {
            Self::Is(word) => vec![word],
            Self::Not(inner) => inner.words(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::words).collect(),
        }
    }

    /// Whether a word counts against the expression somewhere.
    pub fn has_not(&self) -> bool {
        match self {
            Self::Is(_) => false,
            Self::Not(_) => true,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_not),
        }
    }
}

fn decided_by<T>(
    deciding: bool,
    parts: &[Expression<T>],
    of: &mut dyn FnMut(&T) -> Option<bool>,
) -> Option<bool> {
    let mut value = Some(!deciding);
    for part in parts {
        match part.value(of) {
            Some(found) if found == deciding => return Some(deciding),
            Some(_) => {}
            None => value = None,
        }
    }
    value
}

impl FromStr for Expression {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        parse::parse(text)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<T: fmt::Display> fmt::Display for Expression<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(word) => write!(f, "{word}"),
            Self::Not(inner) => {
                f.write_str("not ")?;
                inner.write_in(f, matches!(**inner, Self::And(_) | Self::Or(_)))
            }
            Self::And(parts) => {
                write_joined(f, parts, " and ", |part| matches!(part, Self::And(_) | Self::Or(_)))
            }
            Self::Or(parts) => write_joined(f, parts, " or ", |part| matches!(part, Self::Or(_))),
        }
    }
}

impl<T: fmt::Display> Expression<T> {
    fn write_in(&self, f: &mut fmt::Formatter<'_>, is_in_brackets: bool) -> fmt::Result {
        if is_in_brackets { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

fn write_joined<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expression<T>],
    operator: &str,
    needs_brackets: fn(&Expression<T>) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(operator)?;
        }
        part.write_in(f, needs_brackets(part))?;
    }
    Ok(())
}
