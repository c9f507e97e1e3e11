use std::io::{self, BufRead, BufReader, Cursor, Read};

use lz4_flex::frame::FrameDecoder;

use super::source::ByteStream;

/// Bytes taken from a compressed stream at a time.
const COMPRESSED_CHUNK: usize = 64 * 1024;
/// Bytes that show how a stream is compressed.
const MAGIC_BYTES: usize = 6;
/// Binary logarithm of the longest distance between repeats, which unpacking keeps in memory: 128 MiB. `xz -9` has a half of it, `zstd
/// --ultra -22` all.
const MAX_WINDOW_LOG: u32 = 27;
/// What xz takes beside that, in KiB.
const XZ_OVERHEAD_KIB: u32 = 1024;

/// The uncompressed bytes of a stream: gzip (RFC 1952), zstd (RFC 8878), bzip2, xz and LZ4 frames are detected by their
/// first bytes, with any number of members, frames or streams; anything else passes as it is.
///
/// # Errors
///
/// When the first bytes cannot be read, or zstd cannot begin. Reading fails with [`io::ErrorKind::OutOfMemory`] where more than 128 MiB would be
/// taken.
pub fn decompress(mut raw: ByteStream) -> io::Result<ByteStream> {
    let mut start = Vec::with_capacity(MAGIC_BYTES);
    raw.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut start)?;
    let compression = Compression::of(&start);
    let chunks = BufReader::with_capacity(COMPRESSED_CHUNK, Cursor::new(start).chain(raw));
    Ok(match compression {
        Compression::None => Box::new(chunks),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(chunks)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(chunks)?;
            decoder.window_log_max(MAX_WINDOW_LOG)?;
            Box::new(Frugal { bytes: decoder, tool: "zstd -dc --long=31" })
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(chunks)),
        Compression::Xz => {
            let most_kib = (1 << (MAX_WINDOW_LOG - 10)) + XZ_OVERHEAD_KIB;
            let bytes = lzma_rust2::XzReader::new_mem_limit(chunks, true, most_kib);
            Box::new(Frugal { bytes, tool: "xz -dc" })
        }
        Compression::Lz4 => Box::new(Lz4Frames(FrameDecoder::new(chunks))),
    })
}

/// A decoder that refuses what takes too much memory, and names the tool that may take more.
struct Frugal<R> {
    bytes: R,
    tool: &'static str,
}

impl<R: Read> Read for Frugal<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer).map_err(|error| {
            // zstd has no kind of its own for that.
            let is_too_much =
                error.kind() == io::ErrorKind::OutOfMemory || error.to_string().contains("too much memory");
            if !is_too_much {
                return error;
            }
            let (most, tool) = ((1 << MAX_WINDOW_LOG) >> 20, self.tool);
            let reason =
                format!("it takes more than {most} MiB of memory to unpack; unpack it before, with '{tool}'");
            io::Error::new(io::ErrorKind::OutOfMemory, reason)
        })
    }
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
