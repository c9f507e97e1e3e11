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

/// What a policy says of a value that it does not accept: the list of references where that is written, by its place in
/// [`Judge`](super::Judge); the first is for whatever has none of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ruling(pub(super) usize);

/// The values of a rule, from good to bad.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    values: BTreeMap<String, Verdict>,
    /// By value, by the word before its number, or by the word of a severity.
    rulings: BTreeMap<String, Ruling>,
    /// Each with the word that stands before the numbers, or nothing.
    ranges: Vec<(&'static str, RangeInclusive<u32>, Verdict)>,
    otherwise: Verdict,
    expected: String,
}

impl Scale {
    pub(super) const fn new(otherwise: Verdict) -> Self {
        Self {
            values: BTreeMap::new(),
            rulings: BTreeMap::new(),
            ranges: Vec::new(),
            otherwise,
            expected: String::new(),
        }
    }

    /// Says where it is written what a value, or a severity, is.
    pub(super) fn rule(&mut self, value: String, ruling: Ruling) {
        self.rulings.insert(value, ruling);
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

    /// Puts into words what is accepted, unless the policy has words of its own.
    pub(super) fn describe(mut self, words: Option<String>) -> Self {
        self.expected = words.unwrap_or_else(|| self.accepted());
        self
    }

    fn accepted(&self) -> String {
        // What is tolerated beside something else is not what is expected.
        let is_alone = |value: &str| !value.starts_with("also-");
        if self.otherwise == Verdict::Accept {
            let rest = self.named(|value, verdict| verdict != Verdict::Accept && is_alone(value));
            return format!("anything but {rest}");
        }
        self.named(|value, verdict| verdict == Verdict::Accept && is_alone(value))
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

    /// The values that are wanted by name and verdict, ranges as policies spell them.
    fn named(&self, is_wanted: impl Fn(&str, Verdict) -> bool) -> String {
        let values = self.values.iter().filter(|(value, verdict)| is_wanted(value, **verdict));
        let ranges = self.ranges.iter().filter(|(word, _, verdict)| is_wanted(word, *verdict));
        let ranges = ranges.map(|(word, range, _)| match (range.start(), range.end()) {
            (start, end) if start == end => format!("{word}{start}"),
            (start, end) => format!("{word}{start}-{end}"),
        });
        values.map(|(value, _)| value.clone()).chain(ranges).collect::<Vec<_>>().join(", ")
    }

    /// How severe a value is, and where that is written; `None` where it is accepted.
    pub(crate) fn judge(&self, value: &str) -> Option<(Severity, Ruling)> {
        let of_range = || {
            let is_meant = |word: &str, range: &RangeInclusive<u32>| {
                let number = value.strip_prefix(word).and_then(|number| number.parse().ok());
                number.is_some_and(|number| range.contains(&number))
            };
            self.ranges.iter().find(|(word, range, _)| is_meant(word, range)).map(|(.., verdict)| *verdict)
        };
        let verdict = self.values.get(value).copied().or_else(of_range).unwrap_or(self.otherwise);
        let severity = verdict.severity()?;
        let of_word = || value.split_once(' ').and_then(|(word, _)| self.rulings.get(word));
        let ruling = self.rulings.get(value).or_else(of_word).or_else(|| self.rulings.get(severity.as_str()));
        Some((severity, ruling.copied().unwrap_or_default()))
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
    use super::{Ruling, Scale, Verdict};
    use crate::Severity;

    fn severity(scale: &Scale, value: &str) -> Option<Severity> {
        scale.judge(value).map(|(severity, _)| severity)
    }

    #[test]
    fn numbers_fall_into_ranges_and_the_rest_is_otherwise() {
        let mut scale = Scale::new(Verdict::Error);
        assert!(scale.set_range("", 0..=2, Verdict::Accept));
        assert!(scale.set_range("", 3..=4, Verdict::Warning));
        assert!(!scale.set_range("", 4..=9, Verdict::Error));
        assert!(scale.set_range("IPv6 ", 0..=10, Verdict::Accept));
        let scale = scale.describe(None);
        let check = |value: &str, expected| assert_eq!(severity(&scale, value), expected, "{value}");
        check("IPv6 10", None);
        check("IPv6 11", Some(Severity::Error));
        check("2", None);
        check("4", Some(Severity::Warning));
        check("64", Some(Severity::Error));
        check("x", Some(Severity::Error));
        assert_eq!(scale.expected(), "0-2, IPv6 0-10");
        assert_eq!(scale.values_of(Severity::Error).as_deref(), Some("4-9, anything else"));
        assert_eq!(scale.values_of(Severity::Warning).as_deref(), Some("3-4"));
        assert_eq!(scale.values_of(Severity::Note), None);
    }

    #[test]
    fn a_scale_that_accepts_all_but_some_says_so() {
        let mut scale = Scale::new(Verdict::Accept);
        assert!(scale.set("basic", Verdict::Error) && scale.set("none", Verdict::Accept));
        assert!(!scale.set("basic", Verdict::Note));
        let scale = scale.describe(None);
        assert_eq!((severity(&scale, "digest"), severity(&scale, "basic")), (None, Some(Severity::Note)));
        assert_eq!(scale.expected(), "anything but basic");
        assert_eq!(scale.describe(Some("no password".to_owned())).expected(), "no password");
    }

    #[test]
    fn a_value_has_its_own_ruling_before_that_of_its_severity() {
        let mut scale = Scale::new(Verdict::Warning);
        assert!(scale.set("6", Verdict::Error) && scale.set("7", Verdict::Error));
        scale.rule("error".to_owned(), Ruling(1));
        scale.rule("7".to_owned(), Ruling(2));
        scale.rule("IPv6".to_owned(), Ruling(3));
        let rulings = ["5", "6", "7", "IPv6 7"].map(|value| scale.judge(value).map(|(_, ruling)| ruling.0));
        assert_eq!(rulings, [Some(0), Some(1), Some(2), Some(3)]);
    }
}
