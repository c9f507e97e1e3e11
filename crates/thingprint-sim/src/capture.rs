use std::io::{self, BufRead, Read};

use crate::clock::SECOND_NS;
use crate::{Frames, Simulation};

/// How much is made ready at a time, in bytes.
const BLOCK_BYTES: usize = 256 * 1024;

/// The snap length that stands for "everything", as tcpdump writes it.
const WHOLE: u32 = 262_144;

/// A simulation, or other frames in time order, as the bytes of a capture file: pcap with nanoseconds, little-endian, Ethernet.
///
/// It is read like a file, so a capture can be written with [`std::io::copy`] or handed to whatever reads captures
/// without ever being stored.
pub struct CaptureReader<F = Simulation> {
    source: F,
    block: Vec<u8>,
    /// How much of the block has been read.
    taken: usize,
    frames: u64,
}

impl<F: Frames> CaptureReader<F> {
    /// A capture of the frames that are left.
    pub fn new(source: F) -> Self {
        let mut block = Vec::with_capacity(BLOCK_BYTES + 2 * 1024);
        block.extend_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
        block.extend_from_slice(&[2, 0, 4, 0]);
        block.extend_from_slice(&[0; 8]);
        block.extend_from_slice(&source.snaplen().unwrap_or(WHOLE).to_le_bytes());
        block.extend_from_slice(&1_u32.to_le_bytes());
        Self { source, block, taken: 0, frames: 0 }
    }

    /// How many frames have been made ready so far; after the end, all of them.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    fn refill(&mut self) {
        self.block.clear();
        self.taken = 0;
        while self.block.len() < BLOCK_BYTES {
            let Some(frame) = self.source.next_frame() else { return };
            let seconds = u32::try_from(frame.time_ns / SECOND_NS).unwrap_or(u32::MAX);
            let rest_ns = u32::try_from(frame.time_ns % SECOND_NS).unwrap_or(0);
            let captured = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
            for number in [seconds, rest_ns, captured, frame.original_bytes] {
                self.block.extend_from_slice(&number.to_le_bytes());
            }
            self.block.extend_from_slice(frame.bytes);
            self.frames += 1;
        }
    }
}

impl<F: Frames> BufRead for CaptureReader<F> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken >= self.block.len() {
            self.refill();
        }
        Ok(self.block.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken = self.block.len().min(self.taken + amount);
    }
}

impl<F: Frames> Read for CaptureReader<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
