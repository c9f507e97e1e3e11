use std::fmt;
use std::str::FromStr;

use thingprint_flow::ParseOptionError;

/// What changed with each number after the first, in the order of numbers: docs/instances.md says the same at length.
const CHANGES: [&str; 1] = [
    "a SYN of another stream opens a flow, the addresses and ports of a packet say which way it goes, a group is never the \
     client, who sends an ICMP request is it, frames alone in the future are left out, a step of the clock begins a \
     segment, and TLS behind STARTTLS, proxies and lost bytes is read",
];

/// The number of the rules by which traffic becomes instances; it is raised when a rule changes.
///
/// Instances of different numbers mean different things, as those of different options do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Semantics(u16);

impl Semantics {
    /// The rules of files that have no number.
    pub const FIRST: Self = Self(1);
    /// The rules of this program.
    pub const PRESENT: Self = Self(2);

    /// What is different in instances of two numbers; `None` if nothing is.
    pub fn difference(self, other: Self) -> Option<String> {
        let (from, to) = (self.min(other), self.max(other));
        let changes = CHANGES.get(usize::from(from.0 - 1)..usize::from(to.0 - 1))?;
        (!changes.is_empty()).then(|| changes.join("; "))
    }
}

impl fmt::Display for Semantics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Semantics {
    type Err = ParseOptionError;

    fn from_str(text: &str) -> Result<Self, ParseOptionError> {
        let number = text.parse().ok().filter(|number| (1..=Self::PRESENT.0).contains(number));
        number.map(Self).ok_or_else(|| {
            ParseOptionError::new(text, "a number of semantics that this version knows: use a newer version")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Semantics;

    #[test]
    fn numbers_are_known_up_to_the_present_one() {
        assert_eq!(usize::from(Semantics::PRESENT.0), super::CHANGES.len() + 1);
        assert_eq!("1".parse(), Ok(Semantics::FIRST));
        assert_eq!(Semantics::PRESENT.to_string().parse(), Ok(Semantics::PRESENT));
        for text in ["0", "3", "two", ""] {
            assert!(text.parse::<Semantics>().is_err(), "{text}");
        }
    }

    #[test]
    fn different_numbers_say_what_changed_between_them() {
        assert_eq!(Semantics::PRESENT.difference(Semantics::PRESENT), None);
        let changed = Semantics::FIRST.difference(Semantics::PRESENT).unwrap();
        assert!(changed.contains("a SYN of another stream opens a flow"));
        assert_eq!(Semantics::PRESENT.difference(Semantics::FIRST), Some(changed));
    }
}
