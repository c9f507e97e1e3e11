//! Reads captures as a trace and keeps what was seen.
use std::io::{Cursor, Read};
use std::net::IpAddr;

use thingprint_flow::{
    ByteStream, Capture, CaptureError, DecodeCounts, Decoder, Frame, LinkType, MacAddr, Packet, PlacedPacket,
    Timestamp, Trace, TraceOptions, Transport,
};

/// A packet that outlives its frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) time: Timestamp,
    pub(crate) src_mac: Option<MacAddr>,
    pub(crate) dst_mac: Option<MacAddr>,
    pub(crate) wire_bytes: u32,
    pub(crate) ip: Option<SeenIp>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeenIp {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) ttl: u8,
    pub(crate) total_bytes: u32,
    pub(crate) transport: Transport,
    pub(crate) ports: (u16, u16),
    pub(crate) payload: Vec<u8>,
    pub(crate) payload_bytes: u32,
}

impl Seen {
    pub(crate) fn of(packet: &Packet<'_>) -> Self {
        let Packet { time, src_mac, dst_mac, wire_bytes, ip, other: _ } = *packet;
        let ip = ip.map(|ip| SeenIp {
            src: ip.src,
            dst: ip.dst,
            ttl: ip.ttl,
            total_bytes: ip.total_bytes,
            transport: ip.transport,
            ports: (ip.src_port, ip.dst_port),
            payload: ip.payload.to_vec(),
            payload_bytes: ip.payload_bytes,
        });
        Self { time, src_mac, dst_mac, wire_bytes, ip }
    }
}

/// What a trace gave.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) packets: Vec<Seen>,
    pub(crate) captures: Vec<usize>,
    pub(crate) problems: Vec<CaptureError>,
    pub(crate) counts: DecodeCounts,
    pub(crate) bytes_read: u64,
}

/// A capture of bytes in memory.
pub(crate) fn capture(name: &str, bytes: Vec<u8>) -> Capture {
    Capture::new(name, move || Ok(Box::new(Cursor::new(bytes.clone())) as ByteStream))
}

/// Reads one capture.
pub(crate) fn read(bytes: &[u8]) -> Reading {
    read_all(vec![capture("home.pcap", bytes.to_vec())], TraceOptions::default())
}

/// Reads captures to the end of the trace.
pub(crate) fn read_all(captures: Vec<Capture>, options: TraceOptions) -> Reading {
    let mut trace = Trace::new(captures, options);
    let (mut packets, mut captures) = (Vec::new(), Vec::new());
    while let Some(PlacedPacket { capture, packet, .. }) = trace.next_placed() {
        packets.push(Seen::of(&packet));
        captures.push(capture);
    }
    assert!(trace.next_packet().is_none(), "a trace that has ended stays so");
    Reading {
        packets,
        captures,
        problems: trace.problems().to_vec(),
        counts: trace.counts().clone(),
        bytes_read: trace.bytes_read(),
    }
}

/// Decodes one whole frame.
pub(crate) fn decode(link: LinkType, bytes: &[u8]) -> (Seen, DecodeCounts) {
    decode_cut(link, bytes, bytes.len())
}

/// Decodes one frame that had `wire_bytes` bytes on the wire.
pub(crate) fn decode_cut(link: LinkType, bytes: &[u8], wire_bytes: usize) -> (Seen, DecodeCounts) {
    let mut decoder = Decoder::default();
    let wire_bytes = u32::try_from(wire_bytes).unwrap();
    let seen = Seen::of(&decoder.decode(Frame {
        time: Timestamp::default(),
        link,
        wire_bytes,
        bytes,
        ..Frame::default()
    }));
    (seen, decoder.counts().clone())
}

/// Hands out one byte at a time, as a slow pipe may.
pub(crate) struct Trickle(pub(crate) Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let room = buf.len().min(1);
        self.0.read(&mut buf[..room])
    }
}
