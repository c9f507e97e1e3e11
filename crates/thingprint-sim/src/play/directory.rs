use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::World;
use crate::chance::{Chance, hash};
use crate::clock::{MILLISECOND_NS, span_of_ms};
use crate::profile::{Crowd, HostFacts};
use crate::wire::{BROADCAST, End};

/// The networks that stand for the internet: those set aside for documentation, RFC 5737.
const INTERNET: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];

/// Times to live that answers have, in seconds.
const TTLS_S: [u32; 6] = [30, 60, 60, 300, 300, 3600];

/// Someone to talk to.
pub(super) struct Server {
    /// Its domain name, or its address in text where it has none.
    pub(super) name: String,
    /// Whether the name is to be resolved.
    pub(super) is_named: bool,
    /// Names that its name stands for.
    pub(super) chain: Vec<String>,
    pub(super) ttl_s: u32,
    pub(super) addresses: Vec<Ipv4Addr>,
    pub(super) missing: bool,
    /// Time from the capture point to it and back.
    pub(super) rtt_ns: i64,
    /// Length of its certificates together.
    pub(super) certificate_bytes: u16,
    mac: [u8; 6],
    /// Time to live of its packets at the capture point.
    ttl: u8,
}

impl Server {
    /// The server of a name: what is not known of it follows from the name.
    fn named(name: &str, facts: &HostFacts, world: &World) -> Self {
        let pick = |salt: u64, bound: u64| hash(name, salt) % bound;
        let ttl = usize::try_from(pick(1, TTLS_S.len() as u64)).unwrap_or(0);
        let count = facts.addresses.map_or_else(|| 1 + pick(2, 4), u64::from);
        let rtt_ms = facts.rtt_ms.unwrap_or_else(|| 8.0 + pick(3, 900) as f64 / 10.0);
        Self {
            name: name.to_owned(),
            is_named: true,
            chain: facts.cname.clone().unwrap_or_else(|| usual_chain(name)),
            ttl_s: facts.ttl_s.unwrap_or_else(|| TTLS_S.get(ttl).copied().unwrap_or(60)),
            addresses: (0..count).map(|index| internet_address(name, index)).collect(),
            missing: facts.missing,
            rtt_ns: span_of_ms(rtt_ms),
            certificate_bytes: u16::try_from(2200 + pick(4, 2800)).unwrap_or(2200),
            mac: world.network.gateway.0,
            ttl: hops_away(if pick(5, 4) == 0 { 128 } else { 64 }, pick(6, 14)),
        }
    }

    /// The server at a fixed address, in the home or beyond.
    fn at(ip: Ipv4Addr, mac: [u8; 6], ttl: u8, rtt_ns: i64) -> Self {
        Self {
            name: ip.to_string(),
            is_named: false,
            chain: Vec::new(),
            ttl_s: 0,
            addresses: vec![ip],
            missing: false,
            rtt_ns,
            certificate_bytes: 1200,
            mac,
            ttl,
        }
    }

    /// This server as an end of a conversation.
    pub(super) fn end(&self, ip: Ipv4Addr, port: u16) -> End {
        End { mac: self.mac, ip, port, ttl: self.ttl }
    }
}

/// Everyone that a device talks to.
#[derive(Default)]
pub(super) struct Directory {
    servers: Vec<Server>,
    places: BTreeMap<String, usize>,
}

impl Directory {
    pub(super) fn get(&self, place: usize) -> Option<&Server> {
        self.servers.get(place)
    }

    pub(super) fn len(&self) -> usize {
        self.servers.len()
    }

    /// The place of a name, which is entered when it is new.
    pub(super) fn enter(&mut self, name: &str, hosts: &BTreeMap<String, HostFacts>, world: &World) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let facts = hosts.get(name).cloned().unwrap_or_default();
        self.places.insert(name.to_owned(), self.servers.len());
        self.add(Server::named(name, &facts, world))
    }

    /// Enters a fixed address.
    pub(super) fn enter_address(&mut self, ip: Ipv4Addr, world: &World) -> usize {
        let text = ip.to_string();
        let far = 10 * MILLISECOND_NS + i64::from(ip.octets()[3]) * MILLISECOND_NS / 4;
        let server = if ip.is_multicast() {
            Server::at(ip, group_mac(ip), 64, MILLISECOND_NS)
        } else if ip.is_broadcast() || ip == world.broadcast_ip() {
            Server::at(ip, BROADCAST, 64, MILLISECOND_NS)
        } else if world.is_local(ip) {
            Server::at(ip, world.network.gateway.0, 64, MILLISECOND_NS)
        } else {
            Server::at(ip, world.network.gateway.0, hops_away(64, hash(&text, 6) % 14), far)
        };
        self.add(server)
    }

    /// Enters a device of the home.
    pub(super) fn enter_peer(&mut self, name: &str, world: &World) -> Option<usize> {
        let peer = world.peers.get(name)?;
        Some(self.add(Server::at(peer.ip, peer.mac.0, peer.ttl, 3 * MILLISECOND_NS)))
    }

    fn add(&mut self, server: Server) -> usize {
        self.servers.push(server);
        self.servers.len() - 1
    }
}

/// A weighted choice of servers.
pub(super) struct Choice {
    places: Vec<usize>,
    /// The sum of the weights up to each.
    sums: Vec<f64>,
}

impl Choice {
    /// Nobody.
    pub(super) fn none() -> Self {
        Self::new(Vec::new())
    }

    pub(super) fn single(place: usize) -> Self {
        Self { places: vec![place], sums: vec![1.0] }
    }

    /// Names by their weights.
    pub(super) fn of_names(
        names: &BTreeMap<String, f64>,
        hosts: &BTreeMap<String, HostFacts>,
        (directory, world): (&mut Directory, &World),
    ) -> Self {
        let weighted = names.iter().map(|(name, weight)| (directory.enter(name, hosts, world), *weight));
        Self::new(weighted.collect())
    }

    /// A crowd's names, as [`Crowd::names`] gives them, each less often than the one before.
    pub(super) fn of_crowd(
        (crowd, names): (&Crowd, &[String]),
        hosts: &BTreeMap<String, HostFacts>,
        (directory, world): (&mut Directory, &World),
    ) -> Self {
        let weigh = |rank: usize| libm::pow(rank as f64 + 1.0, -crowd.zipf);
        let weighted =
            names.iter().enumerate().map(|(rank, name)| (directory.enter(name, hosts, world), weigh(rank)));
        Self::new(weighted.collect())
    }

    fn new(weighted: Vec<(usize, f64)>) -> Self {
        let mut sum = 0.0;
        let (places, sums) = weighted
            .into_iter()
            .map(|(place, weight)| {
                sum += weight;
                (place, sum)
            })
            .unzip();
        Self { places, sums }
    }

    /// One of the servers; none when there are none.
    pub(super) fn draw(&self, chance: &mut Chance) -> Option<usize> {
        let wanted = chance.unit() * self.sums.last()?;
        let place = self.sums.partition_point(|sum| *sum <= wanted);
        self.places.get(place).or(self.places.last()).copied()
    }
}

/// Two names of five stand for another, as content networks do it.
fn usual_chain(name: &str) -> Vec<String> {
    if hash(name, 7) % 5 > 1 {
        return Vec::new();
    }
    let edge = hash(name, 8) % 60;
    vec![format!("{}.edge.example", name.replace('.', "-")), format!("e{edge}.pop.example")]
}

/// The `index`-th address of a name.
fn internet_address(name: &str, index: u64) -> Ipv4Addr {
    let number = hash(name, 100 + index);
    let network = usize::try_from(number % 3).unwrap_or(0);
    let [a, b, c] = INTERNET.get(network).copied().unwrap_or([192, 0, 2]);
    Ipv4Addr::new(a, b, c, u8::try_from(1 + (number >> 8) % 254).unwrap_or(1))
}

/// The link address of a group, RFC 1112 §6.4.
pub(super) fn group_mac(ip: Ipv4Addr) -> [u8; 6] {
    let [_, b, c, d] = ip.octets();
    [1, 0, 0x5e, b & 0x7f, c, d]
}

fn hops_away(start: u8, hops: u64) -> u8 {
    start - u8::try_from(4 + hops % 20).unwrap_or(4)
}
