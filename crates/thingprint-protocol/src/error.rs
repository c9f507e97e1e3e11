use std::fmt;

use thiserror::Error;

/// Part of a text, in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Behind the last byte.
    pub end: usize,
}

/// What is wrong in an expression or a pattern, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason} at byte {}", span.start)]
pub struct SyntaxError {
    /// The part of the text that is wrong; empty at the end of a text that ends too early.
    pub span: Span,
    /// What is wrong with it.
    pub reason: String,
}

/// Why protocol models cannot be used; worded to follow "failed to read the protocol models: ".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("model {model}, {path}: {fault}")]
pub struct ModelError {
    /// The model's abbreviation.
    pub model: String,
    /// Where in the model: a JSON path such as `contents.request.matchers[0].pattern`, or a line and a column where
    /// it is not JSON that follows the schema.
    pub path: String,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong at a place of a protocol model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The file is not JSON, or does not follow the schema.
    #[error("{0}")]
    Form(String),
    /// A text of the model is not a valid expression or pattern.
    #[error("{error} of {text:?}")]
    Syntax {
        /// The whole text.
        text: String,
        /// What is wrong in it.
        error: SyntaxError,
    },
    /// A part contradicts another one.
    #[error("{0}")]
    Meaning(String),
}

impl Span {
    /// From `start` up to, but without, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

impl SyntaxError {
    /// An error at `span`.
    pub(crate) fn new(span: Span, reason: impl Into<String>) -> Self {
        Self { span, reason: reason.into() }
    }

    /// Two lines for a terminal: the text, and marks below the part that is wrong.
    ///
    /// ```
    /// use thingprint_protocol::Expression;
    ///
    /// let text = "hello and (";
    /// let error = text.parse::<Expression>().unwrap_err();
    /// assert_eq!(error.pointed_out(text), "hello and (\n           ^");
    /// ```
    pub fn pointed_out(&self, text: &str) -> String {
        let until = |end: usize| text.char_indices().filter(|(at, _)| *at < end).count();
        let (before, to) = (until(self.span.start), until(self.span.end));
        let text = text.replace(char::is_control, " ");
        format!("{text}\n{}{}", " ".repeat(before), "^".repeat(to.saturating_sub(before).max(1)))
    }

    /// The error as one of a model.
    pub(crate) fn of(self, text: &str) -> Fault {
        Fault::Syntax { text: text.to_owned(), error: self }
    }
}
