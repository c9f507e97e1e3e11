use crate::cursor::Cursor;
use crate::{ClientHello, HelloVersion};

/// Fields between the record's length and the cipher kinds: message type, version and three lengths.
const FIXED_BYTES: usize = 9;
const CLIENT_HELLO: u8 = 1;

/// A hello in SSL 2.0 form (RFC 5246 appendix E.2) at the start of a stream.
#[expect(clippy::large_enum_variant, reason = "a scan is looked at once and never kept")]
pub(super) enum Scan {
    /// More bytes are needed.
    More,
    /// Something else begins here.
    Other,
    /// The hello.
    Hello(ClientHello),
}

/// Looks for a hello in SSL 2.0 form at the start of `bytes`.
pub(super) fn client_hello(bytes: &[u8]) -> Scan {
    let mut cursor = Cursor::new(bytes);
    let Some(length) = cursor.u8().zip(cursor.u8()).map(|(high, low)| u16::from_be_bytes([high & 0x7f, low]))
    else {
        return if bytes.first().is_none_or(|first| first & 0x80 != 0) { Scan::More } else { Scan::Other };
    };
    let is_ssl2 = bytes.first().is_some_and(|first| first & 0x80 != 0)
        && usize::from(length) > FIXED_BYTES
        && bytes.get(2).is_none_or(|&kind| kind == CLIENT_HELLO)
        && bytes.get(3).is_none_or(|&major| matches!(major, 0 | 3))
        && bytes.get(4).is_none_or(|&minor| bytes.get(3) == Some(&3) && minor <= 4 || minor == 2);
    if !is_ssl2 {
        return Scan::Other;
    }
    cursor
        .take(usize::from(length))
        .map_or(Scan::More, |message| parse(message).map_or(Scan::Other, Scan::Hello))
}

fn parse(message: &[u8]) -> Option<ClientHello> {
    let mut cursor = Cursor::new(message);
    let _kind = cursor.u8()?;
    let version = cursor.u16()?;
    let kinds_bytes = usize::from(cursor.u16()?);
    let session_id_bytes = usize::from(cursor.u16()?);
    let challenge_bytes = usize::from(cursor.u16()?);
    let is_plausible = kinds_bytes.is_multiple_of(3)
        && matches!(session_id_bytes, 0 | 16)
        && (16..=32).contains(&challenge_bytes)
        && message.len() == FIXED_BYTES + kinds_bytes + session_id_bytes + challenge_bytes;
    if !is_plausible {
        return None;
    }
    let mut kinds = Cursor::new(cursor.take(kinds_bytes)?);
    let cipher_suites = std::iter::from_fn(|| kinds.array::<3>())
        .map(|[first, second, third]| u32::from_be_bytes([0, first, second, third]))
        .collect();
    Some(ClientHello { cipher_suites, ..ClientHello::of_version(HelloVersion::Ssl2(version)) })
}
