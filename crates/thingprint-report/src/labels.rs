mod capture;

use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{Kind, Label};
use thingprint_table::{csv_text, rfc3339};

use crate::delimited::{CsvFile, Dialect, Record, listed};
use crate::error::{Place, ReportError};
use capture::CapturePattern;

/// What classifiers answer where no class fits; no label may be mistaken for it.
const UNKNOWN: &str = "unknown";

/// What stands in front of the address whose labels a device has.
const SAME_AS: &str = "same-as ";

/// Names of the column of families.
const FAMILY: [&str; 2] = ["family", "vendor"];

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
/// An empty kind is `iot`. Blank lines and lines that begin with `#` are skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    rules: BTreeMap<DeviceId, Vec<Rule>>,
    /// Devices that are the same as others, by the address that has the labels.
    same: BTreeMap<DeviceId, DeviceId>,
}

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

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// `None` stands for every capture.
    capture: Option<CapturePattern>,
    period: Period,
    label: Label,
}

/// The windows that a label is for, by their starts; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
    /// gets two different labels for the same captures and period, a class of two families, and on what is no UTF-8 text.
    pub fn read(bytes: &[u8], file: &str) -> Result<Self, ReportError> {
        let mut csv = CsvFile::open(bytes, file, Dialect::Lenient)?;
        let columns = Columns::of(csv.header(), file)?;
        let mut labels = Self::default();
        let (mut seen, mut families, mut same_lines) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        while let Some(record) = csv.next()? {
            let row = Row { columns: &columns, record, file };
            if let Some(same) = row.same_as()? {
                let device = labels.add_same(&row, same)?;
                same_lines.insert(device, row.record.line);
                continue;
            }
            let (device, rule) = (row.device()?, row.rule()?);
            row.check_family(&rule.label, &mut families)?;
            let earlier: &mut Vec<(Period, Label, u64)> =
                seen.entry((device, row.text(columns.capture))).or_default();
            row.check_conflict(device, &rule, earlier)?;
            let is_new = !earlier.iter().any(|(period, ..)| *period == rule.period);
            if is_new {
                earlier.push((rule.period, rule.label.clone(), row.record.line));
                labels.rules.entry(device).or_default().push(rule);
            }
        }
        labels.settle_same(file, &same_lines)?;
        Ok(labels)
    }

    /// Notes that a device is the same as another.
    fn add_same(&mut self, row: &Row<'_>, same: DeviceId) -> Result<DeviceId, ReportError> {
        let device = row.device()?;
        if device == same {
            return Err(row.bad_value("label", format!("{device} is the same as itself")));
        }
        match self.same.insert(device, same) {
            Some(before) if before != same => {
                Err(row.bad_value("label", format!("{device} is already the same as {before}")))
            }
            _ => Ok(device),
        }
    }

    /// Gives devices the labels of those that they are the same as; each was said on a line of a file.
    fn settle_same(&mut self, file: &str, lines: &BTreeMap<DeviceId, u64>) -> Result<(), ReportError> {
        for (device, same) in &self.same {
            let wrong = |reason: String| ReportError::BadValue {
                place: Place::line(file, lines.get(device).copied().unwrap_or(1)),
                column: "label".to_owned(),
                reason,
            };
            if let Some(third) = self.same.get(same) {
                let reason =
                    format!("{device} is the same as {same}, which is the same as {third}; name {third}");
                return Err(wrong(reason));
            }
            if self.rules.contains_key(device) {
                let reason =
                    format!("{device} has a label of its own and is the same as {same}; leave one out");
                return Err(wrong(reason));
            }
            let Some(rules) = self.rules.get(same).cloned() else {
                return Err(wrong(format!("{device} is the same as {same}, which has no label")));
            };
            self.rules.insert(*device, rules);
        }
        Ok(())
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
        let mut rules = self.rules.get(&device)?.iter().filter(|rule| is_now(rule.period));
        let Some(capture) = capture else {
            let first = &rules.next()?.label;
            return rules.all(|rule| rule.label == *first).then_some(first);
        };
        let fits = |rule: &&Rule| rule.capture.as_ref().is_none_or(|pattern| pattern.matches(capture));
        rules.find(fits).map(|rule| &rule.label)
    }

    /// The rows of the file by device, each device's in the order of the file; without those that say that two devices are
    /// the same.
    pub fn rows(&self) -> impl Iterator<Item = LabelRow<'_>> {
        let own = self.rules.iter().filter(|(device, _)| !self.same.contains_key(device));
        let rules = own.flat_map(|(device, rules)| rules.iter().map(|rule| (*device, rule)));
        rules.map(|(device, rule)| LabelRow {
            device,
            capture: rule.capture.as_ref().map(CapturePattern::text),
            from: rule.period.from,
            to: rule.period.to,
            label: &rule.label,
        })
    }

    /// The devices that are the same as others, each with that one.
    pub fn same(&self) -> impl Iterator<Item = (DeviceId, DeviceId)> {
        self.same.iter().map(|(device, same)| (*device, *same))
    }

    /// The labelled devices, in order.
    pub fn devices(&self) -> impl Iterator<Item = DeviceId> {
        self.rules.keys().copied()
    }

    /// The classes of a device, over all captures.
    pub fn classes_of(&self, device: DeviceId) -> impl Iterator<Item = &str> {
        self.rules.get(&device).into_iter().flatten().map(|rule| rule.label.class.as_str())
    }

    /// Classes that differ only in case or blanks, which are nearly always one class that was written in several ways;
    /// each group in order.
    pub fn similar_classes(&self) -> Vec<Vec<&str>> {
        let mut groups: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for rule in self.rules.values().flatten() {
            let class = rule.label.class.as_str();
            let letters = class.chars().filter(|letter| !letter.is_whitespace());
            groups.entry(letters.flat_map(char::to_lowercase).collect()).or_default().insert(class);
        }
        groups
            .into_values()
            .filter(|group| group.len() > 1)
            .map(|group| group.into_iter().collect())
            .collect()
    }

    /// Classes that are proposals which nobody confirmed, in order, each once.
    pub fn proposals(&self) -> BTreeSet<&str> {
        let labels = self.rules.values().flatten().map(|rule| &rule.label);
        labels.filter(|label| label.is_proposed()).map(|label| label.class.as_str()).collect()
    }

    /// The labels that somebody confirmed.
    #[must_use]
    pub fn without_proposals(mut self) -> Self {
        for rules in self.rules.values_mut() {
            rules.retain(|rule| !rule.label.is_proposed());
        }
        self.rules.retain(|_, rules| !rules.is_empty());
        self
    }

    /// Whether some label holds for some captures only.
    pub fn has_captures(&self) -> bool {
        self.rules.values().flatten().any(|rule| rule.capture.is_some())
    }

    /// Whether no device is labelled.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Where the columns stand.
struct Columns {
    mac: Option<usize>,
    label: Option<usize>,
    kind: Option<usize>,
    capture: Option<usize>,
    family: Option<usize>,
    from: Option<usize>,
    to: Option<usize>,
}

impl Columns {
    fn of(header: &[String], file: &str) -> Result<Self, ReportError> {
        let find = |names: &[&str]| {
            header.iter().position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)))
        };
        let columns = Self {
            mac: find(&["mac", "device"]),
            label: find(&["label"]),
            kind: find(&["kind"]),
            capture: find(&["capture", "folder"]),
            family: find(&FAMILY),
            from: find(&["from"]),
            to: find(&["to"]),
        };
        let required = [
            ("mac", columns.mac.is_some()),
            ("label", columns.label.is_some()),
            ("kind", columns.kind.or(columns.capture).is_some()),
        ];
        let families =
            header.iter().filter(|column| FAMILY.iter().any(|name| column.eq_ignore_ascii_case(name)));
        if families.count() > 1 {
            let reason = "columns 'family' and 'vendor' mean the same; leave one out".to_owned();
            return Err(ReportError::BadValue {
                place: Place::line(file, 1),
                column: "family".to_owned(),
                reason,
            });
        }
        match required.into_iter().find(|(_, present)| !present) {
            None => Ok(columns),
            Some((column, _)) => {
                Err(ReportError::MissingColumn { file: file.to_owned(), column, found: listed(header) })
            }
        }
    }
}

/// One record of a file of labels.
struct Row<'a> {
    columns: &'a Columns,
    record: Record,
    file: &'a str,
}

impl Row<'_> {
    fn text(&self, column: Option<usize>) -> String {
        let cell = column.and_then(|column| self.record.fields.get(column)).unwrap_or_default();
        csv_text::read(cell).into_owned()
    }

    fn device(&self) -> Result<DeviceId, ReportError> {
        let text = self.text(self.columns.mac);
        let device: DeviceId = text.parse().map_err(|error| self.bad_value("mac", error))?;
        match device {
            DeviceId::Mac(mac) if mac.is_group() => {
                Err(self.bad_value("mac", format!("{mac} is the address of a group, not of a device")))
            }
            device => Ok(device),
        }
    }

    /// The address that the row says the device is the same as.
    fn same_as(&self) -> Result<Option<DeviceId>, ReportError> {
        let label = self.text(self.columns.label);
        let Some(address) = label.strip_prefix(SAME_AS) else { return Ok(None) };
        address.parse().map(Some).map_err(|error| self.bad_value("label", error))
    }

    fn rule(&self) -> Result<Rule, ReportError> {
        let class = self.text(self.columns.label);
        if class.is_empty() {
            return Err(self.bad_value("label", "empty"));
        }
        if class.trim_end() == Label::PROPOSED.trim_end() {
            return Err(self.bad_value("label", "a '?' without the class that it proposes"));
        }
        if class == UNKNOWN {
            return Err(self
                .bad_value("label", "'unknown' is the answer for devices of no class, and is none itself"));
        }
        let kind = match self.text(self.columns.kind).to_ascii_lowercase().as_str() {
            "" => Kind::Iot,
            kind => kind.parse().map_err(|error| self.bad_value("kind", error))?,
        };
        let capture = self.columns.capture.map(|column| self.pattern(column)).transpose()?;
        let family = Some(self.text(self.columns.family)).filter(|family| !family.is_empty());
        Ok(Rule { capture, period: self.period()?, label: Label { class, kind, family } })
    }

    fn period(&self) -> Result<Period, ReportError> {
        let period =
            Period { from: self.time("from", self.columns.from)?, to: self.time("to", self.columns.to)? };
        match (period.from, period.to) {
            (Some(from), Some(to)) if from >= to => Err(self.bad_value("to", "not after 'from'")),
            _ => Ok(period),
        }
    }

    fn time(&self, name: &str, column: Option<usize>) -> Result<Option<Timestamp>, ReportError> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        // Digits alone would be seconds since 1970, and 20190701 is meant as a day.
        let time = rfc3339::parse(&text).filter(|_| text.contains('-'));
        let bad = || {
            let expected = "expected one like 2019-07-01 or 2019-07-01T13:00:00Z";
            self.bad_value(name, format!("unknown time '{text}'; {expected}"))
        };
        time.map(Some).ok_or_else(bad)
    }

    /// Refuses another label for windows that an earlier row is for.
    fn check_conflict(
        &self,
        device: DeviceId,
        rule: &Rule,
        earlier: &[(Period, Label, u64)],
    ) -> Result<(), ReportError> {
        let is_conflict =
            |(period, label, _): &&(Period, Label, u64)| period.overlaps(rule.period) && *label != rule.label;
        let Some((_, label, line)) = earlier.iter().find(is_conflict) else { return Ok(()) };
        let reason =
            format!("{device} is already labelled '{}' ({}) on line {line}", label.class, label.kind);
        Err(self.bad_value("label", reason))
    }

    /// Refuses a class that an earlier row gives another family.
    fn check_family(
        &self,
        label: &Label,
        families: &mut BTreeMap<String, (String, u64)>,
    ) -> Result<(), ReportError> {
        let Some(own) = &label.family else { return Ok(()) };
        let line = self.record.line;
        let (family, first) = families.entry(label.class.clone()).or_insert_with(|| (own.clone(), line));
        if family == own {
            return Ok(());
        }
        let reason = format!("the class '{}' has family '{family}' on line {first}", label.class);
        Err(self.bad_value("family", reason))
    }

    fn pattern(&self, column: usize) -> Result<CapturePattern, ReportError> {
        match self.text(Some(column)).as_str() {
            "" => Err(self.bad_value("capture", "empty; * stands for every capture")),
            text => CapturePattern::new(text).map_err(|error| self.bad_value("capture", error)),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "errors and texts alike are handed over")]
    fn bad_value(&self, column: &str, reason: impl ToString) -> ReportError {
        let place = Place::line(self.file, self.record.line);
        ReportError::BadValue { place, column: column.to_owned(), reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests;
