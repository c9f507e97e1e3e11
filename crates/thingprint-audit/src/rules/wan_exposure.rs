use thingprint_flow::{Flow, is_private};
use thingprint_protocol::Heard;

use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values, has_answered};

/// IP protocol number of TCP. Of UDP, nobody says who began.
const TCP: u8 = 6;

pub(super) const RULE: Rule = Rule {
    id: "WAN-001",
    protocols: &[],
    looks_at: LooksAt::Flows,
    title: "Reachable from outside",
    checks: "Whether somebody beyond the local network opened a TCP connection to the device, and was answered.",
    why: "What the Internet can reach is scanned all day. Routers open ports where devices ask them by UPnP, and where somebody \
          forwarded them by hand.",
    example: "203.0.113.9 opens port 80 of a camera, which answers.",
    remediation: "Turn UPnP port mapping off in the router and take forwarded ports away; reach the device by its maker's cloud or a \
                  VPN instead.",
    operator: "Turn UPnP port mapping off in the router and delete port forwardings to the device; reach it \
               by a VPN, or by its maker's cloud.",
    values: Values::Words(&["local", "outside"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    let is_opened = !flow.is_client && !flow.is_missing_syn && flow.tuple.protocol() == TCP;
    if !is_opened || !has_answered(flow) {
        return;
    }
    let is_near = match (flow.peer.addr, flow.local.addr) {
        (std::net::IpAddr::V6(peer), std::net::IpAddr::V6(own)) => {
            peer.to_bits() >> 64 == own.to_bits() >> 64
        }
        _ => false,
    };
    let value = if is_near || is_private(flow.peer.addr) { "local" } else { "outside" };
    sightings.see_flow(flow, value, || format!("opened from outside, port {}", flow.local.port));
}
