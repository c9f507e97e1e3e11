//! A place to write to, whose failures say which place it is.

use std::io::{self, Write};

use anyhow::Context;

/// A writer that knows whether it failed: what is written may fail for other reasons as well.
pub(crate) struct NamedWriter<W> {
    out: W,
    has_failed: bool,
}

impl<W: Write> NamedWriter<W> {
    pub(crate) const fn new(out: W) -> Self {
        Self { out, has_failed: false }
    }

    /// The place.
    pub(crate) fn into_inner(self) -> W {
        self.out
    }

    /// Adds the name of the place to what went wrong there.
    pub(crate) fn named<T>(&self, written: anyhow::Result<T>, name: &str) -> anyhow::Result<T> {
        if self.has_failed { written.with_context(|| format!("failed to write {name}")) } else { written }
    }

    fn note<T>(&mut self, written: io::Result<T>) -> io::Result<T> {
        self.has_failed |= written.is_err();
        written
    }
}

impl<W: Write> Write for NamedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.note(flushed)
    }
}
