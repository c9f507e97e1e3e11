use std::ops::Range;

use super::link::LinkType;
use super::pcap::Pcap;
use super::pcapng::PcapNg;
use crate::Timestamp;

/// The format of a capture, with what its headers said.
pub(super) enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// What lies at the start of the bytes given.
pub(super) enum Step {
    /// A packet.
    Packet(Record),
    /// Something else, of this many bytes.
    Skip(usize),
    /// Too little to say: this many bytes are needed.
    Need(usize),
}

/// One packet record of a capture file, with places relative to its start.
pub(super) struct Record {
    /// Bytes of the whole record.
    pub(super) length: usize,
    /// Where the frame's bytes lie in it.
    pub(super) data: Range<usize>,
    /// When the frame was captured; `None` where the format does not say (simple packet blocks).
    pub(super) time: Option<Timestamp>,
    /// Length of the frame on the wire; writers that do not know it write less than was captured.
    pub(super) wire_bytes: u32,
    /// Number of the interface in its section.
    pub(super) interface: u32,
    /// Link type of the interface.
    pub(super) link: LinkType,
}

/// Why the bytes contradict their format.
pub(super) type Contradiction = String;

impl Format {
    /// Bytes that [`of`](Self::of) looks at.
    pub(super) const MAGIC_BYTES: usize = 4;

    /// The format of a stream that starts with these bytes; `None` if it is no capture.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        match start.first_chunk()? {
            [0x0a, 0x0d, 0x0d, 0x0a] => Some(Self::PcapNg(PcapNg::default())),
            magic => Pcap::of(*magic).map(Self::Pcap),
        }
    }

    /// Reads what lies at the start of `bytes`.
    #[inline]
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Contradiction> {
        match self {
            Self::Pcap(pcap) => pcap.step(bytes),
            Self::PcapNg(pcapng) => pcapng.step(bytes),
        }
    }
}
