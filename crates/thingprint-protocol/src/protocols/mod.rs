//! The registry of protocols that have a parser. Each has a module here, a model in `models/`, and one line below.
//!
//! Detection tries protocols in this order: those whose parsers leave the least doubt come first.

/// Passes every line of the registry to the macro `$each`.
///
/// A line is `module: Parser, "what it is", { messages }, [types that the crate exports];`. The module `dns` stands for
/// `protocols/dns.rs` (or a folder), for the model `models/dns.json`, and for the name in outputs. `Dns` is the type in it
/// that implements [`Parser`](crate::parser::Parser), and the variant of [`Protocol`](crate::Protocol). Each message is a
/// variant of [`Message`](crate::Message) with its type, which implements [`MessageBody`](crate::message::MessageBody).
macro_rules! registry {
    ($each:ident) => {
        $each! {
            tls: Tls, "Transport Layer Security and SSL over TCP",
                { ClientHello(ClientHello), ServerHello(ServerHello), Certificates(CertificateChain) },
                [Carrier, Certificate, CertificateChain, ClientHello, HelloVersion, ResumedBy, Resumption, ServerHello];
            http: Http, "The Hypertext Transfer Protocol up to version 1.1, over TCP",
                { HttpRequest(HttpRequest), HttpResponse(HttpResponse) },
                [Authentication, HttpRequest, HttpResponse, HttpVersion];
            dhcp: Dhcp, "The Dynamic Host Configuration Protocol for IPv4, and BOOTP", { Dhcp(DhcpMessage) }, [DhcpMessage, DhcpOption];
            ssdp: Ssdp, "The Simple Service Discovery Protocol of `UPnP`, over UDP", { Ssdp(SsdpMessage) }, [SsdpMessage];
            quic: Quic, "QUIC (RFC 9000)", { QuicInitial(QuicInitial) }, [QuicInitial, QuicVersion];
            mdns: Mdns, "Multicast DNS (RFC 6762)", { Mdns(DnsMessage) }, [];
            llmnr: Llmnr, "Link-Local Multicast Name Resolution (RFC 4795)", { Llmnr(DnsMessage) }, [];
            dns: Dns, "The Domain Name System, over UDP or TCP", { Dns(DnsMessage) }, [DnsAnswer, DnsData, DnsMessage, DnsQuestion];
            mqtt: Mqtt, "MQTT 3.1, 3.1.1 and 5.0, over TCP", { MqttConnect(MqttConnect), MqttConnack(MqttConnack) }, [MqttConnack, MqttConnect, MqttWill];
            ntp: Ntp, "The Network Time Protocol, any version", { Ntp(NtpPacket), NtpControl(NtpControl) }, [NtpControl, NtpPacket];
        }
    };
}
pub(crate) use registry;

macro_rules! models {
    ($($name:literal),+ $(,)?) => {
        &[$(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/", $name, ".json"))),+]
    };
}

/// The protocols that a model alone describes, without a parser, in the order in which detection tries them: behind all of
/// the registry.
pub(crate) const DESCRIBED: &[&str] = models![
    "smtp",
    "imap",
    "pop3",
    "xmpp",
    "ftp",
    "ldap",
    "postgresql",
    "mysql",
    "socks",
    "proxy",
    "rdp",
    "rtsp",
    "sip",
    "stun",
    "coap",
    "ssh",
    "telnet",
    "modbus",
    "bacnet",
    "snmp",
    "tftp",
    "smb",
    "smb1",
];

macro_rules! modules {
    ($($module:ident: $parser:ident, $title:literal, $messages:tt, $exports:tt;)+) => {
        $(pub(crate) mod $module;)+
    };
}
registry!(modules);
