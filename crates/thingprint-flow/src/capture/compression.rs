use std::io::{self, BufReader, Cursor, Read};

use super::source::ByteStream;

/// Bytes taken from a compressed stream at a time.
const COMPRESSED_CHUNK: usize = 64 * 1024;

/// The uncompressed bytes of a stream: gzip (RFC 1952, any number of members) and zstd (RFC 8878, any number of
/// frames) are told by their first bytes; anything else passes as it is.
///
/// # Errors
///
/// When the first bytes cannot be read, or zstd cannot begin.
pub fn decompress(mut raw: ByteStream) -> io::Result<ByteStream> {
    let mut start = Vec::with_capacity(4);
    raw.by_ref().take(4).read_to_end(&mut start)?;
    let compression = Compression::of(&start);
    let whole = Cursor::new(start).chain(raw);
    Ok(match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => {
            let chunks = BufReader::with_capacity(COMPRESSED_CHUNK, whole);
            Box::new(flate2::bufread::MultiGzDecoder::new(chunks))
        }
        Compression::Zstd => {
            let chunks = BufReader::with_capacity(COMPRESSED_CHUNK, whole);
            Box::new(zstd::stream::read::Decoder::with_buffer(chunks)?)
        }
    })
}

enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A zstd frame, or a skippable frame before one (RFC 8878 §3.1.1, §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Self::Zstd,
            _ => Self::None,
        }
    }
}
