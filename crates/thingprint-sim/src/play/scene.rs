use std::net::Ipv4Addr;

use super::outbox::{Content, Outbox};
use crate::attack::Target;
use crate::chance::Chance;
use crate::clock::span_of_ms;
use crate::wire::{Datagram, End, Noise, Path, Payload, Segment, Transport};

/// Where attackers seem to sit: 198.18.0.0/15.
const NOBODY: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
/// Link address of the host that scans its own network; it is locally administered.
const HOST: [u8; 6] = [0x02, 0x50, 0xa7, 0x7a, 0xc0, 0x01];
/// Last octets of its IP address: the second where the device has the first.
const HOST_IP: [u8; 2] = [251, 250];
/// Time to live of packets that crossed the Internet, and of those that did not.
const TTL_FAR: u8 = 52;
const TTL_NEAR: u8 = 64;

/// Where an attack happens: the device, its network, and the packets to come.
pub(crate) struct Scene {
    pub(super) outbox: Outbox,
    pub(super) chance: Chance,
    target: Target,
    /// The port of the device's service.
    port: u16,
    /// Somebody in the Internet who has to do with all of the attack.
    victim: Ipv4Addr,
}

impl Scene {
    /// An attack on a device's port.
    pub(super) fn new(target: Target, port: u16, chance: Chance) -> Self {
        let victim = Ipv4Addr::UNSPECIFIED;
        let mut scene = Self { outbox: Outbox::default(), chance, target, port, victim };
        scene.victim = scene.stranger();
        scene
    }

    /// Somebody in the Internet who has to do with all of the attack: the victim of a reflection, or who gains by it.
    pub(crate) const fn victim(&self) -> Ipv4Addr {
        self.victim
    }

    /// The DNS server that the device asks.
    pub(crate) const fn resolver(&self) -> Ipv4Addr {
        self.target.resolver
    }

    /// Any address of the network that is set aside for tests (RFC 2544), which no server of the home has.
    pub(crate) fn stranger(&mut self) -> Ipv4Addr {
        Ipv4Addr::from(NOBODY.to_bits() | self.chance.bits32() & 0x0001_ffff)
    }

    /// The way from the victim to the device's service, from a new port.
    pub(crate) fn path_to_victim(&mut self) -> Path {
        self.path_from(self.victim)
    }

    /// The way from somebody in the Internet to the device's service, from a new port.
    pub(crate) fn path_from(&mut self, ip: Ipv4Addr) -> Path {
        let port = 1024 | self.chance.bits16();
        let mac = self.target.gateway.0;
        Path { device: self.device(self.port), peer: End { mac, ip, port, ttl: TTL_FAR } }
    }

    /// The way from another host of the network to a port of the device, from a new port.
    pub(crate) fn path_from_host(&mut self, device_port: u16) -> Path {
        let port = 32_768 | self.chance.bits16();
        let [a, b, c, own] = self.target.ip.octets();
        let [first, second] = HOST_IP;
        let ip = Ipv4Addr::new(a, b, c, if own == first { second } else { first });
        Path { device: self.device(device_port), peer: End { mac: HOST, ip, port, ttl: TTL_NEAR } }
    }

    /// The way from a new port of the device to a server behind the gateway.
    pub(crate) fn path_of_client(&mut self, ip: Ipv4Addr, port: u16) -> Path {
        let own = 32_768 | self.chance.bits16();
        let mac = self.target.gateway.0;
        let ttl = if ip.is_private() { TTL_NEAR } else { TTL_FAR };
        Path { device: self.device(own), peer: End { mac, ip, port, ttl } }
    }

    /// Plans a UDP datagram of the device (`true`) or its peer.
    pub(crate) fn datagram(&mut self, at: i64, (path, up): (Path, bool), payload: Payload) {
        self.plan(at, Datagram { path, up, transport: Transport::Udp, payload });
    }

    /// Plans a TCP segment of the device (`true`) or its peer.
    pub(crate) fn segment(&mut self, at: i64, (path, up): (Path, bool), segment: Segment, payload: Payload) {
        self.plan(at, Datagram { path, up, transport: Transport::Tcp(segment), payload });
    }

    /// So many bytes without meaning.
    pub(crate) fn noise(&mut self, bytes: u16) -> Payload {
        Payload { bytes, key: self.chance.bits32(), ..Payload::EMPTY }
    }

    /// How long the device takes to answer, in nanoseconds.
    pub(crate) fn reaction(&mut self) -> i64 {
        span_of_ms(self.chance.between(0.5, 6.0))
    }

    /// How long a server in the Internet takes to answer, in nanoseconds.
    pub(crate) fn round_trip(&mut self) -> i64 {
        span_of_ms(self.chance.between(15.0, 90.0))
    }

    /// A random number of 16 bits.
    pub(crate) fn bits16(&mut self) -> u16 {
        self.chance.bits16()
    }

    /// A random number of 32 bits.
    pub(crate) fn bits32(&mut self) -> u32 {
        self.chance.bits32()
    }

    /// A random number below a bound.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.chance.below(bound)
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.chance.happens(probability)
    }

    /// Writes the next frame, no more than `limit` bytes of it; its time and true length.
    pub(super) fn write_next(
        &mut self,
        noise: &Noise,
        limit: usize,
        frame: &mut Vec<u8>,
    ) -> Option<(i64, usize)> {
        self.outbox.write_next(noise, limit, frame)
    }

    fn device(&self, port: u16) -> End {
        End { mac: self.target.mac.0, ip: self.target.ip, port, ttl: self.target.ttl }
    }

    fn plan(&mut self, at: i64, datagram: Datagram) {
        self.outbox.plan(at, Content::Datagram(datagram));
    }
}
