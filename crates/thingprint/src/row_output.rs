//! Rows that are written while they come.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};

use anyhow::Context;
use thingprint_table::{Table, TableError, TableWriter};

use crate::call::Line;
use crate::output::Output;
use crate::temporary::{temporary_file, unwritten};

/// What happens to a result that comes bit by bit.
#[derive(Debug)]
pub(crate) enum RowEvent {
    /// More rows.
    Rows(Table),
    /// Everything comes again, and what came so far does not count.
    Restart,
}

impl Output {
    /// Writes the rows that `make` gives, which have these columns. If they are `final_rows`, they leave at once; else
    /// they wait in a temporary file until it is certain that they count.
    pub(crate) fn rows<T>(
        &self,
        columns: &Table,
        final_rows: bool,
        make: impl FnOnce(&mut dyn FnMut(RowEvent) -> anyhow::Result<()>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let (mut result, columns) = (None, &*self.published(columns));
        if let Some(line) = self.line() {
            line.send(columns.clone())?;
            return self.send(line, final_rows, make);
        }
        if final_rows {
            self.with_style(|format, style, out| {
                let mut writer = TableWriter::new(columns.clone(), format, style, out);
                result = Some(make(&mut |part| {
                    let RowEvent::Rows(rows) = part else { return Ok(()) };
                    writer.take(self.publish(rows))?;
                    Ok(writer.flush()?)
                })?);
                Ok(writer.finish()?)
            })?;
        } else {
            let spools = [temporary_file()?, temporary_file()?];
            let (value, last) = self.spool(columns, &spools, make)?;
            result = Some(value);
            self.with(|out| copy(last, out))?;
        }
        result.context("failed to write the result: nothing was made")
    }

    /// Sends rows to whoever calls the command: as they come, or when it is certain that they count.
    fn send<T>(
        &self,
        line: &Line,
        final_rows: bool,
        make: impl FnOnce(&mut dyn FnMut(RowEvent) -> anyhow::Result<()>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut waiting = Vec::new();
        let result = make(&mut |part| match part {
            RowEvent::Rows(rows) if final_rows => Ok(line.send(self.publish(rows))?),
            RowEvent::Rows(rows) => {
                waiting.push(self.publish(rows));
                Ok(())
            }
            RowEvent::Restart => {
                waiting.clear();
                Ok(())
            }
        })?;
        waiting.into_iter().try_for_each(|rows| line.send(rows))?;
        Ok(result)
    }

    /// Writes rows into the first file, or into the second when they come again; gives the file that has them.
    fn spool<'a, T>(
        &self,
        columns: &Table,
        [first, second]: &'a [File; 2],
        make: impl FnOnce(&mut dyn FnMut(RowEvent) -> anyhow::Result<()>) -> anyhow::Result<T>,
    ) -> anyhow::Result<(T, &'a File)> {
        let mut outs = [BufWriter::new(first), BufWriter::new(second)];
        let [out, next] = &mut outs;
        let mut next = Some(next);
        let mut writer = TableWriter::new(columns.clone(), self.format(), self.style(), out);
        let result = make(&mut |part| match part {
            RowEvent::Rows(rows) => writer.take(self.publish(rows)).map_err(not_spooled),
            RowEvent::Restart => {
                let next = next.take().context("failed to read: the gateways changed twice")?;
                writer = TableWriter::new(columns.clone(), self.format(), self.style(), next);
                Ok(())
            }
        })?;
        writer.finish().map_err(not_spooled)?;
        let is_again = next.is_none();
        Ok((result, if is_again { second } else { first }))
    }
}

/// Why rows are not in a temporary file: it cannot be written, or the format cannot hold them.
fn not_spooled(error: TableError) -> anyhow::Error {
    let is_of_file = matches!(error, TableError::Write { .. });
    let error = anyhow::Error::from(error);
    if is_of_file { error.context(unwritten()) } else { error }
}

fn copy(mut spool: &File, out: &mut dyn Write) -> anyhow::Result<()> {
    spool.rewind()?;
    io::copy(&mut spool, out)?;
    Ok(())
}
