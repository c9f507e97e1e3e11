use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use crate::Rule;
use crate::rule::{Sightings, Values};

/// Protocols that say everything in the clear, by the names of their models. TLS around one, or behind its own command to begin
/// TLS, makes another value of it.
const CLEAR: &[&str] = &[
    "telnet",
    "ftp",
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
];
/// What protects whatever is inside.
const PROTECTING: &[&str] = &["tls", "quic", "ssh"];

/// The value is the protocol, or `protected` where the flow is encrypted.
pub(super) const RULE: Rule = Rule {
    id: "CLEAR-001",
    protocols: CLEAR,
    title: "Service in the clear",
    checks: "Every protocol without encryption that gives a shell, files, mail, streams, messages or control, by its content; HTTP, \
             DNS, NTP and SSDP have rules of their own.",
    why: "Everybody on the way reads what is said, passwords included, and can change it. What controls a device can be \
          taken over.",
    example: "A camera answers Telnet on port 23 of the local network.",
    remediation: "Turn the service off, or use its form with TLS: FTPS or SFTP, MQTT over TLS, RTSPS, CoAP over DTLS; SSH instead of \
                  Telnet. Keep what knows no encryption in a network of its own.",
    values: Values::Words(&[
        "telnet",
        "ftp",
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
        "protected",
    ]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    let is_protected = sightings.services.iter().any(|service| PROTECTING.contains(service));
    if is_protected {
        sightings.see_flow(flow, "protected", || "protected".to_owned());
        return;
    }
    let services = sightings.services;
    for service in services.iter().filter(|service| CLEAR.contains(service)) {
        let side = if flow.is_client { "to a server" } else { "served by the device" };
        sightings.see_flow(flow, service, || format!("{service} {side}, port {}", flow.server_port()));
    }
}
