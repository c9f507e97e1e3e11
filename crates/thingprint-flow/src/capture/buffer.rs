use std::io;
use std::ops::Range;

use super::block::Block;
use super::hash::{ContentHash, Hasher};
use super::source::ByteStream;

/// Bytes read at a time: large enough to make system calls cheap, small enough to stay in a cache.
const READ_SIZE: usize = 256 * 1024;
/// Bytes that make a block worth keeping.
const LENDABLE_BYTES: usize = READ_SIZE / 4;

/// A refillable window on a stream.
///
/// Taken bytes stay readable by their range until the next [`fill`](Self::fill), so that a packet can be handed
/// out in place after the reader has moved past it. Whoever wants the bytes for longer keeps their [`Block`]; then the
/// window goes on in another one.
pub(super) struct Buffer {
    stream: ByteStream,
    block: Block,
    /// Blocks that others kept, until they are used again.
    lent: Vec<Block>,
    start: usize,
    end: usize,
    /// Bytes of the stream before the block.
    shifted: u64,
    /// Whether the block is worth keeping: whoever keeps one that grew for a long packet, or that has little in it, keeps
    /// more memory than bytes.
    is_lendable: bool,
    hasher: Option<Hasher>,
    /// Bytes of the block that went into the hash already.
    hashed: usize,
}

impl Buffer {
    /// A window at the start of `stream`, which hashes what it reads if asked to.
    pub(super) fn new(stream: ByteStream, hash: bool) -> Self {
        Self {
            stream,
            block: Block::new(READ_SIZE),
            lent: Vec::new(),
            start: 0,
            end: 0,
            shifted: 0,
            is_lendable: false,
            hasher: hash.then(Hasher::default),
            hashed: 0,
        }
    }

    /// The bytes that were read and not yet taken.
    #[inline]
    pub(super) fn available(&self) -> &[u8] {
        self.block.bytes(self.start..self.end)
    }

    /// The bytes of a range that [`take`](Self::take) returned; empty when the range is not in the window.
    #[inline]
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.block.bytes(range)
    }

    /// The block that these bytes lie in, if it is worth keeping.
    #[inline]
    pub(super) fn block(&self) -> Option<&Block> {
        self.is_lendable.then_some(&self.block)
    }

    /// Offset of the first available byte in the stream.
    pub(super) fn offset(&self) -> u64 {
        self.shifted + self.start as u64
    }

    /// Moves past `length` available bytes and returns where they lie.
    #[inline]
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
        let result = self.read(needed);
        self.is_lendable = self.block.len() == READ_SIZE && self.end >= LENDABLE_BYTES;
        result
    }

    fn read(&mut self, needed: usize) -> io::Result<()> {
        let Self { block, stream, end, .. } = self;
        // Nobody else has the block that was shifted.
        let Some(data) = block.bytes_mut() else { return Ok(()) };
        while *end < needed {
            if *end == data.len() {
                data.resize(data.len() * 2, 0);
            }
            let room = data.get_mut(*end..).unwrap_or_default();
            match stream.read(room) {
                Ok(0) => break,
                Ok(read) => *end += read,
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

    /// Moves what is available to the front, of another block where somebody keeps this one.
    fn shift(&mut self) {
        self.hash_up_to(self.start);
        let rest = self.start..self.end;
        if let Some(data) = self.block.bytes_mut() {
            data.copy_within(rest.clone(), 0);
        } else {
            let next = self.other_block(rest.clone());
            self.lent.push(std::mem::replace(&mut self.block, next));
        }
        self.shifted += rest.start as u64;
        (self.start, self.end, self.hashed) = (0, rest.len(), 0);
    }

    /// A block that nobody has, with the bytes of a range of this one at its start.
    fn other_block(&mut self, range: Range<usize>) -> Block {
        let free = self.lent.iter_mut().position(|block| block.bytes_mut().is_some());
        let mut next = free.map_or_else(|| Block::new(READ_SIZE), |at| self.lent.swap_remove(at));
        if let Some(data) = next.bytes_mut() {
            data.resize(READ_SIZE.max(range.len()), 0);
            let rest = self.block.bytes(range);
            if let Some(place) = data.get_mut(..rest.len()) {
                place.copy_from_slice(rest);
            }
        }
        next
    }

    fn hash_up_to(&mut self, end: usize) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(self.block.bytes(self.hashed..end));
            self.hashed = end;
        }
    }
}
