use crate::cursor::Cursor;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// RFC 5246 §6.2.3: an encrypted fragment has at most 2^14 + 2048 bytes.
const MOST_FRAGMENT_BYTES: usize = (1 << 14) + 2048;
/// A checksum or tag has at least 8 bytes (RFC 6655 §3), and what it protects is not empty.
const LEAST_PROTECTED_BYTES: usize = 9;
/// An encrypted alert is two bytes with padding, an explicit nonce and a checksum, however long these are.
const MOST_ALERT_BYTES: usize = 128;

/// Whether bytes begin with records of a connection that has its keys (RFC 8446 §5.1, RFC 5246 §6.2).
///
/// Records that are there as a whole have to follow each other to the last byte; of a record that goes on, the header is
/// seen, which is proof enough for application data alone.
pub(super) fn is_running(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let mut is_certain = false;
    while !cursor.rest().is_empty() {
        let Some((kind, length)) = header(&mut cursor) else {
            // The bytes may end within a header.
            return is_certain && cursor.rest().is_empty();
        };
        // A hello that can be read is told as such, and one that cannot is none.
        if kind == HANDSHAKE && !is_certain && matches!(cursor.rest().first(), None | Some(1 | 2)) {
            return false;
        }
        match cursor.take(length) {
            Some(_) => is_certain = true,
            None => return is_certain || kind == APPLICATION_DATA,
        }
    }
    is_certain
}

/// The kind and length of a record. A header that is cut by the end of the bytes takes them all.
fn header(cursor: &mut Cursor<'_>) -> Option<(u8, usize)> {
    let Some([kind, major, minor, high, low]) = cursor.array() else {
        let left = cursor.rest().len();
        cursor.take(left);
        return None;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let is_possible = match kind {
        CHANGE_CIPHER_SPEC => length == 1,
        ALERT => (LEAST_PROTECTED_BYTES..=MOST_ALERT_BYTES).contains(&length),
        HANDSHAKE | APPLICATION_DATA => (LEAST_PROTECTED_BYTES..=MOST_FRAGMENT_BYTES).contains(&length),
        _ => false,
    };
    (major == 3 && minor <= 4 && is_possible).then_some((kind, length))
}

#[cfg(test)]
mod tests {
    use super::is_running;

    fn record(kind: u8, length: u8) -> Vec<u8> {
        [&[kind, 3, 3, 0, length][..], &vec![0xaa; usize::from(length)]].concat()
    }

    #[test]
    fn records_follow_each_other() {
        assert!(is_running(&record(23, 40)));
        assert!(is_running(&[record(23, 40), record(21, 26)].concat()));
        assert!(is_running(&[record(20, 1), record(22, 40)].concat()));
        assert!(is_running(&record(23, 40)[..9]), "application data that goes on");
        assert!(is_running(&[&record(23, 40)[..], &[23, 3]].concat()), "a header that goes on");
    }

    #[test]
    fn other_bytes_are_no_records() {
        assert!(!is_running(&[]));
        assert!(!is_running(&[23, 3, 3]), "too little to tell");
        assert!(!is_running(&record(24, 40)), "no such kind");
        assert!(!is_running(&record(23, 5)), "too short for a tag");
        assert!(!is_running(&[23, 3, 3, 0xff, 0xff, 1, 2]), "longer than a record may be");
        assert!(!is_running(&[23, 2, 3, 0, 40, 1, 2]), "no such version");
        assert!(!is_running(&record(21, 26)[..9]), "an alert is sent as a whole");
        assert!(!is_running(&[&[22, 3, 3, 0, 20, 1][..], &[0; 19]].concat()), "a hello that is none");
        assert!(!is_running(&[&record(23, 40)[..], b"and text that is no record"].concat()));
    }
}
