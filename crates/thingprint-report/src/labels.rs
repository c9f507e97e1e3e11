mod capture;
mod draft;
mod record;
mod sheet;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::Label;

use crate::delimited::{CsvFile, Dialect};
use crate::error::ReportError;
use capture::CapturePattern;
use draft::Draft;
use record::{Columns, Row};
use sheet::Sheet;

/// What devices are, as a person wrote it down.
///
/// Two forms of CSV, which their header distinguishes:
/// - `mac,label,kind` holds for every capture; `kind` is `iot` or `non-iot`.
/// - `capture,mac,label[,kind]` holds for the captures that a name, a folder or a glob stands for (`folder` may be
///   written for `capture`), so that one address can be two devices in two captures.
///
/// Columns that either may have: `family` (or `vendor`) groups classes; `from` and `to` limit a row to the windows that
/// begin at or after the one time and before the other. An empty cell of these is no family, and no limit.
///
/// A label `same-as` with an address behind it stands for the rows of that address: one device has several, such as one by
/// wire and one by radio, or one that it changes.
///
/// Values may be separated by semicolons or tabs, and the text be UTF-16 with its byte order mark, as spreadsheets write them.
///
/// An empty kind is `iot`. Blank lines and lines that begin with `#` are skipped.
///
/// A row takes some 40 bytes: labels, captures and periods, which many rows share, are kept once.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// By device, each device's in the order of the file.
    rules: Vec<Rule>,
    given: Vec<Label>,
    captures: Vec<CapturePattern>,
    periods: Vec<Period>,
    /// Devices that are the same as others, by the address that has the labels.
    same: BTreeMap<DeviceId, DeviceId>,
}

/// Labels are equal that say the same, whatever they share.
impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        self.same == other.same && self.rows().eq(other.rows())
    }
}

impl Eq for Labels {}

/// A row of a label file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelRow<'a> {
    /// The device.
    pub device: DeviceId,
    /// The capture that it is for; `None` for all.
    pub capture: Option<&'a str>,
    /// The windows that it is for begin at or after this; `None` is no limit.
    pub from: Option<Timestamp>,
    /// The windows that it is for begin before this; `None` is no limit.
    pub to: Option<Timestamp>,
    /// What the device is.
    pub label: &'a Label,
}

/// A row, with the places of what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    device: DeviceId,
    /// `None` stands for every capture.
    capture: Option<u32>,
    /// `None` stands for every window.
    period: Option<u32>,
    label: u32,
}

/// The windows that a label is for, by their starts; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Period {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Period {
    fn has(self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }

    fn overlaps(self, other: Self) -> bool {
        let is_before = |end: Option<Timestamp>, start: Option<Timestamp>| {
            end.zip(start).is_some_and(|(end, start)| end <= start)
        };
        !is_before(self.to, other.from) && !is_before(other.to, self.from)
    }
}

impl Labels {
    /// Reads labels; `file` is the name that errors give.
    ///
    /// Fails on a missing column, a bad address, an empty label, an unknown kind, a bad or empty period, an address that
    /// gets two different labels for the same captures and period, a class of two families, on what is neither UTF-8 text nor
    /// UTF-16 text with its mark, and on nothing at all.
    pub fn read(bytes: &[u8], file: &str) -> Result<Self, ReportError> {
        ReportError::unless_empty(bytes, file)?;
        let sheet = Sheet::of(bytes, file)?;
        let mut csv = CsvFile::separated(&sheet.text, file, Dialect::Lenient, sheet.delimiter)?;
        let columns = Columns::of(csv.header(), file)?;
        let mut draft = Draft::default();
        while let Some(record) = csv.next()? {
            draft.add(&Row { columns: &columns, record, file })?;
        }
        draft.finish(file)
    }

    /// The address whose labels a device has, if it is another than its own.
    pub fn same_as(&self, device: DeviceId) -> Option<DeviceId> {
        self.same.get(&device).copied()
    }

    /// What a device is in a capture, the first row that fits; `None` when nobody labelled it.
    ///
    /// `capture` is the path of the capture. Where there is none, because a window spans several captures, a device has
    /// a label when all its rows agree. Rows for some hours count like others.
    pub fn label_of(&self, device: DeviceId, capture: Option<&str>) -> Option<&Label> {
        self.label_by(device, capture, |_| true)
    }

    /// What a device is in a window that begins at a time, in a capture or several: as [`Labels::label_of`] by the rows
    /// that are for that time.
    pub fn label_at(&self, device: DeviceId, capture: Option<&str>, time: Timestamp) -> Option<&Label> {
        self.label_by(device, capture, |period| period.has(time))
    }

    fn label_by(
        &self,
        device: DeviceId,
        capture: Option<&str>,
        is_now: impl Fn(Period) -> bool,
    ) -> Option<&Label> {
        let mut rules = self.rules_of(device).iter().filter(|rule| is_now(self.period(rule)));
        let Some(capture) = capture else {
            let first = rules.next()?.label;
            return self.given.get(first as usize).filter(|_| rules.all(|rule| rule.label == first));
        };
        let fits = |rule: &&Rule| self.capture(rule).is_none_or(|pattern| pattern.matches(capture));
        self.given.get(rules.find(fits)?.label as usize)
    }

    /// The rows of the file by device, each device's in the order of the file; without those that say that two devices are
    /// the same.
    pub fn rows(&self) -> impl Iterator<Item = LabelRow<'_>> {
        self.rules.iter().filter(|rule| !self.same.contains_key(&rule.device)).filter_map(|rule| {
            let Period { from, to } = self.period(rule);
            let capture = self.capture(rule).map(CapturePattern::text);
            Some(LabelRow { device: rule.device, capture, from, to, label: self.label(rule)? })
        })
    }

    /// The devices that are the same as others, each with that one.
    pub fn same(&self) -> impl Iterator<Item = (DeviceId, DeviceId)> {
        self.same.iter().map(|(device, same)| (*device, *same))
    }

    /// The labelled devices, in order.
    pub fn devices(&self) -> impl Iterator<Item = DeviceId> {
        self.rules.chunk_by(|a, b| a.device == b.device).filter_map(|rules| Some(rules.first()?.device))
    }

    /// Whether the file says anything of a device.
    pub fn has(&self, device: DeviceId) -> bool {
        !self.rules_of(device).is_empty()
    }

    /// The classes of a device, over all captures.
    pub fn classes_of(&self, device: DeviceId) -> impl Iterator<Item = &str> {
        self.rules_of(device).iter().filter_map(|rule| Some(self.label(rule)?.class.as_str()))
    }

    /// Classes that differ only in case or blanks, which are nearly always one class that was written in several ways;
    /// each group in order.
    pub fn similar_classes(&self) -> Vec<Vec<&str>> {
        let classes = self.labels_of_rules().map(|label| label.class.as_str());
        let mut classes: Vec<(u64, &str)> = classes.map(|class| (hash(letters(class)), class)).collect();
        classes.sort_unstable();
        classes.dedup();
        let mut groups = Vec::new();
        for alike in classes.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
            let mut group: Vec<(String, &str)> =
                alike.iter().map(|(_, class)| (letters(class).collect(), *class)).collect();
            group.sort_unstable();
            let same = group.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1);
            groups.extend(same.map(|same| same.iter().map(|(_, class)| *class).collect::<Vec<_>>()));
        }
        groups.sort_unstable();
        groups
    }

    /// Classes that are proposals which nobody confirmed, in order, each once.
    pub fn proposals(&self) -> BTreeSet<&str> {
        let proposed = self.labels_of_rules().filter(|label| label.is_proposed());
        proposed.map(|label| label.class.as_str()).collect()
    }

    /// The labels that somebody confirmed.
    #[must_use]
    pub fn without_proposals(mut self) -> Self {
        let labels = std::mem::take(&mut self.given);
        let is_confirmed =
            |rule: &Rule| labels.get(rule.label as usize).is_some_and(|label| !label.is_proposed());
        self.rules.retain(is_confirmed);
        self.given = labels;
        self
    }

    /// Whether some label holds for some captures only.
    pub fn has_captures(&self) -> bool {
        self.rules.iter().any(|rule| rule.capture.is_some())
    }

    /// Whether no device is labelled.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    fn rules_of(&self, device: DeviceId) -> &[Rule] {
        let start = self.rules.partition_point(|rule| rule.device < device);
        let rules = self.rules.get(start..).unwrap_or_default();
        let length = rules.partition_point(|rule| rule.device == device);
        rules.get(..length).unwrap_or_default()
    }

    /// The labels that rules have, each once.
    fn labels_of_rules(&self) -> impl Iterator<Item = &Label> {
        let mut is_used = vec![false; self.given.len()];
        for rule in &self.rules {
            if let Some(is_used) = is_used.get_mut(rule.label as usize) {
                *is_used = true;
            }
        }
        self.given.iter().zip(is_used).filter_map(|(label, is_used)| is_used.then_some(label))
    }

    fn label(&self, rule: &Rule) -> Option<&Label> {
        self.given.get(rule.label as usize)
    }

    fn capture(&self, rule: &Rule) -> Option<&CapturePattern> {
        self.captures.get(rule.capture? as usize)
    }

    fn period(&self, rule: &Rule) -> Period {
        rule.period.and_then(|period| self.periods.get(period as usize)).copied().unwrap_or_default()
    }
}

/// The letters of a class that count where it is written in several ways.
fn letters(class: &str) -> impl Iterator<Item = char> {
    class.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase)
}

fn hash(parts: impl IntoIterator<Item = impl Hash>) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.into_iter().for_each(|part| part.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests;
