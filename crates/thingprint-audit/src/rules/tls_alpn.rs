use thingprint_flow::Flow;
use thingprint_protocol::{ClientHello, Heard, HelloVersion};

use super::view::client_hellos;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "TLS-006",
    protocols: &["tls", "quic"],
    looks_at: LooksAt::Messages,
    title: "TLS application protocol",
    checks: "Whether a client says which protocol it wants to speak inside (ALPN).",
    why: "Without it, a server of another protocol with the same certificate can be put in the place of the right one, and takes what \
          is said for its own.",
    example: "A plug connects to its cloud, and does not say that it will speak MQTT.",
    remediation: "Send application_layer_protocol_negotiation, and end the handshake where the server chooses another protocol.",
    operator: "Update the firmware, and ask the maker. There is nothing to set in a network against it.",
    values: Values::Words(&["named", "none"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    // A hello in the form of SSL 2.0 has no room for it: a matter of TLS-001.
    let can_name = |hello: &ClientHello| matches!(hello.version, HelloVersion::Tls(_)) && !hello.is_malformed;
    for (heard, hello) in client_hellos(flow).filter(|(_, hello)| can_name(hello)) {
        let value = if hello.alpn.is_empty() { "none" } else { "named" };
        sightings.see(heard, value, || "no application protocol".to_owned());
    }
}
