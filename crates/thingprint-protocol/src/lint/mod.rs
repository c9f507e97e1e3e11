//! Warnings for those who write models: what is allowed, and surely not meant.
mod contents;
mod metadata;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::schema::Model;
use crate::{ModelSet, Span};

/// Something about a model that is surely not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// Where in the model: a JSON path such as `contents.request.eval`.
    pub path: String,
    /// Which part of the text there, where it is a part only.
    pub span: Option<Span>,
    /// Whether the model can be used in spite of it.
    pub level: LintLevel,
    /// What is wrong.
    pub reason: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintLevel {
    /// The model can be used.
    Warning,
    /// It cannot: [`ModelSet::compile`] refuses it.
    Error,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            LintLevel::Warning => "warning",
            LintLevel::Error => "error",
        };
        let span = self.span.map_or_else(String::new, |span| format!(", bytes {span}"));
        write!(f, "{level}: {}{span}: {}", self.path, self.reason)
    }
}

/// Looks over a model: first what makes it unusable, then the rest, in the order of the file.
pub fn lint(model: &Model) -> Vec<Lint> {
    let mut lints = Vec::new();
    metadata::check(model, &mut lints);
    contents::check(model, &mut lints);
    if let Err(error) = ModelSet::compile([model.clone()])
        && lints.iter().all(|lint| lint.level != LintLevel::Error)
    {
        lints.push(error.into());
    }
    lints.sort_by_key(|lint| std::cmp::Reverse(lint.level));
    lints
}

impl From<crate::ModelError> for Lint {
    fn from(error: crate::ModelError) -> Self {
        let (span, reason) = match error.fault {
            crate::Fault::Syntax { error, .. } => (Some(error.span), error.reason),
            crate::Fault::Form(reason) | crate::Fault::Meaning(reason) => (None, reason),
        };
        Self { path: error.path, span, level: LintLevel::Error, reason }
    }
}

/// A warning.
fn warning(path: impl Into<String>, reason: impl Into<String>) -> Lint {
    Lint { path: path.into(), span: None, level: LintLevel::Warning, reason: reason.into() }
}

/// An error.
fn error(path: impl Into<String>, reason: impl Into<String>) -> Lint {
    Lint { level: LintLevel::Error, ..warning(path, reason) }
}
