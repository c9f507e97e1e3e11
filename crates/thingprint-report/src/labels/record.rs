use std::borrow::Cow;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{Kind, Label};
use thingprint_table::{csv_text, rfc3339};

use super::Period;
use super::capture::CapturePattern;
use super::sheet::ADDRESS;
use crate::delimited::{Record, listed};
use crate::error::{Place, ReportError};

/// What classifiers answer where no class fits; no label may be mistaken for it.
const UNKNOWN: &str = "unknown";

/// What stands in front of the address whose labels a device has.
const SAME_AS: &str = "same-as ";

/// Names of the column of families.
const FAMILY: [&str; 2] = ["family", "vendor"];

/// Where the columns stand.
pub(super) struct Columns {
    mac: Option<usize>,
    label: Option<usize>,
    kind: Option<usize>,
    capture: Option<usize>,
    family: Option<usize>,
    from: Option<usize>,
    to: Option<usize>,
}

impl Columns {
    /// Finds the columns by their names.
    pub(super) fn of(header: &[String], file: &str) -> Result<Self, ReportError> {
        let find = |names: &[&str]| {
            header.iter().position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)))
        };
        let columns = Self {
            mac: find(&ADDRESS),
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

/// What a spreadsheet did to an address that it took for a number, and what to do; `None` where it does not look like that.
fn spoilt(address: &str) -> Option<&'static str> {
    let is_power = address.split_once(['E', 'e']).is_some_and(|(digits, power)| {
        power.starts_with(['+', '-'])
            && digits.starts_with(|digit: char| digit.is_ascii_digit())
            && digits.chars().all(|digit| digit.is_ascii_digit() || matches!(digit, ',' | '.'))
    });
    let is_short =
        address.len() < 12 && address.len() > 6 && address.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_power {
        Some(
            "a spreadsheet made a number of it: format the column as text, and write the address with colons",
        )
    } else if is_short {
        Some(
            "digits are missing, as where a spreadsheet drops zeros at the start: write the address with colons",
        )
    } else {
        None
    }
}

/// One record of a file of labels.
pub(super) struct Row<'a> {
    pub(super) columns: &'a Columns,
    pub(super) record: Record,
    pub(super) file: &'a str,
}

impl Row<'_> {
    fn text(&self, column: Option<usize>) -> Cow<'_, str> {
        csv_text::read(column.and_then(|column| self.record.fields.get(column)).unwrap_or_default())
    }

    /// The address of the device.
    pub(super) fn device(&self) -> Result<DeviceId, ReportError> {
        let text = self.text(self.columns.mac);
        let device: DeviceId = text.parse().map_err(|error| match spoilt(&text) {
            Some(why) => self.bad_value("mac", format!("{error}; {why}")),
            None => self.bad_value("mac", error),
        })?;
        match device {
            DeviceId::Mac(mac) if mac.is_group() => {
                Err(self.bad_value("mac", format!("{mac} is the address of a group, not of a device")))
            }
            device => Ok(device),
        }
    }

    /// The address that the row says the device is the same as.
    pub(super) fn same_as(&self) -> Result<Option<DeviceId>, ReportError> {
        let label = self.text(self.columns.label);
        let Some(address) = label.strip_prefix(SAME_AS) else { return Ok(None) };
        address.parse().map(Some).map_err(|error| self.bad_value("label", error))
    }

    /// What the device is.
    pub(super) fn label(&self) -> Result<Label, ReportError> {
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
        let family = self.text(self.columns.family);
        let family = (!family.is_empty()).then(|| family.into_owned());
        Ok(Label { class: class.into_owned(), kind, family })
    }

    /// The windows that it is for.
    pub(super) fn period(&self) -> Result<Period, ReportError> {
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

    /// Which captures it is for; `None` stands for all.
    pub(super) fn capture(&self) -> Result<Option<CapturePattern>, ReportError> {
        let Some(column) = self.columns.capture else { return Ok(None) };
        match &*self.text(Some(column)) {
            "" => Err(self.bad_value("capture", "empty; * stands for every capture")),
            text => CapturePattern::new(text).map(Some).map_err(|error| self.bad_value("capture", error)),
        }
    }

    /// The line that it begins on.
    pub(super) const fn line(&self) -> u64 {
        self.record.line
    }

    #[expect(clippy::needless_pass_by_value, reason = "errors and texts alike are handed over")]
    pub(super) fn bad_value(&self, column: &str, reason: impl ToString) -> ReportError {
        let place = Place::line(self.file, self.record.line);
        ReportError::BadValue { place, column: column.to_owned(), reason: reason.to_string() }
    }
}
