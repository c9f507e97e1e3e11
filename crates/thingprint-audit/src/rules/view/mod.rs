//! What several rules look at in a flow.
mod certificate;
mod suite;
mod version;

use thingprint_flow::Flow;
use thingprint_protocol::{
    ClientHello, Heard, HeardMessage, Message, NtpPacket, Sender, ServerHello, SsdpMessage,
};

pub(super) use certificate::server_certificates;
pub(super) use suite::{SUITE_VALUES, see_chosen_suite, see_offered_suite};
pub(super) use version::{
    OFFERED_VERSIONS, VERSIONS, newest_version, see_old_version, see_version, tls_version,
};

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
