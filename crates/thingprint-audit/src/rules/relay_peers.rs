use thingprint_flow::{Flow, is_private};
use thingprint_protocol::Heard;

use crate::Rule;
use crate::past::FEW_PEERS;
use crate::rule::{LooksAt, Sightings, Values};

/// IP protocol number of UDP.
const UDP: u8 = 17;
/// Ports below are given out by name (RFC 6335 §6): a server is there, and no peer.
const FIRST_USER_PORT: u16 = 1024;
/// What peers speak to find each other; any other protocol that is known is of a server.
const OF_PEERS: &str = "stun";

pub(super) const RULE: Rule = Rule {
    id: "PEER-001",
    protocols: &[],
    looks_at: LooksAt::Flows,
    title: "Peer-to-peer relays",
    checks: "Whether a device talks by UDP with many hosts of the Internet within a day, at ports of 1024 and above on both sides and in \
             no protocol of servers.",
    why: "Nobody can say whom it talks to: other people's devices, or relays anywhere. Its maker's servers, which a firewall could \
          know by name, are passed by, and holes in the router's firewall stay open.",
    example: "A camera exchanges datagrams with 40 addresses at ports such as 32100 in an hour.",
    remediation: "Turn the peer-to-peer mode off in the device's app, or block UDP from the device to the outside; reach it by a VPN \
                  instead.",
    operator: "Turn remote access by peer-to-peer off in the device's app, or block UDP from the device to \
               the outside; reach it by a VPN instead.",
    values: Values::Words(&["few", "many"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    let peer = flow.peer.addr;
    let is_inside = is_private(peer) || peer.is_multicast() || peer.is_loopback() || is_near(flow);
    let is_answered = flow.up.packets > 0 && flow.down.packets > 0;
    if flow.tuple.protocol() != UDP || is_inside || !is_answered {
        return;
    }
    let is_of_peers = flow.peer.port.min(flow.local.port) >= FIRST_USER_PORT
        && sightings.services.iter().all(|service| *service == OF_PEERS);
    let is_many = is_of_peers && sightings.past.hear(peer, flow.last);
    let value = if is_many { "many" } else { "few" };
    sightings.see_flow(flow, value, || format!("more than {FEW_PEERS} peers by UDP within a day"));
}

/// Whether a peer is in the device's own IPv6 network, which has 64 bits (RFC 4291 §2.5.4).
fn is_near(flow: &Flow<Heard>) -> bool {
    match (flow.peer.addr, flow.local.addr) {
        (std::net::IpAddr::V6(peer), std::net::IpAddr::V6(own)) => {
            peer.to_bits() >> 64 == own.to_bits() >> 64
        }
        _ => false,
    }
}
