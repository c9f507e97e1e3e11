use std::io::{self, BufWriter, Write};
use std::path::Path;

use thingprint_report::Transaction;

use crate::terminal;

/// Standard output, beside the files that a command writes.
///
/// A reader that went away ends a command whose only result it was. Where there are others, they are made whole, and what
/// nobody reads is written nowhere.
pub(crate) struct StandardOutput<'a> {
    out: Box<dyn Write>,
    results: &'a Transaction,
    is_unread: bool,
}

impl<'a> StandardOutput<'a> {
    /// Standard output for text, beside these other results.
    pub(crate) fn text(results: &'a Transaction) -> Self {
        Self { out: terminal::result(), results, is_unread: false }
    }

    /// Standard output for bytes that are no text, beside these other results. Fails where it is a terminal.
    pub(crate) fn bytes(results: &'a Transaction) -> io::Result<Self> {
        Ok(Self { out: Box::new(BufWriter::new(terminal::bytes()?)), results, is_unread: false })
    }

    /// Goes on without a reader where there are other results.
    fn unless_unread<T>(&mut self, written: io::Result<T>, unread: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.results.is_under_way() => {
                self.is_unread = true;
                Ok(unread)
            }
            written => written,
        }
    }
}

impl Write for StandardOutput<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_unread {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.unless_unread(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_unread {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.unless_unread(flushed, ())
    }
}

/// Whether a file that is named is standard output. What is there must not be replaced by a file, wherever the output goes.
pub(crate) fn is_standard_output(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}
