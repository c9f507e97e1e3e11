use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use thingprint_flow::decompress;

use crate::problem::LogProblem;

/// Longest line that is read: a record of a thousand answers of DNS is far shorter.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Opens the bytes of a file anew.
type Open = dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync;

/// A file of a log, which is read twice; compressed or not.
pub struct LogFile {
    name: String,
    open: Box<Open>,
}

impl LogFile {
    /// A file that messages call `name`, with what opens it.
    pub fn new<F>(name: impl Into<String>, open: F) -> Self
    where
        F: Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    {
        Self { name: name.into(), open: Box::new(open) }
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name without folders, which says what Zeek wrote into it.
    pub(crate) fn file_name(&self) -> &str {
        self.name.rsplit(['/', '\\']).next().unwrap_or(&self.name)
    }

    pub(crate) fn lines(&self) -> io::Result<Lines> {
        Ok(Lines {
            bytes: BufReader::with_capacity(1 << 16, decompress((self.open)()?)?),
            number: 0,
            line: Vec::new(),
        })
    }
}

impl fmt::Debug for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The lines of a file.
pub(crate) struct Lines {
    bytes: BufReader<Box<dyn Read + Send>>,
    number: u64,
    line: Vec<u8>,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Lines {
    /// The next line with its number, from 1; `None` behind the last.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Result<&str, LogProblem>)>> {
        self.line.clear();
        let limit = MAX_LINE_BYTES as u64 + 1;
        let read = (&mut self.bytes).take(limit).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if read > MAX_LINE_BYTES && self.line.last() != Some(&b'\n') {
            self.skip_line()?;
            return Ok(Some((self.number, Err(LogProblem::TooLong(MAX_LINE_BYTES)))));
        }
        let text = std::str::from_utf8(&self.line).map_err(|_| LogProblem::Unknown);
        Ok(Some((self.number, text)))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.bytes.fill_buf()?;
            let (length, is_end) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.bytes.consume(length);
            if is_end {
                return Ok(());
            }
        }
    }
}
