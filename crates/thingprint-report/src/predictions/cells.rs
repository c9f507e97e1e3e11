//! Rows of cells in known columns, out of a file of any format.

use thingprint_table::{Cell, Format, ParquetFile, csv_text, from_parquet, without_bom};

use super::columns::{Slot, field};
use super::json::{read_array, read_lines};
use super::read::Reader;
use super::{COLUMNS, DEVICE};
use crate::delimited::{CsvFile, Dialect};
use crate::error::{Place, ReportError};

/// A row as it was read.
pub(super) struct Cells {
    fields: [Cell; COLUMNS.len()],
    /// Probabilities by the number of the class, without absent ones.
    pub(super) probabilities: Vec<(usize, Cell)>,
}

impl Default for Cells {
    fn default() -> Self {
        Self { fields: [const { Cell::Absent }; COLUMNS.len()], probabilities: Vec::new() }
    }
}

impl Cells {
    /// Puts a value in its place.
    pub(super) fn put(&mut self, slot: Slot, cell: Cell) {
        match slot {
            Slot::Field(at) => {
                if let Some(place) = self.fields.get_mut(at) {
                    *place = cell;
                }
            }
            Slot::Class(_) if matches!(cell, Cell::Absent) => {}
            Slot::Class(class) => self.probabilities.push((class, cell)),
            Slot::Unknown => {}
        }
    }

    /// The value in a column.
    pub(super) fn get(&self, column: &str) -> &Cell {
        field(column).and_then(|at| self.fields.get(at)).unwrap_or(&Cell::Absent)
    }
}

/// Reads the format that the bytes are in.
pub(super) fn read(bytes: &[u8], reader: &mut Reader<'_>) -> Result<(), ReportError> {
    match Format::of_content(bytes) {
        Format::Parquet => read_parquet(bytes, reader),
        Format::Json => read_array(without_bom(bytes), reader),
        Format::Jsonl => read_lines(without_bom(bytes), reader),
        _ => read_csv(bytes, reader),
    }
}

fn read_parquet(bytes: &[u8], reader: &mut Reader<'_>) -> Result<(), ReportError> {
    let file = reader.file;
    let read = |wanted: &[String]| -> Result<ParquetFile, ReportError> {
        from_parquet(bytes, wanted)
            .map_err(|reason| ReportError::Unreadable { file: file.to_owned(), reason })
    };
    let ParquetFile { names, table } = read(&[DEVICE.to_owned()])?;
    let slots = reader.columns.slots(&names, file)?;
    let known = names.into_iter().zip(slots).filter(|(_, slot)| *slot != Slot::Unknown);
    let (wanted, slots): (Vec<String>, Vec<Slot>) = known.unzip();
    reader.check_budget(table.rows().saturating_mul(wanted.len()))?;
    let mut table = read(&wanted)?.table;
    let places: Vec<(usize, Slot)> =
        wanted.iter().zip(slots).filter_map(|(name, slot)| Some((table.position(name)?, slot))).collect();
    for row in 0..table.rows() {
        let mut cells = Cells::default();
        for (column, slot) in &places {
            cells.put(*slot, table.take(*column, row));
        }
        reader.add(Place::row(file, row as u64 + 1), cells)?;
    }
    Ok(())
}

fn read_csv(bytes: &[u8], reader: &mut Reader<'_>) -> Result<(), ReportError> {
    let file = reader.file;
    let mut csv = CsvFile::open(bytes, file, Dialect::Strict)?;
    let slots = reader.columns.slots(csv.header(), file)?;
    while let Some(record) = csv.next()? {
        let mut cells = Cells::default();
        for (slot, text) in slots.iter().zip(&record.fields).filter(|(slot, _)| **slot != Slot::Unknown) {
            let cell = match text {
                "" => Cell::Absent,
                text if slot.is_text() => Cell::Text(csv_text::read(text).into_owned()),
                text => Cell::from(text),
            };
            cells.put(*slot, cell);
        }
        reader.add(Place::line(file, record.line), cells)?;
    }
    Ok(())
}
