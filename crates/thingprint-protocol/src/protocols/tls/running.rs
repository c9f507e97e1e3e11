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

/// Whether a connection that has its keys goes on here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Running {
    /// No record begins here.
    No,
    /// A record may begin here, and more bytes will decide.
    Open,
    /// A record begins here.
    Yes,
}

/// Looks for a record of a connection that has its keys (RFC 8446 §5.1, RFC 5246 §6.2).
///
/// Application data shows by its header, any other record once all of it is there. Nothing behind these bytes counts, so
/// that it does not matter how a stream is cut.
pub(super) fn look(bytes: &[u8]) -> Running {
    let Some((kind, length, body)) = header(bytes) else {
        return if may_become_header(bytes) { Running::Open } else { Running::No };
    };
    // A hello that can be read is reported as such; one that cannot be read is ignored.
    let is_hello = kind == HANDSHAKE && matches!(body.first(), Some(1 | 2));
    if is_hello || !is_possible(kind, length) {
        Running::No
    } else if kind == APPLICATION_DATA || body.len() >= length {
        Running::Yes
    } else {
        Running::Open
    }
}

/// The kind of a record, the length of its body, and as much of that as is there.
fn header(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    match bytes {
        [kind, 3, 0..=4, high, low, body @ ..] => {
            Some((*kind, usize::from(u16::from_be_bytes([*high, *low])), body))
        }
        _ => None,
    }
}

/// Whether bytes are the beginning of a header.
fn may_become_header(bytes: &[u8]) -> bool {
    let is_kind = |kind: &u8| (CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(kind);
    match bytes {
        [kind] | [kind, 3] | [kind, 3, 0..=4] | [kind, 3, 0..=4, _] => is_kind(kind),
        _ => false,
    }
}

const fn is_possible(kind: u8, length: usize) -> bool {
    match kind {
        CHANGE_CIPHER_SPEC => length == 1,
        ALERT => LEAST_PROTECTED_BYTES <= length && length <= MOST_ALERT_BYTES,
        HANDSHAKE | APPLICATION_DATA => LEAST_PROTECTED_BYTES <= length && length <= MOST_FRAGMENT_BYTES,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Running, look};

    fn record(kind: u8, length: u8) -> Vec<u8> {
        [&[kind, 3, 3, 0, length][..], &vec![0xaa; usize::from(length)]].concat()
    }

    #[test]
    fn records_are_told() {
        assert_eq!(look(&record(23, 40)), Running::Yes);
        assert_eq!(look(&[record(21, 26), record(23, 40)].concat()), Running::Yes);
        assert_eq!(look(&[record(20, 1), record(22, 40)].concat()), Running::Yes);
        assert_eq!(look(&record(23, 40)[..5]), Running::Yes, "application data that goes on");
        assert_eq!(look(&record(22, 40)[..40]), Running::Open, "a message that goes on");
    }

    #[test]
    fn what_a_beginning_tells_stays_so() {
        for (kind, length) in [(20, 1), (21, 26), (22, 40), (23, 40)] {
            let bytes = [record(kind, length), b"and what is no record".to_vec()].concat();
            let told: Vec<Running> = (1..=bytes.len()).map(|count| look(&bytes[..count])).collect();
            let open = told.iter().take_while(|told| **told == Running::Open).count();
            assert!(told[open..].iter().all(|told| *told == Running::Yes), "{kind}: {told:?}");
            assert_eq!(open, if kind == 23 { 4 } else { usize::from(length) + 4 }, "{kind}");
        }
    }

    #[test]
    fn other_bytes_are_no_records() {
        assert_eq!(look(&[]), Running::No);
        assert_eq!(look(&record(24, 40)), Running::No, "no such kind");
        assert_eq!(look(&record(23, 5)), Running::No, "too short for a tag");
        assert_eq!(look(&[23, 3, 3, 0xff, 0xff, 1, 2]), Running::No, "longer than a record may be");
        assert_eq!(look(&[23, 2, 3, 0, 40, 1, 2]), Running::No, "no such version");
        assert_eq!(
            look(&[&[22, 3, 3, 0, 20, 1][..], &[0; 19]].concat()),
            Running::No,
            "a hello that is none"
        );
    }
}
