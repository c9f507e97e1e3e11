use std::io::{self, Write};

use crate::{LinkType, Timestamp};

/// Longest frame that readers accept without complaint; it is also written as the snap length.
const SNAP_LENGTH: u32 = 262_144;

/// Writes frames of one link type as a pcap capture with nanosecond time stamps (draft-ietf-opsawg-pcap).
#[derive(Debug)]
pub struct CaptureWriter<W: Write> {
    sink: W,
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a capture of Ethernet frames: the file header is written at once, so that a capture without packets is
    /// one too.
    ///
    /// Each packet is two small writes: give a buffered sink.
    pub fn new(sink: W) -> io::Result<Self> {
        Self::with_link(sink, LinkType::Ethernet)
    }

    /// Begins a capture of frames of this link type.
    pub fn with_link(mut sink: W, link: LinkType) -> io::Result<Self> {
        sink.write_all(&0xa1b2_3c4d_u32.to_le_bytes())?;
        sink.write_all(&2_u16.to_le_bytes())?;
        sink.write_all(&4_u16.to_le_bytes())?;
        sink.write_all(&[0; 8])?;
        sink.write_all(&SNAP_LENGTH.to_le_bytes())?;
        sink.write_all(&link.number().to_le_bytes())?;
        Ok(Self { sink })
    }

    /// Adds a frame: when it was captured, the bytes captured, and its length on the wire (at least as many).
    ///
    /// Fails when the format has no room for the time (before 1970 or after 2106) or for the length.
    pub fn write(&mut self, time: Timestamp, frame: &[u8], wire_bytes: u32) -> io::Result<()> {
        let nanos = time.as_nanos();
        let seconds = u32::try_from(nanos.div_euclid(1_000_000_000))
            .map_err(|_| invalid(format!("time {time} is outside of the years 1970 to 2106")))?;
        let fraction = u32::try_from(nanos.rem_euclid(1_000_000_000)).map_err(invalid)?;
        let captured = u32::try_from(frame.len()).map_err(invalid)?;
        let mut header = [0_u8; 16];
        let fields = [seconds, fraction, captured, wire_bytes.max(captured)];
        for (bytes, field) in header.chunks_exact_mut(4).zip(fields) {
            bytes.copy_from_slice(&field.to_le_bytes());
        }
        self.sink.write_all(&header)?;
        self.sink.write_all(frame)
    }

    /// Where the capture goes to.
    pub const fn get_mut(&mut self) -> &mut W {
        &mut self.sink
    }

    /// Flushes the sink and hands it back.
    pub fn finish(mut self) -> io::Result<W> {
        self.sink.flush()?;
        Ok(self.sink)
    }
}

fn invalid(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
