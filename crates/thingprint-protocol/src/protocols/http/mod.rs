//! Heads of HTTP messages (RFC 9112 §2 to §4), as devices really send them: lines that end without a carriage return,
//! folded headers, blanks before a colon or inside a target, bytes that are no text, and `ICY` for `HTTP/1.0`.
//!
//! The first line identifies HTTP: `METHOD target HTTP/d.d`, `HTTP/d.d ddd phrase`, `ICY ddd phrase`, or `GET /path` and
//! nothing else (HTTP 0.9). Headers never undo it.
mod authentication;
mod exchange;
mod form;
mod head;
mod message;
#[cfg(test)]
mod tests;
mod upgrade;

use crate::parser::{Memo, Parser, Proof, StreamView};
use crate::phase::{Phase, Step};
use crate::schema::IpProtocol;
use crate::text::escaped;
use crate::{Message, Text, Uri};
use exchange::PendingRequests;
pub(crate) use head::{Headers, Outline, StartLine, outline};
pub use message::{Authentication, HttpRequest, HttpResponse, HttpVersion};

/// The head of a message may begin here.
const HEAD: Phase = Phase::endless(0);
/// A chunk of a body may begin here.
const CHUNKS: Phase = Phase::endless(1);
/// `CONNECT` was asked for: another protocol may begin here, or another `CONNECT` if the proxy refused.
const TUNNEL: Phase = Phase::endless(2);
/// TLS was asked for: it may begin here, or another head if the server stayed in the clear (RFC 2817 §3).
const UPGRADE: Phase = Phase::endless(3);

/// The parser.
pub(crate) struct Http;

impl Parser for Http {
    const TRANSPORTS: &'static [IpProtocol] = &[IpProtocol::Tcp];
    const NEEDS_BOTH_SIDES: bool = true;
    const HANDS_OVER: bool = true;
    const READS_ON: bool = true;

    fn begin(view: StreamView<'_>) -> Step {
        form::with_fields(exchange::head(view.bytes, view.memo.into()), view)
    }

    /// Heads are long, and the first line is enough.
    fn proof(view: StreamView<'_>) -> Proof {
        match outline(view.bytes) {
            Outline::Other => Proof::Refuted,
            Outline::Begun { start: None, .. } => Proof::Open,
            Outline::Begun { .. } | Outline::Whole { .. } => Proof::Certain,
        }
    }

    fn resume(phase: Phase, view: StreamView<'_>) -> Step {
        match phase {
            HEAD => form::with_fields(exchange::head(view.bytes, view.memo.into()), view),
            CHUNKS => exchange::chunk(view.bytes, view.memo.into()),
            TUNNEL => exchange::tunnel(view.bytes, view.memo.into()),
            UPGRADE => upgrade::upgraded(view.bytes, view.memo.into()),
            _ => Step::Done,
        }
    }

    fn may_hand_over(view: StreamView<'_>) -> Option<bool> {
        match exchange::may_open_tunnel(view.bytes, view.memo.into()) {
            Some(false) => upgrade::may_upgrade(view.bytes),
            decided => decided,
        }
    }

    fn cut(phase: Phase, bytes: &[u8]) -> Option<Message> {
        if !phase.is_begun() && phase != HEAD && phase != UPGRADE {
            return None;
        }
        parse_cut(bytes).map(|message| form::with_cut_fields(message, bytes))
    }

    fn remember(memo: Memo, message: &Message) -> Memo {
        PendingRequests::from(memo).after(message).into()
    }
}

/// What the bytes at some place of a stream are to HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a head is handed on at once and never kept")]
pub enum Head {
    /// The head of a message.
    Complete {
        /// A request or a response.
        message: Message,
        /// Length of the head, the empty line included.
        length: usize,
        /// What follows.
        body: BodyLength,
    },
    /// The beginning of a head, or of what may become one.
    Partial,
    /// Something else.
    NotHttp,
}

/// How the body of a message ends (RFC 9112 §6.3).
///
/// A response to `HEAD` has no body whatever its head says, and one to `CONNECT` with status 2xx opens a tunnel: only
/// who knows the request can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// After so many bytes; 0 where there is none.
    Bytes(u64),
    /// With a last chunk, or when something [may begin](may_begin) like a head.
    Chunked,
    /// With the connection; also where another protocol follows.
    UntilClose,
}

/// Reads the head at the start of `bytes`.
pub fn parse_head(bytes: &[u8]) -> Head {
    match outline(bytes) {
        Outline::Other => Head::NotHttp,
        Outline::Begun { .. } => Head::Partial,
        Outline::Whole { start, headers, length } => {
            let body = body_length(start, headers);
            Head::Complete { message: message(start, headers), length, body }
        }
    }
}

/// Reads what there is of a head that goes on where the bytes end, if its first line is complete.
pub fn parse_cut(bytes: &[u8]) -> Option<Message> {
    match outline(bytes) {
        Outline::Begun { start: Some(start), headers } | Outline::Whole { start, headers, .. } => {
            Some(message(start, headers))
        }
        Outline::Begun { start: None, .. } | Outline::Other => None,
    }
}

/// Whether a head begins here, by its first line alone or what there is of it.
pub fn may_begin(bytes: &[u8]) -> bool {
    !matches!(outline(bytes), Outline::Other)
}

fn message(start: StartLine<'_>, headers: Headers<'_>) -> Message {
    match start {
        StartLine::Request { method, target, version } => {
            let [host, user_agent] = headers.texts(["host", "user-agent"]);
            Message::HttpRequest(HttpRequest {
                method: escaped(method),
                uri: Uri::new(escaped(target)),
                version,
                host: host.map(Uri::new),
                user_agent: user_agent.map(Text::from),
                authentication: authentication::sent(headers),
                password_fields: form::of_target(target),
                field_order: headers.order(),
            })
        }
        StartLine::Response { version, status, phrase } => Message::HttpResponse(HttpResponse {
            version,
            status,
            phrase: escaped(phrase).into(),
            server: headers.text("server").map(Text::from),
            authentication_types: authentication::asked_for(headers),
        }),
    }
}

fn body_length(start: StartLine<'_>, headers: Headers<'_>) -> BodyLength {
    match start {
        StartLine::Response { status: 101, .. } => return BodyLength::UntilClose,
        StartLine::Response { status: 100..=199 | 204 | 304, .. } => return BodyLength::Bytes(0),
        StartLine::Request { version, .. } if version.major != 1 => return BodyLength::UntilClose,
        _ => {}
    }
    let [codings, length] = headers.texts(["transfer-encoding", "content-length"]);
    if codings.unwrap_or_default().split(',').any(|coding| coding.trim().eq_ignore_ascii_case("chunked")) {
        return BodyLength::Chunked;
    }
    // Repeated equal lengths count as one (RFC 9112 §6.3).
    let length = length.map(|list| match list.split(',').next() {
        Some(first) if !first.contains('+') => {
            first.trim().parse().map_or(BodyLength::UntilClose, BodyLength::Bytes)
        }
        _ => BodyLength::UntilClose,
    });
    length.unwrap_or(match start {
        StartLine::Request { .. } => BodyLength::Bytes(0),
        StartLine::Response { .. } => BodyLength::UntilClose,
    })
}
