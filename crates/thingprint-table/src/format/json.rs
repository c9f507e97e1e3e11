//! One JSON array, an object on each line.

use std::io::{self, Write};

use super::{RowSink, SinkError, Spec, Writes};
use crate::json;
use crate::table::Table;

pub(super) const SPEC: Spec = Spec {
    name: "json",
    extensions: &["json"],
    writes: Writes::Stream,
    is_binary: false,
    open: |_, _, out| {
        out.write_all(b"[")?;
        Ok(Box::new(Sink { is_empty: true, out }))
    },
};

struct Sink<'a> {
    is_empty: bool,
    out: &'a mut dyn Write,
}

impl RowSink for Sink<'_> {
    fn rows(&mut self, rows: &Table) -> Result<(), SinkError> {
        let Self { is_empty, out } = self;
        json::objects(rows, |object| {
            let is_first = std::mem::replace(is_empty, false);
            out.write_all(if is_first { b"\n" } else { b",\n" })?;
            out.write_all(object)
        })?;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        self.out.write_all(if self.is_empty { b"]\n" } else { b"\n]\n" })?;
        Ok(self.out.flush()?)
    }
}
