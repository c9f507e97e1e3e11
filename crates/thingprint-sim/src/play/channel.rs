use super::nic::Nic;
use super::script::Connect;
use super::tcp::{Piece, Sending, Side, Tcp};
use super::udp::Udp;
use crate::profile::{Hello, Speaks};
use crate::wire::{Head, Path, http, length16, tls};

/// How much of a message is planned at once, in bytes.
pub(super) const CHUNK_BYTES: u32 = 65_536;

/// The longest datagram of a protocol over UDP, in bytes.
const DATAGRAM_BYTES: u16 = 1200;

/// What carries a conversation.
pub(super) enum Channel {
    Tcp(Tcp),
    Udp(Udp),
}

impl Channel {
    /// Opens what carries a protocol, along a path of this round trip; when the device can send.
    pub(super) fn open(nic: &mut Nic, speaks: Speaks, (path, rtt_ns): (Path, i64), at: i64) -> (Self, i64) {
        match speaks {
            Speaks::Quic => {
                let (udp, opened) = Udp::open_quic(path, rtt_ns, nic, at);
                (Self::Udp(udp), opened)
            }
            Speaks::Udp => (Self::Udp(Udp::new(path, rtt_ns, nic)), at),
            Speaks::Tls | Speaks::Http | Speaks::Tcp => {
                let mut tcp = Tcp::new(path, rtt_ns, nic);
                let opened = tcp.open(nic, at);
                (Self::Tcp(tcp), opened)
            }
        }
    }

    /// Sends pieces; when the other side's answer can be seen.
    pub(super) fn send(&mut self, nic: &mut Nic, sending: Sending, pieces: &[Piece]) -> i64 {
        match self {
            Self::Tcp(tcp) => tcp.send(nic, sending, pieces),
            Self::Udp(udp) => udp.send(nic, sending, pieces),
        }
    }

    /// Sends what is due on the channel's own account before `until`.
    pub(super) fn settle_until(&mut self, nic: &mut Nic, until: i64) {
        if let Self::Tcp(tcp) = self {
            tcp.settle_until(nic, until);
        }
    }

    /// The most that one piece carries.
    fn piece_bytes(&self) -> u16 {
        match self {
            Self::Tcp(tcp) => tcp.unit(),
            Self::Udp(_) => DATAGRAM_BYTES,
        }
    }
}

/// A part of a message: who sends it, how long it is, and where in the message it stands.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) side: Side,
    pub(super) bytes: u32,
    /// The length of the whole message when this is its beginning.
    pub(super) begins: Option<u32>,
}

/// What turns messages of a protocol into pieces.
pub(super) struct Framing<'a> {
    pub(super) connect: &'a Connect,
    /// The server's name.
    pub(super) host: &'a str,
}

impl Framing<'_> {
    /// The pieces of a part of a message.
    pub(super) fn pieces(&self, channel: &Channel, part: Part) -> Vec<Piece> {
        let most = channel.piece_bytes();
        match (self.connect.connection.speaks, &self.connect.hello, channel) {
            (Speaks::Tls, Some(hello), _) => records(hello, part.bytes, most),
            (Speaks::Quic, _, Channel::Udp(udp)) => quic_packets(udp, part),
            (Speaks::Udp, ..) => self.datagrams(part),
            _ => stream(&self.head(part), part.bytes, most),
        }
    }

    /// What stands before the body of a message.
    fn head(&self, part: Part) -> Vec<u8> {
        let Some(whole) = part.begins else { return Vec::new() };
        let body = usize::try_from(whole).unwrap_or(usize::MAX);
        match (&self.connect.connection.request, part.side) {
            (Some(request), Side::Device) => http::request(request, self.host, body),
            (Some(request), Side::Server) => http::response(request, body),
            (None, _) => self.prefix(part.side).to_vec(),
        }
    }

    fn prefix(&self, side: Side) -> &[u8] {
        match side {
            Side::Device => &self.connect.connection.prefix_up.0,
            Side::Server => &self.connect.connection.prefix_down.0,
        }
    }

    /// Datagrams, each with the prefix of its sender; the prefix counts as part of the message.
    fn datagrams(&self, part: Part) -> Vec<Piece> {
        let prefix = self.prefix(part.side);
        let head = || if prefix.is_empty() { Head::None } else { Head::Bytes(prefix.into()) };
        let least = length16(prefix.len());
        lengths(part.bytes, DATAGRAM_BYTES)
            .map(|bytes| Piece { head: head(), bytes: bytes.max(least) })
            .collect()
    }
}

/// The pieces of bytes written beforehand.
pub(super) fn exact(bytes: &[u8], most: u16) -> Vec<Piece> {
    let piece = |part: &[u8]| Piece { head: Head::Bytes(part.into()), bytes: length16(part.len()) };
    bytes.chunks(usize::from(most.max(1))).map(piece).collect()
}

/// A head and noise after it, cut into segments.
fn stream(head: &[u8], body_bytes: u32, most: u16) -> Vec<Piece> {
    let mut pieces = exact(head, most);
    let mut left = body_bytes;
    if let Some(last) = pieces.last_mut() {
        let room = u32::from(most - last.bytes).min(left);
        last.bytes += u16::try_from(room).unwrap_or(0);
        left -= room;
    }
    pieces.extend(lengths(left, most).map(|bytes| Piece { head: Head::None, bytes }));
    pieces
}

/// Application data in records that fill whole segments as far as they can.
fn records(hello: &Hello, bytes: u32, most: u16) -> Vec<Piece> {
    let overhead = tls::overhead_bytes(hello);
    let whole_segments = (tls::LONGEST_RECORD / usize::from(most)).max(1);
    let longest = (whole_segments * usize::from(most) - 5).min(tls::LONGEST_RECORD);
    let mut left = usize::try_from(bytes).unwrap_or(0);
    let mut pieces = Vec::new();
    while left > 0 {
        let body = (left + overhead).min(longest);
        left -= body - overhead;
        let mut head = Head::Record(tls::data_head(hello, body));
        for bytes in lengths(u32::try_from(5 + body).unwrap_or(0), most) {
            pieces.push(Piece { head, bytes });
            head = Head::None;
        }
    }
    pieces
}

fn quic_packets(udp: &Udp, part: Part) -> Vec<Piece> {
    let piece = |bytes: u16| Piece { head: udp.data_head(part.side), bytes: bytes.max(30) };
    lengths(part.bytes, DATAGRAM_BYTES).map(piece).collect()
}

/// The lengths of the pieces of `bytes` bytes, all but the last as long as can be.
fn lengths(bytes: u32, most: u16) -> impl Iterator<Item = u16> {
    let most = u32::from(most.max(1));
    (0..bytes.div_ceil(most))
        .map(move |index| u16::try_from((bytes - index * most).min(most)).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_sum_to_the_whole() {
        let cut = |bytes| lengths(bytes, 100).collect::<Vec<_>>();
        assert_eq!(cut(0), [0_u16; 0]);
        assert_eq!(cut(99), [99]);
        assert_eq!(cut(200), [100, 100]);
        assert_eq!(cut(201), [100, 100, 1]);
    }

    #[test]
    fn a_head_shares_its_last_segment_with_the_body() {
        let pieces = stream(&[1; 130], 150, 100);
        let lengths: Vec<u16> = pieces.iter().map(|piece| piece.bytes).collect();
        assert_eq!(lengths, [100, 100, 80]);
    }
}
