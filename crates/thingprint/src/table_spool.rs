//! Rows that have to wait until others were written.

use std::fs::File;
use std::io::{Read, Seek, Write};

use anyhow::Context;
use thingprint_table::{Format, Style, Table, from_parquet};

use crate::temporary::{temporary_file, unwritten};

/// Bytes of rows that wait in memory; beyond that they wait in a temporary file.
const MOST_BYTES: usize = 32 << 20;

/// Rows in the order in which they came, of columns that Parquet keeps as they are: texts, numbers, times and lists.
#[derive(Debug)]
pub(crate) struct TableSpool {
    budget_bytes: usize,
    waiting: Option<Table>,
    waiting_bytes: usize,
    file: Option<File>,
    /// Bytes of each piece in the file.
    pieces: Vec<usize>,
    /// Names of the columns.
    columns: Vec<String>,
}

impl Default for TableSpool {
    fn default() -> Self {
        Self::within(MOST_BYTES)
    }
}

impl TableSpool {
    /// Of no row yet, so many bytes of which wait in memory.
    const fn within(budget_bytes: usize) -> Self {
        Self {
            budget_bytes,
            waiting: None,
            waiting_bytes: 0,
            file: None,
            pieces: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// Takes rows; all tables have the same columns.
    pub(crate) fn push(&mut self, table: Table) -> anyhow::Result<()> {
        self.waiting_bytes += (0..table.rows()).map(|row| table.row_bytes(row)).sum::<usize>();
        match &mut self.waiting {
            Some(waiting) => waiting.append(table),
            None => self.waiting = Some(table),
        }
        if self.waiting_bytes < self.budget_bytes {
            return Ok(());
        }
        self.spill()
    }

    /// Gives all rows back.
    pub(crate) fn drain(self, each: &mut dyn FnMut(Table) -> anyhow::Result<()>) -> anyhow::Result<()> {
        if let Some(mut file) = self.file {
            file.rewind().context("failed to read a temporary file")?;
            for length in self.pieces {
                each(piece(&mut file, length, &self.columns)?)?;
            }
        }
        self.waiting.map_or(Ok(()), each)
    }

    fn spill(&mut self) -> anyhow::Result<()> {
        let Some(table) = self.waiting.take() else { return Ok(()) };
        self.columns = table.columns().iter().map(|column| column.name().to_owned()).collect();
        let mut bytes = Vec::new();
        thingprint_table::write(&table, Format::Parquet, &mut bytes, Style::default())?;
        if self.file.is_none() {
            self.file = Some(temporary_file()?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(&bytes).with_context(unwritten)?;
        }
        self.pieces.push(bytes.len());
        self.waiting_bytes = 0;
        Ok(())
    }
}

fn piece(file: &mut File, length: usize, columns: &[String]) -> anyhow::Result<Table> {
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes).context("failed to read a temporary file")?;
    Ok(from_parquet(&bytes, columns).map_err(anyhow::Error::msg)?.table)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use thingprint_flow::Timestamp;
    use thingprint_table::{Cell, Type};

    use super::*;

    fn table(rows: std::ops::Range<u64>) -> Table {
        let columns = [
            ("device", Type::Text),
            ("window", Type::Time),
            ("day", Type::Time),
            ("windows", Type::Unsigned),
            ("likeness", Type::Real),
            ("set", Type::List),
        ];
        let mut table = Table::new(columns);
        for row in rows {
            let set = vec!["Hub".to_owned(), format!("Lamp {row}")];
            let cells = [
                Cell::from(format!("device {row}")),
                Cell::from(Timestamp::from_seconds(row.try_into().unwrap())),
                Cell::Absent,
                Cell::from(row),
                Cell::from(1.0 / row as f64),
                if row % 3 == 0 { Cell::Absent } else { Cell::from(set) },
            ];
            table.push(cells).unwrap();
        }
        table
    }

    #[test]
    fn rows_come_back_from_files_as_they_were() {
        for (budget_bytes, pieces) in [(usize::MAX, 0), (30_000, 2), (2000, 33)] {
            let mut spool = TableSpool::within(budget_bytes);
            for at in (1..1000).step_by(9) {
                spool.push(table(at..(at + 9).min(1000))).unwrap();
                assert!(spool.waiting_bytes < budget_bytes);
            }
            assert!(spool.pieces.len() >= pieces, "{}", spool.pieces.len());
            let mut all = table(0..0);
            let mut each = |part| {
                all.append(part);
                Ok(())
            };
            spool.drain(&mut each).unwrap();
            assert_eq!(all, table(1..1000));
        }
    }
}
