use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use thingprint_flow::{Endpoint, Flow, LocalNets, Timestamp, is_private};
use thingprint_protocol::{Heard, Message, Protocol, Sender, Uri};

use super::port::PortSpan;
use super::profile::{Direction, MudProfile};

/// IP protocol numbers whose headers have ports.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Ports of DHCP servers and clients.
const DHCP_SERVER: u16 = 67;
const DHCP_CLIENT: u16 = 68;

/// Ports below are given out by name and seldom taken by chance (RFC 6335 §6).
pub(super) const FIRST_USER_PORT: u16 = 1024;

/// Client ports of a contact that are told apart.
const MOST_CLIENT_PORTS: usize = 32;

/// What an entry of a map takes, in percent of its key and value: nodes are two thirds full at least.
const MAP_PERCENT: usize = 150;
/// What a small map takes beside its entries, in bytes.
const NODE_BYTES: usize = 64;
/// What a port of the client takes with its flows, in bytes.
const PORT_BYTES: usize = 16;

/// Whom a device talked to, and how: flows that are alike in all of this are one contact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// Address on the other side.
    pub peer: IpAddr,
    /// Where that is.
    pub place: Place,
    /// IP protocol number.
    pub protocol: u8,
    /// Who opened the flows: the device, or the other side.
    pub initiated: Direction,
    /// Port of the server; `None` for protocols without ports.
    pub server_port: Option<u16>,
    /// Port of the client where it is no passing one: below 1024, or that of the server.
    pub client_port: Option<u16>,
    /// A service that MUD has a class for.
    pub service: Option<Service>,
    /// The host that the client asked for.
    pub host: Option<Host>,
}

/// What the flows of a contact add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactTally {
    /// Flows.
    pub flows: u64,
    /// Packets that the device sent, but for those of flows that it refused: an RST is no answer.
    pub up_packets: u64,
    /// Flows of which the device sent nothing but RSTs.
    pub refused_flows: u64,
    /// Packets that the device received.
    pub down_packets: u64,
    /// Bytes both ways.
    pub bytes: u64,
    /// When the first flow began.
    pub first: Timestamp,
    /// The device's end of the first flow.
    pub local: Endpoint,
    /// The other end of the first flow.
    pub remote: Endpoint,
    /// Ports of the client.
    pub client_ports: PortSpan,
    /// Flows by port of the client, for the first 32 ports.
    pub port_flows: BTreeMap<u16, u64>,
    /// Application protocols that were heard.
    pub spoken: BTreeSet<String>,
}

/// Where an address is, as a device sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the local networks: a private address, or one of the device's own IPv6 network.
    Local,
    /// A multicast address or 255.255.255.255.
    Group,
    /// Anywhere else.
    Internet,
}

/// A service that MUD has a class of controllers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Name servers.
    Dns,
    /// Time servers.
    Ntp,
    /// Servers of DHCP for IP version 4.
    Dhcp,
}

/// A host that a client named inside a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub source: HostSource,
}

/// Where a client names the host that it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostSource {
    /// `server_name` of a `ClientHello`, of TLS or QUIC (RFC 6066 §3).
    ServerName,
    /// `Host` of an HTTP request (RFC 9110).
    HttpHost,
}

impl Contact {
    /// The contact that a flow is part of.
    pub fn of(flow: &Flow<Heard>) -> Self {
        let protocol = flow.tuple.protocol();
        let has_ports = matches!(protocol, TCP | UDP);
        let is_client = is_client(flow);
        let (client, server) = client_server(flow);
        let is_telling = client.port < FIRST_USER_PORT || client.port == server.port;
        Self {
            peer: flow.peer.addr,
            place: Place::of(flow.peer.addr, flow.local.addr),
            protocol,
            initiated: if is_client { Direction::FromDevice } else { Direction::ToDevice },
            server_port: has_ports.then_some(server.port),
            client_port: (has_ports && is_telling).then_some(client.port),
            service: Service::of(flow.state.protocol, protocol, server.port),
            host: Host::of(flow),
        }
    }

    /// The contact that comes before all others with a peer.
    pub(super) const fn first_with(peer: IpAddr) -> Self {
        Self {
            peer,
            place: Place::Local,
            protocol: 0,
            initiated: Direction::FromDevice,
            server_port: None,
            client_port: None,
            service: None,
            host: None,
        }
    }

    /// Whether these are answers of a DHCP server to the device's address, which it asks for by broadcast: in a flow of
    /// its own (RFC 2131 §4.1 gives the ports).
    pub(super) fn is_dhcp_answer(&self, tally: &ContactTally) -> bool {
        let is_between = (self.server_port, self.client_port) == (Some(DHCP_SERVER), Some(DHCP_CLIENT));
        let is_to_client = self.initiated == Direction::FromDevice && self.protocol == UDP;
        is_between && is_to_client && tally.up_packets == 0
    }

    /// What it takes with the tally of its flows, and the places of both in a map.
    pub(super) fn bytes(&self) -> usize {
        let host = self.host.as_ref().map_or(0, |host| host.name.len());
        (size_of::<Self>() + size_of::<ContactTally>()) * MAP_PERCENT / 100 + host
    }

    /// Whether these are flows by UDP in which both sides have ports that are not given out by name.
    pub(super) fn picks_ports(&self, tally: &ContactTally) -> bool {
        let has_picked = self.server_port.is_some_and(|port| port >= FIRST_USER_PORT);
        self.protocol == UDP && has_picked && tally.client_ports.low >= FIRST_USER_PORT
    }

    /// Where the server is.
    pub(super) const fn server(&self) -> (IpAddr, u8, Option<u16>) {
        (self.peer, self.protocol, self.server_port)
    }

    /// The same contact with the device as the client, where the other side seemed to be, always from one port.
    pub(super) fn turned(&self, tally: &ContactTally) -> Option<(Self, ContactTally)> {
        let PortSpan { low, high } = tally.client_ports;
        let client = self.server_port?;
        if self.initiated == Direction::FromDevice || low != high {
            return None;
        }
        let is_telling = client < FIRST_USER_PORT || client == low;
        let contact = Self {
            initiated: Direction::FromDevice,
            server_port: Some(low),
            client_port: is_telling.then_some(client),
            host: None,
            ..self.clone()
        };
        let port_flows = BTreeMap::from([(client, tally.flows)]);
        Some((contact, ContactTally { client_ports: PortSpan::one(client), port_flows, ..tally.clone() }))
    }
}

impl ContactTally {
    /// The tally of one flow.
    pub(super) fn of(flow: &Flow<Heard>, spoken: Option<&str>) -> Self {
        let client_port = client_server(flow).0.port;
        Self {
            flows: 1,
            up_packets: if flow.state.is_refused { 0 } else { flow.up.packets },
            refused_flows: flow.state.is_refused.into(),
            down_packets: flow.down.packets,
            bytes: flow.bytes(),
            first: flow.first,
            local: flow.local,
            remote: flow.peer,
            client_ports: PortSpan::one(client_port),
            port_flows: BTreeMap::from([(client_port, 1)]),
            spoken: spoken.map(str::to_owned).into_iter().collect(),
        }
    }

    /// What it takes beside itself.
    pub(super) fn heap_bytes(&self) -> usize {
        let spoken: usize = self.spoken.iter().map(|name| NODE_BYTES + name.len()).sum();
        NODE_BYTES + self.port_flows.len() * PORT_BYTES + spoken
    }

    /// Contacts of a device that were answered are kept before others: a scan pushes out nothing that it is not.
    pub(super) const fn rank(&self) -> u8 {
        (self.up_packets > 0 && self.down_packets > 0) as u8
    }

    /// Whether packets went this way.
    pub(super) const fn went(&self, direction: Direction) -> bool {
        let packets = match direction {
            Direction::FromDevice => self.up_packets,
            Direction::ToDevice => self.down_packets,
        };
        packets > 0
    }

    /// Counts the flows of another tally, too.
    pub(super) fn add(&mut self, other: Self) {
        self.flows = self.flows.saturating_add(other.flows);
        self.up_packets = self.up_packets.saturating_add(other.up_packets);
        self.refused_flows = self.refused_flows.saturating_add(other.refused_flows);
        self.down_packets = self.down_packets.saturating_add(other.down_packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        if other.first < self.first {
            (self.first, self.local, self.remote) = (other.first, other.local, other.remote);
        }
        self.client_ports = self.client_ports.with(other.client_ports.low).with(other.client_ports.high);
        for (port, flows) in other.port_flows {
            if self.port_flows.len() < MOST_CLIENT_PORTS || self.port_flows.contains_key(&port) {
                let known = self.port_flows.entry(port).or_default();
                *known = known.saturating_add(flows);
            }
        }
        self.spoken.extend(other.spoken);
    }

    /// The flows by ports of the client: each port with its own where all are remembered, else all of them together,
    /// to be judged by the lowest and the highest port.
    pub(super) fn by_client_port(&self) -> Vec<(PortSpan, u64)> {
        let told = self.port_flows.values().copied().fold(0, u64::saturating_add);
        if told != self.flows {
            return vec![(self.client_ports, self.flows)];
        }
        self.port_flows.iter().map(|(port, flows)| (PortSpan::one(*port), *flows)).collect()
    }
}

impl Place {
    /// Where a peer is, for a device of this address.
    pub fn of(peer: IpAddr, device: IpAddr) -> Self {
        if peer.is_multicast() || peer == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return Self::Group;
        }
        let is_near = match (peer, device) {
            // A network is 64 bits wide (RFC 4291).
            (IpAddr::V6(peer), IpAddr::V6(device)) => peer.to_bits() >> 64 == device.to_bits() >> 64,
            _ => false,
        };
        if is_near || is_private(peer) || peer.is_unspecified() || peer.is_loopback() {
            Self::Local
        } else {
            Self::Internet
        }
    }

    /// The same, where further networks are local ones.
    pub fn among(peer: IpAddr, device: IpAddr, local_nets: &LocalNets) -> Self {
        match Self::of(peer, device) {
            Self::Internet if local_nets.contains(peer) => Self::Local,
            place => place,
        }
    }
}

impl Service {
    /// The service of a flow: what was heard decides, and the port where nothing was.
    fn of(heard: Option<Protocol>, protocol: u8, port: u16) -> Option<Self> {
        match (heard, protocol, port) {
            (Some(Protocol::Dns), TCP | UDP, _) | (None, TCP | UDP, 53) => Some(Self::Dns),
            (Some(Protocol::Ntp), TCP | UDP, _) | (None, TCP | UDP, 123) => Some(Self::Ntp),
            (Some(Protocol::Dhcp) | None, UDP, DHCP_SERVER) => Some(Self::Dhcp),
            _ => None,
        }
    }

    /// Whether a network lets every device use its own servers of this kind without being told (RFC 8520: name and
    /// time servers).
    pub(super) const fn is_implied(self) -> bool {
        matches!(self, Self::Dns | Self::Ntp)
    }

    /// The URI of the class.
    pub const fn controller(self) -> &'static str {
        match self {
            Self::Dns => MudProfile::DNS_CONTROLLER,
            Self::Ntp => MudProfile::NTP_CONTROLLER,
            Self::Dhcp => MudProfile::DHCP_CONTROLLER,
        }
    }
}

impl Host {
    /// The first host that the client of a flow named.
    fn of(flow: &Flow<Heard>) -> Option<Self> {
        let client = if is_client(flow) { Sender::Device } else { Sender::Peer };
        let said = flow.state.messages.iter().filter(|heard| heard.sender == client);
        said.map(|heard| &heard.message).find_map(Self::named_in)
    }

    fn named_in(message: &Message) -> Option<Self> {
        let (name, source) = match message {
            Message::ClientHello(hello) => (hello.server_name.clone(), HostSource::ServerName),
            Message::QuicInitial(initial) => (initial.server_name.clone(), HostSource::ServerName),
            Message::HttpRequest(request) => (request.host.as_ref().map(Uri::redacted), HostSource::HttpHost),
            _ => return None,
        };
        let name = host_name(&name?)?;
        Some(Self { name, source })
    }
}

/// Whether the device is the client: what was said tells, where only a client says it, and the flow otherwise. Of a
/// connection whose beginning was not captured, the ports may tell the wrong side.
fn is_client(flow: &Flow<Heard>) -> bool {
    let asks = |message: &Message| match message {
        Message::ClientHello(_) | Message::HttpRequest(_) => true,
        Message::QuicInitial(initial) => initial.client_hello.is_some() || initial.server_name.is_some(),
        _ => false,
    };
    let asked = flow.state.messages.iter().find(|heard| asks(&heard.message));
    asked.map_or(flow.is_client, |heard| heard.sender == Sender::Device)
}

/// The client's end and the server's.
fn client_server(flow: &Flow<Heard>) -> (Endpoint, Endpoint) {
    if is_client(flow) { (flow.local, flow.peer) } else { (flow.peer, flow.local) }
}

/// The domain name in a text like `Lamp.example:8080`, without a user in front, in lower case; `None` for an address, and for what is no name
/// that a file may hold.
fn host_name(text: &str) -> Option<String> {
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let name = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => text,
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    is_domain_name(&name).then_some(name)
}

/// Whether a text is a `domain-name` of RFC 6991 and no address.
pub(crate) fn is_domain_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&bytes.len())
            && bytes.iter().all(is_inside)
            && !label.starts_with('-')
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
    };
    let is_address = text.split('.').next_back().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    text.len() <= 253 && text.split('.').all(is_label) && !is_address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_domain_name() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(host_name(text).as_deref(), expected, "{text}");
        };
        check("Lamp.Example", Some("lamp.example"));
        check("lamp.example:8080", Some("lamp.example"));
        check("***@lamp.example:80", Some("lamp.example"));
        check("lamp.example.", Some("lamp.example"));
        check("_sip.lamp_1.example", Some("_sip.lamp_1.example"));
        check("192.0.2.1", None);
        check("192.0.2.1:80", None);
        check("[2001:db8::1]:80", None);
        check("2001:db8::1", None);
        check("lamp..example", None);
        check("-lamp.example", None);
        check("la\\x20mp.example", None);
        check("", None);
        check(&"a".repeat(64), None);
    }

    #[test]
    fn a_place_is_told_by_the_address() {
        let check = |peer: &str, device: &str, expected| {
            assert_eq!(Place::of(peer.parse().unwrap(), device.parse().unwrap()), expected, "{peer}");
        };
        check("192.168.1.255", "192.168.1.2", Place::Local);
        check("255.255.255.255", "0.0.0.0", Place::Group);
        check("239.255.255.250", "192.168.1.2", Place::Group);
        check("ff02::fb", "fe80::1", Place::Group);
        check("8.8.8.8", "192.168.1.2", Place::Internet);
        check("2001:db8:0:1::5", "2001:db8:0:1::9", Place::Local);
        check("2001:db8:0:2::5", "2001:db8:0:1::9", Place::Internet);
    }
}
