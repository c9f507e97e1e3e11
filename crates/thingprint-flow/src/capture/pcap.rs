use pcap_parser::parse_pcap_header;

use super::format::{Contradiction, Record, Step};
use super::link::LinkType;
use crate::Timestamp;

/// Bytes of the file header (draft-ietf-opsawg-pcap §4).
const FILE_HEADER: usize = 24;
/// Bytes of a record header that every variant has: seconds, fractions, captured length, length on the wire (§5).
const RECORD_FIELDS: usize = 16;

/// The classic capture format (draft-ietf-opsawg-pcap), in its four magics and Kuznetzov's variant.
pub(super) struct Pcap {
    variant: Variant,
    nanos_per_unit: i64,
    /// Known once the file header was read.
    link: Option<LinkType>,
}

#[derive(Clone, Copy)]
enum Variant {
    LittleEndian,
    BigEndian,
    /// Little-endian, with eight more bytes in each record header.
    Modified,
}

impl Pcap {
    /// The variant with this magic number, as it lies in the file.
    pub(super) fn of(magic: [u8; 4]) -> Option<Self> {
        let (variant, nanos_per_unit) = match u32::from_be_bytes(magic) {
            0xa1b2_c3d4 => (Variant::BigEndian, 1_000),
            0xa1b2_3c4d => (Variant::BigEndian, 1),
            0xd4c3_b2a1 => (Variant::LittleEndian, 1_000),
            0x4d3c_b2a1 => (Variant::LittleEndian, 1),
            0x34cd_b2a1 => (Variant::Modified, 1_000),
            _ => return None,
        };
        Some(Self { variant, nanos_per_unit, link: None })
    }

    /// The link type of every frame; `None` before the file header was read.
    pub(super) fn link(&self) -> Option<LinkType> {
        self.link
    }

    /// Reads the file header or the next packet record at the start of `bytes`.
    #[inline]
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Contradiction> {
        match self.link {
            Some(link) => Ok(self.record(bytes, link)),
            None => self.file_header(bytes),
        }
    }

    #[cold]
    fn file_header(&mut self, bytes: &[u8]) -> Result<Step, Contradiction> {
        if bytes.len() < FILE_HEADER {
            return Ok(Step::Need(FILE_HEADER));
        }
        let (_, header) =
            parse_pcap_header(bytes).map_err(|_| "the file header is no pcap header".to_owned())?;
        // The upper bits say whether frames end in a check sequence, and how long it is (§4, "FCS len").
        self.link = Some(LinkType::from_number(header.network.0.cast_unsigned() & 0x03ff_ffff));
        Ok(Step::Skip(FILE_HEADER))
    }

    #[inline]
    fn record(&self, bytes: &[u8], link: LinkType) -> Step {
        let header_bytes = self.variant.record_header();
        let Some(header) = bytes.first_chunk::<RECORD_FIELDS>() else { return Step::Need(header_bytes) };
        let [s0, s1, s2, s3, u0, u1, u2, u3, c0, c1, c2, c3, o0, o1, o2, o3] = *header;
        let seconds = self.variant.u32([s0, s1, s2, s3]);
        let units = self.variant.u32([u0, u1, u2, u3]);
        let length = header_bytes.saturating_add(self.variant.u32([c0, c1, c2, c3]) as usize);
        if bytes.len() < length {
            return Step::Need(if bytes.len() < header_bytes { header_bytes } else { length });
        }
        let nanos = i64::from(units) * self.nanos_per_unit;
        Step::Packet(Record {
            length,
            data: header_bytes..length,
            time: Some(Timestamp::from_seconds(i64::from(seconds)).plus_nanos(nanos)),
            wire_bytes: self.variant.u32([o0, o1, o2, o3]),
            interface: 0,
            link,
        })
    }
}

impl Variant {
    /// Bytes of the header of a record.
    #[inline]
    const fn record_header(self) -> usize {
        match self {
            Self::LittleEndian | Self::BigEndian => RECORD_FIELDS,
            Self::Modified => RECORD_FIELDS + 8,
        }
    }

    #[inline]
    const fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::LittleEndian | Self::Modified => u32::from_le_bytes(bytes),
            Self::BigEndian => u32::from_be_bytes(bytes),
        }
    }
}
