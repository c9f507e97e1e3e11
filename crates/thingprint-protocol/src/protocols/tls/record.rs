use std::borrow::Cow;

use crate::cursor::Cursor;

/// RFC 8446 §5.1: a fragment of plaintext has at most 2^14 bytes.
const MOST_FRAGMENT_BYTES: usize = 1 << 14;
const HEADER_BYTES: usize = 5;
const HANDSHAKE: u8 = 22;

/// The handshake message at the start of a stream of records.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan<'a> {
    /// More bytes are needed.
    More,
    /// No such message begins here.
    Other,
    /// The message is complete, or is broken off by something else.
    Message {
        /// `HandshakeType` (RFC 8446 §4).
        kind: u8,
        /// What follows the message's header, joined where it lies in several records.
        body: Cow<'a, [u8]>,
        /// Bytes of the stream up to the end of the last record of the message, which may not be there yet.
        stream_bytes: usize,
        /// Whether the message ends where its last record ends.
        ends_record: bool,
        /// Whether the first record has all of the message.
        is_in_first_record: bool,
    },
}

/// Finds the handshake message that begins at `bytes`, of one of two kinds: `ClientHello` (1) or `ServerHello` (2). It is
/// shorter than 64 KiB.
pub(super) fn first_message(bytes: &[u8]) -> Scan<'_> {
    if bytes.first().is_some_and(|&kind| kind != HANDSHAKE) {
        return Scan::Other;
    }
    let mut fragments = Fragments::new(bytes);
    let mut header = fragments.clone().flatten().copied();
    let kind = header.next();
    if kind.is_some_and(|kind| !matches!(kind, 1 | 2)) {
        return Scan::Other;
    }
    let (Some(kind), Some(high), Some(middle), Some(low)) =
        (kind, header.next(), header.next(), header.next())
    else {
        return fragments.ended();
    };
    if high > 0 {
        return Scan::Other;
    }
    let wanted = 4 + u32::from_be_bytes([0, high, middle, low]) as usize;
    let first = fragments.next().unwrap_or_default();
    if let Some(body) = first.get(4..wanted) {
        return fragments.message(kind, Cow::Borrowed(body), first.len() == wanted);
    }
    let mut held = first.len();
    while held < wanted {
        match fragments.next() {
            Some(fragment) => held += fragment.len(),
            None if fragments.ended() == Scan::More => return Scan::More,
            None => break,
        }
    }
    let body = Fragments::new(bytes).flatten().copied().take(wanted).skip(4).collect();
    fragments.message(kind, Cow::Owned(body), held == wanted)
}

/// The fragments of successive handshake records, the last one as far as it is there.
#[derive(Clone)]
struct Fragments<'a> {
    bytes: &'a [u8],
    /// Where the next record begins.
    at: usize,
    is_other: bool,
}

impl<'a> Fragments<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, is_other: false }
    }

    /// Why there are no more fragments.
    fn ended(&mut self) -> Scan<'a> {
        while self.next().is_some() {}
        if self.is_other { Scan::Other } else { Scan::More }
    }

    fn message(&self, kind: u8, body: Cow<'a, [u8]>, ends_fragment: bool) -> Scan<'a> {
        let ends_record = ends_fragment && self.at <= self.bytes.len();
        let is_in_first_record = matches!(body, Cow::Borrowed(_));
        Scan::Message { kind, body, stream_bytes: self.at, ends_record, is_in_first_record }
    }
}

impl<'a> Iterator for Fragments<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut cursor = Cursor::new_at(self.bytes, self.at);
        let kind = cursor.u8();
        let major = cursor.u8();
        let minor = cursor.u8();
        let length = cursor.u16().map(usize::from);
        self.is_other = kind.is_some_and(|kind| kind != HANDSHAKE)
            || major.is_some_and(|major| major != 3)
            || minor.is_some_and(|minor| minor > 4)
            || length.is_some_and(|length| length == 0 || length > MOST_FRAGMENT_BYTES);
        let length = length.filter(|_| !self.is_other)?;
        let start = self.at + HEADER_BYTES;
        let fragment = self.bytes.get(start..)?;
        if fragment.is_empty() {
            return None;
        }
        self.at = start + length;
        Some(fragment.get(..length).unwrap_or(fragment))
    }
}
