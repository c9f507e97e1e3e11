use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::Severity;

/// What a policy says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Accept,
    Note,
    Warning,
    Error,
}

/// The values of a rule, from good to bad.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    values: BTreeMap<String, Verdict>,
    /// Each with the word that stands before the numbers, or nothing.
    ranges: Vec<(&'static str, RangeInclusive<u32>, Verdict)>,
    otherwise: Verdict,
    expected: String,
}

impl Scale {
    pub(super) const fn new(otherwise: Verdict) -> Self {
        Self { values: BTreeMap::new(), ranges: Vec::new(), otherwise, expected: String::new() }
    }

    /// Says what a value is; whether nothing was said of it before.
    pub(super) fn set(&mut self, value: &str, verdict: Verdict) -> bool {
        self.values.insert(value.to_owned(), verdict).is_none()
    }

    /// Says what the numbers of a range are; whether nothing was said of any of them before.
    pub(super) fn set_range(
        &mut self,
        word: &'static str,
        range: RangeInclusive<u32>,
        verdict: Verdict,
    ) -> bool {
        let overlaps = |(of, other, _): &(&str, RangeInclusive<u32>, _)| {
            *of == word && range.start() <= other.end() && other.start() <= range.end()
        };
        let is_new = !self.ranges.iter().any(overlaps);
        self.ranges.push((word, range, verdict));
        is_new
    }

    /// Puts into words what is accepted.
    pub(super) fn describe(mut self) -> Self {
        // What is tolerated beside something else is not what is expected.
        let is_alone = |value: &str| !value.starts_with("also-");
        self.expected = if self.otherwise == Verdict::Accept {
            format!(
                "anything but {}",
                self.named(|value, verdict| verdict != Verdict::Accept && is_alone(value))
            )
        } else {
            self.named(|value, verdict| verdict == Verdict::Accept && is_alone(value))
        };
        self
    }

    /// The values of a verdict, for people; `None` where no value has it.
    pub(super) fn values_of(&self, severity: Severity) -> Option<String> {
        let named = self.named(|_, verdict| verdict.severity() == Some(severity));
        let is_otherwise = self.otherwise.severity() == Some(severity);
        match (named.is_empty(), is_otherwise) {
            (true, false) => None,
            (false, false) => Some(named),
            (true, true) => Some("anything else".to_owned()),
            (false, true) => Some(format!("{named}, anything else")),
        }
    }

    /// The values that are wanted by name and verdict, ranges in their short form.
    fn named(&self, is_wanted: impl Fn(&str, Verdict) -> bool) -> String {
        let values = self.values.iter().filter(|(value, verdict)| is_wanted(value, **verdict));
        let ranges = self.ranges.iter().filter(|(word, _, verdict)| is_wanted(word, *verdict));
        let ranges = ranges.map(|(word, range, _)| match (range.start(), range.end()) {
            (start, end) if start == end => format!("{word}{start}"),
            (start, end) => format!("{word}{start} to {end}"),
        });
        values.map(|(value, _)| value.clone()).chain(ranges).collect::<Vec<_>>().join(", ")
    }

    /// How grave a value is; `None` where it is accepted.
    pub(crate) fn judge(&self, value: &str) -> Option<Severity> {
        let of_range = || {
            let is_meant = |word: &str, range: &RangeInclusive<u32>| {
                let number = value.strip_prefix(word).and_then(|number| number.parse().ok());
                number.is_some_and(|number| range.contains(&number))
            };
            self.ranges.iter().find(|(word, range, _)| is_meant(word, range)).map(|(.., verdict)| *verdict)
        };
        let verdict = self.values.get(value).copied().or_else(of_range).unwrap_or(self.otherwise);
        verdict.severity()
    }

    /// What is accepted, for people.
    pub(crate) fn expected(&self) -> &str {
        &self.expected
    }
}

impl Verdict {
    pub(super) const fn severity(self) -> Option<Severity> {
        match self {
            Self::Accept => None,
            Self::Note => Some(Severity::Note),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Scale, Verdict};
    use crate::Severity;

    #[test]
    fn numbers_fall_into_ranges_and_the_rest_is_otherwise() {
        let mut scale = Scale::new(Verdict::Error);
        assert!(scale.set_range("", 0..=2, Verdict::Accept));
        assert!(scale.set_range("", 3..=4, Verdict::Warning));
        assert!(!scale.set_range("", 4..=9, Verdict::Error));
        assert!(scale.set_range("IPv6 ", 0..=10, Verdict::Accept));
        let scale = scale.describe();
        assert_eq!((scale.judge("IPv6 10"), scale.judge("IPv6 11")), (None, Some(Severity::Error)));
        assert_eq!((scale.judge("2"), scale.judge("4")), (None, Some(Severity::Warning)));
        assert_eq!((scale.judge("64"), scale.judge("x")), (Some(Severity::Error), Some(Severity::Error)));
        assert_eq!(scale.expected(), "0 to 2, IPv6 0 to 10");
        assert_eq!(scale.values_of(Severity::Error).as_deref(), Some("4 to 9, anything else"));
        assert_eq!(scale.values_of(Severity::Warning).as_deref(), Some("3 to 4"));
        assert_eq!(scale.values_of(Severity::Note), None);
    }

    #[test]
    fn a_scale_that_accepts_all_but_some_says_so() {
        let mut scale = Scale::new(Verdict::Accept);
        assert!(scale.set("basic", Verdict::Error) && scale.set("none", Verdict::Accept));
        assert!(!scale.set("basic", Verdict::Note));
        let scale = scale.describe();
        assert_eq!((scale.judge("digest"), scale.judge("basic")), (None, Some(Severity::Note)));
        assert_eq!(scale.expected(), "anything but basic");
    }
}
