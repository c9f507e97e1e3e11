//! Messages of HTTP one after another in a stream: heads are read, bodies are passed over.
use super::{BodyLength, Head, Outline, may_begin, outline, parse_head};
use crate::Message;
use crate::phase::{Phase, Step};

/// A body beyond which a stream is not followed: sequence numbers tell before from behind within 2^31 bytes.
const MOST_BODY_BYTES: usize = 1 << 30;
/// The line before a chunk: its size and perhaps extensions, which nobody sends.
const MOST_CHUNK_LINE_BYTES: usize = 256;

/// What a request means for the response to it (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wish {
    /// The response has the body that its head says.
    #[default]
    Content,
    /// `HEAD`: no body.
    Head,
    /// `CONNECT`: what follows a success is another protocol's.
    Tunnel,
}

/// The requests of a connection that wait for their responses, which come in the same order (RFC 9112 §9.3.2).
///
/// Of more than eight, those beyond are taken for requests with nothing special about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// How many wait, up to 255.
    waiting: u8,
    /// Which of them are `HEAD`, the first one in the lowest bit.
    heads: u8,
    /// Which of them are `CONNECT`.
    tunnels: u8,
}

impl Asked {
    /// What is asked once a message was seen; an interim response leaves the request open.
    pub(crate) fn after(self, message: &Message) -> Self {
        match message {
            Message::HttpRequest(request) => self.and(&request.method),
            Message::HttpResponse(response) if response.status >= 200 => Self {
                waiting: self.waiting.saturating_sub(1),
                heads: self.heads >> 1,
                tunnels: self.tunnels >> 1,
            },
            _ => self,
        }
    }

    fn and(self, method: &str) -> Self {
        let bit = 1_u8.checked_shl(u32::from(self.waiting)).unwrap_or(0);
        Self {
            waiting: self.waiting.saturating_add(1),
            heads: self.heads | if method == "HEAD" { bit } else { 0 },
            tunnels: self.tunnels | if method == "CONNECT" { bit } else { 0 },
        }
    }

    /// What the next response answers.
    const fn next(self) -> Wish {
        match (self.heads & 1, self.tunnels & 1) {
            (1, _) => Wish::Head,
            (_, 1) => Wish::Tunnel,
            _ => Wish::Content,
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
    match (message, asked.next()) {
        (Message::HttpResponse(response), Wish::Head) if response.status >= 200 => BodyLength::Bytes(0),
        (Message::HttpResponse(response), Wish::Tunnel) if (200..300).contains(&response.status) => {
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

    fn asked(method: &str) -> Asked {
        Asked::default().and(method)
    }

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
        check(response, Asked::default(), (length + 500, Phase::Http));
        check(response, asked("HEAD"), (length, Phase::Http));
        check(response, asked("CONNECT"), (length, Phase::Done));
        check("GET / HTTP/1.1\r\n\r\n", asked("HEAD"), (18, Phase::Http));
        check("HTTP/1.0 200 OK\r\n\r\n", Asked::default(), (19, Phase::Done));
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Asked::default(), (47, Phase::Chunks));
        let endless = "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n";
        check(endless, Asked::default(), (endless.len(), Phase::Done));
    }

    #[test]
    fn chunks_are_passed_over_one_by_one() {
        let check = |text: &str, expected: Option<(usize, Phase)>| {
            assert_eq!(read(&chunk(text.as_bytes(), Asked::default())), expected, "{text:?}");
        };
        check("1a\r\nabc", Some((4 + 26 + 2, Phase::Chunks)));
        check("1A;name=value\r\n", Some((15 + 26 + 2, Phase::Chunks)));
        check("0\r\n\r\n", Some((5, Phase::Http)));
        check("0\r\nExpires: never\r\n\r\nHTTP", Some((21, Phase::Http)));
        check("GET / HTTP/1.1\r\n\r\n", Some((18, Phase::Http)));
        assert_eq!(chunk(b"0\r\nExpi", Asked::default()), Step::More);
        assert_eq!(chunk(b"1", Asked::default()), Step::More);
        assert_eq!(chunk(b"what is this?\r\n", Asked::default()), Step::Done);
        assert_eq!(chunk(b"fffffffffffffffff\r\n", Asked::default()), Step::Done);
    }
}
