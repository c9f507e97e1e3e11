use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Field, Statement};

/// How far a claim is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Certainty {
    /// It follows from whose address block or cloud the device uses; it says whose the device is at most.
    #[serde(rename = "vendor only")]
    VendorOnly,
    /// It follows from something that devices of this kind have, and others may have as well: a host name, a user agent.
    #[serde(rename = "likely")]
    Likely,
    /// The device says so, in a field that is there to say it.
    #[serde(rename = "declared")]
    Declared,
}

impl Certainty {
    /// In words, as outputs have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VendorOnly => "vendor only",
            Self::Likely => "likely",
            Self::Declared => "declared",
        }
    }

    /// The certainty of a word in a table; `None` for any other text.
    pub fn of_name(name: &str) -> Option<Self> {
        let all = [Self::VendorOnly, Self::Likely, Self::Declared];
        all.into_iter().find(|certainty| certainty.as_str() == name.replace('-', " "))
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A value of a field that follows from a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The field.
    pub field: Field,
    /// Its value.
    pub value: String,
    /// How far it is to be trusted.
    pub certainty: Certainty,
    /// What the device said.
    pub statement: Statement,
    /// The imported table by which the value follows; `None` for the tables of this crate.
    pub import: Option<Box<str>>,
}

impl Claim {
    /// The source in a word, with the imported table if there is one: `dhcp`, `http (recog)`.
    pub fn source(&self) -> String {
        match &self.import {
            Some(import) => format!("{} ({import})", self.statement.source),
            None => self.statement.source.to_owned(),
        }
    }
}
