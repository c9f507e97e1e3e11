use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::Label;

use super::capture::CapturePattern;
use super::record::Row;
use super::{Labels, Period, Rule, hash};
use crate::error::{Place, ReportError};

/// Rows of a label file as they are read.
#[derive(Default)]
pub(super) struct Draft {
    rules: Vec<Read>,
    labels: Shared<Label>,
    captures: Shared<CapturePattern>,
    periods: Shared<Period>,
    /// The lines on which the labels stand first.
    label_lines: Vec<u64>,
    /// Devices that are the same as others, with the line that says so.
    same: BTreeMap<DeviceId, (DeviceId, u64)>,
}

/// A rule with the line that it begins on.
#[derive(Clone, Copy)]
struct Read {
    rule: Rule,
    line: u64,
}

/// A row that must not be there, and why.
struct Conflict {
    line: u64,
    column: &'static str,
    reason: String,
}

impl Draft {
    /// Adds a row.
    pub(super) fn add(&mut self, row: &Row<'_>) -> Result<(), ReportError> {
        if let Some(same) = row.same_as()? {
            return self.add_same(row, same);
        }
        let (device, label) = (row.device()?, row.label()?);
        let (capture, period) = (row.capture()?, row.period()?);
        let label = self.labels.place_of(label);
        if label as usize == self.label_lines.len() {
            self.label_lines.push(row.line());
        }
        let capture = capture.map(|capture| self.captures.place_of(capture));
        let period = (period != Period::default()).then(|| self.periods.place_of(period));
        self.rules.push(Read { rule: Rule { device, capture, period, label }, line: row.line() });
        Ok(())
    }

    /// The labels. Fails for two labels of a device for the same captures and windows, and for two families of a class.
    pub(super) fn finish(mut self, file: &str) -> Result<Labels, ReportError> {
        self.rules.sort_by_key(|read| read.rule.device);
        let conflicts = [self.family_conflict(), self.label_conflict(), self.same_conflict()];
        if let Some(Conflict { line, column, reason }) =
            conflicts.into_iter().flatten().min_by_key(|conflict| conflict.line)
        {
            let place = Place::line(file, line);
            return Err(ReportError::BadValue { place, column: column.to_owned(), reason });
        }
        self.settle_same();
        let Self { rules, labels, captures, periods, same, .. } = self;
        let mut rules: Vec<Rule> = rules.into_iter().map(|read| read.rule).collect();
        drop_repeated(&mut rules);
        rules.shrink_to_fit();
        let same = same.into_iter().map(|(device, (same, _))| (device, same)).collect();
        let (labels, captures, periods) = (labels.values, captures.values, periods.values);
        Ok(Labels { rules, given: labels, captures, periods, same })
    }

    /// Notes that a device is the same as another.
    fn add_same(&mut self, row: &Row<'_>, same: DeviceId) -> Result<(), ReportError> {
        let device = row.device()?;
        if device == same {
            return Err(row.bad_value("label", format!("{device} is the same as itself")));
        }
        match self.same.insert(device, (same, row.line())) {
            Some((before, _)) if before != same => {
                Err(row.bad_value("label", format!("{device} is already the same as {before}")))
            }
            _ => Ok(()),
        }
    }

    /// A device that cannot be the same as another, since that has no labels of its own or since both have.
    fn same_conflict(&self) -> Option<Conflict> {
        let conflict = |(device, (same, line)): (&DeviceId, &(DeviceId, u64))| {
            let reason = if let Some((third, _)) = self.same.get(same) {
                format!("{device} is the same as {same}, which is the same as {third}; name {third}")
            } else if !self.rules_of(*device).is_empty() {
                format!("{device} has a label of its own and is the same as {same}; leave one out")
            } else if self.rules_of(*same).is_empty() {
                format!("{device} is the same as {same}, which has no label")
            } else {
                return None;
            };
            Some(Conflict { line: *line, column: "label", reason })
        };
        self.same.iter().filter_map(conflict).min_by_key(|conflict| conflict.line)
    }

    /// Gives devices the rules of those that they are the same as.
    fn settle_same(&mut self) {
        let rules_of = |(device, (same, _)): (&DeviceId, &(DeviceId, u64))| {
            let device = *device;
            let of_same = self.rules_of(*same).iter();
            of_same.map(move |read| Read { rule: Rule { device, ..read.rule }, line: read.line }).collect()
        };
        let more: Vec<Vec<Read>> = self.same.iter().map(rules_of).collect();
        self.rules.extend(more.into_iter().flatten());
        self.rules.sort_by_key(|read| read.rule.device);
    }

    /// The rules of a device, once they are sorted.
    fn rules_of(&self, device: DeviceId) -> &[Read] {
        let start = self.rules.partition_point(|read| read.rule.device < device);
        let rules = self.rules.get(start..).unwrap_or_default();
        let length = rules.partition_point(|read| read.rule.device == device);
        rules.get(..length).unwrap_or_default()
    }

    /// A class that an earlier row gives another family.
    fn family_conflict(&self) -> Option<Conflict> {
        let with_family = self.labels.values.iter().zip(&self.label_lines);
        let mut families: Vec<(&str, &str, u64)> = with_family
            .filter_map(|(label, line)| Some((label.class.as_str(), label.family.as_deref()?, *line)))
            .collect();
        families.sort_unstable_by_key(|(class, _, line)| (*class, *line));
        let conflict = |of_class: &[(&str, &str, u64)]| {
            let (class, family, first) = of_class.first()?;
            let (_, _, line) = of_class.iter().find(|(_, other, _)| other != family)?;
            let reason = format!("the class '{class}' has family '{family}' on line {first}");
            Some(Conflict { line: *line, column: "family", reason })
        };
        families.chunk_by(|a, b| a.0 == b.0).filter_map(conflict).min_by_key(|conflict| conflict.line)
    }

    /// A device that an earlier row gives another label for the same captures and windows.
    fn label_conflict(&self) -> Option<Conflict> {
        let of_devices = self.rules.chunk_by(|a, b| a.rule.device == b.rule.device);
        let several = of_devices.filter(|of_device| of_device.len() > 1);
        several.filter_map(|of_device| self.conflict_of(of_device)).min_by_key(|conflict| conflict.line)
    }

    /// The same among the rows of one device: in the order of their starts, each is compared with those before that end
    /// last, of which two suffice, if they have different labels.
    fn conflict_of(&self, of_device: &[Read]) -> Option<Conflict> {
        let period = |read: &Read| self.period(&read.rule);
        let mut rows: Vec<Read> = of_device.to_vec();
        rows.sort_by_key(|read| (read.rule.capture, period(read).from, read.line));
        let mut found: Option<(u64, Read)> = None;
        for of_capture in rows.chunk_by(|a, b| a.rule.capture == b.rule.capture) {
            let mut last: [Option<Read>; 2] = [None, None];
            for read in of_capture {
                let other = last.iter().flatten().find(|other| other.rule.label != read.rule.label);
                if let Some(other) = other.filter(|other| period(other).overlaps(period(read))) {
                    let (first, line) = (other.line.min(read.line), other.line.max(read.line));
                    if found.is_none_or(|(before, _)| line < before) {
                        found = Some((line, if other.line == first { *other } else { *read }));
                    }
                }
                keep_last(&mut last, *read, |read| end(period(read)));
            }
        }
        let (line, first) = found?;
        let label = self.labels.values.get(first.rule.label as usize)?;
        let (device, class, kind) = (first.rule.device, &label.class, label.kind);
        let reason = format!("{device} is already labelled '{class}' ({kind}) on line {}", first.line);
        Some(Conflict { line, column: "label", reason })
    }

    fn period(&self, rule: &Rule) -> Period {
        let period = rule.period.and_then(|period| self.periods.values.get(period as usize));
        period.copied().unwrap_or_default()
    }
}

/// Where a period ends; later ends are greater, and no end is the greatest.
fn end(period: Period) -> (bool, Option<Timestamp>) {
    (period.to.is_none(), period.to)
}

/// Keeps the row that ends last, and the one that does of those with other labels.
fn keep_last<K: Ord>(last: &mut [Option<Read>; 2], read: Read, end: impl Fn(&Read) -> K) {
    let mut candidates: Vec<Read> = last.iter().flatten().copied().chain([read]).collect();
    candidates.sort_by_key(|candidate| Reverse(end(candidate)));
    let first = candidates.first().copied();
    let other = candidates.iter().find(|other| Some(other.rule.label) != first.map(|first| first.rule.label));
    *last = [first, other.copied()];
}

/// Drops rows that say what an earlier one of the same device says.
fn drop_repeated(rules: &mut Vec<Rule>) {
    let mut seen = BTreeSet::new();
    let mut device = None;
    rules.retain(|rule| {
        if device != Some(rule.device) {
            device = Some(rule.device);
            seen.clear();
        }
        seen.insert((rule.capture, rule.period))
    });
}

/// Values that many rows share, each of which is kept once.
struct Shared<T> {
    values: Vec<T>,
    /// Places of the values by their hashes; where two have the same, by the next one that is free.
    places: BTreeMap<u64, u32>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { values: Vec::new(), places: BTreeMap::new() }
    }
}

impl<T: Hash + Eq> Shared<T> {
    /// The place of a value, which is kept if it is a new one.
    fn place_of(&mut self, value: T) -> u32 {
        let mut key = hash([&value]);
        while let Some(place) = self.places.get(&key) {
            if self.values.get(*place as usize) == Some(&value) {
                return *place;
            }
            key = key.wrapping_add(1);
        }
        let place = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.places.insert(key, place);
        self.values.push(value);
        place
    }
}
