use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use regex_automata::meta::Regex;
use regex_automata::util::syntax::Config;

use super::glob;
use crate::Certainty;

/// What a pattern is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PatternKind {
    /// Vendor and user classes of DHCP.
    DhcpVendorClass,
    /// Host names of DHCP, multicast DNS and `NetBIOS`, and client identifiers of MQTT.
    HostName,
    /// `User-Agent` of HTTP.
    HttpAgent,
    /// `Server` of HTTP.
    ServerHeader,
    /// `SERVER` of SSDP.
    SsdpServer,
    /// What SSDP and descriptions of `UPnP` say of what a device is: ST, NT, USN, `deviceType`.
    SsdpType,
    /// A model, whoever says it.
    Model,
}

/// What follows from a text that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) kind: PatternKind,
    /// A glob, or a regular expression behind `re:`.
    pub(crate) text: Box<str>,
    pub(crate) vendor: Box<str>,
    pub(crate) model: Box<str>,
    pub(crate) device_type: Box<str>,
    pub(crate) os: Box<str>,
    pub(crate) certainty: Certainty,
    pub(crate) import: Option<Arc<str>>,
}

/// Patterns: those of this crate before imported ones, and the longest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    by_kind: BTreeMap<PatternKind, Vec<Entry>>,
}

/// A pattern with what its regular expression was compiled to, once somebody needed it; `None` in it if it is none.
#[derive(Clone, Debug)]
struct Entry {
    pattern: Pattern,
    compiled: OnceLock<Option<Regex>>,
}

/// What marks a regular expression.
const REGEX: &str = "re:";
/// Bytes that a regular expression may take compiled.
const MOST_COMPILED_BYTES: usize = 1 << 20;

impl Patterns {
    pub(crate) fn add(&mut self, pattern: Pattern) {
        let patterns = self.by_kind.entry(pattern.kind).or_default();
        let rank = |pattern: &Pattern| (pattern.import.is_some(), Reverse(pattern.text.len()));
        let at = patterns.partition_point(|other| rank(&other.pattern) <= rank(&pattern));
        patterns.insert(at, Entry { pattern, compiled: OnceLock::new() });
    }

    /// The longest pattern that fits, with what its groups have in the text.
    pub(crate) fn longest(&self, kind: PatternKind, text: &str) -> Option<Cow<'_, Pattern>> {
        self.by_kind.get(&kind)?.iter().find_map(|entry| entry.fit(text))
    }
}

impl Entry {
    fn fit(&self, text: &str) -> Option<Cow<'_, Pattern>> {
        let Some(expression) = self.pattern.text.strip_prefix(REGEX) else {
            return glob::fits(&self.pattern.text, text).then_some(Cow::Borrowed(&self.pattern));
        };
        let regex = self.compiled.get_or_init(|| compile(expression)).as_ref()?;
        let mut groups = regex.create_captures();
        regex.captures(text, &mut groups);
        if !groups.is_match() {
            return None;
        }
        let filled = |value: &str| -> Box<str> {
            let mut value = value.to_owned();
            for number in 1..groups.group_len() {
                let has = groups.get_group(number).and_then(|span| text.get(span.range()));
                value = value.replace(&format!("{{{number}}}"), has.unwrap_or_default());
            }
            value.trim().into()
        };
        let Pattern { vendor, model, device_type, os, .. } = &self.pattern;
        Some(Cow::Owned(Pattern {
            vendor: filled(vendor),
            model: filled(model),
            device_type: filled(device_type),
            os: filled(os),
            ..self.pattern.clone()
        }))
    }
}

/// A regular expression over bytes; `None` if it is none, or one of a kind that takes too long.
fn compile(expression: &str) -> Option<Regex> {
    let syntax = Config::new().unicode(false).utf8(false);
    let limits = Regex::config().nfa_size_limit(Some(MOST_COMPILED_BYTES)).utf8_empty(false);
    Regex::builder().syntax(syntax).configure(limits).build(expression).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str, model: &str, import: Option<&str>) -> Pattern {
        Pattern {
            kind: PatternKind::HostName,
            text: text.into(),
            vendor: "".into(),
            model: model.into(),
            device_type: "".into(),
            os: "".into(),
            certainty: Certainty::Likely,
            import: import.map(Arc::from),
        }
    }

    #[test]
    fn the_longest_wins_and_imports_stand_behind() {
        let mut patterns = Patterns::default();
        patterns.add(pattern("re:^acme-(\\w+)-[0-9]+$", "imported {1}", Some("recog")));
        patterns.add(pattern("acme-*", "any", None));
        patterns.add(pattern("acme-eye*", "eye", None));
        patterns.add(pattern("re:(?=x)", "broken", Some("recog")));
        let model =
            |text| patterns.longest(PatternKind::HostName, text).map(|pattern| pattern.model.to_string());
        assert_eq!(model("acme-eye-3"), Some("eye".to_owned()));
        assert_eq!(model("acme-3"), Some("any".to_owned()));
        let mut imported = Patterns::default();
        imported.add(pattern("re:^acme-(\\w+)-[0-9]+$", "imported {1}", Some("recog")));
        let found = imported.longest(PatternKind::HostName, "acme-lamp-12").unwrap();
        assert_eq!(&*found.model, "imported lamp");
        assert_eq!(model("bolt"), None);
    }
}
