use std::io::Write;

use crate::error::ReportError;
use crate::format::Format;
use crate::table::Table;
use crate::{frame, human, json};

/// How [`Format::Table`] looks; the other formats have one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; without it, lines are as long as they need to be.
    pub width: Option<usize>,
    /// Whether to mark the header with ANSI escape sequences.
    pub colour: bool,
}

/// Writes a table and flushes the output; [`Format::Jsonl`] flushes after each line, for readers that follow along.
pub fn write(table: &Table, format: Format, out: &mut dyn Write, style: Style) -> Result<(), ReportError> {
    match format {
        Format::Table => out.write_all(human::render(table, style).as_bytes()),
        Format::Json => json::write_array(table, out),
        Format::Jsonl => json::write_lines(table, out),
        Format::Csv => out.write_all(&frame::to_csv(table)?),
        Format::Parquet => out.write_all(&frame::to_parquet(table)?),
    }
    .and_then(|()| out.flush())
    .map_err(|source| ReportError::Write { format, source })
}
