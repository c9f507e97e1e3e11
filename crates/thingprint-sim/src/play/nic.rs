use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::World;
use super::calendar::Phases;
use super::directory::{Server, group_mac};
use super::outbox::{Content, Outbox};
use super::world::host;
use crate::chance::Chance;
use crate::clock::{MILLISECOND_NS, SECOND_NS, span_ns, span_of_ms};
use crate::profile::{LookupPolicy, Profile, Stack, Unit};
use crate::wire::arp::Station;
use crate::wire::{Datagram, End, Path, Payload, Segment, Transport, arp, dns};

/// The lowest port that devices choose themselves (the range of Linux).
const LOWEST_EPHEMERAL: u16 = 32_768;

/// How long a device waits for an answer before it asks again.
const DNS_PATIENCE_NS: i64 = 5 * SECOND_NS;

/// A device's network interface: who it is, what it remembers of the network, and the frames it has planned.
pub(super) struct Nic {
    pub(super) chance: Chance,
    pub(super) world: Arc<World>,
    pub(super) phases: Phases,
    pub(super) outbox: Outbox,
    pub(super) stack: Stack,
    pub(super) mac: [u8; 6],
    pub(super) ip: Ipv4Addr,
    next_port: u16,
    /// Until when a link address is believed.
    neighbours: BTreeMap<Ipv4Addr, i64>,
    /// Until when the answer for each server of the directory is kept.
    answers: Vec<i64>,
}

impl Nic {
    pub(super) fn new(profile: &Profile, unit: &Unit, world: Arc<World>, seed: u64) -> Self {
        let mut chance = Chance::new(seed, &unit.name);
        let next_port = LOWEST_EPHEMERAL + chance.bits16() % 20_000;
        Self {
            chance,
            phases: Phases::new(&profile.phase, (seed, &unit.name)),
            outbox: Outbox::default(),
            stack: profile.stack.clone(),
            mac: unit.mac.0,
            ip: host(&world.network, unit.host),
            next_port,
            neighbours: BTreeMap::new(),
            answers: Vec::new(),
            world,
        }
    }

    /// Forgets what a restart makes a device forget.
    pub(super) fn forget(&mut self, servers: usize) {
        self.neighbours.clear();
        self.answers.clear();
        self.answers.resize(servers, i64::MIN);
    }

    /// A port of the device's own that was not in use lately.
    pub(super) fn ephemeral_port(&mut self) -> u16 {
        let step = 1 + self.chance.bits16() % 5;
        self.next_port = self.next_port.checked_add(step).unwrap_or(LOWEST_EPHEMERAL);
        self.next_port
    }

    /// The path from a port of the device to another end.
    pub(super) fn path(&self, port: u16, peer: End) -> Path {
        Path { device: End { mac: self.mac, ip: self.ip, port, ttl: self.stack.ttl }, peer }
    }

    /// The path to a multicast group, with the time to live that its protocol asks for.
    pub(super) fn group_path(&self, ip: Ipv4Addr, port: u16, ttl: u8) -> Path {
        let mut path = self.path(port, End { mac: group_mac(ip), ip, port, ttl });
        path.device.ttl = ttl;
        path
    }

    /// The gateway as an end of a conversation.
    pub(super) fn gateway(&self, port: u16) -> End {
        End { mac: self.world.network.gateway.0, ip: self.world.gateway_ip(), port, ttl: 64 }
    }

    /// Time from the capture point to the device and back.
    pub(super) fn lan_ns(&mut self) -> i64 {
        let lan_ms = self.stack.lan_ms;
        span_of_ms(lan_ms.draw(&mut self.chance))
    }

    /// A time between two, in milliseconds.
    pub(super) fn between_ms(&mut self, low: f64, high: f64) -> i64 {
        span_of_ms(self.chance.between(low, high))
    }

    /// Whether a segment is lost.
    pub(super) fn loses(&mut self) -> bool {
        self.chance.happens(self.world.network.loss)
    }

    pub(super) fn plan_frame(&mut self, at: i64, frame: Vec<u8>) {
        self.outbox.plan(at, Content::Ready(frame.into_boxed_slice()));
    }

    pub(super) fn plan_udp(&mut self, at: i64, (path, up): (Path, bool), payload: Payload) {
        let datagram = Datagram { path, up, transport: Transport::Udp, payload };
        self.outbox.plan(at, Content::Datagram(datagram));
    }

    pub(super) fn plan_icmp(&mut self, at: i64, (path, up): (Path, bool), message: Vec<u8>) {
        let datagram = Datagram { path, up, transport: Transport::Icmp, payload: Payload::exact(message) };
        self.outbox.plan(at, Content::Datagram(datagram));
    }

    pub(super) fn plan_tcp(&mut self, at: i64, (path, up): (Path, bool), segment: Segment, payload: Payload) {
        let datagram = Datagram { path, up, transport: Transport::Tcp(segment), payload };
        self.outbox.plan(at, Content::Datagram(datagram));
    }

    /// Asks for the link address that leads to `ip` unless it is known; when packets can go there.
    pub(super) fn reach(&mut self, at: i64, ip: Ipv4Addr, mac: [u8; 6]) -> i64 {
        if mac[0] & 1 == 1 {
            return at;
        }
        let hop = if self.world.is_local(ip) { ip } else { self.world.gateway_ip() };
        let known_until = self.neighbours.get(&hop).copied().unwrap_or(i64::MIN);
        if at < known_until {
            return at;
        }
        let me = Station { mac: self.mac, ip: self.ip };
        let answered = at + self.between_ms(0.2, 3.0);
        self.plan_frame(at, arp::request(me, hop));
        self.plan_frame(answered, arp::reply(Station { mac, ip: hop }, me));
        let kept = self.stack.arp_s * self.chance.between(0.5, 1.5);
        self.neighbours.insert(hop, answered + span_ns(kept));
        answered + self.lan_ns()
    }

    /// The address of a server: when it is known, and which; none when there is no such name.
    pub(super) fn resolve(
        &mut self,
        at: i64,
        (place, server): (usize, &Server),
        policy: LookupPolicy,
    ) -> (i64, Option<Ipv4Addr>) {
        let kept_until = self.answers.get(place).copied().unwrap_or(i64::MIN);
        let ready = if !server.is_named || (policy == LookupPolicy::Cached && at < kept_until) {
            at
        } else {
            let answered = self.ask(at, server);
            if let Some(kept_until) = self.answers.get_mut(place) {
                *kept_until = answered + i64::from(server.ttl_s) * SECOND_NS;
            }
            answered + self.lan_ns()
        };
        let address = self.any_address(server);
        (ready, address.filter(|_| !server.missing))
    }

    fn any_address(&mut self, server: &Server) -> Option<Ipv4Addr> {
        let count = u32::try_from(server.addresses.len()).unwrap_or(u32::MAX);
        let index = usize::try_from(self.chance.below(count)).unwrap_or(0);
        server.addresses.get(index).copied()
    }

    /// Asks the gateway for a name; when the answer arrives.
    fn ask(&mut self, at: i64, server: &Server) -> i64 {
        let gateway = self.gateway(53);
        let at = self.reach(at, gateway.ip, gateway.mac);
        let port = self.ephemeral_port();
        let path = self.path(port, gateway);
        let first = if self.loses() {
            let question = self.question(server, dns::A);
            self.plan_udp(at, (path, true), Payload::exact(question.query()));
            at + DNS_PATIENCE_NS
        } else {
            at
        };
        let answered = self.ask_for(first, (path, server), dns::A);
        if self.stack.aaaa {
            let second = self.ask_for(first + MILLISECOND_NS / 10, (path, server), dns::AAAA);
            return answered.max(second);
        }
        answered
    }

    fn ask_for(&mut self, at: i64, (path, server): (Path, &Server), kind: u16) -> i64 {
        let question = self.question(server, kind);
        let is_cached = self.chance.happens(0.6);
        let answered = at + if is_cached { self.between_ms(0.3, 2.0) } else { self.between_ms(8.0, 70.0) };
        let addresses = if kind == dns::A { server.addresses.as_slice() } else { &[] };
        let answer =
            dns::Answer { chain: &server.chain, ttl_s: server.ttl_s, addresses, missing: server.missing };
        self.plan_udp(at, (path, true), Payload::exact(question.query()));
        self.plan_udp(answered, (path, false), Payload::exact(question.response(&answer)));
        answered
    }

    fn question<'a>(&mut self, server: &'a Server, kind: u16) -> dns::Question<'a> {
        dns::Question { id: self.chance.bits16(), name: &server.name, kind, edns: self.stack.edns }
    }
}
