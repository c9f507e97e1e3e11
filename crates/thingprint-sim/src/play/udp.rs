use super::nic::Nic;
use super::tcp::{Piece, Sending, Side, wire_ns};
use crate::clock::MILLISECOND_NS;
use crate::wire::quic::Ids;
use crate::wire::{Head, Path, Payload};

/// The size of QUIC packets that fill a datagram (RFC 9000 §14.1).
const QUIC_BYTES: u16 = 1200;
/// How many QUIC packets are acknowledged together.
const QUIC_ACK_EVERY: usize = 6;

/// A conversation by UDP datagrams.
pub(super) struct Udp {
    path: Path,
    rtt_ns: i64,
    quic: Option<Ids>,
    /// Tells the noise of one datagram from that of the next.
    key: u32,
}

impl Udp {
    pub(super) fn new(path: Path, rtt_ns: i64, nic: &mut Nic) -> Self {
        Self { path, rtt_ns, quic: None, key: nic.chance.bits32() }
    }

    /// A conversation that looks like QUIC; when the device can send.
    pub(super) fn open_quic(path: Path, rtt_ns: i64, nic: &mut Nic, at: i64) -> (Self, i64) {
        let ids = Ids { device: nic.chance.bytes(), server: nic.chance.bytes() };
        let piece = |head: Head, bytes: u16| Piece { head, bytes };
        let long = |up, bytes: u16| piece(ids.initial(up, usize::from(bytes)), bytes);
        let middle = |up, bytes: u16| piece(ids.handshake(up, usize::from(bytes)), bytes);
        let first = [long(true, QUIC_BYTES)];
        let rest = 400 + nic.chance.bits16() % 700;
        let answer = [long(false, QUIC_BYTES), middle(false, QUIC_BYTES), middle(false, rest)];
        let last = [long(true, QUIC_BYTES), middle(true, 90)];
        let handshake = |at| Sending { at, side: Side::Device, byte_ns: 200.0, more: false };
        let mut udp = Self::new(path, rtt_ns, nic);
        let mut at = udp.send(nic, Sending { side: Side::Device, ..handshake(at) }, &first);
        at = udp.send(nic, Sending { side: Side::Server, ..handshake(at) }, &answer);
        udp.send(nic, Sending { side: Side::Device, ..handshake(at) }, &last);
        udp.quic = Some(ids);
        (udp, at + MILLISECOND_NS)
    }

    /// The head of each datagram that carries data, where the protocol has one.
    pub(super) fn data_head(&self, side: Side) -> Head {
        self.quic.as_ref().map_or(Head::None, |ids| ids.short(side == Side::Device))
    }

    /// Sends pieces, one datagram each; when the other side's answer can be seen, or when more of the message may
    /// follow.
    pub(super) fn send(&mut self, nic: &mut Nic, sending: Sending, pieces: &[Piece]) -> i64 {
        let Sending { mut at, side, byte_ns, more } = sending;
        let reaction = match side {
            Side::Device => self.rtt_ns + nic.between_ms(0.0, 2.0),
            Side::Server => nic.lan_ns(),
        };
        for (index, piece) in pieces.iter().enumerate() {
            self.plan(nic, at, side, piece);
            if self.quic.is_some() && index % QUIC_ACK_EVERY == QUIC_ACK_EVERY - 1 {
                let ack = Piece { head: self.data_head(side.other()), bytes: 33 };
                self.plan(nic, at + reaction, side.other(), &ack);
            }
            at += wire_ns(piece, byte_ns);
        }
        if more { at } else { at + reaction }
    }

    fn plan(&mut self, nic: &mut Nic, at: i64, side: Side, piece: &Piece) {
        self.key = self.key.wrapping_add(1);
        let payload = Payload { head: piece.head.clone(), bytes: piece.bytes, key: self.key };
        nic.plan_udp(at, (self.path, side == Side::Device), payload);
    }
}
