use super::keys;
use crate::QuicVersion;
use crate::cursor::Cursor;

/// RFC 9000 §17.2: connection ids of version 1 and all known ones have at most 20 bytes.
const MOST_ID_BYTES: usize = 20;
/// Shortest first datagram of a client (RFC 9000 §14.1).
const LEAST_FIRST_DATAGRAM_BYTES: usize = 1200;
const LONG_FORM: u8 = 0x80;
/// RFC 9000 §17.2, Table 5.
const INITIAL: u8 = 0;
const RETRY: u8 = 3;

/// A packet with a long header (RFC 9000 §17.2), up to its packet number.
#[derive(Clone, Copy, Debug)]
pub(super) struct LongHeader<'a> {
    pub(super) kind: Kind,
    pub(super) version: QuicVersion,
    /// Destination connection id.
    pub(super) destination: &'a [u8],
    /// The packet, of an Initial one as far as it was captured.
    pub(super) packet: &'a [u8],
    /// Where its packet number begins.
    pub(super) number_at: usize,
    /// What follows the packet in its datagram.
    pub(super) after: &'a [u8],
}

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A beginning that can be opened.
    Initial,
    /// Any other packet of a known version, or a list of versions.
    Other,
    /// A packet of a version that cannot be opened.
    Unknown,
}

impl LongHeader<'_> {
    /// Whether the packet is long enough to be opened (RFC 9001 §5.4.2).
    pub(super) const fn has_sample(&self) -> bool {
        self.packet.len() >= self.number_at + keys::MOST_NUMBER_BYTES + keys::SAMPLE_BYTES
    }
}

/// Reads the long header at the start of `bytes`; versions that nobody is known to use are no QUIC.
pub(super) fn read(bytes: &[u8]) -> Option<LongHeader<'_>> {
    let mut cursor = Cursor::new(bytes);
    let first = cursor.u8().filter(|first| first & LONG_FORM != 0)?;
    let version = QuicVersion(cursor.u32()?);
    let destination = cursor.vector8().filter(|id| id.len() <= MOST_ID_BYTES)?;
    let _source = cursor.vector8().filter(|id| id.len() <= MOST_ID_BYTES)?;
    let whole =
        LongHeader { kind: Kind::Other, version, destination, packet: bytes, number_at: 0, after: &[] };
    if version.0 == 0 {
        return is_version_list(cursor.rest()).then_some(whole);
    }
    if !keys::can_open(version) {
        let is_plausible = bytes.len() >= LEAST_FIRST_DATAGRAM_BYTES && is_reserved(version);
        return is_plausible.then_some(LongHeader { kind: Kind::Unknown, ..whole });
    }
    // RFC 9369 §3.2: version 2 counts the types Initial, 0-RTT, Handshake and Retry from 1.
    let offset = u8::from(version == QuicVersion::V2);
    let kind = match (first >> 4).wrapping_sub(offset) & 3 {
        INITIAL => Kind::Initial,
        RETRY => return Some(whole),
        _ => Kind::Other,
    };
    if kind == Kind::Initial {
        let token_bytes = usize::try_from(variable(&mut cursor)?).ok()?;
        let _token = cursor.take(token_bytes)?;
    }
    let length = usize::try_from(variable(&mut cursor)?).ok()?;
    let number_at = cursor.position();
    let end = number_at.checked_add(length)?;
    let (packet, after) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    Some(LongHeader { kind, packet, number_at, after, ..whole })
}

/// A number of 1, 2, 4 or 8 bytes (RFC 9000 §16).
pub(super) fn variable(cursor: &mut Cursor<'_>) -> Option<u64> {
    let first = cursor.u8()?;
    let more = (1_usize << (first >> 6)) - 1;
    let start = u64::from(first & 0x3f);
    cursor.take(more).map(|bytes| bytes.iter().fold(start, |number, &byte| number << 8 | u64::from(byte)))
}

/// Versions that a server offers (RFC 9000 §17.2.1): at least one of them is known.
fn is_version_list(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let mut versions = std::iter::from_fn(|| cursor.u32()).map(QuicVersion);
    bytes.len().is_multiple_of(4) && versions.any(|version| keys::can_open(version) || version.is_grease())
}

/// Versions that are recognised by name: those that mean nothing, drafts, and Google's and Facebook's.
fn is_reserved(version: QuicVersion) -> bool {
    let is_named = matches!(version.0.to_be_bytes(), [b'Q' | b'T', b'0', b'0'..=b'9', b'0'..=b'9']);
    version.is_grease() || version.draft().is_some() || version.0 >> 8 == 0x00fa_ceb0 || is_named
}
