use super::header::variable;
use crate::cursor::Cursor;

const PADDING: u8 = 0x00;
const PING: u8 = 0x01;
const ACK: u8 = 0x02;
const ACK_WITH_ECN: u8 = 0x03;
const CRYPTO: u8 = 0x06;

/// Offset and data of the CRYPTO frames among the frames of an Initial packet (RFC 9000 §12.4, §19); nothing behind a
/// frame of another kind than may stand there.
pub(super) fn crypto(frames: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut cursor = Cursor::new(frames);
    std::iter::from_fn(move || {
        loop {
            match cursor.u8()? {
                PADDING | PING => {}
                kind @ (ACK | ACK_WITH_ECN) => skip_ack(&mut cursor, kind)?,
                CRYPTO => {
                    let offset = variable(&mut cursor)?;
                    let length = usize::try_from(variable(&mut cursor)?).ok()?;
                    return Some((offset, cursor.take(length)?));
                }
                _ => return None,
            }
        }
    })
}

/// RFC 9000 §19.3.
fn skip_ack(cursor: &mut Cursor<'_>, kind: u8) -> Option<()> {
    let _largest = variable(cursor)?;
    let _delay = variable(cursor)?;
    let ranges = variable(cursor)?;
    let _first_range = variable(cursor)?;
    for _ in 0..ranges {
        let _gap = variable(cursor)?;
        let _length = variable(cursor)?;
    }
    if kind == ACK_WITH_ECN {
        for _ in 0..3 {
            let _count = variable(cursor)?;
        }
    }
    Some(())
}
