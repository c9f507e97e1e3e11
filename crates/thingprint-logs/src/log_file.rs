use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thingprint_flow::decompress;

use crate::problem::LogProblem;

/// Longest line that is read: a record of a thousand answers of DNS is far shorter.
const MAX_LINE_BYTES: usize = 1 << 20;

/// How far a file may unpack: logs are some ten to twenty times as long as what they are packed to.
const MAX_RATIO: u64 = 200;
/// Bytes that any file may unpack to, since the first ones are packed in one block.
const UNPACKED_AT_ONCE: u64 = 64 << 20;

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
        let packed = Arc::new(AtomicU64::new(0));
        let source = Packed { bytes: (self.open)()?, count: Arc::clone(&packed) };
        let unpacked = Unpacked { bytes: decompress(Box::new(source))?, packed, count: 0 };
        Ok(Lines { bytes: BufReader::with_capacity(1 << 16, unpacked), number: 0, line: Vec::new() })
    }
}

impl fmt::Debug for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The bytes of a file as they are, counted.
struct Packed {
    bytes: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// What a file unpacks to, as long as it is not far more than the file holds.
struct Unpacked {
    bytes: Box<dyn Read + Send>,
    /// Bytes that were read of the file.
    packed: Arc<AtomicU64>,
    count: u64,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.count += count as u64;
        let most = self.packed.load(Ordering::Relaxed).saturating_mul(MAX_RATIO);
        if self.count <= most.max(UNPACKED_AT_ONCE) {
            return Ok(count);
        }
        let reason = format!(
            "it unpacks to more than {MAX_RATIO} times its size; unpack it if it is a log all the same"
        );
        Err(io::Error::new(ErrorKind::FileTooLarge, reason))
    }
}

/// The lines of a file.
pub(crate) struct Lines {
    bytes: BufReader<Unpacked>,
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
        self.skip_blank()?;
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

    /// Passes over lines of nothing, of which there may be a great many.
    fn skip_blank(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.bytes.fill_buf()?;
            let blank = buffer.iter().take_while(|byte| **byte == b'\n').count();
            let goes_on = blank > 0 && blank == buffer.len();
            self.bytes.consume(blank);
            self.number += blank as u64;
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Number of the last line that was read.
    pub(crate) const fn number(&self) -> u64 {
        self.number
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
