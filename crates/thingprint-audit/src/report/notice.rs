use std::fmt;

use serde::Serialize;

use crate::Severity;

/// Something to know about the reading behind a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// A warning where the report may be wrong or lacks something, else a note.
    pub level: Severity,
    /// Whether the report lacks something of what was given.
    pub incomplete: bool,
    /// What there is to know.
    pub text: String,
    /// Whether pages have a place of their own for it.
    #[serde(skip)]
    pub is_fact: bool,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
