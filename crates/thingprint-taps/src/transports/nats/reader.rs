use std::io::{self, Read};
use std::time::Instant;

/// Longest line of a server, in bytes: INFO lists the members of a cluster.
const LONGEST_LINE: usize = 64 << 10;
/// Longest message of a server, in bytes: what NATS allows at most.
const MOST_MESSAGE_BYTES: usize = 64 << 20;
/// Bytes that are read at once.
const CHUNK: usize = 16 << 10;

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// What it is, as JSON.
    Info(String),
    /// It asks whether we are there.
    Ping,
    /// It is there.
    Pong,
    /// It did what was asked.
    Ok,
    /// Something is wrong.
    Error(String),
    /// A message.
    Message(Received),
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// Where it was sent to.
    pub(super) subject: String,
    /// Where an answer goes.
    pub(super) reply: Option<String>,
    /// Its headers with their first line; empty without any.
    pub(super) headers: String,
    /// What is in it.
    pub(super) payload: Vec<u8>,
}

impl Received {
    /// The number in the first line of the headers, by which the server says that it is no message; `None` for a message.
    pub(super) fn status(&self) -> Option<u16> {
        self.headers.lines().next()?.strip_prefix("NATS/1.0")?.split_whitespace().next()?.parse().ok()
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.headers.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Bytes of a server that are no whole word yet. They stay when the time is over in the middle of one.
#[derive(Debug, Default)]
pub(super) struct Reader {
    held: Vec<u8>,
}

impl Reader {
    /// The next thing that the server says; `None` when it said nothing whole by this time.
    pub(super) fn next(&mut self, wire: &mut impl Read, end: Instant) -> Result<Option<Said>, String> {
        loop {
            if let Some((said, length)) = parse(&self.held)? {
                self.held.drain(..length);
                return Ok(Some(said));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            self.read(wire)?;
        }
    }

    /// Whether nothing is held, so that the next byte is the first of a word.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn read(&mut self, wire: &mut impl Read) -> Result<(), String> {
        let mut chunk = [0; CHUNK];
        match wire.read(&mut chunk) {
            Ok(0) => Err("the server closed the connection".to_owned()),
            Ok(length) => {
                self.held.extend_from_slice(chunk.get(..length).unwrap_or_default());
                Ok(())
            }
            Err(error) if is_nothing_yet(&error) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn is_nothing_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// What the bytes begin with, and how long it is; `None` where it is not whole.
fn parse(bytes: &[u8]) -> Result<Option<(Said, usize)>, String> {
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else {
        let is_long = bytes.len() > LONGEST_LINE;
        return if is_long {
            Err("the server speaks no NATS: a line without an end".to_owned())
        } else {
            Ok(None)
        };
    };
    let line = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let behind = end + 2;
    let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line.as_str(), ""));
    let said = match word.to_ascii_uppercase().as_str() {
        "INFO" => Said::Info(rest.trim().to_owned()),
        "PING" => Said::Ping,
        "PONG" => Said::Pong,
        "+OK" => Said::Ok,
        "-ERR" => Said::Error(rest.trim().trim_matches('\'').to_owned()),
        "MSG" => return message(bytes, behind, &Head::plain(rest)?),
        "HMSG" => return message(bytes, behind, &Head::with_headers(rest)?),
        _ => {
            return Err(format!(
                "the server speaks no NATS: '{}'",
                word.chars().take(20).collect::<String>()
            ));
        }
    };
    Ok(Some((said, behind)))
}

/// The line before a message.
struct Head {
    subject: String,
    reply: Option<String>,
    header_bytes: usize,
    bytes: usize,
}

impl Head {
    /// `subject sid [reply] bytes`.
    fn plain(line: &str) -> Result<Self, String> {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [subject, _, bytes] => Self::of(subject, None, "0", bytes),
            [subject, _, reply, bytes] => Self::of(subject, Some(reply), "0", bytes),
            _ => Err("the server speaks no NATS: a message without a size".to_owned()),
        }
    }

    /// `subject sid [reply] header-bytes bytes`.
    fn with_headers(line: &str) -> Result<Self, String> {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [subject, _, headers, bytes] => Self::of(subject, None, headers, bytes),
            [subject, _, reply, headers, bytes] => Self::of(subject, Some(reply), headers, bytes),
            _ => Err("the server speaks no NATS: a message without a size".to_owned()),
        }
    }

    fn of(subject: &str, reply: Option<&str>, headers: &str, bytes: &str) -> Result<Self, String> {
        let sizes = headers.parse().ok().zip(bytes.parse().ok());
        let sizes = sizes.filter(|(headers, bytes)| headers <= bytes && *bytes <= MOST_MESSAGE_BYTES);
        let (header_bytes, bytes) = sizes.ok_or("the server speaks no NATS: a message of no size")?;
        Ok(Self { subject: subject.to_owned(), reply: reply.map(str::to_owned), header_bytes, bytes })
    }
}

fn message(bytes: &[u8], from: usize, head: &Head) -> Result<Option<(Said, usize)>, String> {
    let end = from + head.bytes + 2;
    let Some(content) = bytes.get(from..end) else { return Ok(None) };
    let content =
        content.strip_suffix(b"\r\n").ok_or("the server speaks no NATS: a message without an end")?;
    let (headers, payload) = content.split_at_checked(head.header_bytes).unwrap_or((&[], content));
    let received = Received {
        subject: head.subject.clone(),
        reply: head.reply.clone(),
        headers: String::from_utf8_lossy(headers).into_owned(),
        payload: payload.to_vec(),
    };
    Ok(Some((Said::Message(received), end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Said> {
        let (mut rest, mut said) = (bytes, Vec::new());
        while let Some((next, length)) = parse(rest).unwrap() {
            said.push(next);
            rest = &rest[length..];
        }
        assert!(rest.is_empty(), "{rest:?}");
        said
    }

    #[test]
    fn what_a_server_says_is_read_whole_or_not_at_all() {
        let text =
            b"INFO {\"a\":1} \r\nPING\r\n+OK\r\n-ERR 'Authorization Violation'\r\nMSG a.b 1 3\r\nx\r\n\r\n\
                     HMSG a 1 r.s 30 32\r\nNATS/1.0 404 No Messages\r\n\r\n\r\nhi\r\nPONG\r\n";
        let said = all(text);
        assert_eq!(said.len(), 7);
        assert_eq!(said[0], Said::Info("{\"a\":1}".to_owned()));
        assert_eq!(said[3], Said::Error("Authorization Violation".to_owned()));
        let Said::Message(plain) = &said[4] else { panic!("{said:?}") };
        assert_eq!(
            (plain.subject.as_str(), plain.payload.as_slice(), plain.status()),
            ("a.b", &b"x\r\n"[..], None)
        );
        let Said::Message(status) = &said[5] else { panic!("{said:?}") };
        assert_eq!((status.reply.as_deref(), status.status()), (Some("r.s"), Some(404)));
        for end in 0..text.len() {
            let mut rest = &text[..end];
            while let Some((_, length)) = parse(rest).unwrap() {
                rest = &rest[length..];
            }
        }
    }

    /// What bytes say that come in pieces, and whether they end in an error.
    fn words(pieces: &[&[u8]]) -> (Vec<Said>, bool) {
        let (mut held, mut said) = (Vec::new(), Vec::new());
        for piece in pieces {
            held.extend_from_slice(piece);
            loop {
                match parse(&held) {
                    Ok(Some((next, length))) => {
                        assert!(0 < length && length <= held.len());
                        held.drain(..length);
                        said.push(next);
                    }
                    Ok(None) => break,
                    Err(_) => return (said, true),
                }
            }
        }
        (said, false)
    }

    #[test]
    fn damaged_words_are_read_alike_whole_and_in_pieces() {
        let text = b"INFO {\"a\":1} \r\nMSG a.b 1 3\r\nx\r\n\r\nHMSG a 1 r.s 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPONG\r\n";
        let digits = b"0123456789 \r\nMSGH\t-\xff";
        let mut state = 1_u64;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (state >> 33) as usize % bound
        };
        let mut errors = 0;
        for _ in 0..20_000 {
            let mut bytes = text.to_vec();
            for _ in 0..below(4) {
                let at = below(bytes.len());
                bytes[at] = digits[below(digits.len())];
            }
            bytes.truncate(1 + below(bytes.len()));
            let (one, other) = bytes.split_at(below(bytes.len()));
            let whole = words(&[&bytes]);
            assert_eq!(words(&[one, other]), whole, "{}", bytes.escape_ascii());
            errors += usize::from(whole.1);
        }
        assert!((1000..19_000).contains(&errors), "{errors} of 20,000 are errors");
    }

    #[test]
    fn what_is_no_nats_is_refused() {
        for text in [
            "HTTP/1.1 400 Bad Request\r\n",
            "MSG a\r\n",
            "MSG a 1 -5\r\n",
            "MSG a 1 999999999999\r\n",
            "HMSG a 1 9 5\r\n",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(&vec![b'x'; LONGEST_LINE + 1]).is_err());
        let message =
            Received { headers: "NATS/1.0\r\nPiece: 1/2\r\n\r\n".to_owned(), ..Received::default() };
        assert_eq!((message.status(), message.header("piece")), (None, Some("1/2")));
    }
}
