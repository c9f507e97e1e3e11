use super::nic::Nic;
use crate::clock::{MILLISECOND_NS, SECOND_NS};
use crate::wire::{Head, Options, Path, Payload, Segment, flag};

/// How many segments may be under way at first (RFC 6928 §2).
const FIRST_WINDOW: u32 = 10;
/// The server's receive window, in bytes.
const SERVER_WINDOW: u32 = 64_128;
/// The server's window scale, when the device offers one.
const SERVER_SCALE: u8 = 7;
/// The longest that an acknowledgement waits for something to ride on (RFC 9293 §3.8.6.3 allows up to 500 ms).
const ACK_DELAY_NS: i64 = 40 * MILLISECOND_NS;
/// The shortest retransmission time-out, as Linux has it.
const SHORTEST_TIMEOUT_NS: i64 = 200 * MILLISECOND_NS;
/// How many acknowledgements of the same byte tell of a loss (RFC 5681 §3.2).
const DUPLICATES: u32 = 3;
/// The least time between two frames of one sender.
const SPACING_NS: i64 = 2_000;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Device,
    Server,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Device => Self::Server,
            Self::Server => Self::Device,
        }
    }

    fn is_up(self) -> bool {
        self == Self::Device
    }
}

/// What one segment or datagram carries.
#[derive(Clone)]
pub(super) struct Piece {
    pub(super) head: Head,
    /// Length of head and noise together.
    pub(super) bytes: u16,
}

/// When pieces begin to be sent, by whom, the least time that a byte takes, and whether more of the message follows.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    pub(super) at: i64,
    pub(super) side: Side,
    pub(super) byte_ns: f64,
    pub(super) more: bool,
}

/// One direction of a connection.
struct Half {
    /// The next sequence number.
    seq: u32,
    /// How many segments may be under way.
    window: u32,
    /// How many the receiver ever has room for.
    most: u32,
    /// The window field of the sender's segments, after the opening.
    field: u16,
    /// When the sender's last frame passes the capture point.
    last_ns: i64,
}

/// A TCP connection as it looks at the capture point, which lies between device and server: what one side sends is
/// seen at once, and what the other does about it is seen a round trip to that side later.
pub(super) struct Tcp {
    path: Path,
    device: Half,
    server: Half,
    scale: Option<u8>,
    mss: u16,
    /// The most that a segment carries at the capture point.
    unit: u16,
    rtt_ns: i64,
    /// Who owes an acknowledgement, and when it is sent at the latest.
    owed: Option<(Side, i64)>,
}

impl Tcp {
    pub(super) fn new(path: Path, rtt_ns: i64, nic: &mut Nic) -> Self {
        let stack = &nic.stack;
        let (mss, scale) = (stack.mss, stack.window_scale);
        let unit = stack.offload_bytes.unwrap_or(mss);
        let device_field = stack.window_bytes >> scale.unwrap_or(0);
        let server_field = SERVER_WINDOW >> scale.map_or(0, |_| SERVER_SCALE);
        let room = |bytes: u32| ((bytes - 1) / u32::from(unit)).max(1);
        let first = (FIRST_WINDOW * u32::from(mss) / u32::from(unit)).max(1);
        let device_room = room((device_field << scale.unwrap_or(0)).max(1));
        let mut half = |most: u32, field: u32| Half {
            seq: nic.chance.bits32(),
            window: first.min(most),
            most,
            field: u16::try_from(field).unwrap_or(u16::MAX),
            last_ns: i64::MIN,
        };
        let device = half(room(SERVER_WINDOW), device_field);
        let server = half(device_room, server_field);
        Self { path, device, server, scale, mss, unit, rtt_ns, owed: None }
    }

    pub(super) fn mss(&self) -> u16 {
        self.mss
    }

    /// The most that a segment carries at the capture point.
    pub(super) fn unit(&self) -> u16 {
        self.unit
    }

    /// Opens the connection; when the device can send.
    pub(super) fn open(&mut self, nic: &mut Nic, at: i64) -> i64 {
        let opening = nic.stack.window_bytes.min(u32::from(u16::MAX));
        let fields =
            [u16::try_from(opening).unwrap_or(u16::MAX), u16::try_from(SERVER_WINDOW).unwrap_or(u16::MAX)];
        let mut at = at;
        if nic.loses() {
            self.plan_opening(nic, at, Side::Device, fields[0]);
            at += SECOND_NS;
        }
        self.plan_opening(nic, at, Side::Device, fields[0]);
        self.device.seq = self.device.seq.wrapping_add(1);
        let answered = at + self.reaction(Side::Device, nic);
        self.plan_opening(nic, answered, Side::Server, fields[1]);
        self.server.seq = self.server.seq.wrapping_add(1);
        let opened = answered + self.reaction(Side::Server, nic);
        self.plan_ack(nic, opened, Side::Device);
        opened
    }

    /// Sends pieces, as many at a time as the window lets through; when the other side's answer can be seen, or when
    /// more of the message may follow.
    pub(super) fn send(&mut self, nic: &mut Nic, sending: Sending, pieces: &[Piece]) -> i64 {
        self.settle(nic, sending);
        let mut now = sending;
        let mut rest = pieces;
        let mut arrived = sending.at;
        while !rest.is_empty() {
            let window = usize::try_from(self.half(now.side).window).unwrap_or(1);
            let (flight, later) = rest.split_at(window.clamp(1, rest.len()));
            arrived = self.fly(nic, &mut now, flight, later.is_empty() && !sending.more);
            rest = later;
        }
        if now.more { now.at } else { arrived }
    }

    /// Sends the acknowledgement that is owed, when it is due before `until`.
    pub(super) fn settle_until(&mut self, nic: &mut Nic, until: i64) {
        if let Some((side, due)) = self.owed.filter(|(_, due)| *due < until) {
            self.plan_ack(nic, due, side);
            self.owed = None;
        }
    }

    /// Sends the acknowledgement that is owed at this time.
    fn settle_at(&mut self, nic: &mut Nic, at: i64) {
        if let Some((side, _)) = self.owed.take() {
            self.plan_ack(nic, at, side);
        }
    }

    /// Ends the connection in good order, `side` first.
    pub(super) fn close(&mut self, nic: &mut Nic, at: i64, side: Side) {
        self.settle_until(nic, at);
        let mut at = at;
        for closing in [side, side.other()] {
            let sent = self.plan(nic, at, closing, flag::FIN | flag::ACK, None);
            let half = self.half_mut(closing);
            half.seq = half.seq.wrapping_add(1);
            at = sent + self.reaction(closing, nic);
        }
        self.plan_ack(nic, at, side);
        self.owed = None;
    }

    /// Ends the connection at once.
    pub(super) fn reset(&mut self, nic: &mut Nic, at: i64) {
        self.settle_until(nic, at);
        self.plan(nic, at, Side::Device, flag::RST | flag::ACK, None);
        self.owed = None;
    }

    /// An acknowledgement owed is sent when its time is past, and rides on what its side sends.
    fn settle(&mut self, nic: &mut Nic, sending: Sending) {
        self.settle_until(nic, sending.at);
        if self.owed.is_some_and(|(side, _)| side == sending.side) {
            self.owed = None;
        }
    }

    /// Sends a window's worth of pieces and moves `now` to when the next may follow; when they have arrived.
    fn fly(&mut self, nic: &mut Nic, now: &mut Sending, flight: &[Piece], ends: bool) -> i64 {
        let side = now.side;
        let reaction = self.reaction(side, nic);
        let mut hole: Option<Hole> = None;
        for (index, piece) in flight.iter().enumerate() {
            let is_lost = hole.is_none() && nic.loses();
            let push = if ends && index + 1 == flight.len() { flag::PSH } else { 0 };
            let seq = self.half(side).seq;
            if !is_lost || nic.chance.happens(0.5) {
                now.at = self.plan_data(nic, now.at, (side, seq, push), piece);
            }
            self.half_mut(side).seq = seq.wrapping_add(u32::from(piece.bytes));
            if let Some(hole) = &mut hole {
                hole.last_duplicate_ns = self.plan_ack_of(nic, now.at + reaction, side.other(), hole.seq);
                hole.duplicates += 1;
            } else if is_lost {
                hole = Some(Hole {
                    piece: piece.clone(),
                    seq,
                    push,
                    at: now.at,
                    duplicates: 0,
                    last_duplicate_ns: 0,
                });
            } else {
                self.acknowledge(nic, now.at + reaction, side.other());
            }
            now.at += wire_ns(piece, now.byte_ns);
        }
        if let Some(hole) = hole {
            return self.mend(nic, now, &hole);
        }
        let half = self.half_mut(side);
        half.window = (2 * half.window).min(half.most);
        let arrived = now.at + reaction;
        if !ends {
            self.settle_at(nic, arrived);
            now.at = arrived + self.reaction(side.other(), nic);
        }
        arrived
    }

    /// Sends again what was lost; when all has arrived.
    fn mend(&mut self, nic: &mut Nic, now: &mut Sending, hole: &Hole) -> i64 {
        let side = now.side;
        let resent = if hole.duplicates >= DUPLICATES {
            hole.last_duplicate_ns + self.reaction(side.other(), nic)
        } else {
            hole.at + SHORTEST_TIMEOUT_NS.max(2 * self.rtt_ns)
        };
        let resent = self.plan_data(nic, resent.max(now.at), (side, hole.seq, hole.push), &hole.piece);
        let arrived = resent + self.reaction(side, nic);
        self.owed = None;
        self.plan_ack(nic, arrived, side.other());
        let half = self.half_mut(side);
        half.window = (half.window / 2).max(1);
        now.at = arrived + self.reaction(side.other(), nic);
        arrived
    }

    /// Acknowledges every second segment at once, and the others when nothing rides back in time.
    fn acknowledge(&mut self, nic: &mut Nic, at: i64, side: Side) {
        if self.owed.take().is_some() {
            self.plan_ack(nic, at, side);
        } else {
            self.owed = Some((side, at + ACK_DELAY_NS));
        }
    }

    /// Time from what `side` sends to what the other does about it, both seen at the capture point.
    fn reaction(&self, side: Side, nic: &mut Nic) -> i64 {
        match side {
            Side::Device => {
                self.rtt_ns + nic.between_ms(0.0, 0.08 * (self.rtt_ns / MILLISECOND_NS) as f64 + 0.3)
            }
            Side::Server => nic.lan_ns(),
        }
    }

    fn plan_data(
        &mut self,
        nic: &mut Nic,
        at: i64,
        (side, seq, push): (Side, u32, u8),
        piece: &Piece,
    ) -> i64 {
        let payload = Payload { head: piece.head.clone(), bytes: piece.bytes, key: seq };
        self.plan(nic, at, side, flag::ACK | push, Some((seq, payload)))
    }

    fn plan_ack(&mut self, nic: &mut Nic, at: i64, side: Side) -> i64 {
        self.plan(nic, at, side, flag::ACK, None)
    }

    /// An acknowledgement of an earlier byte.
    fn plan_ack_of(&mut self, nic: &mut Nic, at: i64, side: Side, ack: u32) -> i64 {
        let at = self.stamp(at, side);
        let segment = Segment { ack, ..self.segment(side, flag::ACK) };
        nic.plan_tcp(at, (self.path, side.is_up()), segment, Payload::EMPTY);
        at
    }

    fn plan(&mut self, nic: &mut Nic, at: i64, side: Side, flags: u8, data: Option<(u32, Payload)>) -> i64 {
        let at = self.stamp(at, side);
        let mut segment = self.segment(side, flags);
        let (seq, payload) = data.unwrap_or((segment.seq, Payload::EMPTY));
        segment.seq = seq;
        nic.plan_tcp(at, (self.path, side.is_up()), segment, payload);
        at
    }

    fn plan_opening(&mut self, nic: &mut Nic, at: i64, side: Side, window: u16) {
        let at = self.stamp(at, side);
        let scale = self.scale.map(|own| if side.is_up() { own } else { SERVER_SCALE });
        let mss = if side.is_up() { self.mss } else { 1460 };
        let (flags, ack) =
            if side.is_up() { (flag::SYN, 0) } else { (flag::SYN | flag::ACK, self.device.seq) };
        let options = Options::Opening { mss, scale };
        let segment = Segment { ack, window, options, ..self.segment(side, flags) };
        nic.plan_tcp(at, (self.path, side.is_up()), segment, Payload::EMPTY);
    }

    fn segment(&self, side: Side, flags: u8) -> Segment {
        let (own, other) = (self.half(side), self.half(side.other()));
        Segment { seq: own.seq, ack: other.seq, flags, window: own.field, options: Options::None }
    }

    /// The time at which the next frame of a side passes: frames of one side keep their order.
    fn stamp(&mut self, at: i64, side: Side) -> i64 {
        let half = self.half_mut(side);
        half.last_ns = at.max(half.last_ns.saturating_add(SPACING_NS));
        half.last_ns
    }

    fn half(&self, side: Side) -> &Half {
        match side {
            Side::Device => &self.device,
            Side::Server => &self.server,
        }
    }

    fn half_mut(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Device => &mut self.device,
            Side::Server => &mut self.server,
        }
    }
}

/// A segment that did not arrive.
struct Hole {
    piece: Piece,
    seq: u32,
    push: u8,
    at: i64,
    duplicates: u32,
    last_duplicate_ns: i64,
}

/// How long a piece occupies the link, headers included.
#[allow(clippy::cast_possible_truncation, reason = "a frame's time on a link is far below what an i64 holds")]
pub(super) fn wire_ns(piece: &Piece, byte_ns: f64) -> i64 {
    (f64::from(u32::from(piece.bytes) + 54) * byte_ns).min(60e9) as i64
}
