//! Frames written byte by byte, and captures of them.

use std::io::Cursor;
use std::sync::Arc;

use thingprint_flow::{Capture, CaptureWriter, Timestamp};
use thingprint_pipeline::{Captures, Source};

/// A host: its link address and the last byte of its private IP address.
pub(crate) type Host = ([u8; 6], [u8; 4]);

/// A frame with its time in milliseconds.
pub(crate) type Timed = (i64, Vec<u8>);

/// A TCP segment without options; `flags` is the byte of control bits.
pub(crate) fn tcp(from: (Host, u16), to: (Host, u16), numbers: (u32, u32), flags: u8) -> Vec<u8> {
    tcp_with(from, to, (numbers, flags), &[])
}

/// A TCP segment with payload.
pub(crate) fn tcp_with(
    from: (Host, u16),
    to: (Host, u16),
    ((seq, ack), flags): ((u32, u32), u8),
    payload: &[u8],
) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(from.1.to_be_bytes());
    body.extend(to.1.to_be_bytes());
    body.extend(seq.to_be_bytes());
    body.extend(ack.to_be_bytes());
    body.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    body.extend(payload);
    frame(from.0, to.0, 6, &body)
}

/// A UDP datagram with four bytes of payload.
pub(crate) fn udp(from: (Host, u16), to: (Host, u16)) -> Vec<u8> {
    udp_with(from, to, &[1, 2, 3, 4])
}

/// A UDP datagram.
pub(crate) fn udp_with(from: (Host, u16), to: (Host, u16), payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(from.1.to_be_bytes());
    body.extend(to.1.to_be_bytes());
    body.extend(u16::try_from(8 + payload.len()).unwrap().to_be_bytes());
    body.extend([0, 0]);
    body.extend(payload);
    frame(from.0, to.0, 17, &body)
}

/// An IP packet as a router passes it on, which takes hops off.
pub(crate) fn forwarded(mut frame: Vec<u8>, hops: u8) -> Vec<u8> {
    frame[22] -= hops;
    frame
}

fn frame(from: Host, to: Host, protocol: u8, body: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + body.len()).unwrap().to_be_bytes();
    let mut bytes =
        [&to.0[..], &from.0, &[8, 0, 0x45, 0], &total, &[0, 0, 0, 0, 64, protocol, 0, 0]].concat();
    bytes.extend(from.1);
    bytes.extend(to.1);
    bytes.extend(body);
    bytes
}

/// A pcap file of Ethernet frames.
pub(crate) fn capture(frames: &[Timed]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for (at_ms, bytes) in frames {
        let time = Timestamp::from_nanos(at_ms * 1_000_000);
        writer.write(time, bytes, u32::try_from(bytes.len()).unwrap()).unwrap();
    }
    writer.finish().unwrap()
}

/// A source of one or more captures.
pub(crate) fn source(captures: Vec<Vec<u8>>, is_rewindable: bool) -> impl Source {
    let captures: Vec<Arc<[u8]>> = captures.into_iter().map(Into::into).collect();
    Captures::new(is_rewindable, move || {
        let named = captures.iter().enumerate().map(|(at, bytes)| {
            let bytes = Arc::clone(bytes);
            Capture::new(format!("{at}.pcap"), move || Ok(Box::new(Cursor::new(Vec::from(&*bytes)))))
        });
        named.collect()
    })
}
