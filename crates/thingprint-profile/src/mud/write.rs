//! MUD files written: JSON as RFC 7951 has it, always in the same order.

use serde_json::{Map, Value, json};

use super::port::PortCondition;
use super::profile::{
    AccessList, Action, Direction, Entry, Ethernet, ListKind, MudProfile, Network, Peer, TransportMatch,
};

impl MudProfile {
    /// The MUD file, with a final line break. Members stand in the order of their names, so that equal profiles give
    /// equal files. A condition in [`Entry::unjudged`] that came with a file is left out.
    pub fn to_json(&self) -> String {
        let lists: Vec<Value> = self.from_device.iter().chain(&self.to_device).map(list).collect();
        let mut document = json!({
            "ietf-mud:mud": self.container(),
            "ietf-access-control-list:acls": { "acl": lists },
        });
        document.sort_all_objects();
        format!("{document:#}\n")
    }

    fn container(&self) -> Value {
        let mut mud = Map::new();
        mud.insert("mud-version".to_owned(), self.mud_version.into());
        mud.insert("mud-url".to_owned(), self.mud_url.clone().into());
        mud.insert("last-update".to_owned(), self.last_update.clone().into());
        mud.insert("is-supported".to_owned(), self.is_supported.into());
        if let Some(hours) = self.cache_validity_h {
            mud.insert("cache-validity".to_owned(), hours.into());
        }
        if !self.extensions.is_empty() {
            mud.insert("extensions".to_owned(), self.extensions.clone().into());
        }
        let texts = [
            ("mud-signature", &self.mud_signature),
            ("systeminfo", &self.systeminfo),
            ("mfg-name", &self.mfg_name),
            ("model-name", &self.model_name),
            ("firmware-rev", &self.firmware_rev),
            ("software-rev", &self.software_rev),
            ("documentation", &self.documentation),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                mud.insert(name.to_owned(), text.clone().into());
            }
        }
        mud.insert("from-device-policy".to_owned(), policy(&self.from_device));
        mud.insert("to-device-policy".to_owned(), policy(&self.to_device));
        mud.into()
    }
}

fn policy(lists: &[AccessList]) -> Value {
    let names: Vec<Value> = lists.iter().map(|list| json!({ "name": list.name })).collect();
    json!({ "access-lists": { "access-list": names } })
}

fn list(list: &AccessList) -> Value {
    let entries: Vec<Value> = list.entries.iter().map(entry).collect();
    let mut written = json!({ "name": list.name, "aces": { "ace": entries } });
    let kind = list.kind.and_then(|kind| named(&ListKind::ALL, kind));
    if let (Value::Object(members), Some(kind)) = (&mut written, kind) {
        members.insert("type".to_owned(), kind.into());
    }
    written
}

fn entry(entry: &Entry) -> Value {
    let mut matches = Map::new();
    if !entry.peers.is_empty() {
        let peers: Map<String, Value> = entry.peers.iter().map(peer).collect();
        matches.insert("ietf-mud:mud".to_owned(), peers.into());
    }
    if let Some(header) = &entry.ethernet {
        matches.insert("eth".to_owned(), ethernet(header));
    }
    if let Some(header) = &entry.network {
        let version = if header.is_ipv6 { "ipv6" } else { "ipv4" };
        matches.insert(version.to_owned(), network(header));
    }
    if let Some(header) = entry.transport {
        let (name, header) = transport(header);
        matches.insert(name.to_owned(), header);
    }
    let forwarding = named(&Action::ALL, entry.action);
    let mut written = Map::new();
    written.insert("name".to_owned(), entry.name.clone().into());
    written.insert("matches".to_owned(), matches.into());
    written.insert("actions".to_owned(), json!({ "forwarding": forwarding }));
    if !entry.protocols.is_empty() {
        written.insert(MudProfile::PROTOCOL_EXTENSION.to_owned(), entry.protocols.clone().into());
    }
    if let Some(evidence) = entry.name_evidence {
        written.insert(MudProfile::NAME_SOURCE_EXTENSION.to_owned(), evidence.as_str().into());
    }
    written.into()
}

fn peer(peer: &Peer) -> (String, Value) {
    let empty = || Value::Array(vec![Value::Null]);
    let (name, value) = match peer {
        Peer::Controller(uri) => ("controller", uri.clone().into()),
        Peer::Manufacturer(host) => ("manufacturer", host.clone().into()),
        Peer::Model(uri) => ("model", uri.clone().into()),
        Peer::LocalNetworks => ("local-networks", empty()),
        Peer::MyController => ("my-controller", empty()),
        Peer::SameManufacturer => ("same-manufacturer", empty()),
    };
    (name.to_owned(), value)
}

fn ethernet(header: &Ethernet) -> Value {
    let mut written = Map::new();
    if let Some(address) = &header.destination {
        written.insert("destination-mac-address".to_owned(), address.clone().into());
    }
    if let Some(address) = &header.source {
        written.insert("source-mac-address".to_owned(), address.clone().into());
    }
    if let Some(ethertype) = header.ethertype {
        written.insert("ethertype".to_owned(), format!("0x{ethertype:04x}").into());
    }
    written.into()
}

fn network(header: &Network) -> Value {
    let version = if header.is_ipv6 { "ipv6" } else { "ipv4" };
    let mut written = Map::new();
    if let Some(protocol) = header.protocol {
        written.insert("protocol".to_owned(), protocol.into());
    }
    for (side, prefix) in [("source", header.source), ("destination", header.destination)] {
        if let Some(prefix) = prefix {
            written.insert(format!("{side}-{version}-network"), prefix.to_string().into());
        }
    }
    for (side, name) in [("src", &header.source_name), ("dst", &header.destination_name)] {
        if let Some(name) = name {
            written.insert(format!("ietf-acldns:{side}-dnsname"), name.clone().into());
        }
    }
    written.into()
}

fn transport(header: TransportMatch) -> (&'static str, Value) {
    let mut written = Map::new();
    let (name, source, destination) = match header {
        TransportMatch::Tcp { source, destination, initiated } => {
            if let Some(direction) = initiated.map(Direction::name) {
                written.insert("ietf-mud:direction-initiated".to_owned(), direction.into());
            }
            ("tcp", source, destination)
        }
        TransportMatch::Udp { source, destination } => ("udp", source, destination),
        TransportMatch::Icmp { kind, code } => {
            for (name, number) in [("type", kind), ("code", code)] {
                if let Some(number) = number {
                    written.insert(name.to_owned(), number.into());
                }
            }
            ("icmp", None, None)
        }
    };
    for (name, condition) in [("source-port", source), ("destination-port", destination)] {
        if let Some(condition) = condition {
            written.insert(name.to_owned(), port(condition));
        }
    }
    (name, written.into())
}

fn port(condition: PortCondition) -> Value {
    let (operator, port) = match condition {
        PortCondition::Range(low, high) => return json!({ "lower-port": low, "upper-port": high }),
        PortCondition::Equal(port) => ("eq", port),
        PortCondition::NotEqual(port) => ("neq", port),
        PortCondition::AtMost(port) => ("lte", port),
        PortCondition::AtLeast(port) => ("gte", port),
    };
    json!({ "operator": operator, "port": port })
}

/// The name that a table gives to a value.
fn named<T: Copy + PartialEq>(table: &[(&'static str, T)], wanted: T) -> Option<&'static str> {
    table.iter().find(|(_, value)| *value == wanted).map(|(name, _)| *name)
}
