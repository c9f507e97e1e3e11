use std::io::{self, Write};

use crate::error::ReportError;
use crate::format::Format;
use crate::table::Table;
use crate::write::{Style, write};
use crate::{frame, json};

/// Writes a table that comes in parts.
///
/// JSON, JSON lines and CSV are written part by part, so that a long table is never in memory whole; aligned columns
/// and Parquet need all rows first, and keep them until the end. The bytes are those of [`write()`] either way.
pub struct TableWriter<'a> {
    format: Format,
    style: Style,
    out: &'a mut dyn Write,
    /// The rows that wait for the end; none where rows are written at once.
    waiting: Table,
    is_begun: bool,
}

impl<'a> TableWriter<'a> {
    /// A writer for tables with the columns of `columns`, whose rows come first.
    pub fn new(columns: Table, format: Format, style: Style, out: &'a mut dyn Write) -> Self {
        Self { format, style, out, waiting: columns, is_begun: false }
    }

    /// Adds rows. Fails when the columns are others.
    pub fn push(&mut self, part: Table) -> Result<(), ReportError> {
        self.waiting.append(part)?;
        if self.waiting.rows() > 0 && !matches!(self.format, Format::Table | Format::Parquet) {
            let part = self.waiting.take_rows();
            self.write_part(&part)?;
        }
        Ok(())
    }

    /// Hands on what was written, so that whoever reads a pipe gets it.
    pub fn flush(&mut self) -> Result<(), ReportError> {
        self.out.flush().map_err(|source| self.failed(source))
    }

    /// Writes what is left and flushes the output.
    pub fn finish(mut self) -> Result<(), ReportError> {
        if !self.is_begun {
            return write(&self.waiting, self.format, self.out, self.style);
        }
        let part = self.waiting.take_rows();
        self.write_part(&part)?;
        let end = if self.format == Format::Json { json::end_array(false, self.out) } else { Ok(()) };
        end.and_then(|()| self.out.flush()).map_err(|source| self.failed(source))
    }

    fn write_part(&mut self, part: &Table) -> Result<(), ReportError> {
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        let written = match self.format {
            Format::Json => json::write_elements(part, is_first, self.out),
            Format::Csv if part.rows() > 0 => self.out.write_all(&frame::to_csv(part, is_first)?),
            Format::Csv => Ok(()),
            _ => json::write_lines(part, self.out),
        };
        written.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> ReportError {
        ReportError::Write { format: self.format, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, Type};

    fn table(rows: std::ops::Range<u64>) -> Table {
        let mut table = Table::new([("device", Type::Text), ("packets", Type::Unsigned)]);
        for row in rows {
            table.push([Cell::from(format!("d{row}")), row.into()]).unwrap();
        }
        table
    }

    #[test]
    fn parts_are_written_as_one_table() {
        for format in Format::ALL {
            for cuts in [&[0, 0][..], &[0, 5], &[0, 1, 1, 3, 5], &[0, 0, 5, 5]] {
                let mut parts = Vec::new();
                let mut writer = TableWriter::new(table(0..0), format, Style::default(), &mut parts);
                for cut in cuts.windows(2) {
                    writer.push(table(cut[0]..cut[1])).unwrap();
                }
                writer.finish().unwrap();
                let mut whole = Vec::new();
                let rows = *cuts.last().unwrap();
                write(&table(0..rows), format, &mut whole, Style::default()).unwrap();
                assert_eq!(parts, whole, "{format} {cuts:?}");
            }
        }
    }

    #[test]
    fn a_part_with_other_columns_is_refused() {
        let mut out = Vec::new();
        let mut writer = TableWriter::new(table(0..1), Format::Csv, Style::default(), &mut out);
        let other = Table::new([("device", Type::Text), ("packets", Type::Real)]);
        let error = writer.push(other).unwrap_err().to_string();
        assert_eq!(error, "build a table: a part has other columns than the table");
    }

    #[test]
    fn lines_are_there_before_the_end() {
        let mut out = Vec::new();
        let mut writer = TableWriter::new(table(0..0), Format::Jsonl, Style::default(), &mut out);
        writer.push(table(0..2)).unwrap();
        drop(writer);
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 2);
    }
}
