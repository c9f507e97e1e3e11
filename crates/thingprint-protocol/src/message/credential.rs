use std::fmt;

use serde::{Serialize, Serializer};

use crate::secrecy::HIDDEN;

/// A secret from a capture. It is written as `***`, by `Debug` always, by `Display` and as JSON until
/// [`Message::show_credentials`](crate::Message::show_credentials).
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    secret: String,
    is_shown: bool,
}

impl Credential {
    /// A secret that is not shown.
    pub(crate) const fn new(secret: String) -> Self {
        Self { secret, is_shown: false }
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.secret
    }

    /// Lets it be written by `Display` and as JSON.
    pub const fn show(&mut self) {
        self.is_shown = true;
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_shown { &self.secret } else { HIDDEN })
    }
}

impl Serialize for Credential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
