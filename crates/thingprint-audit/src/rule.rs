use std::fmt;

use thingprint_flow::{Flow, Timestamp};
use thingprint_protocol::{Heard, HeardMessage, Sender};

use crate::policy::Scale;
use crate::rules::RULES;
use crate::{Severity, text};

/// A rule of best practice: what it looks at, and why. What is good and what is not says a [`Policy`](crate::Policy).
pub struct Rule {
    /// By what policies and results know it, for ever, like `TLS-001`.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// What it looks at.
    pub checks: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// A finding as it could be.
    pub example: &'static str,
    /// How a finding is mended.
    pub mend: &'static str,
    /// The values that a policy can name.
    pub(crate) values: Values,
    /// Shows the values in a flow.
    pub(crate) observe: fn(&Flow<Heard>, &mut Sightings<'_>),
}

/// What the values that a rule sees can be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values {
    /// One of these.
    Words(&'static [&'static str]),
    /// A whole number.
    Number,
    /// Any text, as sent.
    Text,
}

/// What a rule sees in one flow, as far as the policy does not accept it.
pub(crate) struct Sightings<'a> {
    scale: &'a Scale,
    /// Whether there was anything to judge.
    pub(crate) has_judged: bool,
    pub(crate) found: Vec<Sighting>,
}

/// A value in a flow that the policy does not accept.
#[derive(Debug)]
pub(crate) struct Sighting {
    pub(crate) severity: Severity,
    pub(crate) by: Sender,
    pub(crate) seen: String,
    pub(crate) time: Timestamp,
}

impl Rule {
    /// Every rule, in the order of their ids.
    pub fn all() -> &'static [Self] {
        RULES
    }

    /// The rule of an id.
    pub fn of(id: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.id == id)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.id).finish()
    }
}

impl Values {
    /// Whether a value can be seen at all.
    pub(crate) fn can_be(self, value: &str) -> bool {
        match self {
            Self::Words(words) => words.contains(&value),
            Self::Number => value.parse::<u32>().is_ok(),
            Self::Text => !value.is_empty(),
        }
    }
}

impl<'a> Sightings<'a> {
    pub(crate) const fn new(scale: &'a Scale) -> Self {
        Self { scale, has_judged: false, found: Vec::new() }
    }

    /// Judges a value of a message; `seen` says it for people, where the policy does not accept it. What the same side
    /// said in the flow before is not noted again.
    pub(crate) fn see(&mut self, heard: &HeardMessage, value: &str, seen: impl FnOnce() -> String) {
        self.has_judged = true;
        let Some(severity) = self.scale.judge(value) else { return };
        let seen = text::bounded(seen());
        if !self.found.iter().any(|earlier| earlier.by == heard.sender && earlier.seen == seen) {
            self.found.push(Sighting { severity, by: heard.sender, seen, time: heard.time });
        }
    }
}
