use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use thingprint_flow::MacAddr;

/// An application protocol that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// The Domain Name System, over UDP or TCP.
    Dns,
    /// The Network Time Protocol, any version.
    Ntp,
    /// Transport Layer Security and SSL over TCP.
    Tls,
    /// The Dynamic Host Configuration Protocol for IPv4, and BOOTP.
    Dhcp,
}

/// Who sent a message of a flow, as the device whose flow it is sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The device itself.
    Device,
    /// The other end.
    Peer,
}

/// One application message, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A DNS query or response.
    Dns(DnsMessage),
    /// An NTP packet.
    Ntp(NtpPacket),
    /// The first flight of a TLS client.
    ClientHello(ClientHello),
    /// A TLS server's choice.
    ServerHello(ServerHello),
    /// A DHCP message.
    Dhcp(DhcpMessage),
}

impl Message {
    /// The protocol that the message belongs to.
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::Dns(_) => Protocol::Dns,
            Self::Ntp(_) => Protocol::Ntp,
            Self::ClientHello(_) | Self::ServerHello(_) => Protocol::Tls,
            Self::Dhcp(_) => Protocol::Dhcp,
        }
    }
}

/// A DNS message (RFC 1035 §4); what was cut off or broken is left out, what was read before it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsMessage {
    /// Transaction id.
    pub id: u16,
    /// The flag word of the header: QR, opcode, AA, TC, RD, RA, Z, AD, CD, RCODE.
    pub flags: u16,
    /// Number of answer records by the header, which may be more than were read.
    pub answer_count: u16,
    /// The questions.
    pub questions: Vec<DnsQuestion>,
    /// The answer records, as far as they could be read.
    pub answers: Vec<DnsAnswer>,
}

impl DnsMessage {
    /// Whether this is a response: the QR bit.
    pub const fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// The kind of query, 0 for a standard one: RFC 1035 §4.1.1.
    pub const fn opcode(&self) -> u8 {
        (self.flags >> 11 & 0x0f) as u8
    }

    /// Whether a client asks for names here: QR 0, opcode 0, no answers, 1 to 16 questions, each of a plausible class.
    pub fn is_plain_query(&self) -> bool {
        !self.is_response()
            && self.opcode() == 0
            && self.answer_count == 0
            && (1..=16).contains(&self.questions.len())
            && self.questions.iter().all(DnsQuestion::has_plausible_class)
    }
}

/// One entry of a DNS question section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuestion {
    /// Lower case, no final dot; bytes outside printable ASCII (0x20 to 0x7e), and a dot inside a label, as `\xNN`
    /// in lower-case hex; a backslash stays as it is; the root is `.`.
    pub name: String,
    /// QTYPE.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
}

impl DnsQuestion {
    /// Whether the class is one that exists: IN, CH, HS, NONE or ANY (RFC 6895 §3.2), with or without the top bit
    /// that asks for a unicast response (RFC 6762 §5.4).
    pub const fn has_plausible_class(&self) -> bool {
        Self::is_plausible_class(self.qclass)
    }

    pub(crate) const fn is_plausible_class(class: u16) -> bool {
        matches!(class & 0x7fff, 1 | 3 | 4 | 254 | 255)
    }
}

/// One resource record of a DNS answer section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer {
    /// Owner name, written as in [`DnsQuestion::name`].
    pub name: String,
    /// TYPE.
    pub rtype: u16,
    /// Time to live in seconds.
    pub ttl_s: u32,
    /// The record's data, where its type is understood.
    pub data: DnsData,
}

/// Data of a resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsData {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME, PTR or NS.
    Name(String),
    /// Any other type, or data that could not be read.
    Other,
}

/// An NTP packet (RFC 5905 §7.3), of any version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NtpPacket {
    /// Leap indicator, 0 to 3.
    pub leap: u8,
    /// Version number, 1 to 4.
    pub version: u8,
    /// Association mode, 0 to 7.
    pub mode: u8,
    /// Stratum.
    pub stratum: u8,
    /// Poll interval, log2 seconds.
    pub poll: i8,
    /// Precision, log2 seconds.
    pub precision: i8,
    /// Reference identifier.
    pub reference_id: [u8; 4],
    /// Origin time stamp, 32.32 fixed point since 1900.
    pub origin: u64,
    /// Receive time stamp.
    pub receive: u64,
    /// Transmit time stamp.
    pub transmit: u64,
}

impl NtpPacket {
    /// Whether this asks for the time: mode 3 (client), or mode 1 (symmetric active).
    pub const fn is_request(&self) -> bool {
        matches!(self.mode, 1 | 3)
    }
}

/// Form in which a `ClientHello` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloVersion {
    /// The two-byte `legacy_version` of the message (0x0301 is TLS 1.0, 0x0303 TLS 1.2 and 1.3).
    Tls(u16),
    /// An SSL 2.0 compatible hello that names this version (RFC 5246 appendix E.2).
    Ssl2(u16),
}

/// A TLS `ClientHello` (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). GREASE values (RFC 8701) are left out of every list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// Version field of the message.
    pub version: HelloVersion,
    /// Offered cipher suites in order. Two-byte codes stand in the low 16 bits; three-byte kinds of SSL 2.0 whose first
    /// byte is not 0 use 24 bits.
    pub cipher_suites: Vec<u32>,
    /// Extension types in order.
    pub extensions: Vec<u16>,
    /// `server_name` (RFC 6066 §3), lower case, bytes outside printable ASCII as `\xNN`.
    pub server_name: Option<String>,
    /// `supported_versions` (RFC 8446 §4.2.1).
    pub supported_versions: Vec<u16>,
    /// `supported_groups` (RFC 8422 §5.1.1).
    pub groups: Vec<u16>,
    /// `ec_point_formats` (RFC 8422 §5.1.2).
    pub point_formats: Vec<u8>,
    /// `application_layer_protocol_negotiation` (RFC 7301), as sent.
    pub alpn: Vec<Vec<u8>>,
}

impl ClientHello {
    /// The offered list as one word: four lower-case hex digits for each suite, six for a three-byte kind,
    /// joined by `-`.
    pub fn cipher_suites_word(&self) -> String {
        let mut word = String::with_capacity(5 * self.cipher_suites.len());
        for (index, suite) in self.cipher_suites.iter().enumerate() {
            let separator = if index == 0 { "" } else { "-" };
            let width = if *suite > 0xffff { 6 } else { 4 };
            // Writing to a String cannot fail.
            let _ = write!(word, "{separator}{suite:0width$x}");
        }
        word
    }
}

/// A TLS `ServerHello` (RFC 8446 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// `legacy_version` of the message.
    pub version: u16,
    /// The version truly negotiated: `supported_versions` where present, else `version`.
    pub negotiated_version: u16,
    /// The chosen cipher suite.
    pub cipher_suite: u16,
    /// Extension types in order.
    pub extensions: Vec<u16>,
    /// Whether this is a `HelloRetryRequest`, which has the form of a `ServerHello` and a set random (RFC 8446 §4.1.3).
    pub is_retry_request: bool,
}

/// A DHCP or BOOTP message (RFC 2131 §2, RFC 2132).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpMessage {
    /// 1 from a client, 2 from a server.
    pub op: u8,
    /// Transaction id.
    pub xid: u32,
    /// The client's hardware address, where it is an Ethernet one.
    pub client_mac: Option<MacAddr>,
    /// Option 53: 1 DISCOVER, 2 OFFER, 3 REQUEST, 5 ACK ...; absent in plain BOOTP.
    pub message_type: Option<u8>,
    /// `ciaddr`: the address that the client already has.
    pub client_address: Option<Ipv4Addr>,
    /// `yiaddr`: the address that the server gives.
    pub assigned_address: Option<Ipv4Addr>,
    /// Option 50: the address that the client asks for.
    pub requested_address: Option<Ipv4Addr>,
    /// Option 12, without trailing zeros, bytes outside printable ASCII as `\xNN`.
    pub host_name: Option<String>,
    /// Option 60, written as the host name is.
    pub vendor_class: Option<String>,
    /// Option 61, as sent: a type byte and what follows.
    pub client_identifier: Option<Vec<u8>>,
    /// Option 55 in order: the options that the client wants, which tells its software.
    pub parameter_request_list: Vec<u8>,
}
