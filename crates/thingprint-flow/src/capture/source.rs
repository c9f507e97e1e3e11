use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A stream of capture bytes, as they lie in the file (compressed or not).
pub type ByteStream = Box<dyn Read + Send>;

/// One capture of a trace: a name for messages, and a way to its bytes.
pub struct Capture {
    name: String,
    source: Source,
}

enum Source {
    Reopen(Box<dyn Fn() -> io::Result<ByteStream> + Send + Sync>),
    Once(Option<ByteStream>),
}

impl Capture {
    /// A capture whose bytes can be had more than once, such as a file.
    ///
    /// `open` may be called twice: with several captures in a trace, first to see when this one begins, later
    /// to read it. In between it is closed, so that hundreds of captures need few open files.
    pub fn new(
        name: impl Into<String>,
        open: impl Fn() -> io::Result<ByteStream> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), source: Source::Reopen(Box::new(open)) }
    }

    /// A capture whose bytes can be read only once, such as standard input.
    pub fn once(name: impl Into<String>, stream: ByteStream) -> Self {
        Self { name: name.into(), source: Source::Once(Some(stream)) }
    }

    /// The name, as given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the bytes can be had again after this.
    pub(super) fn is_reopenable(&self) -> bool {
        matches!(self.source, Source::Reopen(_))
    }

    /// The bytes, from the start.
    pub(super) fn open(&mut self) -> io::Result<ByteStream> {
        match &mut self.source {
            Source::Reopen(open) => open(),
            Source::Once(stream) => {
                stream.take().ok_or_else(|| io::Error::other("the stream was read already"))
            }
        }
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Counts the bytes that pass, and marks failures of the source, so that they can be told from failures of a
/// decompressor further on.
pub(super) struct Counted {
    inner: ByteStream,
    count: Arc<AtomicU64>,
}

impl Counted {
    /// Adds the bytes read from `inner` to `count`.
    pub(super) fn new(inner: ByteStream, count: Arc<AtomicU64>) -> Self {
        Self { inner, count }
    }
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buf) {
                Ok(bytes) => {
                    self.count.fetch_add(bytes as u64, Ordering::Relaxed);
                    return Ok(bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io::Error::new(error.kind(), SourceError(error))),
            }
        }
    }
}

/// A failure of the source itself.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct SourceError(io::Error);
