//! How long a row of a file may be: a row is in memory as a whole.

use std::cell::Cell;
use std::io::{self, BufRead, ErrorKind, Read};
use std::rc::Rc;

/// Bytes of a row, in CSV with the comments and blank lines before it. The words of a window have at most 2 MiB, and escapes
/// make a few times as much of them.
pub(crate) const MOST_ROW_BYTES: usize = 64 << 20;

/// Counts the bytes since the last row ended, and fails where they are too many.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowLimit(Rc<Cell<usize>>);

impl RowLimit {
    /// Begins the next row.
    pub(crate) fn begin(&self) {
        self.0.set(0);
    }

    fn add(&self, count: usize) -> io::Result<()> {
        self.0.set(self.0.get().saturating_add(count));
        if self.0.get() > MOST_ROW_BYTES { Err(too_long()) } else { Ok(()) }
    }
}

/// Bytes that are counted on their way.
pub(crate) struct Counted<R> {
    pub(crate) source: R,
    pub(crate) limit: RowLimit,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.limit.add(count)?;
        Ok(count)
    }
}

/// Reads a line with its end into `line`; gives its length, 0 at the end of the text.
pub(crate) fn read_line(text: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let most = MOST_ROW_BYTES as u64 + 1;
    let count = text.by_ref().take(most).read_until(b'\n', line)?;
    if line.len() > MOST_ROW_BYTES { Err(too_long()) } else { Ok(count) }
}

/// What is said of a row that is too long.
pub(crate) fn too_long() -> io::Error {
    let reason =
        format!("a row of more than {} MiB, which is the limit; is it another file?", MOST_ROW_BYTES >> 20);
    io::Error::new(ErrorKind::FileTooLarge, reason)
}
