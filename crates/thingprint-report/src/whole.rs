use std::io::{self, Read};

/// What is read at a time.
const PIECE_BYTES: u64 = 16 << 20;

/// All bytes of a source of which there may be as many as `most`; `None` where there are more.
///
/// It is read in pieces, so that a buffer that grows is never there twice: whatever has no end takes `most` bytes and one piece, and
/// what has one takes its length.
///
/// # Errors
///
/// Those of the source.
pub fn bytes_within(mut source: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut length = 0;
    loop {
        let mut piece = Vec::new();
        source.by_ref().take(PIECE_BYTES).read_to_end(&mut piece)?;
        let read = piece.len() as u64;
        length += read;
        if length > most {
            return Ok(None);
        }
        pieces.push(piece);
        if read < PIECE_BYTES {
            break;
        }
    }
    if let [_] = pieces.as_slice() {
        return Ok(pieces.pop());
    }
    let mut all = Vec::with_capacity(pieces.iter().map(Vec::len).sum());
    // Each piece is given back before the next is copied.
    for piece in pieces {
        all.extend_from_slice(&piece);
    }
    Ok(Some(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_together_up_to_the_limit() {
        let bytes: Vec<u8> = (0..40_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
        for length in [0, 1, 16 << 20, (16 << 20) + 1, bytes.len()] {
            let read = bytes_within(&bytes[..length], length as u64).unwrap();
            assert!(read.as_deref() == Some(&bytes[..length]), "{length}");
            let over = bytes_within(&bytes[..length], (length as u64).saturating_sub(1)).unwrap();
            assert_eq!(over.is_none(), length > 0, "{length}");
        }
        assert_eq!(bytes_within(io::repeat(1), 20 << 20).unwrap(), None);
    }
}
