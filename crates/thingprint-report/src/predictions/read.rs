use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_table::{Cell, rfc3339};

use super::cells::Cells;
use super::{
    ACCEPTED, CAPTURE, CLASS, CONFIDENCE, DEVICE, FOLD, LIKENESS, PredictionFile, PredictionRow, SEED, SET,
    TRUTH, WINDOW, class_of,
};
use crate::delimited::listed;
use crate::error::{Place, ReportError};
use crate::instances::number;

/// Fold and seed where a file does not say.
const FIRST: u64 = 1;

/// Reads predictions in the format that their bytes are in; `file` is the name that errors give.
///
/// Columns are found by name: `device`, `window`, `truth`, `class`, `confidence` and a `Pr(CLASS)` at least must be there;
/// a fold or a seed that is not is 1. Unknown columns are skipped.
pub fn read_predictions(bytes: &[u8], file: &str) -> Result<PredictionFile, ReportError> {
    let Cells { columns, rows } = Cells::read(bytes, file)?;
    let missing = [DEVICE, WINDOW, TRUTH, CLASS, CONFIDENCE]
        .into_iter()
        .find(|name| !columns.iter().any(|c| c == name));
    let classes: Vec<(usize, &str)> =
        columns.iter().enumerate().filter_map(|(at, name)| Some((at, class_of(name)?))).collect();
    let missing = missing.or_else(|| classes.is_empty().then_some("Pr(CLASS)"));
    if let Some(column) = missing {
        let found = listed(&columns);
        return Err(ReportError::MissingColumn { file: file.to_owned(), column, found });
    }
    let places: BTreeMap<&str, usize> =
        columns.iter().enumerate().rev().map(|(at, name)| (name.as_str(), at)).collect();
    let record = |(place, cells)| Record { place, cells, places: &places }.row(&classes);
    let rows = rows.into_iter().map(record).collect::<Result<_, _>>()?;
    Ok(PredictionFile { classes: classes.into_iter().map(|(_, class)| class.to_owned()).collect(), rows })
}

/// The cells of one row.
struct Record<'a> {
    place: Place,
    cells: Vec<Cell>,
    places: &'a BTreeMap<&'a str, usize>,
}

impl Record<'_> {
    fn row(self, classes: &[(usize, &str)]) -> Result<PredictionRow, ReportError> {
        let probability = |&(at, class): &(usize, &str)| {
            let cell = self.cells.get(at).unwrap_or(&Cell::Absent);
            share(cell).map_err(|reason| self.bad(&super::probability(class), reason))
        };
        let confidence = share(self.cell(CONFIDENCE)).map_err(|reason| self.bad(CONFIDENCE, reason))?;
        Ok(PredictionRow {
            device: self.device()?,
            window_start: self.window_start()?,
            capture: self.text(CAPTURE)?,
            fold: u32::try_from(self.count(FOLD)?.unwrap_or(FIRST))
                .map_err(|_| self.bad(FOLD, "too large".to_owned()))?,
            seed: self.count(SEED)?.unwrap_or(FIRST),
            truth: self.required(TRUTH)?,
            class: self.required(CLASS)?,
            confidence: confidence.ok_or_else(|| self.bad(CONFIDENCE, "absent".to_owned()))?,
            likeness: number::real(self.cell(LIKENESS)).map_err(|reason| self.bad(LIKENESS, reason))?,
            accepted: self.flag(ACCEPTED)?,
            set: self.list(SET)?,
            probabilities: classes.iter().map(probability).collect::<Result<_, _>>()?,
        })
    }

    fn cell(&self, column: &str) -> &Cell {
        self.places.get(column).and_then(|at| self.cells.get(*at)).unwrap_or(&Cell::Absent)
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
    const ROUNDING: f64 = 1e-6;
    let value = number::real(cell)?;
    match value.filter(|value| !(-ROUNDING..=1.0 + ROUNDING).contains(value)) {
        Some(value) => Err(format!("{value} is no probability")),
        None => Ok(value),
    }
}
