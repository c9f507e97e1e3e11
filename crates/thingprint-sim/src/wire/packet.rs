use std::net::Ipv4Addr;

use super::{Noise, Sum, length16, put16, put32};

/// Length of an Ethernet header.
const ETHERNET_BYTES: usize = 14;
/// Length of an IPv4 header without options.
const IPV4_BYTES: usize = 20;
/// The shortest Ethernet frame, without its check sequence.
const SHORTEST_BYTES: usize = 60;

/// TCP flags, RFC 9293 §3.1.
pub(crate) mod flag {
    pub(crate) const FIN: u8 = 0x01;
    pub(crate) const SYN: u8 = 0x02;
    pub(crate) const RST: u8 = 0x04;
    pub(crate) const PSH: u8 = 0x08;
    pub(crate) const ACK: u8 = 0x10;
}

/// One end of a conversation, as the capture point sees it.
#[derive(Clone, Copy)]
pub(crate) struct End {
    pub(crate) mac: [u8; 6],
    pub(crate) ip: Ipv4Addr,
    pub(crate) port: u16,
    /// Time to live of what comes from this end.
    pub(crate) ttl: u8,
}

/// Both ends of a conversation.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    pub(crate) device: End,
    pub(crate) peer: End,
}

/// An IPv4 datagram before it is written.
pub(crate) struct Datagram {
    pub(crate) path: Path,
    /// Whether it comes from the device.
    pub(crate) up: bool,
    pub(crate) transport: Transport,
    pub(crate) payload: Payload,
}

/// The transport header of a datagram.
#[derive(Clone, Copy)]
pub(crate) enum Transport {
    Udp,
    Tcp(Segment),
    /// The payload is the whole ICMP message.
    Icmp,
}

/// The fields of a TCP header that differ between segments.
#[derive(Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) options: Options,
}

/// The options of a TCP header.
#[derive(Clone, Copy)]
pub(crate) enum Options {
    None,
    /// What opens a connection: the maximum segment size, and the window scale when one is offered.
    Opening {
        mss: u16,
        scale: Option<u8>,
    },
}

/// What a datagram carries: a head with meaning, then noise.
#[derive(Clone)]
pub(crate) struct Payload {
    pub(crate) head: Head,
    /// Length of head and noise together.
    pub(crate) bytes: u16,
    /// Which noise.
    pub(crate) key: u32,
}

/// The part of a payload that has a meaning.
#[derive(Clone)]
pub(crate) enum Head {
    None,
    /// The five bytes that a TLS record begins with.
    Record([u8; 5]),
    Bytes(Box<[u8]>),
}

impl Head {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Record(bytes) => bytes,
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Payload {
    /// Nothing.
    pub(crate) const EMPTY: Self = Self { head: Head::None, bytes: 0, key: 0 };

    /// These bytes and no noise.
    pub(crate) fn exact(bytes: Vec<u8>) -> Self {
        Self { bytes: length16(bytes.len()), head: Head::Bytes(bytes.into_boxed_slice()), key: 0 }
    }

    /// The sum of all bytes.
    fn sum(&self, noise: &Noise) -> Sum {
        let head = self.head.bytes();
        let rest = noise.sum(self.key, self.noise_bytes());
        Sum::default().bytes(head).part(if head.len() % 2 == 1 { rest.swapped() } else { rest })
    }

    fn noise_bytes(&self) -> usize {
        usize::from(self.bytes).saturating_sub(self.head.bytes().len())
    }
}

impl Datagram {
    /// Writes the frame into `frame`, no more than `limit` bytes of it, and returns its true length.
    pub(crate) fn write(&self, id: u16, noise: &Noise, limit: usize, frame: &mut Vec<u8>) -> usize {
        frame.clear();
        let (from, to) =
            if self.up { (&self.path.device, &self.path.peer) } else { (&self.path.peer, &self.path.device) };
        let transport_bytes = self.transport.header_bytes() + usize::from(self.payload.bytes);
        write_ethernet(to.mac, from.mac, 0x0800, frame);
        self.write_ipv4([from, to], id, transport_bytes, frame);
        let pseudo = Sum::default()
            .bytes(&from.ip.octets())
            .bytes(&to.ip.octets())
            .word(u16::from(self.transport.protocol()))
            .word(length16(transport_bytes))
            .part(self.payload.sum(noise));
        self.transport.write([from, to], transport_bytes, pseudo, frame);
        frame.extend_from_slice(self.payload.head.bytes());
        let room = limit.saturating_sub(frame.len());
        let wanted = self.payload.noise_bytes();
        frame.extend_from_slice(
            noise.slice(self.payload.key, wanted).get(..room.min(wanted)).unwrap_or_default(),
        );
        finish_frame(ETHERNET_BYTES + IPV4_BYTES + transport_bytes, limit, frame)
    }

    fn write_ipv4(&self, [from, to]: [&End; 2], id: u16, transport_bytes: usize, frame: &mut Vec<u8>) {
        let start = frame.len();
        frame.extend_from_slice(&[0x45, 0]);
        put16(frame, length16(IPV4_BYTES + transport_bytes));
        put16(frame, if self.up { id } else { 0 });
        frame.extend_from_slice(&[0x40, 0, from.ttl, self.transport.protocol(), 0, 0]);
        frame.extend_from_slice(&from.ip.octets());
        frame.extend_from_slice(&to.ip.octets());
        let checksum = Sum::default().bytes(&frame[start..]).finish();
        frame[start + 10..start + 12].copy_from_slice(&checksum.to_be_bytes());
    }
}

impl Transport {
    fn protocol(&self) -> u8 {
        match self {
            Self::Icmp => 1,
            Self::Tcp(_) => 6,
            Self::Udp => 17,
        }
    }

    fn header_bytes(&self) -> usize {
        match self {
            Self::Icmp => 0,
            Self::Udp => 8,
            Self::Tcp(Segment { options: Options::None, .. }) => 20,
            Self::Tcp(Segment { options: Options::Opening { scale: None, .. }, .. }) => 24,
            Self::Tcp(Segment { options: Options::Opening { scale: Some(_), .. }, .. }) => 28,
        }
    }

    /// Appends the header; `pseudo` is the sum of pseudo-header and payload.
    fn write(&self, [from, to]: [&End; 2], transport_bytes: usize, pseudo: Sum, frame: &mut Vec<u8>) {
        let start = frame.len();
        if !matches!(self, Self::Icmp) {
            put16(frame, from.port);
            put16(frame, to.port);
        }
        match self {
            Self::Icmp => {}
            Self::Udp => {
                put16(frame, length16(transport_bytes));
                let checksum = pseudo.bytes(&frame[start..]).finish_udp();
                put16(frame, checksum);
            }
            Self::Tcp(segment) => {
                segment.write(self.header_bytes(), frame);
                let checksum = pseudo.bytes(&frame[start..]).finish();
                frame[start + 16..start + 18].copy_from_slice(&checksum.to_be_bytes());
            }
        }
    }
}

impl Segment {
    fn write(&self, header_bytes: usize, frame: &mut Vec<u8>) {
        put32(frame, self.seq);
        put32(frame, self.ack);
        let offset = u8::try_from(header_bytes / 4).unwrap_or(15) << 4;
        frame.extend_from_slice(&[offset, self.flags]);
        put16(frame, self.window);
        frame.extend_from_slice(&[0, 0, 0, 0]);
        if let Options::Opening { mss, scale } = self.options {
            frame.extend_from_slice(&[2, 4]);
            put16(frame, mss);
            if let Some(scale) = scale {
                frame.extend_from_slice(&[1, 3, 3, scale]);
            }
        }
    }
}

/// Appends an Ethernet header.
pub(super) fn write_ethernet(to: [u8; 6], from: [u8; 6], ether_type: u16, frame: &mut Vec<u8>) {
    frame.extend_from_slice(&to);
    frame.extend_from_slice(&from);
    put16(frame, ether_type);
}

/// Pads a frame of `length` bytes to the shortest length, cuts it to `limit`, and returns its true length.
pub(super) fn finish_frame(length: usize, limit: usize, frame: &mut Vec<u8>) -> usize {
    let original = length.max(SHORTEST_BYTES);
    if length < SHORTEST_BYTES {
        frame.resize(SHORTEST_BYTES, 0);
    }
    frame.truncate(limit);
    original
}

#[cfg(test)]
mod tests {
    use etherparse::{NetSlice, SlicedPacket, TransportSlice};
    use proptest::prelude::*;

    use super::*;

    fn datagram(transport: Transport, head: Vec<u8>, bytes: u16) -> Datagram {
        let end = |last: u8, port| End {
            mac: [2, 0, 0, 0, 0, last],
            ip: Ipv4Addr::new(192, 168, 20, last),
            port,
            ttl: 64,
        };
        let path = Path { device: end(7, 40_000), peer: end(9, 443) };
        let payload = Payload { head: Head::Bytes(head.into_boxed_slice()), bytes, key: u32::from(bytes) };
        Datagram { path, up: true, transport, payload }
    }

    fn segment(options: Options) -> Transport {
        Transport::Tcp(Segment { seq: 1, ack: 2, flags: flag::ACK, window: 3, options })
    }

    /// Checks what an independent reader says of a frame: lengths and checksums.
    fn check(datagram: &Datagram) {
        let mut frame = Vec::new();
        let length = datagram.write(17, &Noise::new(3), usize::MAX, &mut frame);
        assert_eq!(frame.len(), length);
        assert!(length >= 60);
        let packet = SlicedPacket::from_ethernet(&frame).unwrap();
        let Some(NetSlice::Ipv4(ip)) = &packet.net else { panic!("no IPv4") };
        let header = ip.header().to_header();
        assert_eq!(header.header_checksum, header.calc_header_checksum());
        match &packet.transport {
            Some(TransportSlice::Tcp(tcp)) => {
                assert_eq!(tcp.payload().len(), usize::from(datagram.payload.bytes));
                assert_eq!(
                    tcp.checksum(),
                    tcp.calc_checksum_ipv4(header.source, header.destination).unwrap()
                );
            }
            Some(TransportSlice::Udp(udp)) => {
                assert_eq!(udp.payload().len(), usize::from(datagram.payload.bytes));
                let computed = udp.to_header().calc_checksum_ipv4(&header, udp.payload()).unwrap();
                assert_eq!(udp.checksum(), computed);
            }
            other => panic!("neither TCP nor UDP: {other:?}"),
        }
    }

    #[test]
    fn an_opening_carries_its_options() {
        check(&datagram(segment(Options::Opening { mss: 1460, scale: None }), vec![], 0));
        check(&datagram(segment(Options::Opening { mss: 536, scale: Some(7) }), vec![], 0));
    }

    proptest! {
        #[test]
        fn every_payload_has_its_checksum(
            head in proptest::collection::vec(any::<u8>(), 0..80),
            noise in 0_u16..1380,
            is_udp in any::<bool>(),
        ) {
            let transport = if is_udp { Transport::Udp } else { segment(Options::None) };
            let bytes = length16(head.len()) + noise;
            check(&datagram(transport, head, bytes));
        }

        #[test]
        fn a_short_capture_is_the_beginning_of_the_whole(bytes in 0_u16..1400, limit in 0_usize..1600) {
            let datagram = datagram(segment(Options::None), vec![9; usize::from(bytes / 3)], bytes);
            let (mut whole, mut short) = (Vec::new(), Vec::new());
            let noise = Noise::new(5);
            let length = datagram.write(1, &noise, usize::MAX, &mut whole);
            prop_assert_eq!(datagram.write(1, &noise, limit, &mut short), length);
            prop_assert_eq!(&short[..], &whole[..limit.min(length)]);
        }
    }
}
