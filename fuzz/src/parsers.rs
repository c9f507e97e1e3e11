use std::sync::LazyLock;

use thingprint_protocol::{Engine, Message, Sender, parsers};

use crate::conversation::Conversation;

/// No message is written with more than so many bytes for each that it was read from, beside what every message has.
/// A pointer of two bytes stands for a name of up to 255, each of which may be escaped.
const MOST_EXPANSION: usize = 1024;
const MESSAGE_BYTES: usize = 4096;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::default);

/// Reads a payload as DNS, of any length on the wire.
pub fn dns(data: &[u8]) {
    check(data, parsers::dns(data, data.len()).map(Message::Dns));
    check(data, parsers::dns(data, data.len() + 100).map(Message::Dns));
    exchange(data);
}

/// Reads a payload as NTP, of any mode.
pub fn ntp(data: &[u8]) {
    check(data, parsers::ntp(data, data.len()).map(Message::Ntp));
    check(data, parsers::ntp(data, data.len() + 100).map(Message::Ntp));
    check(data, parsers::ntp_control(data, data.len()).map(Message::NtpControl));
    exchange(data);
}

/// Reads bytes as hellos, as certificates, and as a stream of records.
pub fn tls(data: &[u8]) {
    check(data, parsers::client_hello(data).map(Message::ClientHello));
    check(data, parsers::server_hello(data).map(Message::ServerHello));
    check(data, Some(Message::Certificates(parsers::certificates(data))));
    exchange(data);
}

/// Reads a payload as DHCP.
pub fn dhcp(data: &[u8]) {
    check(data, parsers::dhcp(data).map(Message::Dhcp));
    exchange(data);
}

/// Reads bytes as the head of an HTTP message, and as a stream of them.
///
/// A head is the same whatever follows it, and what is no HTTP does not become it with more bytes.
pub fn http(data: &[u8]) {
    let head = parsers::http(data);
    match &head {
        parsers::Head::Complete { message, length, .. } => {
            assert!(*length <= data.len());
            assert_eq!(parsers::http(&data[..*length]), head, "what follows changes a head");
            check(data, Some(message.clone()));
        }
        parsers::Head::Partial => check(data, parsers::cut_http(data)),
        parsers::Head::NotHttp => assert!(!parsers::may_begin_http(data)),
    }
    let (start, _) = data.split_at(data.len() / 2);
    if parsers::http(start) == parsers::Head::NotHttp {
        assert_eq!(head, parsers::Head::NotHttp, "more bytes make it HTTP");
    }
    exchange(data);
}

/// Reads a payload as SSDP.
pub fn ssdp(data: &[u8]) {
    check(data, parsers::ssdp(data, 1).map(Message::Ssdp));
    exchange(data);
}

/// What is read can be written, and does not take much more room than it was read from.
pub(crate) fn check(data: &[u8], message: Option<Message>) {
    let Some(message) = message else { return };
    let written = serde_json::to_vec(&message);
    let most = MESSAGE_BYTES + data.len() * MOST_EXPANSION;
    assert!(written.is_ok_and(|written| written.len() <= most), "{message:?}");
}

/// Sends the bytes through an engine: as a datagram, and as the stream of a client and of a server.
fn exchange(data: &[u8]) {
    let mut datagrams = Conversation::new(&ENGINE);
    datagrams.udp(Sender::Device, data);
    datagrams.udp(Sender::Peer, data);
    let mut streams = Conversation::new(&ENGINE);
    for sender in [Sender::Device, Sender::Peer] {
        streams.open(sender, 1);
        streams.tcp(sender, 1, data);
    }
    for (_, message) in datagrams.close().into_iter().chain(streams.close()) {
        check(data, Some(message));
    }
}
