mod capture;

use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::DeviceId;
use thingprint_instance::{Kind, Label};

use crate::delimited::{CsvFile, Dialect, Record, listed};
use crate::error::{Place, ReportError};
use capture::CapturePattern;

/// What classifiers answer where no class fits; no label may be mistaken for it.
const UNKNOWN: &str = "unknown";

/// What devices are, as a person wrote it down.
///
/// Two forms of CSV, told apart by their header:
/// - `mac,label,kind` holds for every capture; `kind` is `iot` or `non-iot`.
/// - `capture,mac,label[,kind]` holds for the captures that a name, a folder or a glob stands for (`folder` may be
///   written for `capture`), so that one address can be two devices in two captures.
///
/// An empty kind is `iot`. Blank lines and lines that begin with `#` are skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    rules: BTreeMap<DeviceId, Vec<Rule>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// `None` stands for every capture.
    capture: Option<CapturePattern>,
    label: Label,
}

impl Labels {
    /// Reads labels; `file` is the name that errors give.
    ///
    /// Fails on a missing column, a bad address, an empty label, an unknown kind, an address that gets two different
    /// labels for the same captures, and on what is no UTF-8 text.
    pub fn read(bytes: &[u8], file: &str) -> Result<Self, ReportError> {
        let mut csv = CsvFile::open(bytes, file, Dialect::Lenient)?;
        let columns = Columns::of(csv.header(), file)?;
        let mut labels = Self::default();
        let mut seen = BTreeMap::new();
        while let Some(record) = csv.next()? {
            let row = Row { columns: &columns, record, file };
            let (device, rule) = (row.device()?, row.rule()?);
            let line = row.record.line;
            let first =
                seen.entry((device, row.text(columns.capture))).or_insert_with(|| (rule.label.clone(), line));
            if first.0 != rule.label {
                let reason = format!(
                    "{device} is already labelled '{}' ({}) on line {}",
                    first.0.class, first.0.kind, first.1
                );
                return Err(row.bad_value("label", reason));
            }
            if first.1 == line {
                labels.rules.entry(device).or_default().push(rule);
            }
        }
        Ok(labels)
    }

    /// What a device is in a capture, the first row that fits; `None` when nobody labelled it.
    ///
    /// `capture` is the path of the capture. Where there is none, because a window spans several captures, a device has
    /// a label when all its rows agree.
    pub fn label_of(&self, device: DeviceId, capture: Option<&str>) -> Option<&Label> {
        let rules = self.rules.get(&device)?;
        let Some(capture) = capture else {
            let first = &rules.first()?.label;
            return rules.iter().all(|rule| rule.label == *first).then_some(first);
        };
        let fits = |rule: &&Rule| rule.capture.as_ref().is_none_or(|pattern| pattern.matches(capture));
        rules.iter().find(fits).map(|rule| &rule.label)
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
        };
        let required = [
            ("mac", columns.mac.is_some()),
            ("label", columns.label.is_some()),
            ("kind", columns.kind.or(columns.capture).is_some()),
        ];
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
        column.and_then(|column| self.record.fields.get(column)).unwrap_or_default().to_owned()
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

    fn rule(&self) -> Result<Rule, ReportError> {
        let class = self.text(self.columns.label);
        if class.is_empty() {
            return Err(self.bad_value("label", "empty"));
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
        Ok(Rule { capture, label: Label { class, kind } })
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
