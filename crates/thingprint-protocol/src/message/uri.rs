use std::fmt;

use serde::{Serialize, Serializer};

use crate::secrecy::redacted;

/// A URI, or a part of one (RFC 3986, RFC 9112 §3.2), from a capture; bytes outside printable ASCII as `\xNN`.
///
/// Users and passwords in front of a host, and the values of parameters whose names say that they hold a password, a token,
/// a key or the like, are written as `***`: by `Debug` always, by `Display` and as JSON until
/// [`Message::show_credentials`](crate::Message::show_credentials). Secrets that look like any other word, such as
/// parts of a path, stay.
#[derive(Clone, PartialEq, Eq)]
pub struct Uri {
    text: String,
    is_shown: bool,
}

impl Uri {
    /// A URI whose secrets are not shown.
    pub(crate) const fn new(text: String) -> Self {
        Self { text, is_shown: false }
    }

    /// All of it.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// All of it, with `***` for each secret, whatever is shown elsewhere.
    pub fn redacted(&self) -> String {
        redacted(&self.text)
    }

    /// Lets its secrets be written by `Display` and as JSON.
    pub const fn show(&mut self) {
        self.is_shown = true;
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&redacted(&self.text), f)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_shown { f.write_str(&self.text) } else { f.write_str(&redacted(&self.text)) }
    }
}

impl Serialize for Uri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
