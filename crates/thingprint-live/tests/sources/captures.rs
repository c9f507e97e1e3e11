//! Captures written in code.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use thingprint_flow::{CaptureWriter, Timestamp};

/// Seconds at which the captures of these tests begin.
pub(crate) const BEGIN_S: i64 = 1_700_000_000;

/// A capture with a frame at each of these seconds behind the begin.
pub(crate) fn capture(seconds: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for second in seconds {
        writer.write(Timestamp::from_seconds(BEGIN_S + second), &frame(second), 60).unwrap();
    }
    writer.finish().unwrap()
}

/// The records of such a capture, without the header of the file.
pub(crate) fn records(seconds: impl IntoIterator<Item = i64>) -> Vec<u8> {
    capture(seconds)[24..].to_vec()
}

/// The same capture in the other byte order.
pub(crate) fn big_endian(seconds: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let mut bytes = capture([]);
    let swap = |bytes: &mut [u8], widths: &[usize]| {
        let mut at = 0;
        for width in widths {
            bytes[at..at + width].reverse();
            at += width;
        }
    };
    swap(&mut bytes, &[4, 2, 2, 4, 4, 4, 4]);
    for second in seconds {
        let mut record = records([second]);
        swap(&mut record, &[4, 4, 4, 4]);
        bytes.extend(record);
    }
    bytes
}

/// Compressed as gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn frame(second: i64) -> Vec<u8> {
    let mut frame = vec![0x02; 12];
    frame.extend([0x88, 0xb5]);
    frame.extend(second.to_be_bytes());
    frame.resize(60, 0);
    frame
}
