//! Rows of cells with named columns, out of a file of any format.

use serde_json::{Map, Value};
use thingprint_table::{Cell, Format, ParquetFile, from_parquet, without_bom};

use crate::delimited::{CsvFile, Dialect};
use crate::error::{Place, ReportError};

/// A table as it was read.
#[derive(Default)]
pub(super) struct Cells {
    pub(super) columns: Vec<String>,
    /// Each row, shorter than the columns where the last ones are absent.
    pub(super) rows: Vec<(Place, Vec<Cell>)>,
}

impl Cells {
    /// Reads the format that the bytes are in; `file` is the name that errors give.
    pub(super) fn read(bytes: &[u8], file: &str) -> Result<Self, ReportError> {
        match Format::of_content(bytes) {
            Format::Parquet => of_parquet(bytes, file),
            Format::Json => of_array(without_bom(bytes), file),
            Format::Jsonl => of_lines(without_bom(bytes), file),
            _ => of_csv(bytes, file),
        }
    }

    /// Adds a JSON object, whose keys may be new columns.
    fn add(&mut self, place: Place, object: Map<String, Value>) {
        let mut cells = Vec::with_capacity(self.columns.len());
        for (at, (key, value)) in object.into_iter().enumerate() {
            // Rows of one table have their keys in one order, so the next column is most often the one.
            let column = if self.columns.get(at) == Some(&key) {
                at
            } else if let Some(column) = self.columns.iter().position(|column| *column == key) {
                column
            } else {
                self.columns.push(key);
                self.columns.len() - 1
            };
            if cells.len() <= column {
                cells.resize(column + 1, Cell::Absent);
            }
            if let Some(place) = cells.get_mut(column) {
                *place = cell(value);
            }
        }
        self.rows.push((place, cells));
    }
}

fn of_parquet(bytes: &[u8], file: &str) -> Result<Cells, ReportError> {
    let read = |wanted: &[String]| -> Result<ParquetFile, ReportError> {
        from_parquet(bytes, wanted)
            .map_err(|reason| ReportError::Unreadable { file: file.to_owned(), reason })
    };
    let ParquetFile { names, .. } = read(&["device".to_owned()])?;
    let mut table = read(&names)?.table;
    let columns = table.columns().iter().map(|column| column.name().to_owned()).collect::<Vec<_>>();
    let count = table.rows();
    let mut row = |row: usize| (0..columns.len()).map(|column| table.take(column, row)).collect();
    let rows = (0..count).map(|at| (Place::row(file, at as u64 + 1), row(at))).collect();
    Ok(Cells { columns, rows })
}

fn of_csv(bytes: &[u8], file: &str) -> Result<Cells, ReportError> {
    let mut csv = CsvFile::open(bytes, file, Dialect::Strict)?;
    let mut cells = Cells { columns: csv.header().to_vec(), rows: Vec::new() };
    while let Some(record) = csv.next()? {
        let row = record.fields.iter().map(|text| Some(text).filter(|text| !text.is_empty()).into());
        cells.rows.push((Place::line(file, record.line), row.collect()));
    }
    Ok(cells)
}

fn of_lines(bytes: &[u8], file: &str) -> Result<Cells, ReportError> {
    let mut cells = Cells::default();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let place = Place::line(file, line);
        let object = serde_json::from_slice(text)
            .map_err(|error| ReportError::BadRow { place: place.clone(), reason: error.to_string() })?;
        cells.add(place, object);
    }
    Ok(cells)
}

fn of_array(bytes: &[u8], file: &str) -> Result<Cells, ReportError> {
    let objects: Vec<Map<String, Value>> = serde_json::from_slice(bytes)
        .map_err(|error| ReportError::Unreadable { file: file.to_owned(), reason: error.to_string() })?;
    let mut cells = Cells::default();
    for (row, object) in (1..).zip(objects) {
        cells.add(Place::row(file, row), object);
    }
    Ok(cells)
}

/// A JSON value as a cell; what no cell of a prediction holds becomes its text, which no column takes.
fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Absent,
        Value::Bool(flag) => flag.into(),
        Value::String(text) => text.into(),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(count), _) => count.into(),
            (None, measure) => measure.into(),
        },
        Value::Array(items) => {
            let text = |item: Value| if let Value::String(text) = item { text } else { item.to_string() };
            items.into_iter().map(text).collect::<Vec<String>>().into()
        }
        Value::Object(object) => Value::Object(object).to_string().into(),
    }
}
