use std::net::IpAddr;

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

/// One entry of a DNS question section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuestion {
    /// Lower case, no final dot; bytes outside printable ASCII, and a dot or backslash inside a label, as `\xNN`; the root is `.`.
    pub name: String,
    /// QTYPE.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
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

/// Form in which a ClientHello came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloVersion {
    /// The two-byte `legacy_version` of the message (0x0301 is TLS 1.0, 0x0303 TLS 1.2 and 1.3).
    Tls(u16),
    /// An SSL 2.0 compatible hello that names this version (RFC 5246 appendix E.2).
    Ssl2(u16),
}

/// A TLS ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). GREASE values (RFC 8701) are left out of every list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// Version field of the message.
    pub version: HelloVersion,
    /// Offered cipher suites in order. Two-byte codes stand in the low 16 bits; SSLv2 three-byte kinds whose first byte is not 0 use 24 bits.
    pub cipher_suites: Vec<u32>,
    /// Extension types in order.
    pub extensions: Vec<u16>,
    /// `server_name` (RFC 6066 §3), as sent, lower case.
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

/// A TLS ServerHello (RFC 8446 §4.1.3).
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
}
