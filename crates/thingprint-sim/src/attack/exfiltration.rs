use serde::Deserialize;

use super::{Kind, Player};
use crate::SimError;
use crate::play::Scene;
use crate::profile::Place;
use crate::wire::{Options, Path, Payload, Segment, flag};

/// The device sends data to a server that it never spoke to, in one TCP connection. The server acknowledges each segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exfiltration {
    /// Port of the server.
    pub port: u16,
    /// Data of a segment, in bytes.
    pub segment_bytes: u16,
}

impl Kind for Exfiltration {
    fn check(&self, place: &Place<'_>) -> Result<(), SimError> {
        let fits = (1..=1460).contains(&self.segment_bytes);
        place.field("segment_bytes").ensure(fits, "must be 1 to 1460")
    }

    fn player(&self) -> Box<dyn Player> {
        Box::new(Upload { kind: *self, stream: None })
    }
}

struct Upload {
    kind: Exfiltration,
    /// The connection, once it is open.
    stream: Option<Stream>,
}

#[derive(Clone, Copy)]
struct Stream {
    path: Path,
    /// The next sequence numbers of the device and the server.
    next: u32,
    server_next: u32,
    /// When the handshake is over: no data come before.
    ready_at: i64,
}

impl Player for Upload {
    fn strike(&mut self, now: i64, scene: &mut Scene) {
        let stream = self.stream.get_or_insert_with(|| open(self.kind.port, now, scene));
        let mut at = now.max(stream.ready_at);
        let data = stream.segment(true, flag::ACK | flag::PSH);
        let payload = scene.noise(self.kind.segment_bytes);
        scene.segment(at, (stream.path, true), data, payload);
        stream.next = stream.next.wrapping_add(u32::from(self.kind.segment_bytes));
        at += scene.round_trip();
        scene.segment(at, (stream.path, false), stream.segment(false, flag::ACK), Payload::EMPTY);
    }
}

/// Opens the connection.
fn open(port: u16, now: i64, scene: &mut Scene) -> Stream {
    let victim = scene.victim();
    let path = scene.path_of_client(victim, port);
    let mut stream = Stream { path, next: scene.bits32(), server_next: 0, ready_at: now };
    let options = Options::Opening { mss: 1460, scale: None };
    let syn = Segment { options, ..stream.segment(true, flag::SYN) };
    scene.segment(now, (path, true), Segment { ack: 0, ..syn }, Payload::EMPTY);
    stream.next = stream.next.wrapping_add(1);
    stream.server_next = scene.bits32();
    let (answered, done) = (scene.round_trip(), scene.reaction());
    let accept = Segment { options, ..stream.segment(false, flag::SYN | flag::ACK) };
    scene.segment(now + answered, (path, false), accept, Payload::EMPTY);
    stream.server_next = stream.server_next.wrapping_add(1);
    scene.segment(now + answered + done, (path, true), stream.segment(true, flag::ACK), Payload::EMPTY);
    Stream { ready_at: now + answered + done + 1, ..stream }
}

impl Stream {
    /// The next segment of the device or of the server.
    const fn segment(&self, up: bool, flags: u8) -> Segment {
        let (seq, ack) = if up { (self.next, self.server_next) } else { (self.server_next, self.next) };
        Segment { seq, ack, flags, window: 14_600, options: Options::None }
    }
}
