//! Rows that are written while they come.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};

use anyhow::Context;
use thingprint_table::{Style, Table, TableWriter};

use crate::output::Output;

/// What happens to a result that comes bit by bit.
#[derive(Debug)]
pub(crate) enum Part {
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
        make: impl FnOnce(&mut dyn FnMut(Part) -> anyhow::Result<()>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut result = None;
        if final_rows {
            self.with_style(|format, style, out| {
                let mut writer = TableWriter::new(columns.clone(), format, style, out);
                result = Some(make(&mut |part| {
                    let Part::Rows(rows) = part else { return Ok(()) };
                    writer.push(&rows)?;
                    Ok(writer.flush()?)
                })?);
                Ok(writer.finish()?)
            })?;
        } else {
            let spool = tempfile::tempfile().context("failed to make a temporary file for the result")?;
            result = Some(self.spool(columns, &spool, make)?);
            self.with(|out| copy(&spool, out))?;
        }
        result.context("failed to write the result: nothing was made")
    }

    /// Writes rows into a file that begins anew when they come again.
    fn spool<T>(
        &self,
        columns: &Table,
        spool: &File,
        make: impl FnOnce(&mut dyn FnMut(Part) -> anyhow::Result<()>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let style: Style = self.style();
        let mut files = [BufWriter::new(spool), BufWriter::new(spool)];
        let [first, second] = &mut files;
        let mut second = Some(second);
        let mut writer = TableWriter::new(columns.clone(), self.format(), style, first);
        let result = make(&mut |part| match part {
            Part::Rows(rows) => Ok(writer.push(&rows)?),
            Part::Restart => {
                let next = second.take().context("failed to read: the gateways changed twice")?;
                writer.flush()?;
                spool.set_len(0)?;
                (&*spool).rewind()?;
                writer = TableWriter::new(columns.clone(), self.format(), style, next);
                Ok(())
            }
        })?;
        writer.finish()?;
        Ok(result)
    }
}

fn copy(mut spool: &File, out: &mut dyn Write) -> anyhow::Result<()> {
    spool.rewind()?;
    io::copy(&mut spool, out)?;
    Ok(())
}
