//! What the parsers find: one type for each kind of message, written as JSON in `snake_case`.
mod credential;
pub(crate) mod json;
mod size;
mod uri;

use serde::Serialize;

use crate::{
    CertificateChain, ClientHello, Described, DhcpMessage, DhcpOption, DnsMessage, HttpRequest, HttpResponse,
    NtpControl, NtpPacket, QuicInitial, ServerHello, SsdpMessage,
};

pub use credential::Credential;
pub use uri::Uri;

/// An application protocol that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// The Domain Name System, over UDP or TCP.
    Dns,
    /// The Network Time Protocol, any version.
    Ntp,
    /// Transport Layer Security and SSL over TCP.
    Tls,
    /// The Dynamic Host Configuration Protocol for IPv4, and BOOTP.
    Dhcp,
    /// The Hypertext Transfer Protocol up to version 1.1, over TCP.
    Http,
    /// The Simple Service Discovery Protocol of `UPnP`, over UDP.
    Ssdp,
    /// Multicast DNS (RFC 6762).
    Mdns,
    /// Link-Local Multicast Name Resolution (RFC 4795).
    Llmnr,
    /// QUIC (RFC 9000).
    Quic,
    /// That of a model without a parser of this crate: [`Inspection::model`](crate::Inspection::model) says which.
    Described,
}

/// Who sent a message of a flow, as the device whose flow it is sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// The device itself.
    Device,
    /// The other end.
    Peer,
}

/// One application message, parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Message {
    /// A DNS query or response.
    Dns(DnsMessage),
    /// A multicast DNS query or response, which has the form of a DNS message.
    Mdns(DnsMessage),
    /// An LLMNR query or response, which has the form of a DNS message.
    Llmnr(DnsMessage),
    /// An NTP packet.
    Ntp(NtpPacket),
    /// An NTP control message: modes 6 and 7.
    NtpControl(NtpControl),
    /// The first flight of a TLS client.
    ClientHello(ClientHello),
    /// A TLS server's choice.
    ServerHello(ServerHello),
    /// The certificates of a TLS server, up to TLS 1.2.
    Certificates(CertificateChain),
    /// A DHCP message.
    Dhcp(DhcpMessage),
    /// The head of an HTTP request.
    HttpRequest(HttpRequest),
    /// The head of an HTTP response.
    HttpResponse(HttpResponse),
    /// An SSDP search, notification or answer.
    Ssdp(SsdpMessage),
    /// The handshake in the Initial packets of a QUIC connection.
    QuicInitial(QuicInitial),
    /// What the patterns of a model read from a payload.
    Described(Described),
}

impl Message {
    /// The protocol that the message belongs to.
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::Dns(_) => Protocol::Dns,
            Self::Mdns(_) => Protocol::Mdns,
            Self::Llmnr(_) => Protocol::Llmnr,
            Self::Ntp(_) | Self::NtpControl(_) => Protocol::Ntp,
            Self::ClientHello(_) | Self::ServerHello(_) | Self::Certificates(_) => Protocol::Tls,
            Self::Dhcp(_) => Protocol::Dhcp,
            Self::HttpRequest(_) | Self::HttpResponse(_) => Protocol::Http,
            Self::Ssdp(_) => Protocol::Ssdp,
            Self::QuicInitial(_) => Protocol::Quic,
            Self::Described(_) => Protocol::Described,
        }
    }

    /// Lets credentials be written by `Display` and as JSON from now on; until then they stand as `***`.
    pub fn show_credentials(&mut self) {
        match self {
            Self::HttpRequest(request) => {
                request.uri.show();
                request.host.iter_mut().for_each(Uri::show);
                let credentials = request.authentication.iter_mut().flat_map(|sent| &mut sent.credential);
                credentials.for_each(Credential::show);
            }
            Self::Dhcp(message) => {
                message.mud_url.iter_mut().for_each(Uri::show);
                message.options.iter_mut().for_each(DhcpOption::show);
            }
            Self::Ssdp(message) => {
                message.uri.iter_mut().for_each(Uri::show);
                message.host.iter_mut().for_each(Uri::show);
                message.location.iter_mut().for_each(Uri::show);
            }
            Self::Described(described) => described.show_credentials(),
            _ => {}
        }
    }
}
