//! Aligned columns for people.

use std::io::Write;

use super::{RowSink, SinkError, Spec, Writes};
use crate::human;
use crate::table::Table;
use crate::writer::Style;

pub(super) const SPEC: Spec = Spec {
    name: "table",
    extensions: &["txt", "table"],
    writes: Writes::Rows,
    is_binary: false,
    open: |columns, style, out| Ok(Box::new(Sink { waiting: columns.emptied(), style, out })),
};

/// The width of a column is known when all rows are.
struct Sink<'a> {
    waiting: Table,
    style: Style,
    out: &'a mut dyn Write,
}

impl RowSink for Sink<'_> {
    fn rows(&mut self, rows: &Table) -> Result<(), SinkError> {
        self.waiting.extend(rows, 0..rows.rows());
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        self.out.write_all(human::render(&self.waiting, self.style).as_bytes())?;
        Ok(self.out.flush()?)
    }
}
