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

    /// The word.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tone.
    pub fn tone(&self) -> Tone {
        self.tone
    }

    /// The words of several, separated by commas.
    pub(crate) fn texts(badges: &[Self]) -> String {
        badges.iter().map(Self::text).collect::<Vec<_>>().join(", ")
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
