//! One entry of an access list, read.

use super::names::NameEvidence;
use super::parse::refuse_unknown;
use super::port::PortCondition;
use super::prefix::Prefix;
use super::profile::{Action, Direction, Entry, Ethernet, MudProfile, Network, Peer, TransportMatch};
use crate::ProfileError;
use crate::json::{Members, Node};

/// Module of identities, which may stand in front of them (RFC 7951 §6.8).
const ACL_MODULE: &str = "ietf-access-control-list:";

/// Fields of headers that RFC 8519 can match and that no flow tells.
const NETWORK_UNJUDGED: [&str; 9] =
    ["dscp", "ecn", "length", "ttl", "ihl", "flags", "offset", "identification", "flow-label"];
const TCP_UNJUDGED: [&str; 8] = [
    "sequence-number",
    "acknowledgement-number",
    "data-offset",
    "reserved",
    "flags",
    "window-size",
    "urgent-pointer",
    "options",
];

/// The name of an identity, without its module.
pub(super) fn identity(text: &str) -> &str {
    text.strip_prefix(ACL_MODULE).unwrap_or(text)
}

/// Reads the members of an entry of this name.
pub(super) fn read(name: String, ace: &Members<'_>) -> Result<Entry, ProfileError> {
    refuse_unknown(ace, &["name", "matches", "actions", "statistics"])?;
    let actions = ace.need("actions")?.object()?;
    let action = actions.need("forwarding")?.parsed("accept, drop or reject", |text| {
        Action::ALL.into_iter().find(|(name, _)| *name == identity(text)).map(|(_, action)| action)
    })?;
    let protocols = ace.get(MudProfile::PROTOCOL_EXTENSION).map(|node| protocols(&node)).transpose()?;
    let name_evidence = ace.get(MudProfile::NAME_SOURCE_EXTENSION).map(|node| {
        node.parsed("lookup, lookup-of-others, tls-server-name or http-host", NameEvidence::named)
    });
    let mut entry = Entry {
        name,
        peers: Vec::new(),
        ethernet: None,
        network: None,
        transport: None,
        unjudged: Vec::new(),
        action,
        protocols: protocols.unwrap_or_default(),
        name_evidence: name_evidence.transpose()?,
    };
    if let Some(matches) = ace.get("matches") {
        for (name, node) in matches.object()?.all() {
            condition(&mut entry, name, &node)?;
        }
    }
    Ok(entry)
}

fn protocols(node: &Node<'_>) -> Result<Vec<String>, ProfileError> {
    if node.is_text() {
        return Ok(vec![node.text()?.to_owned()]);
    }
    node.list()?.iter().map(|name| name.text().map(str::to_owned)).collect()
}

/// Adds one member of a match to its entry.
fn condition(entry: &mut Entry, name: &str, node: &Node<'_>) -> Result<(), ProfileError> {
    let is_second = match name {
        "ipv4" | "ipv6" => entry.network.is_some(),
        "tcp" | "udp" | "icmp" => entry.transport.is_some(),
        _ => false,
    };
    if is_second {
        return Err(node.meaning("a match has one header of a layer, not two"));
    }
    match name {
        "ietf-mud:mud" => entry.peers = peers(node)?,
        "eth" => entry.ethernet = Some(ethernet(node, &mut entry.unjudged)?),
        "ipv4" => entry.network = Some(network(node, false, &mut entry.unjudged)?),
        "ipv6" => entry.network = Some(network(node, true, &mut entry.unjudged)?),
        "tcp" => entry.transport = Some(tcp(node, &mut entry.unjudged)?),
        "udp" => entry.transport = Some(udp(node, &mut entry.unjudged)?),
        "icmp" => entry.transport = Some(icmp(node, &mut entry.unjudged)?),
        "egress-interface" | "ingress-interface" => entry.unjudged.push(name.to_owned()),
        _ if name.contains(':') => entry.unjudged.push(name.to_owned()),
        _ => return Err(node.meaning("no match of this name is known")),
    }
    Ok(())
}

fn peers(node: &Node<'_>) -> Result<Vec<Peer>, ProfileError> {
    let mut peers = Vec::new();
    for (name, node) in node.object()?.all() {
        let text = || node.text().map(str::to_owned);
        let peer = match name.strip_prefix("ietf-mud:").unwrap_or(name) {
            "controller" => Peer::Controller(text()?),
            "manufacturer" => Peer::Manufacturer(text()?),
            "model" => Peer::Model(text()?),
            "local-networks" => node.empty().map(|()| Peer::LocalNetworks)?,
            "my-controller" => node.empty().map(|()| Peer::MyController)?,
            "same-manufacturer" => node.empty().map(|()| Peer::SameManufacturer)?,
            _ => return Err(node.meaning("no match of this name is known")),
        };
        peers.push(peer);
    }
    Ok(peers)
}

fn ethernet(node: &Node<'_>, unjudged: &mut Vec<String>) -> Result<Ethernet, ProfileError> {
    let members = node.object()?;
    let known = ["destination-mac-address", "source-mac-address", "ethertype"];
    let masks = ["destination-mac-address-mask", "source-mac-address-mask"];
    note_unjudged(("eth", &members), &known, &masks, unjudged)?;
    let address = |name| members.get(name).map(|node| node.text().map(str::to_owned)).transpose();
    let ethertype = members.get("ethertype").map(|node| {
        node.parsed("an EtherType such as 0x0800", |text| {
            u16::from_str_radix(text.strip_prefix("0x")?, 16).ok()
        })
    });
    Ok(Ethernet {
        destination: address("destination-mac-address")?,
        source: address("source-mac-address")?,
        ethertype: ethertype.transpose()?,
    })
}

fn network(node: &Node<'_>, is_ipv6: bool, unjudged: &mut Vec<String>) -> Result<Network, ProfileError> {
    let members = node.object()?;
    let (layer, source, destination) = if is_ipv6 {
        ("ipv6", "source-ipv6-network", "destination-ipv6-network")
    } else {
        ("ipv4", "source-ipv4-network", "destination-ipv4-network")
    };
    let names = ["ietf-acldns:src-dnsname", "src-dnsname", "ietf-acldns:dst-dnsname", "dst-dnsname"];
    let known = [&["protocol", source, destination], &names[..]].concat();
    note_unjudged((layer, &members), &known, &NETWORK_UNJUDGED, unjudged)?;
    let prefix = |name| {
        let of_version = |text: &str| text.parse().ok().filter(|prefix: &Prefix| prefix.is_ipv6() == is_ipv6);
        members.get(name).map(|node| node.parsed("a prefix of this version of IP", of_version)).transpose()
    };
    let name = |names: &[&str]| members.any(names).map(|node| node.text().map(lower_case)).transpose();
    let protocol = members.get("protocol").map(|node| node.number("a protocol number, 0 to 255"));
    Ok(Network {
        is_ipv6,
        protocol: protocol.transpose()?,
        source: prefix(source)?,
        destination: prefix(destination)?,
        source_name: name(&["ietf-acldns:src-dnsname", "src-dnsname"])?,
        destination_name: name(&["ietf-acldns:dst-dnsname", "dst-dnsname"])?,
    })
}

/// A domain name as DNS messages are told here: lower case, no final dot.
fn lower_case(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn tcp(node: &Node<'_>, unjudged: &mut Vec<String>) -> Result<TransportMatch, ProfileError> {
    let members = node.object()?;
    let known = ["source-port", "destination-port", "ietf-mud:direction-initiated", "direction-initiated"];
    note_unjudged(("tcp", &members), &known, &TCP_UNJUDGED, unjudged)?;
    let initiated = members.any(&["ietf-mud:direction-initiated", "direction-initiated"]).map(|node| {
        node.parsed("from-device or to-device", |text| {
            Direction::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, direction)| direction)
        })
    });
    Ok(TransportMatch::Tcp {
        source: port(&members, "source-port")?,
        destination: port(&members, "destination-port")?,
        initiated: initiated.transpose()?,
    })
}

fn udp(node: &Node<'_>, unjudged: &mut Vec<String>) -> Result<TransportMatch, ProfileError> {
    let members = node.object()?;
    note_unjudged(("udp", &members), &["source-port", "destination-port"], &["length"], unjudged)?;
    Ok(TransportMatch::Udp {
        source: port(&members, "source-port")?,
        destination: port(&members, "destination-port")?,
    })
}

fn icmp(node: &Node<'_>, unjudged: &mut Vec<String>) -> Result<TransportMatch, ProfileError> {
    let members = node.object()?;
    note_unjudged(("icmp", &members), &["type", "code"], &["rest-of-header"], unjudged)?;
    let number = |name| members.get(name).map(|node| node.number("a number, 0 to 255")).transpose();
    let (kind, code) = (number("type")?, number("code")?);
    if kind.is_some() {
        unjudged.push("icmp.type".to_owned());
    }
    if code.is_some() {
        unjudged.push("icmp.code".to_owned());
    }
    Ok(TransportMatch::Icmp { kind, code })
}

fn port(members: &Members<'_>, name: &str) -> Result<Option<PortCondition>, ProfileError> {
    let Some(node) = members.get(name) else { return Ok(None) };
    let members = node.object()?;
    members.only(&["operator", "port", "lower-port", "upper-port"])?;
    let number = |name| members.need(name).and_then(|node| node.number::<u16>("a port, 0 to 65535"));
    let operator = members.get("operator").map(|node| node.text().map(|text| (node.clone(), text)));
    let condition = match operator.transpose()? {
        None | Some((_, "range")) if members.get("lower-port").is_some() => {
            let (low, high) = (number("lower-port")?, number("upper-port")?);
            if low > high {
                return Err(node.meaning("the lower port is above the upper port"));
            }
            PortCondition::Range(low, high)
        }
        None | Some((_, "eq")) => PortCondition::Equal(number("port")?),
        Some((_, "neq")) => PortCondition::NotEqual(number("port")?),
        Some((_, "lte")) => PortCondition::AtMost(number("port")?),
        Some((_, "gte")) => PortCondition::AtLeast(number("port")?),
        Some((node, _)) => return Err(node.meaning("expected eq, neq, lte or gte, or a range of ports")),
    };
    Ok(Some(condition))
}

/// Notes members that no flow can be judged by, and refuses those that nobody knows.
fn note_unjudged(
    (layer, members): (&str, &Members<'_>),
    known: &[&str],
    untold: &[&str],
    unjudged: &mut Vec<String>,
) -> Result<(), ProfileError> {
    refuse_unknown(members, &[known, untold].concat())?;
    let names = members.all().map(|(name, _)| name).filter(|name| !known.contains(name));
    unjudged.extend(names.map(|name| format!("{layer}.{name}")));
    Ok(())
}
