use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// The value of a flow that is encrypted.
const PROTECTED: &str = "protected";
/// The values: the protocols that say everything in the clear, by the names of their models, and at the end what TLS around one,
/// or behind its own command to begin TLS, makes of it.
const VALUES: &[&str] = &[
    "telnet",
    "ftp",
    "tftp",
    "smb1",
    "snmp",
    "rtsp",
    "coap",
    "mqtt",
    "smtp",
    "imap",
    "pop3",
    "sip",
    "ldap",
    "xmpp",
    "mysql",
    "postgresql",
    "modbus",
    "bacnet",
    PROTECTED,
];
/// The protocols among them.
const CLEAR: &[&str] = match VALUES.split_last() {
    Some((_, protocols)) => protocols,
    None => &[],
};
/// What protects whatever is inside.
const PROTECTING: &[&str] = &["tls", "quic", "ssh"];

/// The value is the protocol, or `protected` where the flow is encrypted.
pub(super) const RULE: Rule = Rule {
    id: "CLEAR-001",
    protocols: CLEAR,
    looks_at: LooksAt::Flows,
    title: "Service in the clear",
    checks: "Every protocol without encryption that gives a shell, files, mail, streams, messages or control, by its content; HTTP, \
             DNS, NTP and SSDP have rules of their own.",
    why: "Everybody on the way reads what is said, passwords included, and can change it. What controls a device can be \
          taken over.",
    example: "A camera answers Telnet on port 23 of the local network.",
    remediation: "Offer the encrypted form alone: SSH instead of Telnet, SFTP or FTPS, HTTPS instead of TFTP, \
               version 3 of SNMP and of SMB, RTSPS, CoAP over DTLS, SIP over TLS with SRTP, BACnet/SC, \
               Modbus Security, and TLS for MQTT, mail, LDAP, XMPP and databases.",
    operator: "Turn the service off in the device's settings where nobody needs it. Where somebody does, \
               choose its encrypted form: SSH for Telnet, SFTP for FTP, SMB 3, SNMP 3, RTSPS, SIP over TLS \
               with SRTP for the voice, TLS for MQTT, mail, directories and databases. Where the device has \
               none, put it into a network of its own that only those hosts reach that need the service.",
    values: Values::Words(VALUES),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    let is_protected = sightings.services.iter().any(|service| PROTECTING.contains(service));
    if is_protected {
        sightings.see_flow(flow, PROTECTED, || PROTECTED.to_owned());
        return;
    }
    let services = sightings.services;
    for service in services.iter().filter(|service| CLEAR.contains(service)) {
        let side = if flow.is_client { "to a server" } else { "served by the device" };
        sightings.see_flow(flow, service, || format!("{service} {side}, port {}", flow.server_port()));
    }
}
