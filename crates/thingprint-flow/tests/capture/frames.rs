//! Frames and captures, written byte by byte or with etherparse.
use std::io::Write;

use etherparse::{EtherType, IpNumber, Ipv4Header, PacketBuilder};
use thingprint_flow::Timestamp;

pub(crate) const CAMERA: [u8; 6] = [0x70, 0xee, 0x50, 0, 0, 1];
pub(crate) const ROUTER: [u8; 6] = [0x14, 0xcc, 0x20, 0, 0, 3];
pub(crate) const CAMERA_IP: [u8; 4] = [192, 168, 1, 10];
pub(crate) const SERVER_IP: [u8; 4] = [52, 1, 2, 3];

/// A frame at a time, with its length on the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Captured {
    pub(crate) nanos: i64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) wire_bytes: u32,
}

impl Captured {
    /// A whole frame.
    pub(crate) fn at(nanos: i64, bytes: Vec<u8>) -> Self {
        let wire_bytes = u32::try_from(bytes.len()).unwrap();
        Self { nanos, bytes, wire_bytes }
    }

    /// The frame as a snap length leaves it.
    pub(crate) fn cut(mut self, snap_length: usize) -> Self {
        self.bytes.truncate(snap_length);
        self
    }

    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::from_nanos(self.nanos)
    }
}

/// An Ethernet frame with UDP from the camera to the server.
pub(crate) fn udp_frame(payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(CAMERA, ROUTER).ipv4(CAMERA_IP, SERVER_IP, 64).udp(40_000, 123);
    let mut frame = Vec::new();
    builder.write(&mut frame, payload).unwrap();
    frame
}

/// An Ethernet frame with a TCP segment of sequence number 7 and PSH, ACK.
pub(crate) fn tcp_frame(payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(CAMERA, ROUTER)
        .ipv4(CAMERA_IP, SERVER_IP, 64)
        .tcp(40_000, 443, 7, 1024)
        .psh()
        .ack(1);
    let mut frame = Vec::new();
    builder.write(&mut frame, payload).unwrap();
    frame
}

/// An IPv4 packet with any body.
pub(crate) fn ipv4(protocol: IpNumber, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    let header = Ipv4Header::new(length, 64, protocol, CAMERA_IP, SERVER_IP).unwrap();
    [header.to_bytes().as_slice(), body].concat()
}

/// An IPv6 packet with any body, of which `next_header` is the first header.
pub(crate) fn ipv6(next_header: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let (src, dst) = ([0xfd, 1], [0x20, 1]);
    [&[0x60, 0, 0, 0], &length[..], &[next_header, 64], &src, &[0; 14], &dst, &[0; 14], body].concat()
}

/// UDP from port 40000 to 123 without checksum.
pub(crate) fn udp(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
    [&40_000_u16.to_be_bytes(), &123_u16.to_be_bytes(), &length, &[0, 0], payload].concat()
}

/// An Ethernet frame from the camera to the router.
pub(crate) fn ethernet(ether_type: EtherType, body: &[u8]) -> Vec<u8> {
    [&ROUTER[..], &CAMERA, &ether_type.0.to_be_bytes(), body].concat()
}

/// The byte order of a capture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) fn u16(self, value: u16) -> [u8; 2] {
        if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(crate) fn u32(self, value: u32) -> [u8; 4] {
        if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(crate) fn i64(self, value: i64) -> [u8; 8] {
        if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}

/// How a pcap capture is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pcap {
    pub(crate) order: Order,
    pub(crate) magic: u32,
    pub(crate) link: u32,
    pub(crate) snap_length: u32,
}

impl Pcap {
    pub(crate) const MICROS: u32 = 0xa1b2_c3d4;
    pub(crate) const NANOS: u32 = 0xa1b2_3c4d;
    pub(crate) const MODIFIED: u32 = 0xa1b2_cd34;

    /// Ethernet, nanoseconds, little-endian.
    pub(crate) fn plain() -> Self {
        Self { order: Order::Little, magic: Self::NANOS, link: 1, snap_length: 262_144 }
    }

    pub(crate) fn with_link(link: u32) -> Self {
        Self { link, ..Self::plain() }
    }

    pub(crate) fn write(self, frames: &[Captured]) -> Vec<u8> {
        let Self { order, magic, link, snap_length } = self;
        let mut file =
            [order.u32(magic), [0; 4], [0; 4], [0; 4], order.u32(snap_length), order.u32(link)].concat();
        file[4..6].copy_from_slice(&order.u16(2));
        file[6..8].copy_from_slice(&order.u16(4));
        for frame in frames {
            file.extend(self.record(frame));
        }
        file
    }

    pub(crate) fn record(self, frame: &Captured) -> Vec<u8> {
        let unit = if self.magic == Self::NANOS { 1 } else { 1_000 };
        let seconds = u32::try_from(frame.nanos / 1_000_000_000).unwrap();
        let fraction = u32::try_from(frame.nanos % 1_000_000_000 / unit).unwrap();
        let captured = u32::try_from(frame.bytes.len()).unwrap();
        let fields = [seconds, fraction, captured, frame.wire_bytes].map(|field| self.order.u32(field));
        let extra: &[u8] = if self.magic == Self::MODIFIED { &[0; 8] } else { &[] };
        [fields.as_flattened(), extra, &frame.bytes].concat()
    }
}

/// A pcapng section in the making.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) order: Order,
    pub(crate) bytes: Vec<u8>,
}

impl Section {
    pub(crate) fn new(order: Order) -> Self {
        let mut section = Self { order, bytes: Vec::new() };
        let body = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &order.i64(-1)].concat();
        section.block(0x0a0d_0d0a, &body);
        section
    }

    /// Any block; the body is padded.
    pub(crate) fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let padded = body.len().next_multiple_of(4);
        let length = self.order.u32(u32::try_from(12 + padded).unwrap());
        self.bytes.extend([self.order.u32(kind), length].concat());
        self.bytes.extend(body);
        self.bytes.extend(vec![0; padded - body.len()]);
        self.bytes.extend(length);
        self
    }

    /// An interface with options, each a code and a value.
    pub(crate) fn interface(&mut self, link: u16, snap_length: u32, options: &[(u16, &[u8])]) -> &mut Self {
        let order = self.order;
        let mut body = [&order.u16(link)[..], &[0; 2], &order.u32(snap_length)].concat();
        for (code, value) in options {
            body.extend(order.u16(*code));
            body.extend(order.u16(u16::try_from(value.len()).unwrap()));
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.block(1, &body)
    }

    /// An Ethernet interface that counts microseconds.
    pub(crate) fn ethernet(&mut self) -> &mut Self {
        self.interface(1, 0, &[])
    }

    /// An enhanced packet block; `units` is its time in the interface's unit.
    pub(crate) fn packet(&mut self, interface: u32, units: u64, frame: &[u8]) -> &mut Self {
        let length = u32::try_from(frame.len()).unwrap();
        let (high, low) = (u32::try_from(units >> 32).unwrap(), u32::try_from(units & 0xffff_ffff).unwrap());
        let fields = [interface, high, low, length, length].map(|field| self.order.u32(field));
        self.block(6, &[fields.as_flattened(), frame].concat())
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
