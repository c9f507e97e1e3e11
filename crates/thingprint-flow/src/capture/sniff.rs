use std::io::Read;

use super::compression::decompress;
use super::format::Format;
use super::source::ByteStream;

/// Whether a stream begins as a capture does, compressed or not; its name plays no part.
pub fn is_capture(stream: ByteStream) -> bool {
    let mut start = Vec::with_capacity(Format::MAGIC_BYTES);
    decompress(stream)
        .and_then(|bytes| bytes.take(Format::MAGIC_BYTES as u64).read_to_end(&mut start))
        .is_ok_and(|_| Format::of(&start).is_some())
}
