use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::World;
use super::outbox::{Content, Outbox};
use crate::attack::{Attack, AttackKind};
use crate::chance::Chance;
use crate::clock::{SECOND_NS, span_ns, span_of_ms};
use crate::wire::{Datagram, End, Noise, Options, Path, Payload, Segment, Transport, flag};

/// Where attackers seem to sit: 198.18.0.0/15.
const NOBODY: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
/// How many connections a device holds half open.
const BACKLOG: usize = 128;
/// After how many seconds each answer to an opening is sent, counted from the opening (RFC 6298 §2).
const ANSWERS_S: [i64; 3] = [0, 1, 3];
/// How long a half-open connection is held, in seconds: until the next answer would be due.
const HALF_OPEN_S: i64 = 7;

/// Someone who sends packets to a device, and what the device answers.
pub(crate) struct Attacker {
    kind: AttackKind,
    chance: Chance,
    outbox: Outbox,
    /// The device, as it answers.
    device: End,
    gateway: [u8; 6],
    /// Whose address the requests of a reflection carry.
    victim: Ipv4Addr,
    gap_s: f64,
    next_ns: i64,
    end_ns: i64,
    /// When each half-open connection is given up.
    half_open: VecDeque<i64>,
}

impl Attacker {
    /// The attacker of the `index`-th attack; none when the home has no such device.
    pub(crate) fn new(
        attack: &Attack,
        world: &Arc<World>,
        (start_ns, seed, index): (i64, u64, usize),
    ) -> Option<Self> {
        let peer = world.peers.get(&attack.device)?;
        let (AttackKind::UdpReflection { port, .. } | AttackKind::TcpSyn { port }) = attack.kind;
        let begins = attack.start_s * SECOND_NS;
        let ends = begins.saturating_add(i64::from(attack.duration_s) * SECOND_NS);
        let mut attacker = Self {
            kind: attack.kind,
            chance: Chance::new(seed, &format!("attack {index} on {}", attack.device)),
            outbox: Outbox::default(),
            device: End { mac: peer.mac.0, ip: peer.ip, port, ttl: peer.ttl },
            gateway: world.network.gateway.0,
            victim: Ipv4Addr::UNSPECIFIED,
            gap_s: 1.0 / attack.packets_per_s,
            next_ns: begins.max(start_ns),
            end_ns: ends.min(world.end_ns),
            half_open: VecDeque::new(),
        };
        attacker.victim = attacker.stranger();
        attacker.next_ns += attacker.gap_ns();
        Some(attacker)
    }

    /// When the next frame passes; none when the attack is over.
    pub(crate) fn next_time(&mut self) -> Option<i64> {
        loop {
            let frame = self.outbox.next_time();
            let event = Some(self.next_ns).filter(|at| *at < self.end_ns);
            match (frame, event) {
                (None, None) => return None,
                (Some(frame), event) if event.is_none_or(|event| frame <= event) => {
                    return Some(frame).filter(|at| *at < self.end_ns);
                }
                _ => self.strike(),
            }
        }
    }

    /// Writes the next frame, no more than `limit` bytes of it; its time and true length.
    pub(crate) fn write_next(
        &mut self,
        noise: &Noise,
        limit: usize,
        frame: &mut Vec<u8>,
    ) -> Option<(i64, usize)> {
        self.outbox.write_next(noise, limit, frame)
    }

    /// Sends a packet, and plans what the device does about it.
    fn strike(&mut self) {
        let now = self.next_ns;
        self.next_ns += self.gap_ns();
        self.outbox.begin(now);
        match self.kind {
            AttackKind::UdpReflection { request_bytes, response_bytes, .. } => {
                self.reflect(now, request_bytes, response_bytes);
            }
            AttackKind::TcpSyn { .. } => self.open(now),
        }
    }

    fn reflect(&mut self, now: i64, request_bytes: u16, response_bytes: u16) {
        let path = self.path(self.victim);
        let answered = now + span_of_ms(self.chance.between(0.5, 6.0));
        for (at, up, bytes) in [(now, false, request_bytes), (answered, true, response_bytes)] {
            let payload = Payload { bytes, key: self.chance.bits32(), ..Payload::EMPTY };
            self.plan(at, Datagram { path, up, transport: Transport::Udp, payload });
        }
    }

    fn open(&mut self, now: i64) {
        let stranger = self.stranger();
        let path = self.path(stranger);
        let [seq, own_seq] = [self.chance.bits32(), self.chance.bits32()];
        let options = Options::Opening { mss: 1460, scale: None };
        let opening = Segment { seq, ack: 0, flags: flag::SYN, window: 5840, options };
        self.plan_segment(now, (path, false), opening);
        while self.half_open.front().is_some_and(|over| *over <= now) {
            self.half_open.pop_front();
        }
        if self.half_open.len() >= BACKLOG {
            return;
        }
        self.half_open.push_back(now + HALF_OPEN_S * SECOND_NS);
        let ack = seq.wrapping_add(1);
        let answer = Segment { seq: own_seq, ack, flags: flag::SYN | flag::ACK, window: 14_600, options };
        let reaction = span_of_ms(self.chance.between(0.5, 6.0));
        for wait_s in ANSWERS_S {
            self.plan_segment(now + reaction + wait_s * SECOND_NS, (path, true), answer);
        }
    }

    fn plan_segment(&mut self, at: i64, (path, up): (Path, bool), segment: Segment) {
        self.plan(at, Datagram { path, up, transport: Transport::Tcp(segment), payload: Payload::EMPTY });
    }

    fn plan(&mut self, at: i64, datagram: Datagram) {
        self.outbox.plan(at, Content::Datagram(datagram));
    }

    fn path(&mut self, ip: Ipv4Addr) -> Path {
        let port = 1024 | self.chance.bits16();
        Path { device: self.device, peer: End { mac: self.gateway, ip, port, ttl: 52 } }
    }

    /// Any address of the network that is set aside for tests (RFC 2544), which no server of the home has.
    fn stranger(&mut self) -> Ipv4Addr {
        Ipv4Addr::from(NOBODY.to_bits() | self.chance.bits32() & 0x0001_ffff)
    }

    fn gap_ns(&mut self) -> i64 {
        span_ns(self.chance.exponential(self.gap_s)).max(1_000)
    }
}
