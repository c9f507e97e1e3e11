//! TLS and SSL hellos at the start of a TCP stream (RFC 8446 §4.1, RFC 5246 §7.4.1 and appendix E.2).
//!
//! A hello may lie in several records, and a record may hold more than a hello. A second hello follows a
//! `HelloRetryRequest`, perhaps after a `ChangeCipherSpec` record (RFC 8446 appendix D.4), and alerts and empty records may
//! come before a hello; anything else ends what is wanted from a direction. A connection whose hellos were not captured is
//! detected by its records.
pub(crate) mod certificate;
mod der;
mod flight;
pub(crate) mod hello;
mod ja;
mod record;
mod resumption;
mod running;
mod ssl2;
#[cfg(test)]
mod tests;
mod x509;

use crate::Message;
use crate::parser::{Parser, Proof, StreamView};
use crate::phase::{Phase, Step};
use crate::schema::IpProtocol;
pub use certificate::{Certificate, CertificateChain};
use flight::certificates;
pub use hello::{ClientHello, HelloVersion, ServerHello};
pub use ja::Carrier;
use record::Scan;
pub use resumption::{ResumedBy, Resumption};
use running::Running;

/// A hello was read, and another one may follow.
const HELLO: Phase = Phase::bounded(0);
/// A server's hello was read, and its certificates may follow; the reading position stays at the hello.
const FLIGHT: Phase = Phase::bounded(1);

const SERVER_HELLO: u8 = 2;
/// First byte of every version from SSL 3.0 on.
const MAJOR_VERSION: u8 = 3;
const TLS_1_3: u16 = 0x0304;
/// A `ChangeCipherSpec` record: type 20, any version 3.x, one byte 1.
const CHANGE_CIPHER_SPEC: u8 = 20;
const CHANGE_CIPHER_SPEC_BYTES: usize = 6;

/// An alert in the clear: type 21, any version 3.x, two bytes, which are a level of 1 or 2 and what it is about.
const ALERT: u8 = 21;
const ALERT_BYTES: usize = 7;
/// A record without contents is its header alone.
const EMPTY_BYTES: usize = 5;

/// The parser.
pub(crate) struct Tls;

impl Parser for Tls {
    const TRANSPORTS: &'static [IpProtocol] = &[IpProtocol::Tcp];

    fn begin(view: StreamView<'_>) -> Step {
        behind_leads(view.bytes, first_hello)
    }

    /// A hello is long, and its beginning is enough.
    fn proof(view: StreamView<'_>) -> Proof {
        match Self::begin(view) {
            Step::More if begins_hello(behind(view.bytes)) => Proof::Certain,
            Step::More => Proof::Open,
            Step::Done => Proof::Refuted,
            step @ Step::Read { .. } => Proof::Read(step),
        }
    }

    fn resume(phase: Phase, view: StreamView<'_>) -> Step {
        match phase {
            HELLO => behind_leads(view.bytes, next_hello),
            FLIGHT => certificates(view.bytes),
            _ => Step::Done,
        }
    }
}

/// Looks for a hello at the start of a stream.
fn first_hello(bytes: &[u8]) -> Step {
    match ssl2::client_hello(bytes) {
        ssl2::Scan::More => Step::More,
        ssl2::Scan::Hello(hello) if hello.cipher_suites.is_empty() => Step::Done,
        ssl2::Scan::Hello(hello) => {
            let message = Some(Message::ClientHello(hello));
            Step::Read { bytes: bytes.len(), message, then: Phase::DONE }
        }
        ssl2::Scan::Other => or_running(handshake(bytes), bytes),
    }
}

/// What a stream is where no hello begins: perhaps a connection that was there before the capture.
fn or_running(step: Step, bytes: &[u8]) -> Step {
    if step != Step::Done {
        return step;
    }
    match running::look(bytes) {
        Running::Yes => Step::Read { bytes: bytes.len(), message: None, then: Phase::DONE },
        Running::Open => Step::More,
        Running::No => Step::Done,
    }
}

/// Looks for a further hello behind one that was read.
fn next_hello(bytes: &[u8]) -> Step {
    if bytes.first() != Some(&CHANGE_CIPHER_SPEC) {
        return handshake(bytes);
    }
    match bytes {
        [_, 3, _, 0, 1, 1, ..] => Step::Read { bytes: CHANGE_CIPHER_SPEC_BYTES, message: None, then: HELLO },
        _ if bytes.len() < CHANGE_CIPHER_SPEC_BYTES => Step::More,
        _ => Step::Done,
    }
}

/// Takes a step behind alerts in the clear, as a server's warning that it does not know the name that it was asked for (RFC
/// 6066 §3), and empty records.
fn behind_leads(bytes: &[u8], read: impl Fn(&[u8]) -> Step) -> Step {
    let rest = behind(bytes);
    let lead = bytes.len() - rest.len();
    match rest {
        [] | [ALERT, 3, _, 0, 2, ..] if rest.len() < ALERT_BYTES => Step::More,
        _ => match read(rest) {
            Step::Read { bytes, message, then } => Step::Read { bytes: lead + bytes, message, then },
            step => step,
        },
    }
}

/// What follows the alerts in the clear and the empty records.
fn behind(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let Some(lead) = lead_bytes(rest) {
        rest = rest.get(lead..).unwrap_or_default();
    }
    rest
}

/// Whether a record begins with a hello of a version 3.x that is shorter than 64 KiB.
const fn begins_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [22, 3, 0..=4, 0..=0x40, _, 1 | 2, 0, _, _, 3, 0..=4, ..])
}

/// Length of an alert in the clear, or of an empty record.
const fn lead_bytes(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [ALERT, 3, _, 0, 2, 1 | 2, _, ..] => Some(ALERT_BYTES),
        [CHANGE_CIPHER_SPEC..=23, 3, _, 0, 0, ..] => Some(EMPTY_BYTES),
        _ => None,
    }
}

/// Reads a hello. One with a broken body is a hello all the same, if its lengths or its version say so.
fn handshake(bytes: &[u8]) -> Step {
    match record::first_message(bytes) {
        Scan::More => Step::More,
        Scan::Other => Step::Done,
        Scan::Message { is_in_first_record: false, body, .. } if body.first() != Some(&MAJOR_VERSION) => {
            Step::Done
        }
        Scan::Message { kind: SERVER_HELLO, body, stream_bytes, ends_record, .. } => {
            let Some(hello) = hello::server_hello(&body) else {
                return Step::Read { bytes: stream_bytes, message: None, then: Phase::DONE };
            };
            let (bytes, then) = match hello.negotiated_version {
                _ if hello.is_retry_request && ends_record => (stream_bytes, HELLO),
                // Certificates are sent in the clear up to TLS 1.2; they may share the hello's record.
                0..TLS_1_3 if !hello.is_retry_request => (0, FLIGHT),
                _ => (stream_bytes, Phase::DONE),
            };
            Step::Read { bytes, message: Some(Message::ServerHello(hello)), then }
        }
        Scan::Message { body, stream_bytes, ends_record, .. } => {
            let message = hello::client_hello(&body).map(Message::ClientHello);
            let then = if ends_record { HELLO } else { Phase::DONE };
            Step::Read { bytes: stream_bytes, message, then }
        }
    }
}
