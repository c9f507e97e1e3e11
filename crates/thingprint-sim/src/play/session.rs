use super::channel::{CHUNK_BYTES, Channel, Framing, Part, exact};
use super::directory::Server;
use super::nic::Nic;
use super::script::{Connect, Script};
use super::tcp::{Sending, Side};
use crate::clock::{MILLISECOND_NS, span_ns};
use crate::profile::{Connection, Ending, Talk};
use crate::wire::tls::Handshake;
use crate::wire::{End, Path};

/// How long a byte takes on the home's link when nothing else slows it down: 50 megabits per second.
const LINK_BYTE_NS: f64 = 160.0;

/// A connection that is open, and what is being said over it.
pub(super) struct Session {
    /// Which act opened it.
    pub(super) act: usize,
    server: usize,
    channel: Channel,
    /// When each talk comes next; none when it has had its say.
    due: Vec<Option<i64>>,
    closes_ns: Option<i64>,
    job: Option<Job>,
}

/// What a step of a session leads to.
pub(super) enum Step {
    /// It goes on at this time.
    At(i64),
    /// It has ended.
    Ended,
}

/// Turns of a talk under way.
struct Job {
    talk: usize,
    turns_left: u32,
    /// Who speaks.
    side: Side,
    /// Whether the first speaker of the turn speaks.
    is_first: bool,
    /// What is left of the message, and whether none of it is sent yet.
    left: u32,
    is_new: bool,
}

impl Session {
    /// Opens a session with a server at `at`; it and when it goes on, or none when the server has no address.
    pub(super) fn open(
        nic: &mut Nic,
        script: &Script,
        (act, server): (usize, usize),
        at: i64,
    ) -> Option<(Self, i64)> {
        let connect = script.connect(act)?;
        let (connection, entry) = (&connect.connection, script.directory.get(server)?);
        let (ready, ip) = nic.resolve(at, (server, entry), connection.asks);
        let end = entry.end(ip?, connection.port);
        let ready = nic.reach(ready, end.ip, end.mac);
        let path = find_path(nic, connection, end);
        let (channel, opened) = Channel::open(nic, connection.speaks, (path, entry.rtt_ns), ready);
        let mut session = Self { act, server, channel, due: Vec::new(), closes_ns: None, job: None };
        let opened = session.shake_hands(nic, connect, entry, opened);
        session.plan_talks(nic, connection, opened);
        Some((session, opened))
    }

    /// Says what is due at `now`.
    pub(super) fn step(&mut self, nic: &mut Nic, script: &Script, now: i64) -> Step {
        let Some(connect) = script.connect(self.act) else { return Step::Ended };
        if self.job.is_none() && !self.begin_talk(nic, &connect.connection, now) {
            return self.rest(nic, connect, now);
        }
        let host = script.directory.get(self.server).map_or("", |server| server.name.as_str());
        let next = self.speak(nic, &Framing { connect, host }, now);
        self.channel.settle_until(nic, next);
        Step::At(next)
    }

    /// The TLS handshake, if the connection has one; when the device can send data.
    fn shake_hands(&mut self, nic: &mut Nic, connect: &Connect, server: &Server, at: i64) -> i64 {
        let Some(hello) = &connect.hello else { return at };
        let connection = &connect.connection;
        let name = if server.is_named { server.name.as_str() } else { "" };
        let resumed = nic.chance.happens(connection.resumed);
        let certificate_bytes = usize::from(connection.certificate_bytes.unwrap_or(server.certificate_bytes));
        let handshake = Handshake::new(hello, name, resumed, &mut nic.chance);
        let bytes = handshake.client_hello(&mut nic.chance);
        let at = self.send_bytes(nic, at, Side::Device, &bytes);
        let bytes = handshake.server_flight(certificate_bytes, resumed, &mut nic.chance);
        let thought = nic.between_ms(0.5, 6.0);
        let at = self.send_bytes(nic, at + thought, Side::Server, &bytes);
        let bytes = handshake.client_finish(resumed, &mut nic.chance);
        let thought = nic.between_ms(1.0, 40.0);
        let finished = self.send_bytes(nic, at + thought, Side::Device, &bytes);
        let bytes = handshake.server_finish(resumed, &mut nic.chance);
        if bytes.is_empty() { at + thought } else { self.send_bytes(nic, finished, Side::Server, &bytes) }
    }

    fn send_bytes(&mut self, nic: &mut Nic, at: i64, side: Side, bytes: &[u8]) -> i64 {
        let pieces = exact(bytes, nic.stack.mss);
        self.channel.send(nic, Sending { at, side, byte_ns: LINK_BYTE_NS, more: false }, &pieces)
    }

    fn plan_talks(&mut self, nic: &mut Nic, connection: &Connection, opened: i64) {
        let world = nic.world.clone();
        let first = |talk: &Talk, nic: &mut Nic| match &talk.when {
            Some(when) => when.first(opened, &world, &mut nic.chance),
            None => opened,
        };
        self.due = connection.talk.iter().map(|talk| Some(first(talk, nic))).collect();
        self.closes_ns =
            connection.lasts_s.map(|lasts| opened.saturating_add(span_ns(lasts.draw(&mut nic.chance))));
    }

    /// Takes up the talk that is due first, if any is due; whether one was.
    fn begin_talk(&mut self, nic: &mut Nic, connection: &Connection, now: i64) -> bool {
        if self.closes_ns.is_some_and(|closes| closes <= now) {
            return false;
        }
        let Some((index, due)) = self.next_due().filter(|(_, due)| *due <= now) else { return false };
        let Some(talk) = connection.talk.get(index) else { return false };
        let world = nic.world.clone();
        let again = talk.when.as_ref().and_then(|when| when.next(due, &world, &mut nic.chance));
        if let Some(place) = self.due.get_mut(index) {
            *place = again.map(|again| again.max(now));
        }
        let happens = talk
            .when
            .as_ref()
            .is_none_or(|when| when.happens(now, &world, &mut nic.chance) && nic.phases.allow(when, now));
        let turns = if happens { talk.turns.draw_count(&mut nic.chance) } else { 0 };
        let side = if talk.server_first { Side::Server } else { Side::Device };
        self.job = (turns > 0).then(|| Job::new(index, turns, side, draw_message(talk, side, nic)));
        true
    }

    fn next_due(&self) -> Option<(usize, i64)> {
        let due = self.due.iter().enumerate().filter_map(|(index, due)| due.map(|due| (index, due)));
        due.min_by_key(|(index, due)| (*due, *index))
    }

    /// Nothing is due: waits for what is, or ends.
    fn rest(&mut self, nic: &mut Nic, connect: &Connect, now: i64) -> Step {
        let due = self.next_due().map(|(_, due)| due);
        let next = match (due, self.closes_ns) {
            (Some(due), Some(closes)) => due.min(closes),
            (Some(due), None) => due,
            (None, Some(closes)) => closes,
            (None, None) => now,
        };
        if next > now {
            self.channel.settle_until(nic, next);
            return Step::At(next);
        }
        self.close(nic, connect, now);
        Step::Ended
    }

    /// Sends the next part of the message under way, or turns to the next message; when to go on.
    fn speak(&mut self, nic: &mut Nic, framing: &Framing<'_>, now: i64) -> i64 {
        let connection = &framing.connect.connection;
        let Some(job) = &mut self.job else { return now };
        let Some(talk) = connection.talk.get(job.talk) else { return now };
        let is_http = connection.request.is_some();
        if job.left > 0 || (job.is_new && is_http) {
            let part = job.next_part();
            let pieces = framing.pieces(&self.channel, part);
            let byte_ns = talk.rate_kbps.map_or(LINK_BYTE_NS, |rate| 8e6 / rate).max(LINK_BYTE_NS);
            let sending = Sending { at: now, side: part.side, byte_ns, more: job.left > 0 };
            return self.channel.send(nic, sending, &pieces);
        }
        let (thought, over) = job.turn_over(talk, nic);
        if over {
            self.job = None;
        }
        now.saturating_add(thought)
    }

    fn close(&mut self, nic: &mut Nic, connect: &Connect, now: i64) {
        let Channel::Tcp(tcp) = &mut self.channel else { return };
        let ends = connect.connection.ends;
        let side = if ends == Ending::Server { Side::Server } else { Side::Device };
        if ends == Ending::Reset {
            tcp.reset(nic, now);
            return;
        }
        let mut at = now;
        if let Some(hello) = &connect.hello {
            let alert = Handshake::close_alert(hello, &mut nic.chance);
            tcp.send(
                nic,
                Sending { at, side, byte_ns: LINK_BYTE_NS, more: false },
                &exact(&alert, tcp.mss()),
            );
            at += MILLISECOND_NS / 4;
        }
        tcp.close(nic, at, side);
    }
}

impl Job {
    fn new(talk: usize, turns_left: u32, side: Side, left: u32) -> Self {
        Self { talk, turns_left, side, is_first: true, left, is_new: true }
    }

    /// Takes the next part off the message.
    fn next_part(&mut self) -> Part {
        let bytes = self.left.min(CHUNK_BYTES);
        let begins = self.is_new.then_some(self.left);
        self.left -= bytes;
        self.is_new = false;
        Part { side: self.side, bytes, begins }
    }

    /// The message is sent: gives the word to the other side or begins the next turn. How long that takes, and
    /// whether all turns are over.
    fn turn_over(&mut self, talk: &Talk, nic: &mut Nic) -> (i64, bool) {
        self.side = self.side.other();
        self.is_new = true;
        let was_first = self.is_first;
        self.is_first = !was_first;
        let thought = match (was_first, self.side) {
            (true, Side::Server) => nic.between_ms(1.0, 30.0),
            (true, Side::Device) => nic.between_ms(0.3, 8.0),
            (false, _) => span_ns(talk.pause_s.draw(&mut nic.chance)),
        };
        self.turns_left -= u32::from(!was_first);
        self.left = draw_message(talk, self.side, nic);
        (thought, self.turns_left == 0)
    }
}

/// The path to a server, or, where the other side opens the connection, from it: it then has the device's part.
fn find_path(nic: &mut Nic, connection: &Connection, mut peer: End) -> Path {
    let other = connection.other_ports.as_ref().and_then(|ports| ports.draw(&mut nic.chance));
    let port = connection.local_port.unwrap_or_else(|| nic.ephemeral_port());
    peer.port = other.unwrap_or(connection.port);
    if !connection.incoming {
        return nic.path(port, peer);
    }
    let Path { device, peer } = nic.path(peer.port, End { port, ..peer });
    Path { device: peer, peer: device }
}

fn draw_message(talk: &Talk, side: Side, nic: &mut Nic) -> u32 {
    let bytes = if side == Side::Device { &talk.up_bytes } else { &talk.down_bytes };
    bytes.draw_count(&mut nic.chance)
}
