use crate::{Certainty, Claim};

/// What is known of one field of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The value; `None` where nothing speaks of it, or where what is most certain contradicts itself.
    pub value: Option<String>,
    /// How far it is to be trusted.
    pub certainty: Option<Certainty>,
    /// The claims that say so, the most certain first.
    pub reasons: Vec<Claim>,
    /// The claims that say otherwise, the most certain first.
    pub contradictions: Vec<Claim>,
}

impl Answer {
    /// The sources that say so, each once.
    pub fn sources(&self) -> Vec<String> {
        let mut sources = Vec::new();
        for source in self.reasons.iter().map(Claim::source) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }
}
