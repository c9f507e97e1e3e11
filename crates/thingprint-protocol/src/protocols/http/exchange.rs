//! Messages of HTTP one after another in a stream: heads are read, bodies are passed over.
use super::{BodyLength, CHUNKS, HEAD, Head, TUNNEL, may_begin, parse_head, upgrade};
use crate::Message;
use crate::parser::Memo;
use crate::phase::{Phase, Step};

/// A body beyond which a stream is not followed: sequence numbers tell before from behind within 2^31 bytes.
const MOST_BODY_BYTES: usize = 1 << 30;
/// The line before a chunk: its size and perhaps extensions, which nobody sends.
const MOST_CHUNK_LINE_BYTES: usize = 256;
/// How a request for a tunnel begins, and a response.
const CONNECT: &[u8] = b"CONNECT ";
const RESPONSE: &[u8] = b"HTTP/";

/// What a request means for the body of its response (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum RequestKind {
    /// The response has the body that its head describes.
    #[default]
    Ordinary,
    /// `HEAD`: no body.
    Head,
    /// `CONNECT`: another protocol follows a success.
    Connect,
}

/// The requests of a connection that have no response yet; responses come in the same order (RFC 9112 §9.3.2).
///
/// The ninth and later ones are treated as ordinary requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PendingRequests {
    /// How many there are, up to 255.
    count: u8,
    /// Which of them are `HEAD`, the first one in the lowest bit.
    heads: u8,
    /// Which of them are `CONNECT`.
    tunnels: u8,
}

impl PendingRequests {
    /// The pending requests after a message; an interim response leaves its request open.
    pub(crate) fn after(self, message: &Message) -> Self {
        match message {
            Message::HttpRequest(request) => self.and(&request.method),
            Message::HttpResponse(response) if response.status >= 200 => Self {
                count: self.count.saturating_sub(1),
                heads: self.heads >> 1,
                tunnels: self.tunnels >> 1,
            },
            _ => self,
        }
    }

    fn and(self, method: &str) -> Self {
        let bit = 1_u8.checked_shl(u32::from(self.count)).unwrap_or(0);
        Self {
            count: self.count.saturating_add(1),
            heads: self.heads | if method == "HEAD" { bit } else { 0 },
            tunnels: self.tunnels | if method == "CONNECT" { bit } else { 0 },
        }
    }

    /// The request that the next response answers.
    const fn next(self) -> RequestKind {
        match (self.heads & 1, self.tunnels & 1) {
            (1, _) => RequestKind::Head,
            (_, 1) => RequestKind::Connect,
            _ => RequestKind::Ordinary,
        }
    }
}

impl From<Memo> for PendingRequests {
    fn from(Memo([count, heads, tunnels]): Memo) -> Self {
        Self { count, heads, tunnels }
    }
}

impl From<PendingRequests> for Memo {
    fn from(PendingRequests { count, heads, tunnels }: PendingRequests) -> Self {
        Self([count, heads, tunnels])
    }
}

/// What the bytes are where a head may begin.
pub(crate) fn head(bytes: &[u8], pending: PendingRequests) -> Step {
    match parse_head(bytes) {
        Head::NotHttp => Step::Done,
        Head::Partial => Step::More,
        Head::Complete { message, length, .. } if opens_tunnel(&message, pending) => {
            let is_request = matches!(message, Message::HttpRequest(_));
            let then = if is_request { TUNNEL } else { Phase::HAND_OVER };
            Step::Read { bytes: length, message: Some(message), then }
        }
        Head::Complete { message, length, body } => {
            let (passed, then) = match body_after(&message, body, pending) {
                BodyLength::Bytes(body) => match usize::try_from(body) {
                    Ok(body) if body <= MOST_BODY_BYTES => (length + body, HEAD),
                    _ => (length, Phase::DONE),
                },
                BodyLength::Chunked => (length, CHUNKS),
                BodyLength::UntilClose => (length, Phase::DONE),
            };
            let then = upgrade::after_head(bytes, then);
            Step::Read { bytes: passed, message: Some(message), then }
        }
    }
}

/// What the bytes are where a chunk may begin (RFC 9112 §7.1).
pub(crate) fn chunk(bytes: &[u8], pending: PendingRequests) -> Step {
    let Some(end) = bytes.iter().take(MOST_CHUNK_LINE_BYTES).position(|&byte| byte == b'\n') else {
        return if bytes.len() < MOST_CHUNK_LINE_BYTES { Step::More } else { Step::Done };
    };
    let (line, rest) = bytes.split_at(end + 1);
    match chunk_size(line) {
        Some(0) => trailers(rest).map_or(Step::More, |trailers| Step::Read {
            bytes: line.len() + trailers,
            message: None,
            then: HEAD,
        }),
        Some(size) if size <= MOST_BODY_BYTES => {
            Step::Read { bytes: line.len() + size + b"\r\n".len(), message: None, then: CHUNKS }
        }
        None if may_begin(bytes) => head(bytes, pending),
        _ => Step::Done,
    }
}

fn body_after(message: &Message, body: BodyLength, pending: PendingRequests) -> BodyLength {
    match (message, pending.next()) {
        (Message::HttpResponse(response), RequestKind::Head) if response.status >= 200 => {
            BodyLength::Bytes(0)
        }
        _ => body,
    }
}

/// What the bytes are behind a request for a tunnel: another one, since the proxy refused, or another protocol.
pub(crate) fn tunnel(bytes: &[u8], pending: PendingRequests) -> Step {
    match begins_with(bytes, CONNECT) {
        None => Step::More,
        Some(true) => head(bytes, pending),
        Some(false) => Step::Read { bytes: 0, message: None, then: Phase::HAND_OVER },
    }
}

/// Whether a stream that begins so may become a tunnel; `None` if more bytes are needed to decide.
pub(crate) fn may_open_tunnel(bytes: &[u8], pending: PendingRequests) -> Option<bool> {
    if begins_with(bytes, RESPONSE)? {
        return Some(pending.next() == RequestKind::Connect);
    }
    begins_with(bytes, CONNECT)
}

/// Whether a message asks for a tunnel or opens it: a request, or a response with status 2xx to one (RFC 9110 §9.3.6).
fn opens_tunnel(message: &Message, pending: PendingRequests) -> bool {
    match message {
        Message::HttpRequest(request) => request.method == "CONNECT",
        Message::HttpResponse(response) => {
            pending.next() == RequestKind::Connect && (200..300).contains(&response.status)
        }
        _ => false,
    }
}

/// Whether bytes begin with a text; `None` while they may.
fn begins_with(bytes: &[u8], text: &[u8]) -> Option<bool> {
    if bytes.len() < text.len() && text.starts_with(bytes) { None } else { Some(bytes.starts_with(text)) }
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
    use super::{CHUNKS, HEAD, PendingRequests, TUNNEL, chunk, head, may_open_tunnel, tunnel};
    use crate::phase::{Phase, Step};

    fn pending(method: &str) -> PendingRequests {
        PendingRequests::default().and(method)
    }

    fn read(step: &Step) -> Option<(usize, Phase)> {
        match step {
            Step::Read { bytes, then, .. } => Some((*bytes, *then)),
            Step::More | Step::Done => None,
        }
    }

    #[test]
    fn a_body_is_passed_over_by_its_length() {
        let check = |text: &str, pending, expected| {
            assert_eq!(read(&head(text.as_bytes(), pending)), Some(expected), "{text:?}");
        };
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
        let length = response.len();
        check(response, PendingRequests::default(), (length + 500, HEAD));
        check(response, pending("HEAD"), (length, HEAD));
        check(response, pending("CONNECT"), (length, Phase::HAND_OVER));
        check("HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n", pending("CONNECT"), (43, HEAD));
        check("CONNECT a:443 HTTP/1.1\r\n\r\n", PendingRequests::default(), (26, TUNNEL));
        check("GET / HTTP/1.1\r\n\r\n", pending("HEAD"), (18, HEAD));
        check("HTTP/1.0 200 OK\r\n\r\n", PendingRequests::default(), (19, Phase::DONE));
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            PendingRequests::default(),
            (47, CHUNKS),
        );
        let endless = "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n";
        check(endless, PendingRequests::default(), (endless.len(), Phase::DONE));
    }

    #[test]
    fn a_tunnel_begins_behind_the_last_request_for_it() {
        assert_eq!(read(&tunnel(b"CONNECT a:443 HTTP/1.1\r\n\r\n", pending("CONNECT"))), Some((26, TUNNEL)));
        assert_eq!(read(&tunnel(&[0x16, 3, 1], pending("CONNECT"))), Some((0, Phase::HAND_OVER)));
        assert_eq!(tunnel(b"CONN", pending("CONNECT")), Step::More);
        assert_eq!(may_open_tunnel(b"CONNECT a", PendingRequests::default()), Some(true));
        assert_eq!(may_open_tunnel(b"CONN", PendingRequests::default()), None);
        assert_eq!(may_open_tunnel(b"COPY", PendingRequests::default()), Some(false));
        assert_eq!(may_open_tunnel(b"HTTP/1", pending("CONNECT")), Some(true));
        assert_eq!(may_open_tunnel(b"HTTP/1", pending("GET")), Some(false));
    }

    #[test]
    fn chunks_are_passed_over_one_by_one() {
        let check = |text: &str, expected: Option<(usize, Phase)>| {
            assert_eq!(read(&chunk(text.as_bytes(), PendingRequests::default())), expected, "{text:?}");
        };
        check("1a\r\nabc", Some((4 + 26 + 2, CHUNKS)));
        check("1A;name=value\r\n", Some((15 + 26 + 2, CHUNKS)));
        check("0\r\n\r\n", Some((5, HEAD)));
        check("0\r\nExpires: never\r\n\r\nHTTP", Some((21, HEAD)));
        check("GET / HTTP/1.1\r\n\r\n", Some((18, HEAD)));
        assert_eq!(chunk(b"0\r\nExpi", PendingRequests::default()), Step::More);
        assert_eq!(chunk(b"1", PendingRequests::default()), Step::More);
        assert_eq!(chunk(b"what is this?\r\n", PendingRequests::default()), Step::Done);
        assert_eq!(chunk(b"fffffffffffffffff\r\n", PendingRequests::default()), Step::Done);
    }
}
