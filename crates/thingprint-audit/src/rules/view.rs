//! What several rules look at in a flow.

use std::borrow::Cow;

use thingprint_flow::Flow;
use thingprint_protocol::{
    ClientHello, Heard, HeardMessage, Message, NtpPacket, Sender, ServerHello, SsdpMessage,
};

use crate::rule::Seen;
use crate::{Flaw, Grade, Recommended, Suite};

/// The values of the rules about suites: grades, with what the standards advise against although it is no flaw.
///
/// `insecure` is what RFC 9325 §4.1 forbids, `insecure-other` what is broken and not named there; `recommended` stands
/// in the registry with a Y, `recommended-unlisted` is as good by its parts and has none.
pub(super) const SUITE_VALUES: &[&str] = &[
    "insecure",
    "insecure-other",
    "weak",
    "weak-encrypt-then-mac",
    "secure-dhe",
    "secure",
    "recommended-unlisted",
    "recommended",
    "unregistered",
];

/// The extension by which both sides agree to encrypt first (RFC 7366).
const ENCRYPT_THEN_MAC: u16 = 22;

/// The first flights of TLS clients, those in QUIC included.
pub(super) fn client_hellos(flow: &Flow<Heard>) -> impl Iterator<Item = (&HeardMessage, &ClientHello)> {
    flow.state.messages.iter().filter_map(|heard| match &heard.message {
        Message::ClientHello(hello) => Some((heard, hello)),
        Message::QuicInitial(initial) => Some((heard, initial.client_hello.as_ref()?)),
        _ => None,
    })
}

/// The choices of TLS servers, those in QUIC included; a request to try again is no choice of keys yet.
pub(super) fn server_hellos(flow: &Flow<Heard>) -> impl Iterator<Item = (&HeardMessage, &ServerHello)> {
    let hellos = flow.state.messages.iter().filter_map(|heard| match &heard.message {
        Message::ServerHello(hello) => Some((heard, hello)),
        Message::QuicInitial(initial) => Some((heard, initial.server_hello.as_ref()?)),
        _ => None,
    });
    hellos.filter(|(_, hello)| !hello.is_retry_request)
}

/// The packets of NTP with a clock's time.
pub(super) fn ntp_packets(flow: &Flow<Heard>) -> impl Iterator<Item = (&HeardMessage, &NtpPacket)> {
    flow.state.messages.iter().filter_map(|heard| match &heard.message {
        Message::Ntp(packet) => Some((heard, packet)),
        _ => None,
    })
}

/// Whether an NTP packet asks for the time. Version 1 had no modes: there the client is the one who opened the flow
/// (RFC 5905 §7.3; mode 0 is reserved since).
pub(super) fn is_ntp_request(flow: &Flow<Heard>, heard: &HeardMessage, packet: &NtpPacket) -> bool {
    let is_by_client = (heard.sender == Sender::Device) == flow.is_client;
    packet.is_request() || (packet.mode == 0 && is_by_client)
}

/// The messages of SSDP.
pub(super) fn ssdp_messages(flow: &Flow<Heard>) -> impl Iterator<Item = (&HeardMessage, &SsdpMessage)> {
    flow.state.messages.iter().filter_map(|heard| match &heard.message {
        Message::Ssdp(message) => Some((heard, message)),
        _ => None,
    })
}

/// Whether a request of SSDP has this method.
pub(super) fn is_ssdp(message: &SsdpMessage, method: &str) -> bool {
    message.method.as_deref().is_some_and(|sent| sent.eq_ignore_ascii_case(method))
}

/// The name of a TLS version as policies write it. Drafts of TLS 1.3 had numbers of their own: 0x7fxx, and 0xfbxx where
/// one maker tried them.
pub(super) const fn tls_version(version: u16) -> &'static str {
    match version {
        0x0002 => "SSLv2",
        0x0300 => "SSLv3",
        0x0301 => "TLSv10",
        0x0302 => "TLSv11",
        0x0303 => "TLSv12",
        0x0304 => "TLSv13",
        0x7f00..=0x7fff | 0xfb00..=0xfbff => "TLSv13-draft",
        _ => "unknown",
    }
}

/// A TLS version for people: its number is told where the name does not.
pub(super) fn tls_version_text(version: u16) -> Cow<'static, str> {
    match tls_version(version) {
        "unknown" => format!("unknown version 0x{version:04x}").into(),
        "TLSv13-draft" => format!("TLSv13-draft 0x{version:04x}").into(),
        name => name.into(),
    }
}

/// The value of a suite; `None` for a signal.
///
/// The kinds of SSL 2.0, with three bytes, count as insecure (RFC 6176).
pub(super) fn suite_value(code: u32) -> Option<&'static str> {
    let Ok(code) = u16::try_from(code) else { return Some("insecure") };
    let Some(suite) = Suite::of(code) else { return Some("unregistered") };
    match suite.grade? {
        Grade::Insecure if !suite.flaws.iter().any(|flaw| flaw.is_forbidden()) => Some("insecure-other"),
        Grade::Secure if suite.is_dhe => Some("secure-dhe"),
        Grade::Recommended if suite.recommended != Recommended::Y => Some("recommended-unlisted"),
        grade => Some(grade.as_str()),
    }
}

/// The value of a suite that a server chose: one whose only flaws are its block chaining and SHA-1 is
/// `weak-encrypt-then-mac` where the server agreed on that extension (RFC 7366), which mends the former.
pub(super) fn chosen_suite_value(hello: &ServerHello) -> Option<&'static str> {
    let value = suite_value(u32::from(hello.cipher_suite))?;
    let has_other_flaws =
        |suite: &Suite| suite.flaws.iter().any(|flaw| !matches!(flaw, Flaw::Cbc | Flaw::Sha1));
    let is_mended = value == "weak"
        && hello.extensions.contains(&ENCRYPT_THEN_MAC)
        && Suite::of(hello.cipher_suite).is_some_and(|suite| !suite.is_dhe && !has_other_flaws(suite));
    Some(if is_mended { "weak-encrypt-then-mac" } else { value })
}

/// A suite as it is told: by its code and, for people, with name and, in brackets, the grade and what the registry says.
pub(super) fn suite_text(code: u32) -> Seen {
    Seen::suite(code, text_of_suite(code))
}

fn text_of_suite(code: u32) -> String {
    let Ok(code) = u16::try_from(code) else { return format!("0x{code:06x} of SSL 2.0 (insecure)") };
    let Some(suite) = Suite::of(code) else { return format!("0x{code:04x} (unregistered)") };
    let grade = suite.grade.map_or("signal", Grade::as_str);
    let registry = match suite.recommended {
        Recommended::D => ", discouraged by IANA",
        Recommended::N if suite.grade == Some(Grade::Recommended) => ", not by IANA",
        Recommended::N | Recommended::Y => "",
    };
    format!("0x{code:04x} {} ({grade}{registry})", suite.name)
}
