use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use thingprint_flow::{Flow, Timestamp};
use thingprint_protocol::{Heard, HeardMessage, Sender};

use crate::past::Past;
use crate::policy::{Ruling, Scale};
use crate::rules::RULES;
use crate::{Severity, text};

/// A rule of best practice: what it looks at, and why. What is good and what is not says a [`Policy`](crate::Policy).
pub struct Rule {
    /// By what policies and results know it, for ever, like `TLS-001`.
    pub id: &'static str,
    /// The protocols whose flows it judges.
    pub protocols: &'static [&'static str],
    /// What it looks at.
    pub(crate) looks_at: LooksAt,
    /// In a few words.
    pub title: &'static str,
    /// What it looks at.
    pub checks: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// A finding as it could be.
    pub example: &'static str,
    /// How a finding is fixed by who makes the device or runs the server.
    pub remediation: &'static str,
    /// What who runs the network can do about it: update, turn off, part, block, replace, or ask the maker.
    pub operator: &'static str,
    /// The values that a policy can name.
    pub(crate) values: Values,
    /// Shows the values in a flow.
    pub(crate) observe: fn(&Flow<Heard>, &mut Sightings<'_>),
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LooksAt {
    /// Messages: it has nothing to judge in a flow without any.
    Messages,
    /// Flows, whether something was said in them or not.
    Flows,
}

/// What the values that a rule sees can be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values {
    /// One of these.
    Words(&'static [&'static str]),
    /// A whole number, alone or behind one of these words.
    Number(&'static [&'static str]),
    /// Any text, as sent.
    Text,
}

/// Different sightings of a rule that are remembered for a flow; there are 356 suites to offer.
pub(crate) const MOST_SIGHTINGS: usize = 512;

/// What a rule sees in one flow, as far as the policy does not accept it: up to 512 different values, the most severe.
pub(crate) struct Sightings<'a> {
    scale: &'a Scale,
    /// The protocols of the flow, from the outside.
    pub(crate) services: &'a [&'a str],
    /// What rules remember of the device's earlier flows.
    pub(crate) past: &'a mut Past,
    /// Whether there was anything to judge.
    pub(crate) has_judged: bool,
    /// When each was seen first.
    pub(crate) found: BTreeMap<Sighting, Timestamp>,
    /// Sightings that were left out because there were too many different ones.
    pub(crate) dropped: u64,
    /// The most important one of them: what is more important was never left out.
    pub(crate) dropped_up_to: Option<Rank>,
}

/// A value that the policy does not accept, and who said it; the least important first, by [`Rank`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sighting {
    pub(crate) severity: Severity,
    pub(crate) is_by_device: bool,
    pub(crate) seen: Seen,
    /// What the policy says of the value, whoever said it.
    pub(crate) ruling: Ruling,
}

/// How important a sighting is: by severity, and what a peer said before what the device said.
pub(crate) type Rank = (Severity, bool);

/// What was seen, for people and, where it is a cipher suite, as its code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) text: Arc<str>,
    /// The code of the suite; three bytes for a kind of SSL 2.0.
    pub(crate) suite: Option<u32>,
}

impl Rule {
    /// Every rule, in the order of their ids.
    pub fn all() -> &'static [Self] {
        RULES
    }

    /// Whether there may be something to judge in a flow.
    pub(crate) fn may_judge(&self, flow: &Flow<Heard>) -> bool {
        self.looks_at == LooksAt::Flows || !flow.state.messages.is_empty()
    }

    /// The values that a policy can name in this rule, in words.
    pub fn values(&self) -> String {
        self.values.to_string()
    }

    /// The rule of an id.
    pub fn of(id: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.id == id)
    }
}

/// What a policy can name, in words.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => write!(f, "one of {}", words.join(", ")),
            Self::Number([]) => f.write_str("a number or a range like 3-4"),
            Self::Number(words) => {
                let words: Vec<&str> = words.iter().map(|word| word.trim_end()).collect();
                write!(f, "a number, alone or behind {}, or a range like 3-4", words.join(" or "))
            }
            Self::Text => f.write_str("a text as it is sent"),
        }
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
            Self::Number(words) => {
                let number = |word: &&str| value.strip_prefix(*word)?.parse::<u32>().ok();
                value.parse::<u32>().is_ok() || words.iter().find_map(number).is_some()
            }
            Self::Text => !value.is_empty(),
        }
    }
}

impl Seen {
    /// A cipher suite.
    pub(crate) const fn suite(code: u32, text: Arc<str>) -> Self {
        Self { text, suite: Some(code) }
    }
}

impl From<String> for Seen {
    fn from(text: String) -> Self {
        Self { text: text::bounded(text).into(), suite: None }
    }
}

impl Sighting {
    pub(crate) const fn rank(&self) -> Rank {
        (self.severity, self.is_by_device)
    }
}

/// Whether the device sent anything in a flow but refusals.
pub(crate) const fn has_answered(flow: &Flow<Heard>) -> bool {
    flow.up.packets > 0 && !flow.state.is_refused
}

impl<'a> Sightings<'a> {
    pub(crate) const fn new(scale: &'a Scale, services: &'a [&'a str], past: &'a mut Past) -> Self {
        Self {
            scale,
            services,
            past,
            has_judged: false,
            found: BTreeMap::new(),
            dropped: 0,
            dropped_up_to: None,
        }
    }

    /// Judges a value of a message; `seen` says it for people, where the policy does not accept it. What the same side
    /// said in the flow before is not noted again.
    pub(crate) fn see<S: Into<Seen>>(&mut self, heard: &HeardMessage, value: &str, seen: impl FnOnce() -> S) {
        self.note((heard.sender, heard.time), value, seen);
    }

    /// Judges a value of a flow as a whole, which the device answers for: it opened the flow, or answered in it.
    pub(crate) fn see_flow<S: Into<Seen>>(
        &mut self,
        flow: &Flow<Heard>,
        value: &str,
        seen: impl FnOnce() -> S,
    ) {
        let sender = if flow.is_client || has_answered(flow) { Sender::Device } else { Sender::Peer };
        self.note((sender, flow.first), value, seen);
    }

    fn note<S: Into<Seen>>(
        &mut self,
        (sender, time): (Sender, Timestamp),
        value: &str,
        seen: impl FnOnce() -> S,
    ) {
        self.has_judged = true;
        let Some((severity, ruling)) = self.scale.judge(value) else { return };
        let is_by_device = sender == Sender::Device;
        let sighting = Sighting { severity, is_by_device, seen: seen().into(), ruling };
        if self.found.contains_key(&sighting) {
            return;
        }
        if !self.has_room(&sighting) {
            self.drop(sighting.rank());
            return;
        }
        self.found.insert(sighting, time);
    }

    /// Whether there is room for one more; a less important one makes it where there is none.
    fn has_room(&mut self, next: &Sighting) -> bool {
        if self.found.len() < MOST_SIGHTINGS {
            return true;
        }
        let Some(least) = self.found.first_entry() else { return false };
        let rank = least.key().rank();
        if rank >= next.rank() {
            return false;
        }
        least.remove();
        self.drop(rank);
        true
    }

    fn drop(&mut self, rank: Rank) {
        self.dropped += 1;
        self.dropped_up_to = self.dropped_up_to.max(Some(rank));
    }
}
