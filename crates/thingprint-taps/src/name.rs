use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::TapsError;

/// Longest name, in bytes: it is a part of subjects and of names of files.
const MOST_BYTES: usize = 64;

/// The name of a network or of a tap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest name to a text, such as that of a machine; `tap` where nothing of it is left.
    pub fn near(text: &str) -> Self {
        let short = text.split('.').next().unwrap_or_default();
        let kept: String = short.chars().filter(|c| is_allowed(*c)).take(MOST_BYTES).collect();
        Self(if kept.is_empty() { "tap".to_owned() } else { kept })
    }
}

const fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

impl FromStr for Name {
    type Err = TapsError;

    fn from_str(text: &str) -> Result<Self, TapsError> {
        let is_name = !text.is_empty() && text.len() <= MOST_BYTES && text.chars().all(is_allowed);
        if is_name { Ok(Self(text.to_owned())) } else { Err(TapsError::BadName(text.to_owned())) }
    }
}

impl TryFrom<String> for Name {
    type Error = TapsError;

    fn try_from(text: String) -> Result<Self, TapsError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_subjects_and_files() {
        for good in ["a", "floor-2", "Tap_3", &"x".repeat(64)] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in ["", "a.b", "a b", "..", "a/b", "*", ">", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
        assert_eq!(Name::near("floor-2.example.org").as_str(), "floor-2");
        assert_eq!(Name::near("ä").as_str(), "tap");
    }
}
