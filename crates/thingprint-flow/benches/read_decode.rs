//! Time for one packet, from bytes in memory to `Packet`, by format and compression.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;
use std::io::{Cursor, Write};
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use etherparse::PacketBuilder;
use thingprint_flow::{Capture, CaptureWriter, Decoder, Frame, LinkType, Timestamp, Trace, TraceOptions};

const PACKETS: u32 = 100_000;

/// Bytes that can be read again and again without a copy.
#[derive(Clone)]
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Frames as a home has them: seven of ten TCP, three of them full, the rest UDP, one in twenty IPv6.
fn frames() -> Vec<(Timestamp, Vec<u8>)> {
    (0..PACKETS).map(|n| (Timestamp::from_nanos(i64::from(n) * 35_000_000), frame(n))).collect()
}

fn frame(n: u32) -> Vec<u8> {
    let [.., high, low] = n.to_be_bytes();
    let camera = [0x70, 0xee, 0x50, 0, 0, low];
    let link = PacketBuilder::ethernet2(camera, [0x14, 0xcc, 0x20, 0, 0, 3]);
    let size = if n.is_multiple_of(3) { 1400 } else { 60 + usize::from(low) };
    let payload = vec![low; size];
    let mut frame = Vec::new();
    let port = 32_768 + u16::from(high);
    if n.is_multiple_of(20) {
        let source = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, low];
        link.ipv6(source, [0x20; 16], 64).udp(port, 443).write(&mut frame, &payload).unwrap();
    } else if n % 10 < 7 {
        let ip = link.ipv4([192, 168, 1, low], [52, 1, 2, high], 64);
        ip.tcp(port, 443, n, 1024).ack(n).write(&mut frame, &payload).unwrap();
    } else {
        let ip = link.ipv4([192, 168, 1, low], [52, 1, 2, high], 64);
        ip.udp(port, 123).write(&mut frame, &payload).unwrap();
    }
    frame
}

fn pcap(frames: &[(Timestamp, Vec<u8>)]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for (time, frame) in frames {
        writer.write(*time, frame, 0).unwrap();
    }
    writer.finish().unwrap()
}

fn pcapng(frames: &[(Timestamp, Vec<u8>)]) -> Vec<u8> {
    let mut file =
        block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    file.extend(block(1, &[1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0]));
    for (time, frame) in frames {
        let [h0, h1, h2, h3, l0, l1, l2, l3] = time.as_nanos().to_be_bytes();
        let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
        let head = [[0; 4], [h3, h2, h1, h0], [l3, l2, l1, l0], length, length].concat();
        file.extend(block(6, &[&head, &frame[..]].concat()));
    }
    file
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let length = u32::try_from(12 + body.len() + padding.len()).unwrap().to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &padding, &length].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Reads captures to the end and sums up something of each packet.
fn read(files: &[Shared], options: TraceOptions) -> u64 {
    let captures = files.iter().map(|file| {
        let file = file.clone();
        Capture::new("memory", move || Ok(Box::new(Cursor::new(file.clone())) as _))
    });
    let mut trace = Trace::new(captures.collect(), options);
    let mut bytes = 0;
    while let Some(packet) = trace.next_packet() {
        bytes += packet.ip.map_or(0, |ip| u64::from(ip.total_bytes) + u64::from(ip.src_port));
    }
    bytes
}

fn trace(criterion: &mut Criterion) {
    let frames = frames();
    let halves: Vec<Vec<_>> =
        (0..2).map(|half| frames.iter().skip(half).step_by(2).cloned().collect()).collect();
    let plain = pcap(&frames);
    let shared = |bytes: Vec<u8>| Shared(Arc::new(bytes));
    let inputs = [
        ("gzip", vec![shared(gzip(&plain))]),
        ("zstd", vec![shared(zstd::encode_all(&plain[..], 3).unwrap())]),
        ("pcapng", vec![shared(pcapng(&frames))]),
        ("two merged", halves.iter().map(|half| shared(pcap(half))).collect()),
        ("pcap", vec![shared(plain)]),
    ];
    let mut group = criterion.benchmark_group("read and decode");
    group.throughput(Throughput::Elements(PACKETS.into())).sample_size(20);
    for (name, files) in &inputs {
        group.bench_function(*name, |bencher| bencher.iter(|| read(files, TraceOptions::default())));
    }
    let [.., (_, plain)] = &inputs;
    for (name, options) in [
        ("pcap, hashed", TraceOptions { hash: true, ..TraceOptions::default() }),
        ("pcap, sorted", TraceOptions { sort: true, ..TraceOptions::default() }),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| read(plain, options)));
    }
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    let frames = frames();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(PACKETS.into())).sample_size(20);
    group.bench_function("frames", |bencher| {
        let mut decoder = Decoder::default();
        bencher.iter(|| {
            for (time, bytes) in &frames {
                let wire_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let frame =
                    Frame { time: *time, link: LinkType::Ethernet, wire_bytes, bytes, ..Frame::default() };
                black_box(decoder.decode(frame));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, trace, decode);
criterion_main!(benches);
