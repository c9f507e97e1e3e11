use thingprint_flow::Flow;
use thingprint_protocol::{ClientHello, Heard, HelloVersion};

use super::view::client_hellos;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "TLS-005",
    protocols: &["tls", "quic"],
    looks_at: LooksAt::Messages,
    title: "TLS server name",
    checks: "Whether a client says which server it wants (SNI).",
    why: "Without a name, a server cannot choose the right certificate, so that the client often checks none. What a device \
          wants is then not to be seen either.",
    example: "A camera connects to an address of a cloud without any name.",
    remediation: "Send server_name, and check the certificate against it.",
    operator: "Update the firmware, and ask the maker whether the device checks certificates. Until then \
               allow it its maker's addresses alone, which a firewall can do though it sees no name.",
    values: Values::Words(&["named", "none"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    // A hello in the form of SSL 2.0 has no room for a name: a matter of TLS-001.
    let can_name = |hello: &ClientHello| matches!(hello.version, HelloVersion::Tls(_)) && !hello.is_malformed;
    for (heard, hello) in client_hellos(flow).filter(|(_, hello)| can_name(hello)) {
        let is_named = hello.server_name.as_ref().is_some_and(|name| !name.is_empty());
        let value = if is_named { "named" } else { "none" };
        sightings.see(heard, value, || "no server name".to_owned());
    }
}
