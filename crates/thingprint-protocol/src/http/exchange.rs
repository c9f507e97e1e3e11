//! Messages of HTTP one after another in a stream: heads are read, bodies are passed over.
use super::{BodyLength, Head, Outline, may_begin, outline, parse_head};
use crate::Message;
use crate::phase::{Phase, Step};

/// A body beyond which a stream is not followed: sequence numbers tell before from behind within 2^31 bytes.
const MOST_BODY_BYTES: usize = 1 << 30;
/// The line before a chunk: its size and perhaps extensions, which nobody sends.
const MOST_CHUNK_LINE_BYTES: usize = 256;

/// What the last request on a connection means for the response to it (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The response has the body that its head says.
    #[default]
    Content,
    /// `HEAD`: no body.
    Head,
    /// `CONNECT`: what follows a success is another protocol's.
    Tunnel,
}

impl Asked {
    /// What is asked once a message was seen; an interim response leaves the request open.
    pub(crate) fn after(self, message: &Message) -> Self {
        match message {
            Message::HttpRequest(request) => match request.method.as_str() {
                "HEAD" => Self::Head,
                "CONNECT" => Self::Tunnel,
                _ => Self::Content,
            },
            Message::HttpResponse(response) if response.status >= 200 => Self::Content,
            _ => self,
        }
    }
}

/// What the bytes are where a head may begin.
pub(crate) fn head(bytes: &[u8], asked: Asked) -> Step {
    match parse_head(bytes) {
        Head::NotHttp => Step::Done,
        Head::Partial => Step::More,
        Head::Complete { message, length, body } => {
            let (bytes, then) = match body_after(&message, body, asked) {
                BodyLength::Bytes(body) => match usize::try_from(body) {
                    Ok(body) if body <= MOST_BODY_BYTES => (length + body, Phase::Http),
                    _ => (length, Phase::Done),
                },
                BodyLength::Chunked => (length, Phase::Chunks),
                BodyLength::UntilClose => (length, Phase::Done),
            };
            Step::Read { bytes, message: Some(message), then }
        }
    }
}

/// What the bytes are where a first line has to be, for those who want to know no more.
pub(crate) fn first_line(bytes: &[u8]) -> Step {
    match outline(bytes) {
        Outline::Other => Step::Done,
        Outline::Begun { start: None, .. } => Step::More,
        Outline::Begun { .. } | Outline::Whole { .. } => {
            Step::Read { bytes: bytes.len(), message: None, then: Phase::Done }
        }
    }
}

/// What the bytes are where a chunk may begin (RFC 9112 §7.1).
pub(crate) fn chunk(bytes: &[u8], asked: Asked) -> Step {
    let Some(end) = bytes.iter().take(MOST_CHUNK_LINE_BYTES).position(|&byte| byte == b'\n') else {
        return if bytes.len() < MOST_CHUNK_LINE_BYTES { Step::More } else { Step::Done };
    };
    let (line, rest) = bytes.split_at(end + 1);
    match chunk_size(line) {
        Some(0) => trailers(rest).map_or(Step::More, |trailers| Step::Read {
            bytes: line.len() + trailers,
            message: None,
            then: Phase::Http,
        }),
        Some(size) if size <= MOST_BODY_BYTES => {
            Step::Read { bytes: line.len() + size + b"\r\n".len(), message: None, then: Phase::Chunks }
        }
        None if may_begin(bytes) => head(bytes, asked),
        _ => Step::Done,
    }
}

fn body_after(message: &Message, body: BodyLength, asked: Asked) -> BodyLength {
    match (message, asked) {
        (Message::HttpResponse(response), Asked::Head) if response.status >= 200 => BodyLength::Bytes(0),
        (Message::HttpResponse(response), Asked::Tunnel) if (200..300).contains(&response.status) => {
            BodyLength::UntilClose
        }
        _ => body,
    }
}

fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| matches!(byte, b';' | b'\r' | b'\n' | b' ')).next()?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    usize::from_str_radix(digits, 16).ok()
}

/// Length of the trailers behind the last chunk, the empty line included.
fn trailers(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    loop {
        let rest = bytes.get(length..)?;
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        length += end + 1;
        if matches!(rest.get(..end)?, b"" | b"\r") {
            return Some(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, chunk, head};
    use crate::phase::{Phase, Step};

    fn read(step: &Step) -> Option<(usize, Phase)> {
        match step {
            Step::Read { bytes, then, .. } => Some((*bytes, *then)),
            Step::More | Step::Done => None,
        }
    }

    #[test]
    fn a_body_is_passed_over_by_its_length() {
        let check = |text: &str, asked, expected| {
            assert_eq!(read(&head(text.as_bytes(), asked)), Some(expected), "{text:?}");
        };
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
        let length = response.len();
        check(response, Asked::Content, (length + 500, Phase::Http));
        check(response, Asked::Head, (length, Phase::Http));
        check(response, Asked::Tunnel, (length, Phase::Done));
        check("GET / HTTP/1.1\r\n\r\n", Asked::Head, (18, Phase::Http));
        check("HTTP/1.0 200 OK\r\n\r\n", Asked::Content, (19, Phase::Done));
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Asked::Content, (47, Phase::Chunks));
        let endless = "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n";
        check(endless, Asked::Content, (endless.len(), Phase::Done));
    }

    #[test]
    fn chunks_are_passed_over_one_by_one() {
        let check = |text: &str, expected: Option<(usize, Phase)>| {
            assert_eq!(read(&chunk(text.as_bytes(), Asked::Content)), expected, "{text:?}");
        };
        check("1a\r\nabc", Some((4 + 26 + 2, Phase::Chunks)));
        check("1A;name=value\r\n", Some((15 + 26 + 2, Phase::Chunks)));
        check("0\r\n\r\n", Some((5, Phase::Http)));
        check("0\r\nExpires: never\r\n\r\nHTTP", Some((21, Phase::Http)));
        check("GET / HTTP/1.1\r\n\r\n", Some((18, Phase::Http)));
        assert_eq!(chunk(b"0\r\nExpi", Asked::Content), Step::More);
        assert_eq!(chunk(b"1", Asked::Content), Step::More);
        assert_eq!(chunk(b"what is this?\r\n", Asked::Content), Step::Done);
        assert_eq!(chunk(b"fffffffffffffffff\r\n", Asked::Content), Step::Done);
    }
}
