//! What every device needs to be in a network at all, whatever its profile says.

use std::net::{IpAddr, Ipv4Addr};

use super::network::ExportNetwork;
use super::rule::{Header, PeerMatch, Rule};
use crate::{Action, Direction, MudProfile, PortCondition, Prefix};

/// What the comments of these rules say.
const DNS: &str = "RFC 8520: local name servers";
const NTP: &str = "RFC 8520: local time servers";
const DHCP: &str = "RFC 2131: DHCP";
const ERRORS: &str = "RFC 1122 and RFC 4443: ICMP errors";
const NEIGHBOURS: &str = "RFC 4890: neighbours and routers of IPv6";
const GROUPS: &str = "RFC 2236 and RFC 2710: membership in groups";

/// Types of ICMP that report errors: unreachable, time exceeded, parameter problem.
const ERRORS_V4: [u8; 3] = [3, 11, 12];
/// The same of `ICMPv6`, with packet too big.
const ERRORS_V6: [u8; 4] = [1, 2, 3, 4];
/// Router and neighbour solicitation and advertisement (RFC 4861).
const NEIGHBOURS_V6: [u8; 4] = [133, 134, 135, 136];
/// Queries and reports of group membership (RFC 2710, RFC 3810).
const GROUPS_V6: [u8; 4] = [130, 131, 132, 143];
const IGMP: u8 = 2;

/// The rules of a network: its own name and time servers are for every device (RFC 8520 §3.13), and without DHCP, the
/// discovery of neighbours and reports of errors no device works.
pub(super) fn rules(network: &ExportNetwork) -> Vec<Rule> {
    let mut rules = Vec::new();
    for is_ipv6 in [false, true] {
        let servers = |class| servers(network, class, is_ipv6);
        rules.extend(service((DNS, is_ipv6), &servers(MudProfile::DNS_CONTROLLER), 53));
        rules.extend(service((NTP, is_ipv6), &servers(MudProfile::NTP_CONTROLLER), 123).into_iter().take(2));
    }
    rules.extend(dhcp(servers(network, MudProfile::DHCP_CONTROLLER, false)));
    rules.push(from_device(GROUPS, false, Header::Protocol(IGMP)));
    for (entry, is_ipv6, kinds) in [
        (ERRORS, false, &ERRORS_V4[..]),
        (ERRORS, true, &ERRORS_V6),
        (NEIGHBOURS, true, &NEIGHBOURS_V6),
        (GROUPS, true, &GROUPS_V6),
    ] {
        for kind in kinds {
            let header = Header::Icmp { kind: Some(*kind), code: None };
            rules.push(from_device(entry, is_ipv6, header));
            rules.push(Rule { direction: Direction::ToDevice, ..from_device(entry, is_ipv6, header) });
        }
    }
    rules
}

/// Those who serve a class; anybody of the local networks where nobody is known to.
fn servers(network: &ExportNetwork, class: &str, is_ipv6: bool) -> PeerMatch {
    let known = network.controllers(class, is_ipv6);
    if known.is_empty() { PeerMatch::Local } else { PeerMatch::Blocks(known) }
}

/// Questions to a service at a port and the answers, by UDP and TCP.
fn service((entry, is_ipv6): (&str, bool), servers: &PeerMatch, port: u16) -> Vec<Rule> {
    let port = Some(PortCondition::Equal(port));
    let rule = |direction, header| Rule {
        peers: vec![servers.clone()],
        direction,
        ..from_device(entry, is_ipv6, header)
    };
    vec![
        rule(Direction::FromDevice, Header::Udp { source: None, destination: port }),
        rule(Direction::ToDevice, Header::Udp { source: port, destination: None }),
        rule(Direction::FromDevice, Header::Tcp { source: None, destination: port, is_answer: false }),
        rule(Direction::ToDevice, Header::Tcp { source: port, destination: None, is_answer: true }),
    ]
}

fn dhcp(servers: PeerMatch) -> [Rule; 3] {
    let (client, server) = (Some(PortCondition::Equal(68)), Some(PortCondition::Equal(67)));
    let everybody = PeerMatch::Blocks(vec![Prefix::host(IpAddr::V4(Ipv4Addr::BROADCAST))]);
    let asks = from_device(DHCP, false, Header::Udp { source: client, destination: server });
    let answers = Rule {
        direction: Direction::ToDevice,
        peers: vec![servers.clone()],
        ..from_device(DHCP, false, Header::Udp { source: server, destination: client })
    };
    [Rule { peers: vec![everybody], ..asks.clone() }, Rule { peers: vec![servers], ..asks }, answers]
}

/// A rule of what a device sends to anybody.
fn from_device(entry: &str, is_ipv6: bool, header: Header) -> Rule {
    Rule {
        entry: entry.to_owned(),
        direction: Direction::FromDevice,
        is_ipv6,
        own: None,
        peers: Vec::new(),
        header,
        action: Action::Accept,
        most_peers: None,
        known_by: None,
    }
}
