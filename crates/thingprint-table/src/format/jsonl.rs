//! One JSON object on each line.

use std::io::{self, Write};

use super::{RowSink, SinkError, Spec, Writes};
use crate::json;
use crate::table::Table;

pub(super) const SPEC: Spec = Spec {
    name: "jsonl",
    extensions: &["jsonl", "ndjson"],
    writes: Writes::Stream,
    is_binary: false,
    open: |_, _, out| Ok(Box::new(Sink { out })),
};

struct Sink<'a> {
    out: &'a mut dyn Write,
}

impl RowSink for Sink<'_> {
    fn rows(&mut self, rows: &Table) -> Result<(), SinkError> {
        let Self { out } = self;
        json::objects(rows, |object| {
            out.write_all(object)?;
            out.write_all(b"\n")
        })?;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(self.out.flush()?)
    }
}
