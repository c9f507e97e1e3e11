use super::certificate;
use crate::Message;
use crate::cursor::Cursor;
use crate::phase::{Phase, Step};

const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;

/// Looks for the certificates in a server's first flight, which begins with its hello (RFC 5246 §7.3).
pub(super) fn certificates(bytes: &[u8]) -> Step {
    let (messages, is_open) = handshake(bytes);
    let mut cursor = Cursor::new(&messages);
    loop {
        let kind = cursor.u8();
        if kind.is_some_and(|kind| !matches!(kind, SERVER_HELLO | CERTIFICATE)) {
            return Step::Done;
        }
        match (kind, cursor.vector24()) {
            (Some(CERTIFICATE), Some(body)) => {
                let message = Some(Message::Certificates(certificate::chain(body)));
                return Step::Read { bytes: bytes.len(), message, then: Phase::DONE };
            }
            (Some(_), Some(_)) => {}
            _ => return if is_open { Step::More } else { Step::Done },
        }
    }
}

/// The contents of the handshake records at the start of a stream, joined, and whether more of them may follow.
fn handshake(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut joined = Vec::new();
    let mut cursor = Cursor::new(bytes);
    loop {
        match (cursor.u8(), cursor.u8(), cursor.u8(), cursor.u16()) {
            (Some(HANDSHAKE), Some(3), Some(_), Some(length)) => {
                let rest = cursor.rest();
                let Some(fragment) = cursor.take(usize::from(length)) else {
                    joined.extend_from_slice(rest);
                    return (joined, true);
                };
                joined.extend_from_slice(fragment);
            }
            (None | Some(HANDSHAKE), None | Some(3), _, None) => return (joined, true),
            _ => return (joined, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::certificates;
    use crate::Message;
    use crate::phase::{Phase, Step};

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).expect("a short body");
        [&[kind, 0, 0, length], body].concat()
    }

    fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
        let length = u8::try_from(fragment.len()).expect("a short fragment");
        [&[kind, 3, 3, 0, length], fragment].concat()
    }

    fn told(step: &Step) -> &'static str {
        match step {
            Step::More => "more",
            Step::Done => "nothing",
            Step::Read { message: Some(Message::Certificates(_)), then: Phase::DONE, .. } => "certificates",
            Step::Read { .. } => "something else",
        }
    }

    #[test]
    fn certificates_follow_the_hello_in_any_cut_of_records() {
        let flight = [message(2, &[7; 40]), message(11, &[0, 0, 0])].concat();
        for size in 1..flight.len() {
            let records: Vec<u8> = flight.chunks(size).flat_map(|part| record(22, part)).collect();
            assert_eq!(told(&certificates(&records)), "certificates", "records of {size}");
            for cut in 0..records.len() {
                assert_eq!(told(&certificates(&records[..cut])), "more", "records of {size}, cut at {cut}");
            }
        }
    }

    #[test]
    fn a_resumed_session_has_none() {
        let hello = record(22, &message(2, &[7; 40]));
        assert_eq!(told(&certificates(&[hello.clone(), record(20, &[1])].concat())), "nothing");
        assert_eq!(told(&certificates(&[hello.clone(), record(22, &message(4, &[]))].concat())), "nothing");
        assert_eq!(told(&certificates(&hello)), "more");
    }
}
