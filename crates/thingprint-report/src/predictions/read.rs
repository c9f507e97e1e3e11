use std::collections::BTreeSet;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_table::{Cell, rfc3339};

use super::cells::{self, Cells};
use super::columns::Columns;
use super::{
    ACCEPTED, CAPTURE, CLASS, CONFIDENCE, DEVICE, FOLD, LIKENESS, PredictionFile, PredictionRow, SEED, SET,
    SPLIT, TRUTH, WINDOW,
};
use crate::error::{Place, ReportError};
use crate::instances::number;

/// Fold and seed where a file does not say.
const FIRST: u64 = 1;
/// Most probabilities of a file, where a row counts as [`ROW`]: half a gigabyte.
const MOST_VALUES: usize = 1 << 25;
/// What a row takes beside its probabilities.
const ROW: usize = 16;
/// What the sum of the probabilities of a row may miss 1 by.
const ROUNDING: f64 = 1e-3;

/// Reads predictions in the format that their bytes are in; `file` is the name that errors give.
///
/// Columns are found by name: `device`, `window`, `truth`, `class` and a `probability[CLASS]` at least must be there; a fold or a
/// seed that is not is 1, and a confidence the probability of the class. Unknown columns are skipped. Fails where the
/// probabilities of a row do not add up to 1, for a file of nothing, for a second row of the same window, fold and seed, and for more than 4,096 classes
/// or about 33 million values.
pub fn read_predictions(bytes: &[u8], file: &str) -> Result<PredictionFile, ReportError> {
    read_within(bytes, file, MOST_VALUES)
}

/// The same with a limit of values.
pub(super) fn read_within(bytes: &[u8], file: &str, limit: usize) -> Result<PredictionFile, ReportError> {
    ReportError::unless_empty(bytes, file)?;
    let (columns, rows, keys) = (Columns::default(), Vec::new(), BTreeSet::new());
    let mut reader = Reader { file, columns, rows, keys, values: 0, limit };
    cells::read(bytes, &mut reader)?;
    Ok(PredictionFile { classes: reader.columns.classes, rows: reader.rows })
}

/// What answers must not share: device, window, capture, fold, seed and true class.
type Key = (DeviceId, Timestamp, Option<String>, u32, u64, String);

/// The rows of a file as they are read.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    pub(super) columns: Columns,
    pub(super) rows: Vec<PredictionRow>,
    keys: BTreeSet<Key>,
    values: usize,
    limit: usize,
}

impl Reader<'_> {
    /// Reads the values of a row.
    pub(super) fn add(&mut self, place: Place, mut cells: Cells) -> Result<(), ReportError> {
        self.values = self.values.saturating_add(ROW + cells.probabilities.len());
        self.check_budget(self.values)?;
        cells.probabilities.sort_unstable_by_key(|(class, _)| *class);
        let row = Record { place: place.clone(), cells }.row(&self.columns.classes)?;
        let PredictionRow { device, window_start, capture, fold, seed, truth, .. } = &row;
        let key = (*device, *window_start, capture.clone(), *fold, *seed, truth.clone());
        if !self.keys.insert(key) {
            let reason = "the same device, window, capture, fold, seed and true class as an earlier row";
            return Err(ReportError::BadRow { place, reason: reason.to_owned() });
        }
        self.rows.push(row);
        Ok(())
    }

    /// Refuses more values than a file may have.
    pub(super) fn check_budget(&self, values: usize) -> Result<(), ReportError> {
        if values <= self.limit {
            return Ok(());
        }
        let reason = format!("more than {} values", self.limit);
        Err(ReportError::Unreadable { file: self.file.to_owned(), reason })
    }
}

/// The cells of one row.
struct Record {
    place: Place,
    cells: Cells,
}

impl Record {
    fn row(self, classes: &[String]) -> Result<PredictionRow, ReportError> {
        let class = self.required(CLASS)?;
        let probabilities = self.probabilities(classes)?;
        let confidence = share(self.cell(CONFIDENCE)).map_err(|reason| self.bad(CONFIDENCE, reason))?;
        let of_class = || {
            let of = |(number, _): &&(usize, f64)| classes.get(*number) == Some(&class);
            probabilities.iter().find(of).map_or(0.0, |(_, probability)| *probability)
        };
        Ok(PredictionRow {
            device: self.device()?,
            window_start: self.window_start()?,
            capture: self.text(CAPTURE)?,
            split: self.text(SPLIT)?,
            fold: u32::try_from(self.count(FOLD)?.unwrap_or(FIRST))
                .map_err(|_| self.bad(FOLD, "too large".to_owned()))?,
            seed: self.count(SEED)?.unwrap_or(FIRST),
            truth: self.required(TRUTH)?,
            confidence: confidence.unwrap_or_else(of_class),
            likeness: number::real(self.cell(LIKENESS)).map_err(|reason| self.bad(LIKENESS, reason))?,
            accepted: self.flag(ACCEPTED)?,
            set: self.list(SET)?,
            class,
            probabilities,
        })
    }

    /// The probabilities that are there, which add up to 1.
    fn probabilities(&self, classes: &[String]) -> Result<Vec<(usize, f64)>, ReportError> {
        let mut probabilities = Vec::with_capacity(self.cells.probabilities.len());
        for (class, cell) in &self.cells.probabilities {
            let name = || super::probability(classes.get(*class).map_or("", String::as_str));
            let share = share(cell).map_err(|reason| self.bad(&name(), reason))?;
            probabilities.extend(share.map(|share| (*class, share)));
        }
        let sum: f64 = probabilities.iter().map(|(_, probability)| probability).sum();
        let reason = if probabilities.is_empty() {
            "no probability[CLASS] has a value".to_owned()
        } else if (sum - 1.0).abs() > ROUNDING {
            format!("the probabilities add up to {sum} instead of 1")
        } else {
            return Ok(probabilities);
        };
        Err(ReportError::BadRow { place: self.place.clone(), reason })
    }

    fn cell(&self, column: &str) -> &Cell {
        self.cells.get(column)
    }

    fn device(&self) -> Result<DeviceId, ReportError> {
        self.required(DEVICE)?.parse().map_err(|error| self.bad(DEVICE, format!("{error}")))
    }

    fn window_start(&self) -> Result<Timestamp, ReportError> {
        if let Cell::Time(time) = self.cell(WINDOW) {
            return Ok(*time);
        }
        let text = self.required(WINDOW)?;
        rfc3339::parse(&text).ok_or_else(|| {
            self.bad(WINDOW, format!("'{text}' is not a time: expected one like 2019-07-01T13:00:00Z"))
        })
    }

    fn required(&self, column: &str) -> Result<String, ReportError> {
        self.text(column)?.ok_or_else(|| self.bad(column, "absent".to_owned()))
    }

    fn text(&self, column: &str) -> Result<Option<String>, ReportError> {
        match self.cell(column) {
            Cell::Absent => Ok(None),
            Cell::Text(text) => Ok(Some(text.clone())),
            Cell::Unsigned(number) => Ok(Some(number.to_string())),
            other => Err(self.bad(column, format!("{} is not text", number::noun(other)))),
        }
    }

    fn count(&self, column: &str) -> Result<Option<u64>, ReportError> {
        number::count(self.cell(column)).map_err(|reason| self.bad(column, reason))
    }

    fn flag(&self, column: &str) -> Result<bool, ReportError> {
        match self.cell(column) {
            Cell::Absent => Ok(false),
            Cell::Flag(flag) => Ok(*flag),
            Cell::Text(text) => {
                text.parse().map_err(|_| self.bad(column, format!("'{text}' is not true or false")))
            }
            other => Err(self.bad(column, format!("{} is not true or false", number::noun(other)))),
        }
    }

    fn list(&self, column: &str) -> Result<Vec<String>, ReportError> {
        match self.cell(column) {
            Cell::Absent => Ok(Vec::new()),
            Cell::List(texts) => Ok(texts.clone()),
            Cell::Text(text) => serde_json::from_str(text)
                .map_err(|error| self.bad(column, format!("no list like [\"a\",\"b\"]: {error}"))),
            other => Err(self.bad(column, format!("{} is no list", number::noun(other)))),
        }
    }

    fn bad(&self, column: &str, reason: String) -> ReportError {
        ReportError::BadValue { place: self.place.clone(), column: column.to_owned(), reason }
    }
}

/// A probability; rounding may take it a little beyond 0 and 1.
fn share(cell: &Cell) -> Result<Option<f64>, String> {
    const BEYOND: f64 = 1e-6;
    let value = number::real(cell)?;
    match value.filter(|value| !(-BEYOND..=1.0 + BEYOND).contains(value)) {
        Some(value) => Err(format!("{value} is no probability")),
        None => Ok(value),
    }
}
