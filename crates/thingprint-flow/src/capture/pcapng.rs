use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    EnhancedPacketBlock, InterfaceDescriptionBlock, OptionCode, SimplePacketBlock, nom,
    parse_enhancedpacketblock_be, parse_enhancedpacketblock_le, parse_interfacedescriptionblock_be,
    parse_interfacedescriptionblock_le, parse_sectionheaderblock, parse_simplepacketblock_be,
    parse_simplepacketblock_le,
};

use super::format::{Contradiction, Record, Step};
use super::link::LinkType;
use super::time_unit::TimeUnit;
use crate::Timestamp;

/// Interfaces that one section may describe; real ones describe a handful.
const MAX_INTERFACES: usize = 65_536;

/// Bytes that say how long a block is, and for a section header in which byte order.
const BLOCK_START: usize = 12;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// The block format (draft-ietf-opsawg-pcapng), as far as the section being read goes.
#[derive(Default)]
pub(super) struct PcapNg {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

struct Interface {
    link: LinkType,
    snap_length: usize,
    unit: TimeUnit,
    offset_s: i64,
}

impl PcapNg {
    /// Reads the block at the start of `bytes`.
    ///
    /// The block is framed here and then parsed as a whole, so that a parser which asks for more bytes than the
    /// block has means a broken block, not a short buffer.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Contradiction> {
        let Some(start) = bytes.first_chunk::<BLOCK_START>() else { return Ok(Step::Need(BLOCK_START)) };
        let [t0, t1, t2, t3, l0, l1, l2, l3, magic @ ..] = *start;
        if [t0, t1, t2, t3] == SECTION_HEADER.to_be_bytes() {
            self.big_endian = magic == [0x1a, 0x2b, 0x3c, 0x4d];
        }
        let length = self.u32([l0, l1, l2, l3]) as usize;
        if length < BLOCK_START {
            return Err(format!("a block has {length} bytes, fewer than its own frame"));
        }
        let Some(block) = bytes.get(..length) else { return Ok(Step::Need(length)) };
        match self.u32([t0, t1, t2, t3]) {
            SECTION_HEADER => self.section(block),
            INTERFACE_DESCRIPTION => self.interface(block),
            ENHANCED_PACKET => self.enhanced_packet(block),
            SIMPLE_PACKET => self.simple_packet(block),
            OBSOLETE_PACKET => self.obsolete_packet(block),
            _ => Ok(Step::Skip(length)),
        }
    }

    /// Interfaces are numbered anew in each section (§4.1).
    fn section(&mut self, block: &[u8]) -> Result<Step, Contradiction> {
        let (_, header) = parse_sectionheaderblock(block).map_err(broken("section header"))?;
        if header.major_version != 1 {
            return Err(format!("the section has version {}, not 1", header.major_version));
        }
        self.interfaces.clear();
        Ok(Step::Skip(block.len()))
    }

    fn interface(&mut self, block: &[u8]) -> Result<Step, Contradiction> {
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(format!("a section describes more than {MAX_INTERFACES} interfaces"));
        }
        let parse = if self.big_endian {
            parse_interfacedescriptionblock_be
        } else {
            parse_interfacedescriptionblock_le
        };
        let (_, description) = parse(block).map_err(broken("interface description"))?;
        self.interfaces.push(Interface::new(&description, self.big_endian));
        Ok(Step::Skip(block.len()))
    }

    fn enhanced_packet(&self, block: &[u8]) -> Result<Step, Contradiction> {
        let parse = if self.big_endian { parse_enhancedpacketblock_be } else { parse_enhancedpacketblock_le };
        let (_, packet) = parse(block).map_err(broken("enhanced packet"))?;
        let EnhancedPacketBlock { if_id, ts_high, ts_low, origlen, .. } = packet;
        let interface = self.interface_of(if_id)?;
        Ok(Step::Packet(Record {
            length: block.len(),
            data: 28..28 + packet.packet_data().len(),
            time: Some(interface.time(ts_high, ts_low)),
            wire_bytes: origlen,
            interface: if_id,
            link: interface.link,
        }))
    }

    fn simple_packet(&self, block: &[u8]) -> Result<Step, Contradiction> {
        let parse = if self.big_endian { parse_simplepacketblock_be } else { parse_simplepacketblock_le };
        let (_, packet) = parse(block).map_err(broken("simple packet"))?;
        let SimplePacketBlock { origlen, .. } = packet;
        let interface = self.interface_of(0)?;
        // Nothing but the snap length tells captured bytes from padding (§4.4).
        let captured = packet.packet_data().len().min(interface.snap_length);
        Ok(Step::Packet(Record {
            length: block.len(),
            data: 12..12 + captured,
            time: None,
            wire_bytes: origlen,
            interface: 0,
            link: interface.link,
        }))
    }

    /// Packet blocks as they were before 2004 (appendix A).
    fn obsolete_packet(&self, block: &[u8]) -> Result<Step, Contradiction> {
        let fields =
            block.get(8..).and_then(<[u8]>::first_chunk::<20>).ok_or("a packet block is too short")?;
        let [i0, i1, _, _, h0, h1, h2, h3, l0, l1, l2, l3, c0, c1, c2, c3, w0, w1, w2, w3] = *fields;
        let captured = self.u32([c0, c1, c2, c3]) as usize;
        if captured > block.len().saturating_sub(32) {
            return Err(format!("a packet of {captured} bytes is in a block of {}", block.len()));
        }
        let id = if self.big_endian { u16::from_be_bytes([i0, i1]) } else { u16::from_le_bytes([i0, i1]) };
        let interface = self.interface_of(id.into())?;
        Ok(Step::Packet(Record {
            length: block.len(),
            data: 28..28 + captured,
            time: Some(interface.time(self.u32([h0, h1, h2, h3]), self.u32([l0, l1, l2, l3]))),
            wire_bytes: self.u32([w0, w1, w2, w3]),
            interface: id.into(),
            link: interface.link,
        }))
    }

    fn interface_of(&self, id: u32) -> Result<&Interface, Contradiction> {
        self.interfaces.get(id as usize).ok_or_else(|| {
            format!("a packet names interface {id}, and the section describes {}", self.interfaces.len())
        })
    }

    fn u32(&self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

impl Interface {
    fn new(description: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        // The parser reads if_tsoffset as little-endian in every section.
        let offset = option(description, OptionCode::IfTsoffset)
            .and_then(|value| value.first_chunk().copied())
            .map_or(0, if big_endian { i64::from_be_bytes } else { i64::from_le_bytes });
        let resolution = option(description, OptionCode::IfTsresol).and_then(|value| value.first().copied());
        Self {
            link: LinkType::from_number(description.linktype.0.cast_unsigned()),
            snap_length: match description.snaplen {
                0 => usize::MAX,
                length => length as usize,
            },
            unit: resolution.map_or(TimeUnit::MICROSECOND, TimeUnit::from_resolution),
            offset_s: offset,
        }
    }

    fn time(&self, high: u32, low: u32) -> Timestamp {
        let count = u64::from(high) << 32 | u64::from(low);
        Timestamp::from_seconds(self.offset_s).plus_nanos(self.unit.nanos(count))
    }
}

fn option<'a>(description: &'a InterfaceDescriptionBlock<'_>, code: OptionCode) -> Option<&'a [u8]> {
    description.options.iter().find(|option| option.code == code).and_then(|option| option.as_bytes().ok())
}

fn broken<E>(block: &'static str) -> impl FnOnce(nom::Err<E>) -> Contradiction {
    move |_| format!("the {block} block is malformed")
}
