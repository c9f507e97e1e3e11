use pcap_parser::nom;
use pcap_parser::{
    LegacyPcapBlock, PcapError, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header,
};

use super::format::{Contradiction, Record, Step};
use super::link::LinkType;
use crate::Timestamp;

/// Bytes of the file header (draft-ietf-opsawg-pcap §4).
const FILE_HEADER: usize = 24;

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
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Contradiction> {
        match self.link {
            Some(link) => self.record(bytes, link),
            None => self.file_header(bytes),
        }
    }

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

    fn record(&self, bytes: &[u8], link: LinkType) -> Result<Step, Contradiction> {
        let (header, parsed) = match self.variant {
            Variant::LittleEndian => (16, parse_pcap_frame(bytes)),
            Variant::BigEndian => (16, parse_pcap_frame_be(bytes)),
            Variant::Modified => (24, parse_pcap_frame_modified(bytes)),
        };
        match parsed {
            Ok((_, block)) => Ok(Step::Packet(self.packet(&block, header, link))),
            Err(nom::Err::Incomplete(needed)) => Ok(Step::Need(bytes_needed(bytes, needed))),
            Err(nom::Err::Error(error) | nom::Err::Failure(error)) => Err(reason(&error)),
        }
    }

    fn packet(&self, block: &LegacyPcapBlock<'_>, header: usize, link: LinkType) -> Record {
        let length = header + block.data.len();
        let nanos = i64::from(block.ts_usec) * self.nanos_per_unit;
        Record {
            length,
            data: header..length,
            time: Some(Timestamp::from_seconds(i64::from(block.ts_sec)).plus_nanos(nanos)),
            wire_bytes: block.origlen,
            interface: 0,
            link,
        }
    }
}

fn bytes_needed(bytes: &[u8], needed: nom::Needed) -> usize {
    let more = match needed {
        nom::Needed::Size(size) => size.get(),
        nom::Needed::Unknown => 1,
    };
    bytes.len().saturating_add(more)
}

fn reason(error: &PcapError<&[u8]>) -> Contradiction {
    match error {
        PcapError::NomError(_, kind) => format!("the packet record is malformed ({kind:?})"),
        _ => "the packet record is malformed".to_owned(),
    }
}
