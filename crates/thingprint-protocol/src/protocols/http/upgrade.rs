//! TLS on the same connection, which a request asks for and status 101 begins (RFC 2817).
use super::exchange::{self, PendingRequests};
use super::{HEAD, Headers, Outline, StartLine, outline};
use crate::phase::{Phase, Step};

/// Status of a server that changes the protocol (RFC 9110 §15.2.2).
const SWITCHING: u16 = 101;
/// A record of TLS with a handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 0x16;

/// What to expect behind a head, where `then` was expected without an upgrade.
pub(super) fn after_head(bytes: &[u8], then: Phase) -> Phase {
    match outline(bytes) {
        Outline::Whole { start: StartLine::Response { status: SWITCHING, .. }, headers, .. }
            if names_tls(headers) =>
        {
            Phase::HAND_OVER
        }
        Outline::Whole { start: StartLine::Request { .. }, headers, .. }
            if then == HEAD && names_tls(headers) =>
        {
            super::UPGRADE
        }
        _ => then,
    }
}

/// What the bytes are behind a request that asked for TLS.
pub(super) fn upgraded(bytes: &[u8], pending: PendingRequests) -> Step {
    match bytes.first() {
        None => Step::More,
        Some(&HANDSHAKE) => Step::Read { bytes: 0, message: None, then: Phase::HAND_OVER },
        Some(_) => exchange::head(bytes, pending),
    }
}

/// Whether a stream that begins so may go on in TLS; `None` if more bytes are needed to decide.
pub(super) fn may_upgrade(bytes: &[u8]) -> Option<bool> {
    match outline(bytes) {
        Outline::Whole { start, headers, .. } => Some(may_switch(start) && names_tls(headers)),
        Outline::Begun { start: Some(start), headers } if may_switch(start) => {
            names_tls(headers).then_some(true)
        }
        Outline::Begun { start: None, .. } => None,
        Outline::Begun { .. } | Outline::Other => Some(false),
    }
}

fn may_switch(start: StartLine<'_>) -> bool {
    matches!(start, StartLine::Request { .. } | StartLine::Response { status: SWITCHING, .. })
}

fn names_tls(headers: Headers<'_>) -> bool {
    let protocols = headers.text("upgrade").unwrap_or_default();
    protocols
        .split(',')
        .any(|protocol| protocol.trim().get(..4).is_some_and(|name| name.eq_ignore_ascii_case("TLS/")))
}

#[cfg(test)]
mod tests {
    use super::{PendingRequests, after_head, may_upgrade, upgraded};
    use crate::phase::{Phase, Step};
    use crate::protocols::http::{HEAD, UPGRADE};

    const ASKS: &[u8] =
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, tls/1.0\r\nConnection: Upgrade\r\n\r\n";
    const SWITCHES: &[u8] = b"HTTP/1.1 101 Switching\r\nUpgrade: TLS/1.0, HTTP/1.1\r\n\r\n";

    #[test]
    fn an_upgrade_to_tls_alone_gives_way() {
        assert_eq!(after_head(ASKS, HEAD), UPGRADE);
        assert_eq!(after_head(SWITCHES, Phase::DONE), Phase::HAND_OVER);
        let other = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n";
        assert_eq!(after_head(other, Phase::DONE), Phase::DONE);
        let offer = b"HTTP/1.1 426 No\r\nUpgrade: TLS/1.0\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(after_head(offer, HEAD), HEAD);
    }

    #[test]
    fn a_server_that_stays_in_the_clear_gets_further_requests() {
        let handed_over = Step::Read { bytes: 0, message: None, then: Phase::HAND_OVER };
        let pending = PendingRequests::default();
        assert_eq!(upgraded(&[0x16, 3, 1], pending), handed_over);
        assert_eq!(upgraded(b"", pending), Step::More);
        let again = upgraded(b"GET / HTTP/1.1\r\n\r\n", pending);
        assert!(matches!(again, Step::Read { bytes: 18, then: HEAD, .. }), "{again:?}");
    }

    #[test]
    fn the_first_head_says_whether_a_stream_may_change() {
        for cut in 1..ASKS.len() {
            assert_ne!(may_upgrade(&ASKS[..cut]), Some(false), "{cut}");
        }
        for cut in 1..SWITCHES.len() {
            assert_ne!(may_upgrade(&SWITCHES[..cut]), Some(false), "{cut}");
        }
        assert_eq!((may_upgrade(ASKS), may_upgrade(SWITCHES)), (Some(true), Some(true)));
        assert_eq!(may_upgrade(b"GET / HTTP/1.1\r\n\r\n"), Some(false));
        assert_eq!(may_upgrade(b"HTTP/1.1 200 OK\r\nServer"), Some(false));
    }
}
