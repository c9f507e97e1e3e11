//! Badges: a word with the weight that it has.

use crate::xml::escape;

/// A word that stands out, with sign and colour of its tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    text: String,
    tone: Tone,
}

impl Badge {
    /// A word in a tone.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    /// The tone.
    pub(crate) fn tone(&self) -> Tone {
        self.tone
    }

    pub(crate) fn html(&self) -> String {
        format!("<span class=\"badge {}\">{}</span>", self.tone.class(), escape(&self.text))
    }
}

/// How much something weighs, from nothing to worst: the order in which tables sort badges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    #[default]
    Plain,
    /// Worth knowing.
    Note,
    /// A finding of little weight.
    Low,
    /// A finding of some weight.
    Medium,
    /// A finding of much weight.
    High,
    /// A finding that cannot wait.
    Critical,
}

impl Tone {
    /// Class of the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Plain => "plain",
            Self::Note => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Place in the order of sorting.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Plain => 1,
            Self::Note => 2,
            Self::Low => 3,
            Self::Medium => 4,
            Self::High => 5,
            Self::Critical => 6,
        }
    }
}
