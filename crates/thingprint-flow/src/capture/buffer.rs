use std::io;
use std::ops::Range;

use super::hash::{ContentHash, Hasher};
use super::source::ByteStream;

/// Bytes read at a time: large enough to make system calls cheap, small enough to stay in a cache.
const READ_SIZE: usize = 256 * 1024;

/// A refillable window on a stream.
///
/// Taken bytes stay readable by their range until the next [`fill`](Self::fill), so that a packet can be handed
/// out in place after the reader has moved past it.
pub(super) struct Buffer {
    stream: ByteStream,
    data: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the stream before `data`.
    shifted: u64,
    hasher: Option<Hasher>,
    /// Bytes of `data` that went into the hash already.
    hashed: usize,
}

impl Buffer {
    /// A window at the start of `stream`, which hashes what it reads if asked to.
    pub(super) fn new(stream: ByteStream, hash: bool) -> Self {
        Self {
            stream,
            data: vec![0; READ_SIZE],
            start: 0,
            end: 0,
            shifted: 0,
            hasher: hash.then(Hasher::default),
            hashed: 0,
        }
    }

    /// The bytes that were read and not yet taken.
    pub(super) fn available(&self) -> &[u8] {
        self.data.get(self.start..self.end).unwrap_or_default()
    }

    /// The bytes of a range that [`take`](Self::take) returned; empty when the range is not in the window.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.data.get(range).unwrap_or_default()
    }

    /// Offset of the first available byte in the stream.
    pub(super) fn offset(&self) -> u64 {
        self.shifted + self.start as u64
    }

    /// Moves past `length` available bytes and returns where they lie.
    pub(super) fn take(&mut self, length: usize) -> Range<usize> {
        let from = self.start;
        self.start = self.end.min(from + length);
        from..self.start
    }

    /// Reads until at least `needed` bytes are available; fewer are there afterwards only at the stream's end.
    ///
    /// The window grows with what arrives, not with what is asked for: a length in a file is only a claim.
    pub(super) fn fill(&mut self, needed: usize) -> io::Result<()> {
        self.shift();
        while self.end < needed {
            if self.end == self.data.len() {
                self.data.resize(self.data.len() * 2, 0);
            }
            let room = self.data.get_mut(self.end..).unwrap_or_default();
            match self.stream.read(room) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Hash of every byte taken so far; `None` if it was not asked for.
    pub(super) fn content_hash(&mut self) -> Option<ContentHash> {
        self.hash_up_to(self.start);
        self.hasher.as_ref().map(Hasher::finish)
    }

    /// Moves what is available to the front.
    fn shift(&mut self) {
        self.hash_up_to(self.start);
        self.data.copy_within(self.start..self.end, 0);
        self.shifted += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        self.hashed = 0;
    }

    fn hash_up_to(&mut self, end: usize) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(self.data.get(self.hashed..end).unwrap_or_default());
            self.hashed = end;
        }
    }
}
