use thingprint_flow::{Flow, is_private};
use thingprint_protocol::{Heard, Message, Sender};

use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "DNS-001",
    protocols: &["dns"],
    looks_at: LooksAt::Messages,
    title: "DNS resolver",
    checks: "Whether a device asks a resolver inside the network, or one beyond it without encryption.",
    why: "Everybody on the way to a resolver beyond reads which names a device asks for, and can answer first. The network's own \
          resolver, with its filters and its records, is passed by.",
    example: "A camera asks 8.8.8.8 although DHCP names the router.",
    remediation: "Let the device use the resolver that DHCP names; redirect or block port 53 to the outside. Where the network's own \
                  resolver is a public one on purpose, accept the value in a policy.",
    operator: "Redirect port 53 at the router to your own resolver, or block it to the outside. Where you \
               use a public resolver on purpose, accept its address in a policy.",
    values: Values::Words(&["inside", "outside"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    if flow.peer.addr.is_multicast() {
        return;
    }
    for heard in &flow.state.messages {
        let Message::Dns(message) = &heard.message else { continue };
        if !message.is_response() {
            // Where others ask the device, the resolver is inside.
            let is_inside = heard.sender == Sender::Peer || is_inside(flow);
            let value = if is_inside { "inside" } else { "outside" };
            sightings.see(heard, value, || format!("{value}: {}", flow.peer.addr));
        }
    }
}

/// Whether the peer has a private address, or one of the device's own IPv6 network, which has 64 bits (RFC 4291).
fn is_inside(flow: &Flow<Heard>) -> bool {
    match (flow.peer.addr, flow.local.addr) {
        (std::net::IpAddr::V6(peer), std::net::IpAddr::V6(own))
            if peer.to_bits() >> 64 == own.to_bits() >> 64 =>
        {
            true
        }
        (peer, _) => is_private(peer) || peer.is_loopback(),
    }
}
