use std::borrow::Cow;

use thingprint_protocol::Text;

/// Statements of one message; more say nothing new.
const MOST_STATEMENTS: usize = 128;

/// What one message, payload or document says.
#[derive(Debug, Default)]
pub(crate) struct Record {
    said: Vec<(Cow<'static, str>, String)>,
}

impl Record {
    /// Notes what is said of a key, with `***` for each secret.
    pub(crate) fn say(&mut self, key: impl Into<Cow<'static, str>>, value: &str) {
        if !value.is_empty() && self.said.len() < MOST_STATEMENTS {
            self.said.push((key.into(), Text::from(value).into_redacted()));
        }
    }

    /// The same of what may be absent.
    pub(crate) fn say_if(&mut self, key: &'static str, value: Option<&impl AsRef<str>>) {
        if let Some(value) = value {
            self.say(key, value.as_ref());
        }
    }

    /// Whether nothing is said.
    pub(crate) const fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Keys and values.
    pub(crate) fn into_said(self) -> Vec<(Cow<'static, str>, String)> {
        self.said
    }
}
