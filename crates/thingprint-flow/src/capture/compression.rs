use std::io::{self, BufRead, BufReader, Cursor, Read};

use lz4_flex::frame::FrameDecoder;

use super::source::ByteStream;

/// Bytes taken from a compressed stream at a time.
const COMPRESSED_CHUNK: usize = 64 * 1024;
/// Bytes that show how a stream is compressed.
const MAGIC_BYTES: usize = 6;

/// The uncompressed bytes of a stream: gzip (RFC 1952), zstd (RFC 8878), bzip2, xz and LZ4 frames are detected by their
/// first bytes, with any number of members, frames or streams; anything else passes as it is.
///
/// # Errors
///
/// When the first bytes cannot be read, or zstd cannot begin.
pub fn decompress(mut raw: ByteStream) -> io::Result<ByteStream> {
    let mut start = Vec::with_capacity(MAGIC_BYTES);
    raw.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut start)?;
    let compression = Compression::of(&start);
    let chunks = BufReader::with_capacity(COMPRESSED_CHUNK, Cursor::new(start).chain(raw));
    Ok(match compression {
        Compression::None => Box::new(chunks),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(chunks)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(chunks)?),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(chunks)),
        Compression::Xz => Box::new(lzma_rust2::XzReader::new(chunks, true)),
        Compression::Lz4 => Box::new(Lz4Frames(FrameDecoder::new(chunks))),
    })
}

/// LZ4 frames one after another: the decoder ends at each frame's end.
struct Lz4Frames<R: BufRead>(FrameDecoder<R>);

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.0.read(buffer)?;
            if count > 0 || buffer.is_empty() || self.0.get_mut().fill_buf()?.is_empty() {
                return Ok(count);
            }
        }
    }
}

/// Whether bytes begin as a compressed stream does that [`decompress`] reads.
pub fn is_compressed(start: &[u8]) -> bool {
    !matches!(Compression::of(start), Compression::None)
}

enum Compression {
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    Lz4,
}

impl Compression {
    fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A zstd frame, or a skippable frame before one (RFC 8878 §3.1.1, §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Self::Xz,
            // An LZ4 frame, or one in the form of before 2014.
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Self::Lz4,
            _ => Self::None,
        }
    }
}
