use thingprint_flow::Ip;

use crate::phase::Step;
use crate::protocols::http::exchange::{self, Asked};
use crate::protocols::{dhcp, dns, ntp, ssdp, tls};
use crate::schema::IpProtocol;
use crate::{Interest, Message, Protocol, Sender};

/// A parser that models can name, for what no pattern can read well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    Tls,
    Http,
    Dhcp,
    Ssdp,
    Quic,
    Mdns,
    Llmnr,
    Dns,
    Ntp,
}

impl Builtin {
    const ALL: [Self; 9] = [
        Self::Tls,
        Self::Http,
        Self::Dhcp,
        Self::Ssdp,
        Self::Quic,
        Self::Mdns,
        Self::Llmnr,
        Self::Dns,
        Self::Ntp,
    ];

    /// The parser of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|builtin| builtin.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Dhcp => "dhcp",
            Self::Ssdp => "ssdp",
            Self::Quic => "quic",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Dns => "dns",
            Self::Ntp => "ntp",
        }
    }

    /// The protocol whose messages the parser reads.
    pub(crate) const fn protocol(self) -> Protocol {
        match self {
            Self::Tls => Protocol::Tls,
            Self::Http => Protocol::Http,
            Self::Dhcp => Protocol::Dhcp,
            Self::Ssdp => Protocol::Ssdp,
            Self::Quic => Protocol::Quic,
            Self::Mdns => Protocol::Mdns,
            Self::Llmnr => Protocol::Llmnr,
            Self::Dns => Protocol::Dns,
            Self::Ntp => Protocol::Ntp,
        }
    }

    /// Whether the parser reads anything that comes over this transport.
    pub(crate) const fn is_over(self, transport: IpProtocol) -> bool {
        match self {
            Self::Tls | Self::Http => matches!(transport, IpProtocol::Tcp),
            Self::Dns => true,
            Self::Dhcp | Self::Ssdp | Self::Quic | Self::Mdns | Self::Llmnr | Self::Ntp => {
                matches!(transport, IpProtocol::Udp)
            }
        }
    }

    /// Whether this parser and the other read messages of the same form, which only their packets tell apart.
    pub(crate) const fn is_akin(self, protocol: Protocol) -> bool {
        match self {
            Self::Dns | Self::Mdns | Self::Llmnr => {
                matches!(protocol, Protocol::Dns | Protocol::Mdns | Protocol::Llmnr)
            }
            _ => true,
        }
    }

    /// Whether what `sender` sends in a flow of the protocol has to be read: for its own messages, or since those of the
    /// other side cannot be read without.
    pub(crate) fn is_wanted(self, interest: Interest, sender: Sender) -> bool {
        match self {
            Self::Dns | Self::Mdns | Self::Llmnr => {
                let akin = [Protocol::Dns, Protocol::Mdns, Protocol::Llmnr];
                akin.into_iter().any(|protocol| interest.wants(protocol, sender))
            }
            Self::Http | Self::Quic => interest.wants_any(self.protocol()),
            Self::Tls | Self::Dhcp | Self::Ssdp | Self::Ntp => interest.wants(self.protocol(), sender),
        }
    }

    /// The message in a UDP payload, if it is one; QUIC needs the packets before it, and is read elsewhere.
    pub(crate) fn datagram(self, packet: &Ip<'_>) -> Option<Message> {
        let payload = packet.payload;
        let length = packet.payload_bytes as usize;
        match self {
            Self::Dhcp => dhcp::parse(payload).map(Message::Dhcp),
            Self::Ssdp => ssdp::parse(payload, packet.ttl).map(Message::Ssdp),
            Self::Mdns | Self::Llmnr | Self::Dns => {
                dns::parse(payload, length).map(|message| dns::named(message, packet))
            }
            Self::Ntp => ntp_message(payload, length),
            Self::Tls | Self::Http | Self::Quic => None,
        }
    }

    /// Whether the beginning of a TCP stream proves the protocol: it does where something is read.
    ///
    /// A message has to be there as a whole, but of HTTP, whose heads are long, the first line is enough.
    pub(crate) fn proof(self, bytes: &[u8], longest: usize) -> Step {
        match self {
            Self::Http => exchange::first_line(bytes),
            _ => self.begin(bytes, longest),
        }
    }

    /// What the beginning of a TCP stream is; `longest` is the most bytes that are kept of one.
    pub(crate) fn begin(self, bytes: &[u8], longest: usize) -> Step {
        match self {
            Self::Tls => tls::first_hello(bytes),
            Self::Http => exchange::head(bytes, Asked::default()),
            Self::Dns => dns::first_frame(bytes, longest),
            Self::Dhcp | Self::Ssdp | Self::Quic | Self::Mdns | Self::Llmnr | Self::Ntp => Step::Done,
        }
    }
}

/// An NTP packet, or a control message.
fn ntp_message(payload: &[u8], length: usize) -> Option<Message> {
    let packet = ntp::parse(payload, length).map(Message::Ntp);
    packet.or_else(|| ntp::parse_control(payload, length).map(Message::NtpControl))
}
